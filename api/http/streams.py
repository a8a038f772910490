"""A response too large to hold: sent a piece at a time, each made in a thread once the one before it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from litestar.concurrency import sync_to_thread
from litestar.types import Receive, Scope, Send

from api.http.responses import BytesResponse
from api.http.shutdown import OpenBodies, abort_connection, until_disconnected

PIECE_BYTES = 64 * 1024
"""Bytes of a piece, at least; the last one may be shorter."""


class StreamedResponse:
    """A response with the headers of `head`, whose body comes from an iterator, behind what is `begun` already.

    The first piece is made before the headers are sent, so that an error in it is still a problem document.
    """

    def __init__(self, head: BytesResponse, pieces: Iterator[bytes], begun: bytes = b"") -> None:
        self._head = head
        self._pieces = pieces
        self._begun = begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response: 304 if the caller has these bytes, the headers alone for HEAD."""
        self._head.cache_in(scope)
        if self._head.matches(scope):
            await self._head(scope, receive, send)
            return
        piece = self._begun or await sync_to_thread(self._next)
        await send({"type": "http.response.start", "status": 200, "headers": self._head.streamed_head()})
        if scope["method"] != "HEAD":  # type: ignore[typeddict-item]
            open_bodies: OpenBodies = scope["litestar_app"].state.services.open_bodies
            disconnected = asyncio.ensure_future(until_disconnected(receive))
            try:
                while piece and not disconnected.done():
                    open_bodies.piece_sent()
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    piece = await sync_to_thread(self._next)
            except asyncio.CancelledError:
                await abort_connection(receive, disconnected)
                return
            finally:
                open_bodies.done()
                disconnected.cancel()
                with suppress(asyncio.CancelledError):
                    await disconnected
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _next(self) -> bytes:
        found = bytearray()
        for piece in self._pieces:
            found += piece
            if len(found) >= PIECE_BYTES:
                break
        return bytes(found)
