"""Whether a projector is at work, as a process that only reads the tables can tell.

A heartbeat that changes is proof whatever the clocks say, so its age is counted from when it was seen to change. Only
the first one seen is believed by its own time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf

ALIVE_SECONDS = 15.0
"""Seconds without a new heartbeat after which no projector counts as at work: a standby takes over within them."""

STALL_SECONDS = 20.0
"""Seconds for which events wait and none is projected, after which the projection counts as stalled."""


class ProjectorLiveness:
    """What is seen of the projector: its heartbeats, and whether it projects what the log has. Safe between threads."""

    def __init__(self, now: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now, self._monotonic = now, monotonic
        self._heartbeat: str | None = None
        self._beaten_at = -inf
        self._position = 0
        self._moved_at = monotonic()

    def note(self, heartbeat: str | None, position: int, head: int) -> None:
        """Take in the heartbeat and the position of the projection, and the head of the log."""
        now = self._monotonic()
        if heartbeat != self._heartbeat:
            is_first, self._heartbeat = self._heartbeat is None, heartbeat
            if not is_first:
                self._beaten_at = now
            elif heartbeat is not None:
                age = self._now() - datetime.fromisoformat(heartbeat)
                self._beaten_at = now - age.total_seconds() if age > timedelta(0) else -inf
        if position != self._position or position >= head:
            self._position, self._moved_at = position, now

    @property
    def silent_seconds(self) -> float:
        """Seconds since the last heartbeat; without end if none was seen."""
        return self._monotonic() - self._beaten_at

    @property
    def is_alive(self) -> bool:
        """Whether a projector is at work."""
        return self.silent_seconds <= ALIVE_SECONDS

    @property
    def stalled_seconds(self) -> float:
        """Seconds for which events have been waiting and none was projected; 0 if none waits."""
        return self._monotonic() - self._moved_at
