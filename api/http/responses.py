"""Responses that send themselves: bytes with an entity tag, a redirect, and JSON that no cache keeps."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping

from litestar import Response
from litestar.concurrency import sync_to_thread
from litestar.types import Receive, Scope, Send
from pydantic_core import to_json

from api.http.contract import JSON
from api.http.headers import entity_tag, entity_tags, header
from api.http.known_heads import Validity

NO_CACHE = "no-cache"
"""The caller may keep the response, and asks each time whether it is still valid."""

IMMUTABLE = "public, max-age=31536000, immutable"
IMMUTABLE_PRIVATE = "private, max-age=31536000, immutable"
NO_STORE = "no-store"

HEADERS_BYTES = 2048
"""Bytes that a cached response has beside its body, roughly: its headers, tags, validity, key and objects."""


COMPRESSED_FROM_BYTES = 1024
"""A body of more bytes is compressed where the client takes it."""

PACKED_AT_ONCE_BYTES = 64 * 1024
"""A larger body is compressed in a thread: meanwhile the event loop answers others."""

_COMPRESSION_LEVEL = 5
_TEXT = re.compile(r"text/|.*(json|javascript|[/+]xml)")
"""Media types that are text: the others are compressed already."""


class BytesResponse:
    """The response to a read: its bytes, its entity tag and its validity.

    Litestar sends it as it is, so If-None-Match, HEAD and the encoding are handled here. Compressed it has a tag of its
    own (RFC 9110 §8.8.3); either tag is that of these bytes to If-None-Match and If-Match.
    """

    __slots__ = ("_common", "_etag", "_media_type", "_packed", "_packed_etag", "body", "etag", "key",
                 "may_be_packed", "validity")  # fmt: skip

    def __init__(
        self,
        body: bytes | None,
        *,
        media_type: str = "application/json",
        etag: str | None = None,
        version: int | None = None,
        validity: Validity | None = None,
        cache_control: str = NO_CACHE,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.body = body
        self.etag = etag or entity_tag(body or b"", version)
        self._etag = self.etag.encode("latin-1")
        self.validity = validity
        given = {name.lower(): value for name, value in (headers or {}).items()}
        varied = f"{given.pop('vary', 'Accept')}, Accept-Encoding"
        common = {"cache-control": cache_control, "vary": varied, **given}
        self._common = [(name.encode(), value.encode("latin-1")) for name, value in common.items()]
        self._media_type = (b"content-type", media_type.encode())
        self.may_be_packed = len(body or b"") > COMPRESSED_FROM_BYTES and _TEXT.match(media_type) is not None
        self._packed_etag = packed_tag(self.etag).encode("latin-1")
        self._packed: bytes | None = None
        self.key: tuple[str, bytes, bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response: 304 if the caller has these bytes, the head alone for HEAD."""
        self.cache_in(scope)
        packs = self.may_be_packed and accepts_gzip(scope)
        etag = (b"etag", self._packed_etag if packs else self._etag)
        if self.matches(scope):
            await send({"type": "http.response.start", "status": 304, "headers": [etag, *self._common]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        body, encoding = self.body or b"", []
        if packs:
            body, encoding = await self._compressed(), [(b"content-encoding", b"gzip")]
        length = (b"content-length", b"%d" % len(body))
        head = [etag, *self._common, self._media_type, *encoding, length]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        sent = b"" if scope["method"] == "HEAD" else body  # type: ignore[typeddict-item]
        await send({"type": "http.response.body", "body": sent, "more_body": False})

    async def _compressed(self) -> bytes:
        if self._packed is None:
            body = self.body or b""
            if len(body) > PACKED_AT_ONCE_BYTES:
                self._packed = await sync_to_thread(_pack, body)
            else:
                self._packed = _pack(body)
        return self._packed

    def cache_in(self, scope: Scope) -> None:
        """Put the response into the app's cache, unless it has no validity or is cached already."""
        if self.key is None and self.validity is not None:
            scope["litestar_app"].state.response_cache.keep(self, scope)

    def streamed_head(self) -> list[tuple[bytes, bytes]]:
        """The headers without Content-Length, for a body that is made while it is sent, and is not compressed."""
        return [(b"etag", self._etag), *self._common, self._media_type]

    def matches(self, scope: Scope) -> bool:
        """Whether If-None-Match names this entity tag (weak comparison)."""
        given = header(scope, b"if-none-match")
        if given is None or given in (self._etag, self._packed_etag):
            return given is not None
        own = self.etag[1:-1]
        return any(tag.removesuffix(_PACKED) == own for tag in entity_tags(given, else_any=own))

    @property
    def size(self) -> int:
        """Bytes in memory: the body, about as many as it has compressed, and a flat number for headers and objects."""
        body = len(self.body or b"")
        return body + (body // 4 if self.may_be_packed else 0) + HEADERS_BYTES

    def without_body(self) -> BytesResponse:
        """The same entity tag and headers, without the body: good for a 304 only."""
        twin: BytesResponse = object.__new__(BytesResponse)
        twin.body, twin.etag, twin.validity, twin.key = None, self.etag, self.validity, self.key
        twin._etag, twin._packed_etag, twin._packed = self._etag, self._packed_etag, None
        twin._common, twin._media_type, twin.may_be_packed = self._common, self._media_type, self.may_be_packed
        return twin


_PACKED = "-gzip"


def packed_tag(etag: str) -> str:
    """The entity tag of the same bytes, compressed."""
    return f'{etag[:-1]}{_PACKED}"'


def _pack(body: bytes) -> bytes:
    return gzip.compress(body, _COMPRESSION_LEVEL, mtime=0)


def accepts_gzip(scope: Scope) -> bool:
    """Whether the client takes gzip (RFC 9110 §12.5.3)."""
    given = header(scope, b"accept-encoding")
    if given is None or not (b"gzip" in given or b"*" in given):
        return False
    if b"q" not in given:
        return True
    weights: dict[bytes, bool] = {}
    for part in given.lower().split(b","):
        coding, _, weight = part.partition(b";")
        weights[coding.strip()] = re.fullmatch(rb"\s*q\s*=\s*0(\.0*)?\s*", weight) is None
    return weights.get(b"gzip", weights.get(b"*", False))


class Redirect:
    """302 to another address of this API."""

    def __init__(self, location: str, headers: Mapping[str, str] | None = None) -> None:
        self._headers = {
            "vary": "Accept, Accept-Encoding",
            **(headers or {}),
            "location": location,
            "cache-control": NO_CACHE,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the redirect."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self._headers.items()]
        start = [*headers, (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 302, "headers": start})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def uncached_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A JSON document that no cache keeps."""
    own = {"Cache-Control": NO_STORE, **(headers or {})}
    return Response(to_json(value), status_code=status, media_type=JSON, headers=own)
