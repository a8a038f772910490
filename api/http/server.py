"""HTTP as it comes in, bounded before the application sees it: the size of a head, and the time that it may take.

uvicorn bounds neither. Bytes and headers are counted while they arrive, timers run on the event loop, and what is
refused here is answered as everything else is: a problem document with the security headers. After an answer that
comes before the end of its request the connection lingers a moment, so that a caller who is still sending can read it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.http import problems
from api.http.due_timer import DueTimer
from api.http.fair_reading import FairReading
from api.http.shutdown import ABORT_SECONDS, CONNECTION_GRACE_SECONDS
from tracker.errors import TrackerError

MAX_HEAD_BYTES = 64 * 1024
"""Bytes of the request line and the header fields together, at most."""

MAX_HEADERS = 100
"""Header fields of a request, at most; trailer fields too."""

MAX_ADDRESS_BYTES = 16 * 1024
"""Bytes of the request's target, at most."""

HEAD_SECONDS = 15.0
"""Seconds from the beginning of a connection, or the first byte of a request, to a complete head."""

BODY_SECONDS = 60.0
"""Seconds without progress in a body."""

PROGRESS_BYTES = 1024
"""Bytes of a body that count as progress, unless they are its last: a byte now and then is none."""

IDLE_SECONDS = 75
"""Seconds for which a connection is kept after an answer."""

LINGER_SECONDS = 5.0
"""Seconds for which a refused request is read on and thrown away, so that its caller sees the answer."""

REST_SECONDS = 15.0
"""Seconds that the rest of a body has after its request was answered."""

PIECE_BYTES = 4 * 1024
"""Bytes of a head that are handed to the parser at a time: by so much a limit may be passed."""

BODY_PIECE_BYTES = 64 * 1024
"""Bytes of a body that are handed to the parser at a time."""

MAX_METHOD_BYTES = 32
"""Bytes of the longest method and the space behind it."""

MAX_INSTANCE_BYTES = 1024
"""Bytes of the longest path that a refusal repeats."""


class Refused(Exception):
    """Carries a refusal out of a parser's callback."""


