"""Counts of a minute that several processes of one machine share, in a small SQLite file that no reader waits for.

Redis would be another service, and a table of the record would make every write and every refused key cost the store
something. The file lies in the directory in which the workers of one `tracker serve` count together, and goes with it.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

from api.http.json_logging import LOGGER_NAME
from api.http.windows import MAX_COUNTED, WINDOW_SECONDS, Windows, seconds_left

BUSY_SECONDS = 0.05
"""Seconds that a count waits for the process that counts now: it is on the event loop."""

_CREATE = "CREATE TABLE IF NOT EXISTS windows (name TEXT PRIMARY KEY, since REAL NOT NULL, used INTEGER NOT NULL)"

# The monotonic clock is the machine's: all of its processes read the same.
_COUNT = """
INSERT INTO windows (name, since, used) VALUES (:name, :now, 1)
ON CONFLICT (name) DO UPDATE SET
    used = CASE WHEN :now - since >= :window THEN 1 ELSE min(used + 1, :limit + 1) END,
    since = CASE WHEN :now - since >= :window THEN :now ELSE since END
RETURNING since, used
"""

_log = logging.getLogger(LOGGER_NAME)


class SharedWindows:
    """Counts up to a limit, for each name within a window of its own, together with other processes.

    Where the file cannot be written this process counts alone, and says so once. It lives on one event loop.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._limit, self._alone = limit, Windows(limit)
        self._told = False
        self._counted = 0
        self._conn = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        # The counts are worth nothing once the machine has ended.
        self._conn.execute("PRAGMA synchronous=OFF")
        self._conn.execute(f"PRAGMA busy_timeout={round(1000 * 20 * BUSY_SECONDS)}")  # all begin at the same time
        self._conn.execute("PRAGMA journal_mode=WAL")
        self._conn.execute(_CREATE)
        self._conn.execute(f"PRAGMA busy_timeout={round(1000 * BUSY_SECONDS)}")

    def count(self, name: str) -> tuple[int, int]:
        """Count one more; how many there were before it in the window, and the seconds until the window ends."""
        now = time.monotonic()
        given = {"name": name, "now": now, "window": WINDOW_SECONDS, "limit": self._limit}
        try:
            since, used = self._conn.execute(_COUNT, given).fetchall()[0]
            self._counted += 1
            if self._counted % MAX_COUNTED == 0:
                self._conn.execute("DELETE FROM windows WHERE since < ?", (now - WINDOW_SECONDS,))
        except sqlite3.Error as error:
            if not self._told:
                self._told = True
                _log.warning("this process counts limits alone: %s", error)
            return self._alone.count(name)
        return used - 1, seconds_left(since, now)

    def close(self) -> None:
        """Close the file."""
        self._conn.close()
