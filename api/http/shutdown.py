"""The end of the process, which no slow reader holds up.

The signal ends event streams at once (`on_signal`). Streamed bodies may go on (`OpenBodies`): after `STALLED_SECONDS`
those are broken off whose reader takes nothing, after `ABORT_SECONDS` all that are left. Bytes that were written and
not taken outlive their response, so the connection itself is aborted a moment later (`BoundedConnection.shutdown`).
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from litestar.types import Receive

STALLED_SECONDS = 2.0
"""Seconds after the signal after which bodies are broken off whose reader takes nothing."""

ABORT_SECONDS = 8.0
"""Seconds after the signal after which all bodies are broken off.

The server itself would wait for ten, and log a trace for each.
"""

CONNECTION_GRACE_SECONDS = 0.5
"""Seconds after `ABORT_SECONDS` after which a connection is aborted, with whatever its reader has not taken."""


class OpenBodies:
    """The streamed bodies on their way, so that none holds up the end of the process. It lives on one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sent_at: dict[asyncio.Task[object], float] = {}
        """When each body last handed on a piece, by the monotonic clock."""

    def open(self) -> None:
        """Begin, on the event loop that runs."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Begin to break off bodies: the process ends. May be called from any thread, and from a signal's handler."""
        if self._loop is not None and self._sent_at:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._end, self._loop)

    def piece_sent(self) -> None:
        """Note that the body of this task goes forward."""
        if task := asyncio.current_task():
            self._sent_at[task] = time.monotonic()

    def done(self) -> None:
        """Note that the body of this task has ended."""
        if task := asyncio.current_task():
            self._sent_at.pop(task, None)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(STALLED_SECONDS, self._cancel, STALLED_SECONDS / 2)
        loop.call_later(ABORT_SECONDS, self._cancel, 0.0)

    def _cancel(self, stalled_seconds: float) -> None:
        for task, sent_at in self._sent_at.items():
            if time.monotonic() - sent_at >= stalled_seconds:
                task.cancel()


def hold_little(receive: Receive, size: int) -> None:
    """Let the server keep no more than so many bytes that a reader has not taken; its own bound is twice as much."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.set_write_buffer_limits(size)


async def abort_connection(receive: Receive, disconnected: asyncio.Future[None]) -> None:
    """Abort the connection of a reader that takes nothing.

    ASGI has no message for it, so uvicorn's transport is asked: it would keep the socket, and the process at its end,
    until the reader has taken the rest.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
    await asyncio.wait({disconnected}, timeout=1)


async def until_disconnected(receive: Receive) -> None:
    """Return when the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


@contextmanager
def on_signal(call: Callable[[], None]) -> Iterator[None]:
    """Call `call` when the process gets SIGTERM or SIGINT, before the server waits for open requests.

    Signals reach the main thread only: in another thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def handler(number: int, frame: FrameType | None) -> None:
        call()
        previous = before[number]
        if callable(previous):
            previous(number, frame)
        elif previous is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in map(int, (signal.SIGTERM, signal.SIGINT)):
        before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, previous)
