"""The cache of responses: an unchanged one is a 304, or the same bytes again, before any thread or database is asked.

A response is cached with its validity: its day, and the version of its pledge, the position of the projection or of the
log. Litestar's own response cache ignores Authorization and Accept, so it is not used.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from litestar.types import Message, Scope, Send

from api.http.addresses import address
from api.http.headers import header
from api.http.known_heads import KnownHeads
from api.http.responses import BytesResponse

CACHE_RESPONSES, CACHE_BYTES = 20_000, 48 * 1024 * 1024
"""Responses in the cache and their bytes, at most."""

MAX_CACHED_BODY_BYTES = 2 * 1024 * 1024
"""A larger body is not cached, only its entity tag and headers."""

MAX_CACHE_KEY_BYTES = 2_000
"""A response to a longer query string and Accept header is not cached."""

_GENERATION = "generation"
"""The name in a request's state of the heads' history and generation when the request began."""

CacheKey = tuple[str, bytes, bytes]
"""The address, its query string and the Accept header of a request."""


class ResponseCache:
    """Responses by path, query and Accept, bounded in number and bytes; the least recently used goes first.

    It lives on one event loop.
    """

    def __init__(
        self, heads: KnownHeads, *, max_responses: int = CACHE_RESPONSES, max_bytes: int = CACHE_BYTES
    ) -> None:
        self.heads = heads
        self._max_responses = max_responses
        self._max_bytes = max_bytes
        self._responses: OrderedDict[CacheKey, BytesResponse] = OrderedDict()
        self._bytes = 0
        self._made_of = (heads.history, heads.generation)
        self._in_making: dict[CacheKey, asyncio.Event] = {}

    @property
    def size(self) -> tuple[int, int]:
        """The number of cached responses, and their bytes."""
        return len(self._responses), self._bytes

    def keep(self, response: BytesResponse, scope: Scope) -> None:
        """Cache the response to a request, unless what it was made of became another while it was made."""
        key = _key(scope)
        now = (self.heads.history, self.heads.generation)
        if (scope.get("state") or {}).get(_GENERATION, now) != now:
            return
        if len(key[1]) + len(key[2]) > MAX_CACHE_KEY_BYTES:
            return
        response.key = key
        if response.size > MAX_CACHED_BODY_BYTES or not response.body:
            response = response.without_body()
        self._drop(key)
        self._responses[key] = response
        self._bytes += response.size
        while len(self._responses) > self._max_responses or self._bytes > self._max_bytes:
            self._drop(next(iter(self._responses)))

    def forget(self) -> None:
        """Forget all responses."""
        self._responses.clear()
        self._bytes = 0

    def find(self, scope: Scope) -> BytesResponse | None:
        """The cached response to a request; None if there is none, it is not valid any more, or its body is needed."""
        if self._made_of != (now := (self.heads.history, self.heads.generation)):
            self._made_of = now
            self.forget()
        scope.setdefault("state", {})[_GENERATION] = self._made_of
        if header(scope, b"accept-datetime") is not None:
            return None
        key = _key(scope)
        response = self._responses.get(key)
        if response is None:
            return None
        if response.validity is None or not response.validity.is_met(self.heads):
            self._drop(key)
            return None
        if response.body is None and not response.matches(scope):
            return None
        self._responses.move_to_end(key)
        return response

    async def made_by_another(self, scope: Scope) -> BytesResponse | None:
        """Wait for the response that an equal request is making; None if there is none, or it is not cached."""
        making = self._in_making.get(_key(scope))
        if making is None:
            return None
        await making.wait()
        return self.find(scope)

    @contextmanager
    def making(self, scope: Scope, send: Send) -> Iterator[Send]:
        """Let equal requests wait until the head of this response is sent, so that it is made once."""
        key = _key(scope)
        if key in self._in_making:
            yield send
            return
        done = self._in_making[key] = asyncio.Event()

        async def sending(message: Message) -> None:
            done.set()
            await send(message)

        try:
            yield sending
        finally:
            done.set()
            del self._in_making[key]

    def _drop(self, key: CacheKey) -> None:
        dropped = self._responses.pop(key, None)
        if dropped is not None:
            self._bytes -= dropped.size


def _key(scope: Scope) -> CacheKey:
    return address(scope, scope["path"]), scope["query_string"], header(scope, b"accept") or b""
