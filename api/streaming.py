"""An answer too large to hold: sent a piece at a time, each piece made in a thread while somebody still takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from litestar.concurrency import sync_to_thread
from litestar.types import Receive, Scope, Send

from api.polling import Answer

PIECE = 64 * 1024


class Streamed:
    """The answer ``mark``, whose body comes from an iterator. The first piece is made before the head is sent."""

    def __init__(self, mark: Answer, pieces: Iterator[bytes]) -> None:
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
            gone = asyncio.ensure_future(until_gone(receive))
            try:
                while piece and not gone.done():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    piece = await sync_to_thread(self._next)
            finally:
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _next(self) -> bytes:
        found = bytearray()
        for piece in self._pieces:
            found += piece
            if len(found) >= PIECE:
                break
        return bytes(found)


async def until_gone(receive: Receive) -> None:
    """Return when the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
