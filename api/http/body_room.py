"""Room for large bodies: what all requests of a process hold of them at once is bounded, whoever sends them.

Bytes are counted as they are read. The request that finds no room is refused with 503 and gives back what it had; none
waits for room while it holds some, so the others go on. Large bodies that are whole are worked on one after the other:
reading one takes several times its size.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from api.http.collector import resting
from api.http.problems import TooMuchAtOnce

ROOM_BYTES = 160 * 1024 * 1024
"""Bytes of large bodies that are held at once, at most: two of the largest batches and a half."""

FREE_BYTES = 256 * 1024
"""Bytes of each body that are not counted, so that no single fact is ever refused; a body over it is large."""

RETRY_SECONDS = 5
"""Seconds after which a request that found no room may be sent again."""


class BodyRoom:
    """Counts the large bodies of one process. It lives on one event loop."""

    def __init__(self, room: int = ROOM_BYTES) -> None:
        self._room = room
        self._turn = asyncio.Lock()
        self.held = 0
        """Bytes that are held now."""

    @contextmanager
    def taken(self) -> Iterator[Share]:
        """A share for one body, given back in the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.counted

    @asynccontextmanager
    async def turn(self, share: Share) -> AsyncIterator[None]:
        """Wait until no other large body is worked on; a small one does not wait. The collector of cycles rests."""
        if not share.counted:
            yield
            return
        async with self._turn:
            with resting():
                yield

    def has(self, more: int) -> bool:
        """Whether so many more bytes have room."""
        return self.held + more <= self._room


class Share:
    """What one body holds of the room."""

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self._size = 0
        self.counted = 0
        """Bytes that are counted of it."""

    def grow(self, size: int) -> None:
        """Count some more bytes.

        Raises: TooMuchAtOnce if there is no room for them.
        """
        self._size += size
        more = max(0, self._size - FREE_BYTES) - self.counted
        if more and not self._room.has(more):
            raise TooMuchAtOnce(
                "too many large bodies are on their way; send this one again a little later, or in smaller batches",
                retry_after=RETRY_SECONDS,
            )
        self.counted += more
        self._room.held += more
