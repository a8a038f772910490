"""The end of the log, held once for all the streams of a process: it wakes them, and gives them the new events."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import NamedTuple

from litestar.concurrency import sync_to_thread

from api.http.known_heads import KnownHeads
from api.http.problems import RateLimited
from api.http.system_clock import today
from projections.passing import concerns
from projections.queries import Filters
from projections.timeline import Timeline
from tracker.event import served
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow

MAX_STREAMS_PER_HOLDER = 32
"""Open streams of one key, or of one address without a key, at most."""

MAX_STREAMS = 2_000
"""Open streams of this process, at most."""

TAIL_EVENTS = 1_000
"""The last events of the log that are held in memory for all streams, at most."""

TAIL_BYTES = 4 * 1024 * 1024
"""Bytes of their frames, at most."""

END_GRACE_SECONDS = 0.5
"""Seconds that a stream has to end by itself once the process ends."""

READ_PAGE_ROWS = 200
"""Rows of the log that are read at a time into the memory that all streams share."""

BEHIND_PAGE_ROWS = 40
"""Rows of the log that are read at a time for a stream that is further behind."""

PIECE_BYTES = 32 * 1024
"""Bytes that a stream takes with it at a time, at most, unless one event has more. A reader that takes nothing costs
this, and what the server and the kernel hold of what was sent."""

ASKED_EVENTS = 200
"""Events about whose pledges the projection is asked at a time, at most."""

MAX_STORE_READERS = 4
"""Streams that may read older events or the projection from the store at one time."""


class StreamFilter(NamedTuple):
    """What a stream is narrowed to; what is empty narrows nothing."""

    pledges: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    plain: bool = False
    """Frames have no `event:` line: then a browser's `onmessage` gets them, and not only a listener for each type."""

    listed: Filters | None = None
    """What the pledge passes today, once the event is known or before it: the projection is asked."""

    def takes(self, pledge: str, type_: str) -> bool:
        """Whether events of this pledge and type are wanted, whatever the pledge's status is."""
        return (not self.pledges or pledge in self.pledges) and (not self.types or type_ in self.types)

    def framed(self, frame: bytes) -> bytes:
        """The frame as this stream sends it."""
        return _plain(frame) if self.plain else frame


class TailEvent(NamedTuple):
    """One event in memory; `frame` is what is sent of it."""

    position: int
    pledge: str
    type: str
    frame: bytes


