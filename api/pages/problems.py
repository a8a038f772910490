"""Problems for people: what a program gets as `application/problem+json`, a browser gets as a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, Response
from litestar.types import ExceptionHandler, ExceptionHandlersMap
from pydantic_core import from_json

from api import wording
from api.http.addresses import address, base_path
from api.http.headers import header
from api.http.problems import PROBLEM
from api.pages.frame import HEADERS, POLICY, render
from tracker.units import SLUG

_HINT_BY_STATUS = {
    400: (
        "The address holds something this page does not take; nothing is guessed, lest it answer another question. "
        "Mend it or take it out, or begin with the list of all pledges."
    ),
    401: "Ask whoever runs it for a key with the role “reader”, and give it here; programs send it with each request.",
    403: "The key is in force, but not for this. Give one of another role, or ask whoever runs it for one.",
    406: "A browser is shown pages; for other formats ask the API under /v1 with the header Accept.",
    408: "The connection was too slow. Try again.",
    409: "The address belongs to another history of this log. Begin again with the list of all pledges.",
    429: "Too many requests came at once. Wait a minute, and try again.",
    500: "The mistake is ours, and is written down. Try again; if it stays, tell whoever runs this, with the id below.",
    503: "The record is safe. Try again in a moment.",
}

_ANY_HINT = "Go back, or begin with the list of all pledges."

_HINT_BY_CODE = {
    "not_found": "Look for a slip in the address, or begin with the list of all pledges.",
    "pledge_not_found": "Look for a slip in its name, or search the list of all pledges.",
}
_NOT_YET_TITLE = "Not promised yet"
_NOT_YET = "Nothing had been promised by {day}: the pledge was first spoken of on {first}."
"""What the page of a pledge says that was made after the day that was asked for."""

_is_pledge_path = re.compile(f"/pledges/({SLUG})").fullmatch

_NOT_PUBLIC = {
    "title": "This record is not public",
    "detail": "It can be read with a key. Nothing of it is shown without one.",
}
"""What the page of a refusal says to a browser without a key."""


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser asks for a page: it accepts HTML, and the path is neither under `/v1` nor under `/ledger`."""
    accept = (header(request.scope, b"accept") or b"").lower()
    return b"text/html" in accept and not request.scope["path"].startswith(("/v1/", "/ledger/"))


def problem_types_page(kinds: Sequence[Mapping[str, object]], base: str) -> Response[bytes]:
    """Types of problems as a page: one of them, or all; `base` is the path below which its addresses are."""
    body = render("problem_types.html", base, kinds=kinds)
    return Response(body, media_type="text/html", headers=HEADERS | {"Cache-Control": "no-store"})


def with_pages(handlers: ExceptionHandlersMap) -> ExceptionHandlersMap:
    """The same handlers; the problems they answer are pages where `wants_page`."""
    return {kind: _with_page(handler) for kind, handler in handlers.items()}


def _with_page(handler: ExceptionHandler) -> ExceptionHandler:  # type: ignore[type-arg]
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        answer: Response[Any] = handler(request, error)
        if answer.media_type != PROBLEM or not wants_page(request):
            return answer
        problem = from_json(answer.content)
        if problem["status"] == 401 and header(request.scope, b"authorization") is None:
            problem |= _NOT_PUBLIC
        log = first = None
        hint = _HINT_BY_CODE.get(problem["code"]) or _HINT_BY_STATUS.get(problem["status"], _ANY_HINT)
        if problem["code"] == "pledge_not_found" and (found := _is_pledge_path(request.scope["path"])):
            log = address(request.scope, f"/audit?pledge={found[1]}")
        if as_of := problem.pop("first_said_on", None):
            problem["title"] = _NOT_YET_TITLE
            hint = _NOT_YET.format(day=wording.day(problem["as_of"]), first=wording.day(as_of))
            first = f"{problem['instance']}?as_of={as_of}"
        body = render("problem.html", base_path(request.scope), problem=problem, hint=hint, log=log, first=first)
        headers = {**answer.headers, "content-security-policy": POLICY}
        return Response(body, status_code=problem["status"], media_type="text/html", headers=headers)

    return handle
