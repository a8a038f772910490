"""Connections that take turns: one that sends fast is read once, then the others, then it again."""

from __future__ import annotations

import asyncio
from typing import Any

TURN_BYTES = 64 * 1024
"""Bytes of one read after which others have their turn."""


class FairReading(asyncio.Protocol):
    """A connection that lets others read after each large read of its own.

    uvloop reads a fast sender up to 32 times, 8 MB, before it looks at any other connection.
    """

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: Any

    def give_way(self, size: int) -> None:
        """Read on in the next round of the event loop, after a read of so many bytes."""
        if size > TURN_BYTES and not self.flow.read_paused and not self.transport.is_closing():
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self.flow.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()
