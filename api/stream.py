"""The log, live: Server-Sent Events whose `id` is the position, so that a broken connection goes on where it was.

One task a process watches how far the log is and wakes every listener; a listener reads the log itself, in a thread.
Streams end when the process is told to stop: an idle one would hold it up.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from litestar import Controller, Request
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.types import Receive, Scope, Send

from api.contract import Contract, Parameter, Reply, read
from api.parts import Parts
from api.polling import Heads, header
from api.problems import RateLimited
from api.query import choice, integer, invalid, matching
from api.vocabulary import TYPES
from tracker.event import served
from tracker.quantity import SLUG
from tracker.recorder import LogRow

HEARTBEAT = 15.0
"""Seconds after which a comment is sent when nothing happens."""

PER_CALLER = 32
"""Streams that one key, or one address without a key, may have open."""

TOTAL = 2_000
PAGE = 500
RETRY = 2_000
"""Milliseconds after which a client is asked to come back."""

FAR = 10**15
"""A position that no log reaches."""

_LOOK = 0.05

STREAM = Contract(
    needs="reader",
    replies={200: Reply("Events as they are recorded.", {"text/event-stream": {"type": "string"}}, {})},
    query=(
        Parameter(
            "after", "Begin after this position; now by default.", {"type": "integer", "minimum": 0, "maximum": FAR}
        ),
        Parameter("pledge", "Only this pledge's.", {"type": "string", "pattern": f"^{SLUG}$"}),
        Parameter("type", "Only facts of this type.", {"enum": list(TYPES)}),
    ),
    headers=(
        Parameter(
            "Last-Event-ID",
            "The last position that was received; goes before `after`.",
            {"type": "string", "pattern": "^[0-9]{1,18}$"},
        ),
    ),
    problems=("invalid_parameter", "unknown_parameter", "rate_limited"),
)


class Hub:
    """Wakes the listeners of one process when the log has grown, and ends them when it is time."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self._moved = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._open: Counter[str] = Counter()
        self.ending = False

    def enter(self, caller: str) -> None:
        """Count a stream in. Errors: ``RateLimited`` when the caller, or everybody together, has too many."""
        if self._open[caller] >= PER_CALLER or self._open.total() >= TOTAL:
            raise RateLimited(f"{PER_CALLER} streams may be open at a time; close one", retry_after=15)
        self._open[caller] += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    def leave(self, caller: str) -> None:
        """Count a stream out."""
        self._open[caller] -= 1
        if self._open[caller] <= 0:
            del self._open[caller]

    async def beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is beyond a position; False when it is not in time, or when it is time to end."""
        deadline = asyncio.get_running_loop().time() + timeout
        while self._heads.log <= position and not self.ending:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), left)
        return not self.ending

    def end(self) -> None:
        """End all streams."""
        self.ending = True
        self._moved.set()

    async def _watch(self) -> None:
        seen = self._heads.log
        while self._open and not self.ending:
            await asyncio.sleep(_LOOK)
            if self._heads.log != seen or self.ending:
                seen = self._heads.log
                self._moved.set()
                self._moved = asyncio.Event()


def hub_of(app: Any, heads: Heads) -> Hub:
    """The hub of an app, made with its first stream; from then on the signals that stop the server end its streams."""
    hub: Hub | None = app.state.get("hub")
    if hub is None:
        hub = app.state["hub"] = Hub(heads)
        with contextlib.suppress(ValueError):  # another thread than the main one gets no signals
            for number in (signal.SIGTERM, signal.SIGINT):
                _also(number, hub)
    return hub


def _also(number: signal.Signals, hub: Hub) -> None:
    before = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        hub.end()
        if callable(before):
            before(received, frame)
        elif before == signal.SIG_DFL:
            signal.signal(received, signal.SIG_DFL)
            signal.raise_signal(received)

    signal.signal(number, handle)


@dataclass(frozen=True, slots=True)
class Stream:
    """One open stream, as an ASGI application."""

    parts: Parts
    hub: Hub
    caller: str
    after: int
    pledge: str | None
    kind: str | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then events until the caller leaves or the process ends."""
        if scope["method"] != "HEAD":  # type: ignore[typeddict-item]
            self.hub.enter(self.caller)
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, (b"x-accel-buffering", b"no")]})
        if scope["method"] == "HEAD":  # type: ignore[typeddict-item]
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await self._send_all(send, gone)
        finally:
            self.hub.leave(self.caller)
            gone.cancel()
        if not gone.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send, gone: asyncio.Task[None]) -> None:
        async def say(body: bytes) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": True})

        after = self.after
        await say(b"retry: %d\n\n" % RETRY)
        while not gone.done() and not self.hub.ending:
            waiting = asyncio.ensure_future(self.hub.beyond(after, HEARTBEAT))
            await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                return
            if not waiting.result():
                await say(b": still here\n\n")
                continue
            head = self.parts.heads.log
            rows = await sync_to_thread(self._rows, after, head)
            if rows:
                await say(b"".join(b"id: %d\ndata: %s\n\n" % (r.position, served(r.state, r.position)) for r in rows))
            after = rows[-1].position if len(rows) == PAGE else head

    def _rows(self, after: int, head: int) -> list[LogRow]:
        return self.parts.tracker.journal.read(after, PAGE, upto=head, pledge=self.pledge, type=self.kind)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class StreamController(Controller):
    """What is recorded, as it is recorded."""

    @read("/v1/events/stream", STREAM, threaded=False)
    def stream(self, request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Stream:
        """The log, live: Server-Sent Events. `id` is the position; a comment comes every 15 s."""
        query: Mapping[str, str] = request.scope["state"]["query"]
        caller = request.scope["state"]["caller"]
        client = request.scope.get("client")
        return Stream(
            parts=parts,
            hub=hub_of(request.app, parts.heads),
            caller=caller.name if caller is not None else f"at {client[0] if client else ''}",
            after=_begin(header(request.scope, b"last-event-id"), query, parts.heads.log),
            pledge=matching(query, "pledge", "slug", SLUG),
            kind=choice(query, "type", TYPES),
        )


def _begin(last_event_id: bytes | None, query: Mapping[str, str], head: int) -> int:
    if last_event_id is None:
        return integer(query, "after", 0, FAR, head)
    if not re.fullmatch(rb"[0-9]{1,18}", last_event_id):
        raise invalid("Last-Event-ID", "is a position")
    return int(last_event_id)
