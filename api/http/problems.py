"""Errors as problem documents (RFC 9457). The HTTP status of each of the tracker's errors stands here alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from http import HTTPStatus
from itertools import islice
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from pydantic_core import to_json
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.http import request_ids
from api.http.addresses import address as address_of
from api.http.addresses import base_path
from api.http.contract import AnyRequest
from api.http.headers import NOT_FRAMED, SECURITY_HEADERS
from api.http.json_logging import LOGGER_NAME
from tracker import errors
from tracker.errors import BatchRefused, InvalidFact, PledgeNotFound, Refusal, TrackerError, Unavailable
from tracker.pledge_events import UnreadEvent

PROBLEM = "application/problem+json"

log = logging.getLogger(LOGGER_NAME)


class Malformed(TrackerError):
    """The body is not one well-formed JSON value in UTF-8, or a name stands twice in one object."""

    code = "malformed"
    title = "The body is not JSON"


class InvalidParameter(TrackerError):
    """A parameter or header has a value that it cannot have, or stands twice. The answer names it."""

    code = "invalid_parameter"
    title = "A parameter is not valid"


class UnknownParameter(TrackerError):
    """This address takes no such parameter. It is refused so that a slip never answers another question."""

    code = "unknown_parameter"
    title = "No such parameter"


class Unauthorized(TrackerError):
    """A key is needed, or this one is not in force: send `Authorization: Bearer <key>`. Revoked keys stay refused."""

    code = "unauthorized"
    title = "A valid key is needed"


class Forbidden(TrackerError):
    """The key is in force, but its role may not do this. Ask an administrator for a key with the role."""

    code = "forbidden"
    title = "The key's role may not do this"


class NotFound(TrackerError):
    """Nothing is served at this address. The addresses are listed at `/schema`."""

    code = "not_found"
    title = "Nothing here"


class MethodNotAllowed(TrackerError):
    """The address is right, the method is not. The header `Allow` lists those that it takes."""

    code = "method_not_allowed"
    title = "The method is not allowed here"


class NotAcceptable(TrackerError):
    """None of the accepted formats is offered here. The answer lists those that are."""

    code = "not_acceptable"
    title = "The format is not offered"


class UnsupportedMediaType(TrackerError):
    """The body is of a type that is not read here. The answer lists those that are."""

    code = "unsupported_media_type"
    title = "The body's type is not read here"


class MalformedRequest(TrackerError):
    """The bytes are no request of HTTP/1.1. A client library sends none of these; look at what is in between."""

    code = "malformed_request"
    title = "This is not HTTP/1.1"


class RequestTimeout(TrackerError):
    """The request did not come: its head takes 15 s at most, and a body goes on within 60 s. Send it again at once."""

    code = "request_timeout"
    title = "The request took too long to come"


class UriTooLong(TrackerError):
    """The address has over 16 KB. Narrow the question down; lists of slugs can be asked in several requests."""

    code = "uri_too_long"
    title = "The address is too long"


class HeaderFieldsTooLarge(TrackerError):
    """The head of the request has over 64 KB, or over 100 header fields. Cookies and tracing headers are not needed."""

    code = "header_fields_too_large"
    title = "The header fields are too large"


class RateLimited(TrackerError):
    """Too many writes with this key within a minute. Wait as long as `Retry-After` says, or send a batch."""

    code = "rate_limited"
    title = "Too many writes"


class TooMuchAtOnce(TrackerError):
    """Too many large bodies are on their way to this process. Wait as long as `Retry-After` says, or send less."""

    code = "unavailable"
    title = "Too much at once"


class PositionNotReached(TrackerError):
    """This process has not got to the position in `Tracker-Min-Position` yet. Ask again, or ask another process."""

    code = "unavailable"
    title = "The position is not reached yet"


class OnlyReads(TrackerError):
    """This process answers reads alone, beside a replica or by TRACKER_READ_ONLY. Send writes to one that records."""

    code = "unavailable"
    title = "No writes here"


class InternalError(TrackerError):
    """Something broke on our side. It is logged under the `request_id` of the answer; nothing was half recorded."""

    code = "internal_error"
    title = "Something broke on our side"


STATUS = {
    "malformed": 400,
    "malformed_request": 400,
    "invalid_parameter": 400,
    "unknown_parameter": 400,
    "invalid_tile": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "own_proposal": 403,
    "not_found": 404,
    "pledge_not_found": 404,
    "party_not_found": 404,
    "capture_not_found": 404,
    "proposal_not_found": 404,
    "no_checkpoint": 404,
    "out_of_tree": 404,
    "tile_missing": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "request_timeout": 408,
    "pledge_exists": 409,
    "duplicate_fact": 409,
    "mixed_basis": 409,
    "already_voided": 409,
    "other_log": 409,
    "revised": 409,
    "proposal_closed": 409,
    "refused_now": 409,
    "version_conflict": 412,
    "too_large": 413,
    "uri_too_long": 414,
    "unsupported_media_type": 415,
    "invalid_fact": 422,
    "unit_mismatch": 422,
    "unknown_event": 422,
    "wrong_event_type": 422,
    "not_opened": 422,
    "future_statement": 422,
    "idempotency_mismatch": 422,
    "rate_limited": 429,
    "header_fields_too_large": 431,
    "internal_error": 500,
    "unavailable": 503,
    "log_went_back": 503,
    "clock_implausible": 503,
    "no_archive": 503,
}

PHRASES = {status: HTTPStatus(status).phrase.encode() for status in STATUS.values()}
"""The reason phrase of each status, for what is answered before the application."""

MAX_ERRORS = 100
"""Errors that one problem document lists, at most; `total` says how many there are."""

RETRY_AFTER = "1"
"""Seconds that a 503 asks to wait: a store that is away is back soon, or its operator is on the way."""

_ERROR_OF_STATUS: dict[int, type[TrackerError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    413: errors.TooLarge,
    415: UnsupportedMediaType,
    429: RateLimited,
    503: Unavailable,
}


def pledge_not_found(pledge: str, unread: Sequence[UnreadEvent] = (), *, as_of: date | None = None) -> PledgeNotFound:
    """The refusal of a pledge that is not there to be read or added to; `unread` are events of it not taken in.

    `as_of` is the day that was asked for, if one was.
    """
    detail = f"there is no pledge {pledge[:128]!r}"
    if not unread:
        return PledgeNotFound(detail if as_of is None else f"{detail} as of {as_of}")
    detail += f" that this version can read: event {unread[0].position} of it is not understood ({unread[0].reason})"
    return PledgeNotFound(detail, unreadable=[event.json for event in unread])


def catalogue() -> dict[str, type[TrackerError]]:
    """The error of every type of problem, by its code."""
    found: dict[str, type[TrackerError]] = {}
    for cls in _leaves(TrackerError):
        if cls.code in STATUS:
            found.setdefault(cls.code, cls)
    return found


def _leaves(cls: type[TrackerError]) -> Iterator[type[TrackerError]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _leaves(sub)


def address(code: str) -> str:
    """The path at which a type of problem is explained."""
    return f"/problems/{code}"


def document(error: TrackerError, instance: str, base: str = "") -> tuple[int, dict[str, Any]]:
    """The HTTP status of an error and its problem document. A batch has the status and code of its first bad item.

    `instance` is the request's path, `base` the path below which both it and the types of problems are.
    """
    first = error.refusals[0][1] if isinstance(error, BatchRefused) else error
    status = STATUS[first.code]
    return status, {
        "type": f"{base}{address(first.code)}",
        "title": first.title,
        "status": status,
        "detail": error.detail,
        "instance": f"{base}{instance}",
        "code": first.code,
        "errors": (entries := list(islice(_entries(error), MAX_ERRORS))),
        "total": max(len(entries), getattr(error, "problem_count", 0) if entries else 0),
        **first.members,
    }


def _entries(error: TrackerError) -> Iterator[dict[str, Any]]:
    if isinstance(error, BatchRefused):
        for _, refusal in error.refusals:
            yield from _entries(refusal)
    elif isinstance(error, InvalidFact):
        for pointer, message in error.problems:
            yield {"pointer": pointer, "message": message, "code": error.code}
    elif isinstance(error, Refusal):
        yield {"pointer": error.pointer, "message": error.detail, "code": error.code}
    elif "parameter" in error.members:
        yield {"pointer": "", "message": error.detail, "parameter": error.members["parameter"]}


class ProblemResponse(Response[bytes]):
    """A problem document; `code` is that of the problem."""

    def __init__(self, content: bytes, *, code: str, **how: Any) -> None:
        super().__init__(content, **how)
        self.code = code


def refusal_bytes(error: TrackerError, instance: str, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    """The whole response to a request that never reaches the application: head and problem document."""
    status, problem = document(error, instance)
    body = to_json(problem)
    headers = [
        *default_headers,
        (b"content-type", PROBLEM.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
        *SECURITY_HEADERS,
        NOT_FRAMED,
    ]
    lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, PHRASES[status], lines, body)


def respond(error: TrackerError, scope: Any, headers: dict[str, str] | None = None) -> ProblemResponse:
    """The response to a request that failed with this error; `scope` is the request's."""
    status, body = document(error, scope["path"], base_path(scope))
    own = {"Cache-Control": "no-store"}
    if status == 401:
        own["WWW-Authenticate"] = 'Bearer realm="tracker"' + (', error="invalid_token"' if error.members else "")
        body.pop("error", None)
    if status == 503:
        own["Retry-After"] = RETRY_AFTER
    if "retry_after" in error.members:
        own["Retry-After"] = str(error.members["retry_after"])
    return ProblemResponse(
        to_json(body), code=body["code"], status_code=status, media_type=PROBLEM, headers=own | (headers or {})
    )


