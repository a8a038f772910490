"""The log as it grows, as Server-Sent Events: many streams, one reader of the log, no thread for any of them.

A stream holds a position only: events that it has not sent stay in the log, or among the last events that all streams
share in memory. A reader that takes nothing is dropped, and resumes at the last position that it saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from litestar import Controller
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.types import Receive, Scope, Send

from api.http.auth import bearer, must_allow
from api.http.contract import AnyRequest, Contract, Parameter, Reply, read
from api.http.event_tail import EventTail, StreamFilter
from api.http.headers import header
from api.http.log_ids import LOG, beyond_the_log
from api.http.media import SSE_FORMAT
from api.http.min_position import MIN_POSITION
from api.http.negotiation import negotiate
from api.http.parameters import choice, integer, invalid
from api.http.shutdown import abort_connection, hold_little, until_disconnected
from api.resources.contracts import FILTERS, TYPES
from api.resources.list_filters import filters, types
from api.services import Services
from projections.queries import Filters
from tracker.errors import TrackerError, Unavailable
from tracker.log.rows import MAX_POSITION

COMMENT_SECONDS = 15.0
"""Seconds without an event after which a comment is sent, so that no proxy takes the stream for dead."""

STALLED_READER_SECONDS = 20.0
"""Seconds that a reader may take for one frame before its connection is aborted."""

FRAME_BYTES = 32 * 1024
"""Bytes handed to the server at a time, and those that it keeps for a reader before it is told to wait."""

UNAVAILABLE_SECONDS = 1.0
"""Seconds until the log is read again after the store did not answer."""

_FILTERS = {parameter.name: parameter for parameter in FILTERS}

STREAM_CONTRACT = Contract(
    needs="reader",
    replies={
        200: Reply(
            "Events as they are recorded: `id` is the position, `event` the type of the fact, `data` the event."
            " When the log is forked or was put back, the event `log_changed` comes last."
            " With `party`, `tag` or `status` those whose pledge passes today with the event, or did before it.",
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
        *(_FILTERS[name] for name in ("pledge", "party", "tag", "status")),
        TYPES,
        Parameter(
            "events",
            "`plain` leaves out the `event` lines, so that `onmessage` gets every event; by default they are named by"
            " their type. `log_changed` is named always.",
            {"enum": ["named", "plain"], "default": "named"},
        ),
        LOG,
    ),
    headers=(
        MIN_POSITION,
        Parameter(
            "Last-Event-ID",
            "The last position that was seen: begin after it. Goes before `after`.",
            {"type": "string", "pattern": "^[0-9]{1,18}$"},
        ),
    ),
    problems=("invalid_parameter", "unknown_parameter", "not_acceptable", "rate_limited", "other_log"),
    formats=(SSE_FORMAT,),
)


class StreamController(Controller):
    """The log as it grows."""

    @read("/v1/events/stream", STREAM_CONTRACT)
    async def stream(self, request: AnyRequest, services: NamedDependency[Services]) -> EventStream:
        """The log as it grows, as Server-Sent Events; a comment every 15 s. Resumes from `Last-Event-ID`."""
        query = request.scope["state"]["query"]
        negotiate(request.scope, query, STREAM_CONTRACT.formats)
        given = filters(query)
        listed = replace(given, pledge=())
        filter_ = StreamFilter(
            given.pledge,
            types(query),
            plain=choice(query, "events", ("named", "plain"), "named") == "plain",
            listed=None if listed == Filters() else listed,
        )
        name, after = "after", integer(query, "after", 0, MAX_POSITION)
        seen = header(request.scope, b"last-event-id")
        if seen:
            name = "Last-Event-ID"
            after = integer({name: seen.decode("latin-1")}, name, 0, MAX_POSITION)
        elif seen == b"":
            raise invalid("Last-Event-ID", "is a position")
        if after is not None and after > services.event_tail.head:  # another process may have got there
            head = await sync_to_thread(services.tracker.log.head)
            if after > head:
                raise beyond_the_log(name, head, services.heads.log_id)
        caller = request.scope["state"].get("caller")
        client = request.scope.get("client")
        holder = f"address {client[0] if client else ''}" if caller is None else f"key {caller.scope}"
        return EventStream(
            services.event_tail,
            holder,
            services.event_tail.head if after is None else after,
            filter_,
            _still_allowed(services),
        )


class EventStream:
    """One open stream: the response to one request."""

    def __init__(
        self, tail: EventTail, holder: str, after: int, filter_: StreamFilter, allowed: Callable[[Scope], bool]
    ) -> None:
        self._tail = tail
        self._holder = holder
        self._position = after
        self._filter = filter_
        self._allowed = allowed
        self._history = tail.history

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader disconnects, stalls or loses its access, or the process ends."""
        with self._tail.joined(self._holder, self._filter) as woken:
            headers = [
                (b"content-type", SSE_FORMAT.media_type.encode()),
                (b"cache-control", b"no-store"),
                (b"x-accel-buffering", b"no"),
            ]
            hold_little(receive, FRAME_BYTES)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] != "HEAD":  # type: ignore[typeddict-item]
                disconnected = asyncio.ensure_future(_wake_when_disconnected(receive, woken))
                try:
                    await self._send_events(lambda: not disconnected.done() and self._allowed(scope), woken, send)
                except (TimeoutError, asyncio.CancelledError):
                    await abort_connection(receive, disconnected)
                    return
                finally:
                    disconnected.cancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, may_go_on: Callable[[], bool], woken: asyncio.Event, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        frames, comment_at = b": after %d\nretry: 2000\n\n" % self._position, clock()
        while may_go_on() and not self._tail.closing:
            if self._tail.history != self._history:
                frames = b'event: log_changed\ndata: {"log":"%s"}\n\n' % self._tail.log_id.encode()
                async with asyncio.timeout(STALLED_READER_SECONDS):
                    await send({"type": "http.response.body", "body": frames, "more_body": True})
                return
            for at in range(0, len(frames), FRAME_BYTES):
                async with asyncio.timeout(STALLED_READER_SECONDS):
                    await send({"type": "http.response.body", "body": frames[at : at + FRAME_BYTES], "more_body": True})
            if frames:
                comment_at, frames = clock() + COMMENT_SECONDS, b""
            woken.clear()
            wait_until, before = comment_at, self._position
            try:
                frames, self._position = await self._tail.after(self._position, self._filter)
            except Unavailable:
                wait_until = min(comment_at, clock() + UNAVAILABLE_SECONDS)
            if not frames and self._position == before and not self._tail.closing:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(wait_until):
                        await woken.wait()
            if not frames and clock() >= comment_at:
                frames = b":\n\n"


async def _wake_when_disconnected(receive: Receive, woken: asyncio.Event) -> None:
    await until_disconnected(receive)
    woken.set()


def _still_allowed(services: Services) -> Callable[[Scope], bool]:
    """A check that the caller's key is still in force: a stream outlives the check of its request."""

    def allowed(scope: Scope) -> bool:
        authorization = header(scope, b"authorization")
        try:
            caller = None if authorization is None else services.keys.caller(bearer(authorization))
            must_allow(caller, "reader", public_read=services.settings.public_read)
        except TrackerError:
            return False
        return True

    return allowed
