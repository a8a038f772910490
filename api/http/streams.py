"""An answer too large to hold: sent a piece at a time, each piece made in a thread while somebody still takes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress

from litestar.concurrency import sync_to_thread
from litestar.types import Receive, Scope, Send

from api.http.cache import BytesResponse

PIECE_BYTES = 64 * 1024

STALLED_SECONDS, ABORT_SECONDS = 2.0, 8.0
"""Seconds after being told to end: then bodies are broken off whose reader takes nothing, and then all that are left.

The server itself would wait for ten, and tell the operator of each with a trace.
"""


class OpenBodies:
    """The bodies on their way, so that none holds up the end of the process. Lives on one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._since: dict[asyncio.Task[object], float] = {}
        """When each last handed on a piece."""

    def open(self) -> None:
        """Begin, on the event loop that runs."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """The process ends. From any thread, and from a signal's handler."""
        if self._loop is not None and self._since:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._end)

    def handed_on(self) -> None:
        """The body of this task goes forward."""
        if task := asyncio.current_task():
            self._since[task] = time.monotonic()

    def done(self) -> None:
        """The body of this task has ended."""
        if task := asyncio.current_task():
            self._since.pop(task, None)

    def _end(self) -> None:
        assert self._loop is not None
        self._loop.call_later(STALLED_SECONDS, self._cancel, STALLED_SECONDS / 2)
        self._loop.call_later(ABORT_SECONDS, self._cancel, 0.0)

    def _cancel(self, stalled: float) -> None:
        for task, since in self._since.items():
            if time.monotonic() - since >= stalled:
                task.cancel()


class StreamedResponse:
    """The answer ``mark``, whose body comes from an iterator. The first piece is made before the head is sent."""

    def __init__(self, mark: BytesResponse, pieces: Iterator[bytes]) -> None:
        self._mark = mark
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it: 304 if the caller has it, the head alone for HEAD."""
        self._mark.keep_in(scope)
        if self._mark.matches(scope):
            await self._mark(scope, receive, send)
            return
        piece = await sync_to_thread(self._next)
        await send({"type": "http.response.start", "status": 200, "headers": self._mark.streamed_head()})
        if scope["method"] != "HEAD":  # type: ignore[typeddict-item]
            sending: OpenBodies = scope["litestar_app"].state.services.open_bodies
            gone = asyncio.ensure_future(until_gone(receive))
            try:
                while piece and not gone.done():
                    sending.handed_on()
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    piece = await sync_to_thread(self._next)
            except asyncio.CancelledError:
                await broken_off(receive, gone)
                return
            finally:
                sending.done()
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _next(self) -> bytes:
        found = bytearray()
        for piece in self._pieces:
            found += piece
            if len(found) >= PIECE_BYTES:
                break
        return bytes(found)


async def broken_off(receive: Receive, gone: asyncio.Future[None]) -> None:
    """Break the connection of a reader that takes nothing. ASGI has no word for it: uvicorn's transport is asked, which
    would otherwise keep the socket, and the process at its end, until the reader has taken the rest."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
    await asyncio.wait({gone}, timeout=1)


async def until_gone(receive: Receive) -> None:
    """Return when the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