def _on_tracker_error(request: AnyRequest, error: TrackerError) -> ProblemResponse:
    if isinstance(error, Unavailable):
        # What the store's driver said is for the operator: it may name hosts and users.
        log.warning("store away", extra={"path": request.scope["path"], "reason": error.detail})
        error = Unavailable("the store does not answer just now; send the request again")
    return respond(error, request.scope)


def _on_store_error(request: AnyRequest, error: Exception) -> ProblemResponse:
    return _on_tracker_error(request, Unavailable(type(error).__name__))


def _on_http_error(request: AnyRequest, error: HTTPException) -> ProblemResponse:
    scope = request.scope
    if error.status_code >= 500:
        return _on_unexpected_error(request, error)
    if error.status_code == 413:
        return respond(errors.TooLarge("the body is larger than is read here"), scope)
    if error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("allow", "").split(", ")))
        return respond(
            MethodNotAllowed(f"this address takes {allowed}", allow=allowed.split(", ")), scope, {"Allow": allowed}
        )
    if error.status_code == 404:
        return respond(NotFound(f"nothing is served at this address; see {address_of(scope, '/schema')}"), scope)
    kind = _ERROR_OF_STATUS.get(error.status_code, InvalidParameter)
    return respond(kind(error.detail), scope)


def _on_unexpected_error(request: AnyRequest, error: Exception) -> ProblemResponse:
    request_id = request_ids.begin(request.scope)
    where = {"request_id": request_id, "method": request.scope["method"], "path": request.scope["path"]}
    log.error("unhandled", exc_info=error, extra=where)
    broken = InternalError("the request could not be answered; it is logged by its request_id", request_id=request_id)
    return respond(broken, request.scope)


def _counted(handler: Callable[[AnyRequest, Any], ProblemResponse]) -> Any:
    """The same handler; the request's state has the code of the problem afterwards, for those who count."""

    def handle(request: AnyRequest, error: Exception) -> ProblemResponse:
        answer = handler(request, error)
        state: Any = request.scope.setdefault("state", {})
        state["problem"] = answer.code
        return answer

    return handle


_HANDLERS: dict[type[Exception], Callable[[AnyRequest, Any], ProblemResponse]] = {
    TrackerError: _on_tracker_error,
    OperationalError: _on_store_error,
    InterfaceError: _on_store_error,
    PoolTimeout: _on_store_error,
    HTTPException: _on_http_error,
    Exception: _on_unexpected_error,
}

HANDLERS: ExceptionHandlersMap = {kind: _counted(handler) for kind, handler in _HANDLERS.items()}
"""Litestar's map from exceptions to responses: every error is answered with a problem document."""
