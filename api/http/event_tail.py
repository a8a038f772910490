"""The end of the log, held once for all the streams of a process: it wakes them, and hands them what is new."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from litestar.concurrency import sync_to_thread

from api.http.known_heads import KnownHeads
from api.http.problems import RateLimited
from tracker.event import served
from tracker.log.recorder import LogRecorder, LogRow

MAX_STREAMS_PER_HOLDER = 32
"""Streams of one key, or of one address without a key."""

MAX_STREAMS = 2_000
"""Streams of this process."""

TAIL_EVENTS = 1_000
TAIL_BYTES = 4 * 1024 * 1024
"""The last events of the log that are held in memory for all streams."""

END_GRACE_SECONDS = 0.5
"""Seconds that a stream has to end in when the process is told to."""

READ_PAGE_ROWS = 200
MAX_STORE_READERS = 4
"""Streams that may read what is older from the store at one time."""


class StreamFilter(NamedTuple):
    """What a stream is narrowed to; None for everything."""

    pledge: str | None = None
    type: str | None = None


class TailEvent(NamedTuple):
    """One event as it is sent."""

    position: int
    pledge: str
    type: str
    frame: bytes


class EventTail:
    """The end of the log, for all streams of this process. Lives on one event loop; only ``grew`` may be called from
    other threads."""

    def __init__(self, journal: LogRecorder, heads: KnownHeads) -> None:
        self.closing = False
        self._journal = journal
        self._heads = heads
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: dict[asyncio.Event, asyncio.Task[object] | None] = {}
        self._held: Counter[str] = Counter()
        self._kept: deque[TailEvent] = deque()
        self._bytes = 0
        self._end = 0
        self._filling = asyncio.Lock()
        self._reading = asyncio.Semaphore(MAX_STORE_READERS)

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._woken)

    @property
    def head(self) -> int:
        """How far streams go now."""
        return self._heads.log

    def open(self) -> None:
        """Begin, on the event loop that runs."""
        self._loop = asyncio.get_running_loop()
        self._filling, self._reading = asyncio.Lock(), asyncio.Semaphore(MAX_STORE_READERS)
        self.closing = False

    def grew(self) -> None:
        """The log has grown. From any thread."""
        loop = self._loop
        if loop is not None and self._woken:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """End all streams. From any thread, and from a signal's handler."""
        self.closing = True
        self.grew()

    def _wake(self) -> None:
        for woken in self._woken:
            woken.set()
        if self.closing and self._loop is not None:
            self._loop.call_later(END_GRACE_SECONDS, self._cancel)

    def _cancel(self) -> None:
        """End the streams that are still here: their readers take nothing."""
        for task in self._woken.values():
            if task is not None:
                task.cancel()

    @contextmanager
    def joined(self, holder: str) -> Iterator[asyncio.Event]:
        """Take part: the event is set whenever there is something new.

        Errors: ``RateLimited`` if there are too many streams already.
        """
        if self._held[holder] >= MAX_STREAMS_PER_HOLDER:
            raise RateLimited(f"{MAX_STREAMS_PER_HOLDER} streams are open already; close one", retry_after=10)
        if len(self._woken) >= MAX_STREAMS:
            raise RateLimited("too many streams are open; poll `/v1/events?after=` instead", retry_after=30)
        woken = asyncio.Event()
        self._held[holder] += 1
        self._woken[woken] = asyncio.current_task()
        try:
            yield woken
        finally:
            del self._woken[woken]
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]

    async def after(self, position: int, wanted: StreamFilter) -> tuple[bytes, int]:
        """What to send after a position, and the position that it reaches.

        Errors: ``Unavailable``.
        """
        head = self.head
        if position >= head:
            return b"", position
        async with self._filling:
            if near := position >= self._floor(head):
                await self._fill(head)
                near = position >= self._end - len(self._kept)  # large events push others out
        if near:
            return self._newest(position, wanted), max(position, self._end)
        async with self._reading:
            rows = await sync_to_thread(self._read, position, head, wanted)
        reached = rows[-1].position if len(rows) == READ_PAGE_ROWS else head
        return b"".join(_frame(row) for row in rows), reached

    def _newest(self, position: int, wanted: StreamFilter) -> bytes:
        found = []
        for kept in reversed(self._kept):
            if kept.position <= position:
                break
            if wanted.pledge in (None, kept.pledge) and wanted.type in (None, kept.type):
                found.append(kept.frame)
        return b"".join(reversed(found))

    def _floor(self, head: int) -> int:
        """The oldest position after which all events are kept, or will be."""
        return head - TAIL_EVENTS if head - self._end > TAIL_EVENTS else self._end - len(self._kept)

    async def _fill(self, head: int) -> None:
        if head - self._end > TAIL_EVENTS:
            self._kept.clear()
            self._bytes, self._end = 0, head - TAIL_EVENTS
        while self._end < head:
            rows = await sync_to_thread(self._read, self._end, head, StreamFilter())
            if not rows:
                return
            for row in rows:
                self._kept.append(TailEvent(row.position, row.pledge, row.type, _frame(row)))
                self._bytes += len(self._kept[-1].frame)
            self._end = rows[-1].position
            while len(self._kept) > TAIL_EVENTS or self._bytes > TAIL_BYTES:
                self._bytes -= len(self._kept.popleft().frame)

    def _read(self, after: int, upto: int, wanted: StreamFilter) -> list[LogRow]:
        return self._journal.read(after, READ_PAGE_ROWS, upto=upto, pledge=wanted.pledge, type=wanted.type)


def _frame(row: LogRow) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.position, row.type.encode(), served(row.state, row.position))
