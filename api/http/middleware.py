"""The checks of every request: key and role, rate limit, response cache, parameters; the headers of every response."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.concurrency import sync_to_thread
from litestar.enums import ScopeType
from litestar.exceptions import ImproperlyConfiguredException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.http import request_ids
from api.http.access_log import AccessLog
from api.http.auth import KEY_REFRESH_SECONDS, Caller, KeyRing, bearer, must_allow
from api.http.cache import ResponseCache
from api.http.contract import Contract
from api.http.headers import NOT_FRAMED, SECURITY_HEADERS, client_address, header
from api.http.known_heads import KnownHeads
from api.http.limits import FailedKeyLimit, WriteLimit
from api.http.log_ids import HEADER, must_be_asked
from api.http.metrics import ProcessMetrics
from api.http.min_position import MinPosition
from api.http.parameters import parse
from api.http.problems import NotFound, OnlyReads, Unauthorized
from api.http.replica import Replica

if TYPE_CHECKING:
    from api.http.traces import Traces

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_LOG_HEADER = HEADER.lower().encode()
_OF_REPLICA = frozenset({"reader", "auditor"})
"""Roles whose reads a replica may answer; the others read what must be fresh, proposals above all."""

_AWAY = HTTPStatus.SERVICE_UNAVAILABLE
_CORS_EXPOSED = (
    b"ETag, Link, Location, Memento-Datetime, Retry-After, RateLimit, RateLimit-Policy, Tracker-Log,"
    b" Content-Disposition"
)
_CORS_HEADERS = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _CORS_EXPOSED)]
_CORS_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, HEAD"),
    (
        b"access-control-allow-headers",
        b"Accept, Accept-Datetime, Authorization, If-None-Match, Last-Event-ID, Tracker-Min-Position",
    ),
    (b"access-control-max-age", b"86400"),
]


class RequestMiddleware(ASGIMiddleware):
    """Checks in this order: key and role, rate limit, cached response, parameters. Then the route itself."""

    scopes = (ScopeType.HTTP,)

    def __init__(
        self,
        keys: KeyRing,
        limit: WriteLimit,
        failed_keys: FailedKeyLimit,
        cache: ResponseCache,
        *,
        metrics: ProcessMetrics,
        traces: Traces | None,
        min_position: MinPosition,
        replica: Replica | None,
        public_read: bool,
        read_only: bool,
    ) -> None:
        self._read_only = read_only
        self._min_position, self._replica = min_position, replica
        self._metrics, self._traces = metrics, traces
        self._keys = keys
        self._limit = limit
        self._failed_keys = failed_keys
        self._cache = cache
        self._public_read = public_read

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on to its route, answer it from the cache, or refuse it.

        Raises: NotFound, Unauthorized, Forbidden, RateLimited, UnknownParameter or InvalidParameter.
        """
        path, _, _ = scope.get("raw_path", b"").partition(b"?")  # some servers leave the query in it
        if b"%2f" in path.lower():
            raise NotFound("no address here has an encoded slash")
        contract: Contract | None = scope["route_handler"].opt.get("contract")
        if contract is None:  # OPTIONS; Litestar's own answer leaves out the methods that were added last
            routes = scope["litestar_app"].routes
            methods = next(route.methods for route in routes if route.path_format == scope["path_template"])
            allow = (b"allow", ", ".join(sorted(methods)).encode())
            await send({"type": "http.response.start", "status": 204, "headers": [allow]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        request_ids.begin(scope)
        state: Any = scope["state"]
        state["began"] = time.perf_counter()
        if self._traces is not None:
            state["span"] = self._traces.begin_request(scope)
        # From before anything is read: what is read of a later history is never told as one of an earlier.
        state["log"] = self._cache.heads.log_id
        if contract.needs != "open":
            caller = await self._caller(scope)
            must_allow(caller, contract.needs, public_read=self._public_read and not contract.keyed)
            state["caller"] = caller
            if contract.writes and self._read_only:
                raise OnlyReads("this process answers reads alone: send the write to one that records")
            if contract.writes and caller is not None:
                state["headers"] = []
                self._limit.count(caller.scope, state["headers"])
            else:
                if b"log=" in scope["query_string"]:
                    must_be_asked(parse(scope["query_string"], contract.taken), state["log"])
                await self._min_position.reached(scope)
                cached = self._cache.find(scope) or await self._cache.made_by_another(scope)
                if cached is not None:
                    self._metrics.cache_hits.inc()
                    await cached(scope, receive, send)
                    return
                self._metrics.cache_misses.inc()
                state["query"] = parse(scope["query_string"], contract.taken)
                with self._cache.making(scope, send) as sending:
                    await self._read(contract, scope, receive, sending, next_app)
                return
        state["query"] = parse(scope["query_string"], contract.taken)
        await next_app(scope, receive, send)

    async def _read(self, contract: Contract, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the route answer from the replica if that has all, else from the primary; so, too, if the replica fails.

        A replica refuses a read now and then: it ends what stands in the way of what it has to replay.
        """
        state: Any = scope["state"]
        state["of_replica"] = (
            self._replica is not None
            and contract.needs in _OF_REPLICA
            and not contract.keyed
            and await self._replica.may_answer()
        )
        if not state["of_replica"]:
            self._metrics.reads_of_primary.inc()
            await next_app(scope, receive, send)
            return
        failed = False

        async def sending(message: Message) -> None:
            nonlocal failed
            failed = failed or (message["type"] == "http.response.start" and message["status"] == _AWAY)
            if not failed:
                await send(message)

        await next_app(scope, receive, sending)
        if failed:
            self._metrics.reads_again.inc()
            state["of_replica"] = False
            state.pop("problem", None)
            await next_app(scope, receive, send)
        else:
            self._metrics.reads_of_replica.inc()

    async def _caller(self, scope: Scope) -> Caller | None:
        authorization = header(scope, b"authorization")
        if authorization is None:
            return None
        try:
            key = bearer(authorization)
            if not self._keys.is_current() and not self._keys.is_admin(key):
                await sync_to_thread(self._keys.refresh, older_than=KEY_REFRESH_SECONDS)
            return self._keys.caller(key)
        except Unauthorized:  # from memory: a key that was made a moment ago is seen within a second
            self._failed_keys.count(client_address(scope))
            raise


def finish(
    metrics: ProcessMetrics, access: AccessLog, traces: Traces | None, heads: KnownHeads, *, public_read: bool
) -> Any:
    """The hook that every response passes before it is sent, 404 and 500 included.

    It counts the response, writes its line into the access log, ends its span, and adds headers.
    """

    async def before_send(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers: list[tuple[bytes, bytes]] = [*message.get("headers", ()), *SECURITY_HEADERS]
        state: Any = scope.get("state") or {}
        headers += state.get("headers") or ()
        if scope.get("path", "").startswith("/v1") and (log := state.get("log") or heads.log_id):
            headers.append((_LOG_HEADER, log.encode()))
        if not _may_be_framed(scope):
            headers.append(NOT_FRAMED)
        method = scope["method"] if scope["type"] == ScopeType.HTTP else ""
        began, status = state.get("began"), message["status"]
        seconds = None if began is None else time.perf_counter() - began
        told, route = method if method in _METHODS else "other", scope.get("path_template") or "none"
        metrics.answered(told, route, status, seconds, state.get("problem"))
        if traces is not None and (span := state.pop("span", None)) is not None:
            traces.end_request(span, status, state.get("problem"))
        if status >= HTTPStatus.BAD_REQUEST:
            headers.append((b"request-id", request_ids.begin(scope).encode()))
        if access.on:
            caller: Caller | None = state.get("caller")
            access.line(
                request_id=request_ids.begin(scope),
                key=None if caller is None else caller.name,
                method=told,
                route=route,
                status=status,
                seconds=seconds,
            )
        if public_read and method in ("GET", "HEAD"):
            headers += _CORS_HEADERS
        elif public_read and method == "OPTIONS":
            headers += [*_CORS_HEADERS, *_CORS_PREFLIGHT]
        message["headers"] = headers

    return before_send


def _may_be_framed(scope: Scope) -> bool:
    handler: Any = scope.get("route_handler")
    contract = None if handler is None else handler.opt.get("contract")
    return contract is not None and contract.framed


def must_be_guarded(app: Litestar, allowed: Iterable[str] = ()) -> None:
    """Check that every route has a contract, so that none is open by mistake; `allowed` are paths without one.

    Raises: ImproperlyConfiguredException if a route has none.
    """
    for route in app.routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            is_options = getattr(handler, "http_methods", None) == {"OPTIONS"}
            if handler is None or is_options or route.path in allowed:
                continue
            if not isinstance(handler.opt.get("contract"), Contract):
                raise ImproperlyConfiguredException(f"{route.path} does not say whom it is for")
