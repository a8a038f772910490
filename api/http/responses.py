"""Responses that send themselves: bytes with an entity tag, a redirect, and JSON that no cache keeps."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response
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

HEADERS_BYTES = 1024
"""Bytes that a cached response has beside its body, roughly."""


class BytesResponse:
    """The response to a read: its bytes, its entity tag and its validity.

    Litestar sends it as it is, so If-None-Match and HEAD are handled here.
    """

    __slots__ = ("_etag", "_head", "_unchanged", "body", "etag", "key", "validity")

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
        common = {"etag": self.etag, "cache-control": cache_control, "vary": "Accept", **given}
        self._unchanged = [(name.encode(), value.encode("latin-1")) for name, value in common.items()]
        self._head = [
            *self._unchanged,
            (b"content-type", media_type.encode()),
            (b"content-length", b"%d" % len(body or b"")),
        ]
        self.key: tuple[str, bytes, bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response: 304 if the caller has these bytes, the head alone for HEAD."""
        self.cache_in(scope)
        if self.matches(scope):
            await send({"type": "http.response.start", "status": 304, "headers": list(self._unchanged)})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await send({"type": "http.response.start", "status": 200, "headers": list(self._head)})
        body = b"" if scope["method"] == "HEAD" else self.body or b""  # type: ignore[typeddict-item]
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def cache_in(self, scope: Scope) -> None:
        """Put the response into the app's cache, unless it has no validity or is cached already."""
        if self.key is None and self.validity is not None:
            scope["litestar_app"].state.response_cache.keep(self, scope)

    def streamed_head(self) -> list[tuple[bytes, bytes]]:
        """The headers without Content-Length, for a body that is made while it is sent."""
        return [pair for pair in self._head if pair[0] != b"content-length"]

    def matches(self, scope: Scope) -> bool:
        """Whether If-None-Match names this entity tag (weak comparison)."""
        given = header(scope, b"if-none-match")
        if given is None or given == self._etag:
            return given is not None
        return self.etag[1:-1] in entity_tags(given, else_any=self.etag[1:-1])

    @property
    def size(self) -> int:
        """Bytes in memory: the body, and a flat number for headers and objects."""
        return len(self.body or b"") + HEADERS_BYTES

    def without_body(self) -> BytesResponse:
        """The same entity tag and headers, without the body: good for a 304 only."""
        twin: BytesResponse = object.__new__(BytesResponse)
        twin.body, twin.etag, twin.validity, twin.key = None, self.etag, self.validity, self.key
        twin._etag, twin._unchanged, twin._head = self._etag, self._unchanged, self._head
        return twin


class Redirect:
    """302 to another address of this API."""

    def __init__(self, location: str, headers: Mapping[str, str] | None = None) -> None:
        self._headers = {"vary": "Accept", **(headers or {}), "location": location, "cache-control": NO_CACHE}

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
