"""The one timer of a connection: what it waits for changes several times in one read, and the timer is set once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class DueTimer:
    """Calls what is due, unless something else is due by then, or nothing.

    While it is held nothing is set. A request that comes in one piece needs no timer: nothing waits in between.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._due: tuple[float, Callable[[], None]] | None = None
        self._set_for: tuple[float, Callable[[], None]] | None = None
        self._is_held = False

    def start(self, seconds: float, call: Callable[[], None]) -> None:
        """Let this be due, in so many seconds, and nothing else."""
        self._due = (seconds, call)
        self._set()

    def stop(self) -> None:
        """Let nothing be due."""
        self._due = None
        self._set()

    def hold(self) -> None:
        """Set nothing until `release`."""
        self._is_held = True

    def release(self) -> None:
        """Set the timer for what is due by now."""
        self._is_held = False
        self._set()

    def _set(self) -> None:
        if self._is_held or self._set_for is self._due:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None if self._due is None else self._loop.call_later(*self._due)
        self._set_for = self._due
