"""The id of a request, which every line of the log about it has.

A caller that sends `traceparent` (W3C Trace Context) names the trace that it belongs to: that is then the request's id,
so that one search finds its lines in every service. Otherwise the id is random.
"""

from __future__ import annotations

import random
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from api.http.headers import header

if TYPE_CHECKING:  # a projector logs, too, and does without Litestar
    from litestar.types import Scope

CURRENT: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is at work here, in its threads too; empty elsewhere."""

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


def begin(scope: Scope) -> str:
    """Give the request its id, unless it has one, and return it."""
    state: Any = scope.setdefault("state", {})
    found = state.get("request_id")
    if found is None:
        found = state["request_id"] = _traced(scope) or _random_id()
        CURRENT.set(found)
    return str(found)


def _random_id() -> str:
    return f"{random.getrandbits(128):032x}"


def _traced(scope: Scope) -> str | None:
    given = header(scope, b"traceparent")
    trace = None if given is None else _TRACEPARENT.fullmatch(given)
    return None if trace is None or given is None or given.startswith(b"ff") else trace[1].decode()
