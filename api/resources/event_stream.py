"""The log as it grows, as Server-Sent Events: many streams, one reader of the log, no thread for any of them.

A stream is a position and nothing else: what it has not sent yet stays in the log, or among the last events that all
streams share in memory. A reader that takes nothing is dropped, and comes back with the last position that it saw.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from litestar import Controller, Request
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.types import Receive, Scope, Send

from api.http.auth import bearer, must_allow
from api.http.cache import header
from api.http.contract import Contract, Parameter, Reply, read
from api.http.event_tail import EventTail, StreamFilter
from api.http.media import SSE_FORMAT
from api.http.negotiation import negotiate
from api.http.parameters import choice, integer, invalid, matching
from api.http.streams import broken_off, until_gone
from api.resources.contracts import TYPES
from api.services import Services
from tracker.errors import TrackerError, Unavailable
from tracker.log.recorder import MAX_POSITION
from tracker.quantity import SLUG

COMMENT_SECONDS = 15.0
"""Seconds without an event after which a comment is sent, so that nobody in between takes the stream for dead."""

STALLED_READER_SECONDS = 20.0
"""Seconds that a reader may take for one piece."""

FRAME_BYTES = 64 * 1024
"""Bytes handed to the server at a time, so that it never holds more for a reader than this and its own buffer."""

STREAM_CONTRACT = Contract(
    needs="reader",
    replies={
        200: Reply(
            "Events as they are recorded: `id` is the position, `event` the type of the fact, `data` the event.",
            {SSE_FORMAT.media_type: {"type": "string"}},
            {"Cache-Control": "Never kept."},
        )
    },
    query=(
        Parameter(
            "after",
            "Begin after this position, which the log must have reached; with what comes next by default.",
            {"type": "integer", "minimum": 0, "maximum": MAX_POSITION},
        ),
        Parameter("pledge", "Only this pledge's.", {"type": "string", "pattern": f"^{SLUG}$"}),
        Parameter("type", "Only facts of this type.", {"enum": list(TYPES)}),
    ),
    headers=(
        Parameter(
            "Last-Event-ID",
            "The last position that was seen: begin after it. Goes before `after`.",
            {"type": "string", "pattern": "^[0-9]{1,18}$"},
        ),
    ),
    problems=("invalid_parameter", "unknown_parameter", "not_acceptable", "rate_limited"),
    formats=(SSE_FORMAT,),
)


class StreamController(Controller):
    """The log, live."""

    @read("/v1/events/stream", STREAM_CONTRACT)
    async def stream(self, request: Request[Any, Any, Any], services: NamedDependency[Services]) -> EventStream:
        """The log as it grows, as Server-Sent Events; a comment every 15 s. Resumes from `Last-Event-ID`."""
        query = request.scope["state"]["query"]
        negotiate(request.scope, query, STREAM_CONTRACT.formats)
        wanted = StreamFilter(matching(query, "pledge", "slug", SLUG), choice(query, "type", TYPES))
        name, after = "after", integer(query, "after", 0, MAX_POSITION)
        seen = header(request.scope, b"last-event-id")
        if seen:
            name = "Last-Event-ID"
            after = integer({name: seen.decode("latin-1")}, name, 0, MAX_POSITION)
        elif seen == b"":
            raise invalid("Last-Event-ID", "is a position")
        if after is not None and after > services.event_tail.head:  # another process may have got there
            head = await sync_to_thread(services.tracker.journal.head)
            if after > head:
                raise invalid(name, f"is beyond the log, which has reached {head}")
        caller = request.scope["state"].get("caller")
        client = request.scope.get("client")
        holder = f"address {client[0] if client else ''}" if caller is None else f"key {caller.name}"
        return EventStream(
            services.event_tail,
            holder,
            services.event_tail.head if after is None else after,
            wanted,
            _still_allowed(services),
        )


class EventStream:
    """One open stream."""

    def __init__(
        self, tail: EventTail, holder: str, after: int, wanted: StreamFilter, allowed: Callable[[Scope], bool]
    ) -> None:
        self._tail = tail
        self._holder = holder
        self._position = after
        self._wanted = wanted
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader is gone, too slow, not allowed any more, or we stop."""
        with self._tail.joined(self._holder) as woken:
            headers = [
                (b"content-type", SSE_FORMAT.media_type.encode()),
                (b"cache-control", b"no-store"),
                (b"x-accel-buffering", b"no"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] != "HEAD":  # type: ignore[typeddict-item]
                gone = asyncio.ensure_future(_gone(receive, woken))
                try:
                    await self._flow(lambda: not gone.done() and self._allowed(scope), woken, send)
                except (TimeoutError, asyncio.CancelledError):
                    await broken_off(receive, gone)
                    return
                finally:
                    gone.cancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _flow(self, wanted: Callable[[], bool], woken: asyncio.Event, send: Send) -> None:
        piece = b": after %d\nretry: 2000\n\n" % self._position
        while wanted() and not self._tail.closing:
            for at in range(0, len(piece), FRAME_BYTES):
                async with asyncio.timeout(STALLED_READER_SECONDS):
                    await send({"type": "http.response.body", "body": piece[at : at + FRAME_BYTES], "more_body": True})
            woken.clear()
            patience = COMMENT_SECONDS
            try:
                piece, self._position = await self._tail.after(self._position, self._wanted)
            except Unavailable:
                piece, patience = b"", 1.0
            if not piece and not self._tail.closing:
                try:
                    async with asyncio.timeout(patience):
                        await woken.wait()
                except TimeoutError:
                    piece = b":\n\n"


async def _gone(receive: Receive, woken: asyncio.Event) -> None:
    await until_gone(receive)
    woken.set()


def _still_allowed(services: Services) -> Callable[[Scope], bool]:
    """Whether the key is still in force: a stream outlives the request that was let in."""

    def allowed(scope: Scope) -> bool:
        authorization = header(scope, b"authorization")
        try:
            caller = None if authorization is None else services.keys.caller(bearer(authorization))
            must_allow(caller, "reader", public_read=services.settings.public_read)
        except TrackerError:
            return False
        return True

    return allowed


@contextmanager
def on_signal(call: Callable[[], None]) -> Iterator[None]:
    """Call it when the process is told to stop, before the server waits for open requests; in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def told(number: int, frame: FrameType | None) -> None:
        call()
        previous = before[number]
        if callable(previous):
            previous(number, frame)
        elif previous is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in map(int, (signal.SIGTERM, signal.SIGINT)):
        before[number] = signal.signal(number, told)
    try:
        yield
    finally:
        for number, previous in before.items():
            if signal.getsignal(number) is told:
                signal.signal(number, previous)
