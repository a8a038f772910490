"""Counts of a minute in the memory of one process."""

from __future__ import annotations

import time
from typing import Protocol

WINDOW_SECONDS = 60.0
"""Seconds of a window, from the first that is counted in it."""

MAX_COUNTED = 10_000
"""Keys or addresses counted at a time; beyond them, the one that was not seen for the longest is forgotten."""


class Counted(Protocol):
    """Counts up to a limit, for each name within a window of its own."""

    def count(self, name: str) -> tuple[int, int]:
        """Count one more; how many there were before it in the window, and the seconds until the window ends."""
        ...


class Windows:
    """Counts up to a limit, for each name within a window of its own."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since: dict[str, tuple[float, int]] = {}

    def count(self, name: str) -> tuple[int, int]:
        """Count one more; how many there were before it in the window, and the seconds until the window ends."""
        now = time.monotonic()
        since, used = self._since.pop(name, (now, 0))
        if now - since >= WINDOW_SECONDS:
            since, used = now, 0
        self._since[name] = (since, min(used + 1, self._limit))
        if len(self._since) > MAX_COUNTED:
            del self._since[next(iter(self._since))]
        return used, seconds_left(since, now)


def seconds_left(since: float, now: float) -> int:
    """Seconds until a window ends that began at `since`, rounded up and at least one."""
    return max(1, int(since + WINDOW_SECONDS - now + 0.999))
