"""Conditional requests: an unchanged answer is a 304, or the same bytes again, before any thread or database is asked.

An answer is kept with what it holds for: its day, and the version of its pledge, the position of the projection or of
the log. ``KnownHeads`` has the present ones as plain integers, kept fresh by ``api.http.log_follower``. The tag is a
hash of the bytes, behind the pledge's version where there is one: equal tags mean equal bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from threading import Lock

from litestar.types import Message, Receive, Scope, Send

from api.http.clocks import today
from projections.table_reader import ProjectionHead

MAX_KNOWN_VERSIONS = 100_000
"""Pledges whose version is held in memory."""

CACHE_RESPONSES = 20_000
CACHE_BYTES = 48 * 1024 * 1024
MAX_CACHED_BODY_BYTES = 2 * 1024 * 1024
"""The body of a larger answer is not kept, only its tag."""

NO_CACHE = "no-cache"
IMMUTABLE = "public, max-age=31536000, immutable"
IMMUTABLE_PRIVATE = "private, max-age=31536000, immutable"

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


class KnownHeads:
    """How far the log and the projection are, and each pledge's last version, as this process knows it."""

    def __init__(self) -> None:
        self.log = 0
        self.at_start = 0
        """The log's head when this process began: until the projection has it, what was recorded seems not to be."""
        self.projection = 0
        self.generation = (0, 0)
        """The set of tables that answers and what is parked beside it: with another the same position may say other
        things."""
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def note_standing(self, standing: ProjectionHead) -> None:
        """Take in how far the projection is, and on what it stands."""
        self.generation = (standing.set, standing.parked)
        self.projection = max(self.projection, standing.position)

    @property
    def is_settled(self) -> bool:
        """Whether what is said of a past position is final: nothing waits that would change it."""
        return self.generation[1] == 0

    def version(self, pledge: str) -> int | None:
        """The pledge's last version, if it is known here."""
        return self._versions.get(pledge)

    def advance(self, changes: Iterable[tuple[int, str, int]]) -> None:
        """Take in ``(position, pledge, version)`` of events of the log."""
        with self._lock:
            for position, pledge, version in changes:
                self.log = max(self.log, position)
                self._set(pledge, version)

    def recorded(self, versions: Iterable[tuple[str, int]]) -> None:
        """Take in ``(pledge, version)`` of own writes. The log's head stays: others may have written in between."""
        with self._lock:
            for pledge, version in versions:
                self._set(pledge, version)

    def note(self, pledge: str, version: int, *, read_at: int) -> None:
        """Take in a version read from the log when ``self.log`` was ``read_at``; ignored if the log went on since."""
        with self._lock:
            if pledge in self._versions or self.log == read_at:
                self._set(pledge, version)

    def _set(self, pledge: str, version: int) -> None:
        self._versions[pledge] = max(version, self._versions.get(pledge, 0))
        self._versions.move_to_end(pledge)
        if len(self._versions) > MAX_KNOWN_VERSIONS:
            self._versions.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Validity:
    """What must still be so for a kept answer to be the right one. None makes no demand."""

    day: date | None = None
    pledge: str | None = None
    version: int | None = None
    projection: int | None = None
    log: int | None = None

    def still(self, heads: KnownHeads) -> bool:
        """Whether a new answer would be the same."""
        return (
            (self.pledge is None or heads.version(self.pledge) == self.version)
            and (self.projection is None or heads.log <= heads.projection == self.projection)
            and (self.log is None or heads.log == self.log)
            and (self.day is None or self.day == today())
        )


