"""Which format an answer takes: ``?format=`` before ``Accept``, JSON when both leave it open."""

from __future__ import annotations

from litestar.types import Scope

from api.contract import Parameter
from api.polling import header
from api.problems import NotAcceptable
from api.query import Query

MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "link": "application/link-format",
    "csv": "text/csv; charset=utf-8; header=present",
}


def format_parameter(offered: tuple[str, ...]) -> Parameter:
    """The query parameter that names one of the formats offered."""
    return Parameter("format", "The format of the answer; goes before `Accept`.", {"enum": list(offered)})


def negotiate(scope: Scope, query: Query, offered: tuple[str, ...]) -> str:
    """The name of the format to answer in.

    Errors: ``NotAcceptable`` if none of those wanted is offered.
    """
    if (named := query.get("format")) is not None:
        if named in offered:
            return named
    elif (accept := header(scope, b"accept")) is None:
        return offered[0]
    elif found := _best(accept.decode("latin-1"), offered):
        return found
    raise NotAcceptable(f"offered here: {', '.join(offered)}", offered=[MEDIA_TYPES[name] for name in offered])


def _best(accept: str, offered: tuple[str, ...]) -> str | None:
    ranges: list[tuple[str, float]] = []
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((p.partition("=")[2] for p in parameters if p.replace(" ", "").startswith("q=")), "1")
        try:
            ranges.append((media, float(weight)))
        except ValueError:
            continue
    weights = {name: _weight(MEDIA_TYPES[name].partition(";")[0], ranges) for name in offered}
    best = max(offered, key=lambda name: weights[name])
    return best if weights[best] > 0 else None


def _weight(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that has the type (RFC 9110 §12.5.1)."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for given, weight in ranges:
            if given == wanted:
                return weight
    return 0.0