class EventTail:
    """The end of the log, for all streams of this process.

    It lives on one event loop; only `grew`, `projected` and `close` may be called from other threads.
    """

    def __init__(self, log: LogRecorder, timeline: Timeline, heads: KnownHeads) -> None:
        self.closing = False
        self.history = heads.history
        """Counts up when the log is another history than before: the streams that began before it end."""
        self._held_of = self.history
        self._log, self._timeline = log, timeline
        self._heads = heads
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: dict[asyncio.Event, asyncio.Task[object] | None] = {}
        self._asking: set[asyncio.Event] = set()
        """The streams that ask the projection."""
        self._per_holder: Counter[str] = Counter()
        self._events: deque[TailEvent] = deque()
        self._bytes = 0
        self._end = 0
        self._withheld = heads.withheld
        self._filling = asyncio.Lock()
        self._reading = asyncio.Semaphore(MAX_STORE_READERS)

    @property
    def streams(self) -> int:
        """The number of open streams."""
        return len(self._streams)

    @property
    def head(self) -> int:
        """The last position that streams send now."""
        return self._heads.log

    def open(self) -> None:
        """Begin, on the event loop that runs."""
        self._loop = asyncio.get_running_loop()
        self._filling, self._reading = asyncio.Lock(), asyncio.Semaphore(MAX_STORE_READERS)
        self.closing = False

    def grew(self) -> None:
        """Wake the streams: the log has grown. From any thread."""
        loop = self._loop
        if loop is not None and self._streams:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._wake)

    def projected(self) -> None:
        """Wake the streams that ask the projection: it has got further. From any thread."""
        loop = self._loop
        if loop is not None and self._asking:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._wake_asking)

    def restart(self) -> None:
        """End the streams with a word, and forget the events: the log is another history now. From any thread."""
        self.history = self._heads.history
        self.grew()

    @property
    def log_id(self) -> str:
        """The id of the log that streams send now."""
        return self._heads.log_id

    def close(self) -> None:
        """End all streams. From any thread, and from a signal's handler."""
        self.closing = True
        self.grew()

    def _wake(self) -> None:
        for woken in self._streams:
            woken.set()
        if self.closing and self._loop is not None:
            self._loop.call_later(END_GRACE_SECONDS, self._cancel)

    def _wake_asking(self) -> None:
        for woken in self._asking:
            woken.set()

    def _cancel(self) -> None:
        """Cancel the streams that have not ended: their readers take no bytes."""
        for task in self._streams.values():
            if task is not None:
                task.cancel()

    @contextmanager
    def joined(self, holder: str, wanted: StreamFilter) -> Iterator[asyncio.Event]:
        """Count one more stream, and give it an event that is set whenever there may be more for it.

        Raises: RateLimited if this holder, or the process, has too many streams already.
        """
        if self._per_holder[holder] >= MAX_STREAMS_PER_HOLDER:
            raise RateLimited(f"{MAX_STREAMS_PER_HOLDER} streams are open already; close one", retry_after=10)
        if len(self._streams) >= MAX_STREAMS:
            raise RateLimited("too many streams are open; poll `/v1/events?after=` instead", retry_after=30)
        woken = asyncio.Event()
        self._per_holder[holder] += 1
        self._streams[woken] = asyncio.current_task()
        if wanted.listed is not None:
            self._asking.add(woken)
        try:
            yield woken
        finally:
            del self._streams[woken]
            self._asking.discard(woken)
            self._per_holder[holder] -= 1
            if not self._per_holder[holder]:
                del self._per_holder[holder]

    async def after(self, position: int, wanted: StreamFilter) -> tuple[bytes, int]:
        """The next bytes to send after a position, PIECE_BYTES about, and the position that they reach.

        Raises: Unavailable if older events or statuses are wanted and the store does not answer.
        """
        head = self.head if wanted.listed is None else min(self.head, self._heads.projection)
        if position >= head:
            return b"", position
        async with self._filling:
            if (self._held_of, self._withheld) != (self.history, self._heads.withheld):
                # The frames are of another history, or may have words that are to be gone.
                self._held_of, self._withheld = self.history, self._heads.withheld
                self._events.clear()
                self._bytes = self._end = 0
            if near := position >= self._floor(head):
                await self._fill(head)
                near = position >= self._end - len(self._events)  # large events push others out
        if near:
            events, upto = self._newest(position, head, wanted)
        else:
            async with self._reading:
                events, upto = await sync_to_thread(self._older, position, head, wanted)
        if wanted.listed is not None and events:
            async with self._reading:
                events, upto = await sync_to_thread(self._concerned, events, upto, wanted.listed)
        return _piece(((event.position, wanted.framed(event.frame)) for event in events), upto)

    def _newest(self, position: int, head: int, wanted: StreamFilter) -> tuple[list[TailEvent], int]:
        # There are no gaps, so the place of a position in memory is known.
        newer = islice(self._events, max(0, len(self._events) - (self._end - position)), None)
        events = [event for event in newer if wanted.takes(event.pledge, event.type)]
        if wanted.listed is None:
            return events, max(position, self._end)
        events = [event for event in events if event.position <= head]
        if len(events) > ASKED_EVENTS:
            events = events[:ASKED_EVENTS]
            return events, events[-1].position
        return events, max(position, min(self._end, head))

    def _older(self, position: int, head: int, wanted: StreamFilter) -> tuple[list[TailEvent], int]:
        rows = self._read(position, head, wanted, BEHIND_PAGE_ROWS)
        events = [_event(row) for row in rows if wanted.takes(row.pledge, row.type)]
        return events, rows[-1].position if len(rows) == BEHIND_PAGE_ROWS else head

    def _concerned(self, events: list[TailEvent], upto: int, listed: Filters) -> tuple[list[TailEvent], int]:
        """The events whose pledges pass the filters, before the first one of which that is not known yet."""
        missing = self._timeline.waiting(events[-1].position)
        held = next((e.position for e in events if e.position >= missing.get(e.pledge, e.position + 1)), upto + 1)
        events = [event for event in events if event.position < held]
        if not events:
            return [], held - 1
        pledges = {event.pledge for event in events}
        spans = self._timeline.passing(listed, pledges, today(), events[0].position - 1, events[-1].position)
        return [event for event in events if concerns(spans, event.pledge, event.position)], held - 1

    def _floor(self, head: int) -> int:
        """The oldest position after which all events are in memory, or will be once it is filled up to the head."""
        return head - TAIL_EVENTS if head - self._end > TAIL_EVENTS else self._end - len(self._events)

    async def _fill(self, head: int) -> None:
        if head - self._end > TAIL_EVENTS:
            self._events.clear()
            self._bytes, self._end = 0, head - TAIL_EVENTS
        while self._end < head:
            rows = await sync_to_thread(self._read, self._end, head, StreamFilter(), READ_PAGE_ROWS)
            if not rows:
                return
            for row in rows:
                self._events.append(_event(row))
                self._bytes += len(self._events[-1].frame)
            self._end = rows[-1].position
            while len(self._events) > TAIL_EVENTS or self._bytes > TAIL_BYTES:
                self._bytes -= len(self._events.popleft().frame)

    def _read(self, after: int, upto: int, wanted: StreamFilter, limit: int) -> list[LogRow]:
        (pledge,) = wanted.pledges if len(wanted.pledges) == 1 else (None,)
        (type_,) = wanted.types if len(wanted.types) == 1 else (None,)
        return self._log.read(after, limit, upto=upto, pledge=pledge, type=type_)


def _piece(events: Iterable[tuple[int, bytes]], upto: int) -> tuple[bytes, int]:
    """As many of these events as a stream takes at a time, and the position reached: `upto` where all are taken."""
    taken: list[bytes] = []
    size = 0
    for position, frame in events:
        taken.append(frame)
        size += len(frame)
        if size >= PIECE_BYTES:
            return b"".join(taken), position
    return b"".join(taken), upto


def _event(row: LogRow) -> TailEvent:
    frame = b"id: %d\nevent: %s\ndata: %s\n\n" % (row.position, row.type.encode(), served(row.state, row.position))
    return TailEvent(row.position, row.pledge, row.type, frame)


def _plain(frame: bytes) -> bytes:
    """The frame without its `event:` line."""
    number, _, rest = frame.partition(b"\nevent: ")
    return number + rest[rest.index(b"\n") :]