class BytesResponse:
    """The answer to a read, as bytes. Litestar sends it as it is; If-None-Match and HEAD are seen to here."""

    __slots__ = ("_etag", "_head", "_unchanged", "body", "etag", "holds", "key")

    def __init__(
        self,
        body: bytes | None,
        *,
        media_type: str = "application/json",
        etag: str | None = None,
        version: int | None = None,
        holds: Validity | None = None,
        cache_control: str = NO_CACHE,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.body = body
        self.etag = etag or tag(body or b"", version)
        self._etag = self.etag.encode("latin-1")
        self.holds = holds
        given = {name.lower(): value for name, value in (headers or {}).items()}
        common = {"etag": self.etag, "cache-control": cache_control, "vary": "Accept", **given}
        self._unchanged = [(name.encode(), value.encode("latin-1")) for name, value in common.items()]
        self._head = [
            *self._unchanged,
            (b"content-type", media_type.encode()),
            (b"content-length", b"%d" % len(body or b"")),
        ]
        self.key: tuple[str, bytes, bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it: 304 if the caller has it, the head alone for HEAD."""
        self.keep_in(scope)
        if self.matches(scope):
            await send({"type": "http.response.start", "status": 304, "headers": list(self._unchanged)})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await send({"type": "http.response.start", "status": 200, "headers": list(self._head)})
        body = b"" if scope["method"] == "HEAD" else self.body or b""  # type: ignore[typeddict-item]
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def keep_in(self, scope: Scope) -> None:
        """Keep it for the next to ask the same, if it holds for a while."""
        if self.key is None and self.holds is not None:
            scope["litestar_app"].state.response_cache.keep(self, scope)

    def streamed_head(self) -> list[tuple[bytes, bytes]]:
        """The headers without a length, for a body that comes later."""
        return [pair for pair in self._head if pair[0] != b"content-length"]

    def matches(self, scope: Scope) -> bool:
        """Whether the caller says that it has these very bytes (If-None-Match, weak comparison)."""
        given = header(scope, b"if-none-match")
        if given is None or given == self._etag:
            return given is not None
        return self.etag[1:-1] in tags(given, else_any=self.etag[1:-1])

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return len(self.body or b"") + 1024

    def without_body(self) -> BytesResponse:
        """The same tag and headers, good for 304 only."""
        twin: BytesResponse = object.__new__(BytesResponse)
        twin.body, twin.etag, twin.holds, twin.key = None, self.etag, self.holds, self.key
        twin._etag, twin._unchanged, twin._head = self._etag, self._unchanged, self._head
        return twin


class Redirect:
    """The answer that sends the reader on: 302 to an address of ours."""

    def __init__(self, location: str, headers: Mapping[str, str] | None = None) -> None:
        self._headers = {"vary": "Accept", **(headers or {}), "location": location, "cache-control": NO_CACHE}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self._headers.items()]
        start = [*headers, (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 302, "headers": start})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class ResponseCache:
    """Kept answers by address, bounded in number and bytes; the least recently used goes first. For one event loop."""

    def __init__(self, heads: KnownHeads, *, kept: int = CACHE_RESPONSES, kept_bytes: int = CACHE_BYTES) -> None:
        self.heads = heads
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._answers: OrderedDict[tuple[str, bytes, bytes], BytesResponse] = OrderedDict()
        self._bytes = 0
        self._generation = heads.generation
        self._making: dict[tuple[str, bytes, bytes], asyncio.Event] = {}

    @property
    def held(self) -> tuple[int, int]:
        """How many answers are kept, and their bytes."""
        return len(self._answers), self._bytes

    def keep(self, answer: BytesResponse, scope: Scope) -> None:
        """Keep an answer for the next to ask the same."""
        key = _key(scope)
        if len(key[1]) + len(key[2]) > 2000:
            return
        answer.key = key
        if answer.size > MAX_CACHED_BODY_BYTES or not answer.body:
            answer = answer.without_body()
        self._drop(key)
        self._answers[key] = answer
        self._bytes += answer.size
        while len(self._answers) > self._kept or self._bytes > self._kept_bytes:
            self._drop(next(iter(self._answers)))

    def find(self, scope: Scope) -> BytesResponse | None:
        """The answer to a request, if one is kept that still holds and that can answer it."""
        if self._generation != self.heads.generation:
            self._generation = self.heads.generation
            self._answers.clear()
            self._bytes = 0
        if header(scope, b"accept-datetime") is not None:
            return None
        key = _key(scope)
        answer = self._answers.get(key)
        if answer is None:
            return None
        if answer.holds is None or not answer.holds.still(self.heads):
            self._drop(key)
            return None
        if answer.body is None and not answer.matches(scope):
            return None
        self._answers.move_to_end(key)
        return answer

    async def made_by_another(self, scope: Scope) -> BytesResponse | None:
        """The answer that a request for the same is making now; None when there is none, or it is not kept."""
        making = self._making.get(_key(scope))
        if making is None:
            return None
        await making.wait()
        return self.find(scope)

    @contextmanager
    def making(self, scope: Scope, send: Send) -> Iterator[Send]:
        """Let those who ask for the same wait until the head of this answer is sent, so that it is made once."""
        key = _key(scope)
        if key in self._making:
            yield send
            return
        done = self._making[key] = asyncio.Event()

        async def sending(message: Message) -> None:
            done.set()
            await send(message)

        try:
            yield sending
        finally:
            done.set()
            del self._making[key]

    def _drop(self, key: tuple[str, bytes, bytes]) -> None:
        gone = self._answers.pop(key, None)
        if gone is not None:
            self._bytes -= gone.size


def tag(body: bytes, version: int | None = None) -> str:
    """The strong entity tag of some bytes, beginning with the pledge's version if there is one."""
    digest = hashlib.blake2b(body, digest_size=9).hexdigest()
    return f'"{digest}"' if version is None else f'"{version}.{digest}"'


def tags(given: bytes, *, else_any: str = "*") -> list[str]:
    """The opaque tags in an If-Match or If-None-Match header; ``*`` stands for ``else_any``."""
    text = given.decode("latin-1").strip()
    return [else_any] if text == "*" else _TAG.findall(text)


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of a request header; of several, joined by commas as RFC 9110 §5.3 has it."""
    found: bytes | None = None
    for given, value in scope["headers"]:
        if given == name:
            found = value if found is None else found + b", " + value
    return found


def _key(scope: Scope) -> tuple[str, bytes, bytes]:
    return scope["path"], scope["query_string"], header(scope, b"accept") or b""