class BoundedConnection(FairReading):
    """One connection with bounds; its subclasses are uvicorn's two parsers of HTTP.

    A request goes from head to body; between requests, and while one is answered, the connection is idle.
    """

    server_state: ServerState
    cycle: Any

    def _begin(self) -> None:
        """Set the bounds up. MUST be called when the connection is made."""
        self._phase = "head"
        self._timer = DueTimer(self.loop)
        self._refusal: TrackerError | None = None
        self._refused = False
        self._ends = False
        """Whether the connection is closed after the request that is still being read."""

        self._deaf = False
        """Whether what comes next is no HTTP and is thrown away."""

        self._received = 0
        """Bytes of the head, or of a body's framing since its last progress."""

        self._headers = 0
        self._progress_bytes = 0
        self._progressed_at = 0.0
        self._head_began()

    # --- what uvicorn's protocols call, and what calls them

    def data_received(self, data: bytes) -> None:
        """Hand the bytes to the parser, a piece at a time, until a bound is passed."""
        self.give_way(len(data))
        self._timer.hold()
        try:
            self._read(data)
        finally:
            self._timer.release()

    def _read(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self._refused or self._deaf or self.transport.is_closing():
                return
            size = BODY_PIECE_BYTES if self._phase in ("body", "rest") else PIECE_BYTES
            piece = data[at : at + size]
            at += size
            if self._phase == "idle":
                self._head_began()
            self._received += len(piece)
            super().data_received(piece)
            self._look_at_waiting()
            if not self._refused and self._phase != "idle" and self._received > MAX_HEAD_BYTES + PIECE_BYTES:
                self._refuse(self._too_long())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and its last request: each knows the other, and nothing else would part them soon."""
        self._timer.stop()
        super().connection_lost(exc)
        self.cycle = None

    def send_400_response(self, msg: str) -> None:
        """Answer what no parser understands, or what a callback refused."""
        self._refuse(self._refusal or problems.MalformedRequest(f"this is not HTTP/1.1: {msg}"))

    def on_response_complete(self) -> None:
        """Keep the connection, or give the rest of the body some time to come."""
        super().on_response_complete()  # type: ignore[misc]
        if self._phase == "body":
            self._phase = "rest"
            self._timer.start(REST_SECONDS, self.transport.close)

    def shutdown(self) -> None:
        """Finish the response at hand, and abort the connection if that takes too long.

        uvloop waits without an end for bytes that are written and not taken.
        """
        if self._refused:
            self.transport.close()
            return
        super().shutdown()  # type: ignore[misc]
        self.loop.call_later(ABORT_SECONDS + CONNECTION_GRACE_SECONDS, self.transport.abort)

    # --- what the subclasses tell

    def _head_began(self) -> None:
        self._phase, self._received, self._headers = "head", 0, 0
        self._timer.start(HEAD_SECONDS, self._head_is_late)

    def _head_completed(self) -> None:
        self._phase, self._received, self._headers = "body", 0, 0
        self._progress_bytes, self._progressed_at = 0, self.loop.time()
        self._timer.start(BODY_SECONDS, self._body_is_late)

    def _body_went_on(self, size: int) -> None:
        self._received = 0
        self._progress_bytes += size
        if self._progress_bytes >= PROGRESS_BYTES:
            self._progress_bytes, self._progressed_at = 0, self.loop.time()

    def _message_completed(self) -> None:
        self._phase = "idle"
        self._timer.stop()
        if self._ends:
            self.transport.close()

    def end(self) -> None:
        """Close, once the request is read whose response is complete; a sender would lose the response otherwise."""
        self._ends = self._phase == "body"
        if not self._ends:
            self.transport.close()

    def _count_header(self) -> None:
        self._headers += 1
        if self._headers > MAX_HEADERS:
            self._stop(problems.HeaderFieldsTooLarge(f"a request has at most {MAX_HEADERS} header fields"))

    def _count_address(self, size: int) -> None:
        if size > MAX_ADDRESS_BYTES:
            self._stop(problems.UriTooLong(f"an address has at most {MAX_ADDRESS_BYTES} bytes"))

    def _count_head(self, size: int) -> None:
        if size > MAX_HEAD_BYTES:
            self._stop(self._too_long())

    def _stop(self, refusal: TrackerError) -> None:
        self._refusal = refusal
        raise Refused

    # --- timers

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _head_is_late(self) -> None:
        if self._is_answering():  # the next request waits for us
            self._timer.start(HEAD_SECONDS, self._head_is_late)
        elif self._received:
            self._refuse(problems.RequestTimeout(f"the head was not complete within {HEAD_SECONDS:.0f} s"))
        else:
            self.transport.close()

    def _body_is_late(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # the body waits for us
            self._progressed_at = now
        wait_seconds = self._progressed_at + BODY_SECONDS - now
        if wait_seconds > 0:
            self._timer.start(wait_seconds, self._body_is_late)
        else:
            self._refuse(problems.RequestTimeout(f"the body made no progress for {BODY_SECONDS:.0f} s"))

    # --- refusals

    def _look_at_waiting(self) -> None:
        """Look at the bytes that the parser keeps, where it tells nothing of them."""

    def _too_long(self) -> TrackerError:
        return problems.HeaderFieldsTooLarge(f"the head of a request has at most {MAX_HEAD_BYTES} bytes")

    def _refuse(self, error: TrackerError) -> None:
        """Answer with a problem and close, once the caller has had time to read it."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._unset_keepalive_if_required()
        if self._phase == "rest":  # it is answered already
            self.transport.close()
            return
        if self._is_answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started or self._phase != "body":  # an answer would be taken for another request's
                self.transport.abort()
                return
        self.transport.write(problems.refusal_bytes(error, self._instance(), self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._timer.start(LINGER_SECONDS, self.transport.close)

    def _unset_keepalive_if_required(self) -> None:
        super()._unset_keepalive_if_required()  # type: ignore[misc]

    def _instance(self) -> str:
        """The path of the request as far as it is known, or nothing."""
        return ""


class _ResponseTransport:
    """The transport as a response has it: its end is the connection's, which knows whether the request is read."""

    def __init__(self, connection: BoundedConnection) -> None:
        self.close = connection.end
        self.write = connection.transport.write
        self.abort = connection.transport.abort
        self.is_closing = connection.transport.is_closing
        self.set_write_buffer_limits = connection.transport.set_write_buffer_limits


class _CountedEvents(h11.Connection):
    """h11's parser, which tells what it finds before uvicorn sees it."""

    bounded: BoundedH11

    def next_event(self) -> Any:
        """The next event. Raises: RemoteProtocolError if a bound is passed."""
        event = super().next_event()
        try:
            self.bounded.found(event)
        except Refused:
            raise h11.RemoteProtocolError("a bound is passed") from None
        return event


class BoundedH11(BoundedConnection, H11Protocol):
    """The bounds over h11, which is used where httptools is not installed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _CountedEvents(h11.SERVER, MAX_HEAD_BYTES + 2 * PIECE_BYTES)
        self.conn.bounded = self
        self.ws_protocol_class = None
        self.timeout_keep_alive = IDLE_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count."""
        super().connection_made(transport)
        self._begin()

    def _look_at_waiting(self) -> None:
        if self._phase != "head" or self._refused or self._received <= MAX_ADDRESS_BYTES + MAX_METHOD_BYTES:
            return
        waiting = self.conn.trailing_data[0]
        if len(waiting) > MAX_ADDRESS_BYTES + MAX_METHOD_BYTES and b"\n" not in waiting:
            self._refuse(problems.UriTooLong(f"an address has at most {MAX_ADDRESS_BYTES} bytes"))

    def found(self, event: Any) -> None:
        """Count an event.

        Raises: Refused if a bound is passed.
        """
        if isinstance(event, h11.Request):
            self._count_address(len(event.target))
            for _ in event.headers:
                self._count_header()
            self._count_head(len(event.target) + sum(len(name) + len(value) + 4 for name, value in event.headers))
            self._head_completed()
        elif isinstance(event, h11.Data):
            self._body_went_on(len(event.data))
        elif isinstance(event, h11.EndOfMessage):
            self._message_completed()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: an upgrade that is not known is passed over (RFC 9110 §7.8)."""


try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # pragma: no cover
    ServedProtocol: type[BoundedConnection] = BoundedH11
else:

    class BoundedHttpTools(BoundedConnection, HttpToolsProtocol):
        """The bounds over httptools, whose callbacks come in the order of the bytes."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.ws_protocol_class = None
            self.timeout_keep_alive = IDLE_SECONDS
            self.url = b""
            self._head_size = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Begin to count."""
            super().connection_made(transport)
            self._begin()

        def on_message_begin(self) -> None:
            """A head begins."""
            super().on_message_begin()
            self._head_size = 0
            if self._phase != "head":
                self._head_began()

        def on_url(self, url: bytes) -> None:
            """A part of the address."""
            super().on_url(url)
            self._count_address(len(self.url))

        def on_header(self, name: bytes, value: bytes) -> None:
            """A header field; one behind the body is counted and left out."""
            self._count_header()
            if self._phase == "head":
                self._head_size += len(name) + len(value) + 4
                super().on_header(name, value)

        def on_headers_complete(self) -> None:
            """The head is complete."""
            self._count_head(len(self.url) + self._head_size)
            super().on_headers_complete()
            self._head_completed()
            self.cycle.transport = _ResponseTransport(self)
            if self.parser.should_upgrade():
                self.cycle.keep_alive = False

        def on_body(self, body: bytes) -> None:
            """A part of the body."""
            self._body_went_on(len(body))
            super().on_body(body)

        def on_message_complete(self) -> None:
            """The body is complete."""
            self._message_completed()
            super().on_message_complete()

        def _unsupported_upgrade_warning(self) -> None:
            """Pass over an upgrade that is not known (RFC 9110 §7.8), and what would be said in the other protocol."""
            self._deaf = True

        def _instance(self) -> str:
            path = self.url.partition(b"?")[0]
            return path.decode("ascii", "replace") if len(path) <= MAX_INSTANCE_BYTES else ""

    ServedProtocol = BoundedHttpTools
