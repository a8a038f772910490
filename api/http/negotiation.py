"""The format of a response: `?format=` before `Accept`, the route's default if both leave it open."""

from __future__ import annotations

import re
from importlib.util import find_spec

from litestar.types import Scope

from api.http.contract import Parameter
from api.http.headers import header
from api.http.parameters import Query
from api.http.problems import NotAcceptable

MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "link": "application/link-format",
    "csv": "text/csv; charset=utf-8; header=present",
    "cloudevents": "application/cloudevents-batch+json; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "iati": "application/xml; charset=utf-8",
    "svg": "image/svg+xml",
    "atom": "application/atom+xml; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "sse": "text/event-stream",
}

NEEDS_EXTRA = {"parquet": "pyarrow"}
"""Formats to the library that they need, which the extra of the format's name installs."""


def format_parameter(offered: tuple[str, ...]) -> Parameter:
    """The query parameter that names one of the formats offered."""
    return Parameter("format", "The format of the answer; goes before `Accept`.", {"enum": list(offered)})


def negotiate(scope: Scope, query: Query, offered: tuple[str, ...]) -> str:
    """The name of the format to answer in.

    Raises: NotAcceptable if none of those wanted is offered.
    """
    here = tuple(name for name in offered if is_installed(name))
    if (named := query.get("format")) is not None:
        if named in here:
            return named
        wanted: tuple[str, ...] = (named,)
    else:
        accept = (header(scope, b"accept") or b"").decode("latin-1")
        if not accept.strip():
            return here[0]
        if found := _best(accept, here):
            return found
        wanted = tuple(name for name in offered if MEDIA_TYPES[name].partition(";")[0] in accept.lower())
    missing = [name for name in wanted if name in offered]
    hint = "".join(f"; {name} needs: pip install 'commitments-tracker[{name}]'" for name in missing)
    raise NotAcceptable(f"offered here: {', '.join(here)}{hint}", offered=[MEDIA_TYPES[name] for name in here])


def is_installed(name: str) -> bool:
    """Whether a format can be written here."""
    library = NEEDS_EXTRA.get(name)
    return library is None or find_spec(library) is not None


def _best(accept: str, offered: tuple[str, ...]) -> str | None:
    """The format that is liked best, the default before others.

    A browser that opens an address names XML beside HTML, out of habit: that asks for neither, so the rest decides.
    """
    ranges = _ranges(accept)
    if _weight("text/html", ranges) >= _weight("application/xml", ranges) > _weight("*/*", ranges) > 0:
        ranges = [(media, weight) for media, weight in ranges if media != "application/xml"]
    weights = {name: _weight(MEDIA_TYPES[name].partition(";")[0], ranges) for name in offered}
    best = max(offered, key=lambda name: weights[name])
    return best if weights[best] > 0 else None


def _ranges(accept: str) -> list[tuple[str, float]]:
    ranges: list[tuple[str, float]] = []
    for part in accept.split(","):
        media, *parameters = (re.sub(r"\s", "", piece).lower() for piece in part.split(";"))
        weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", weight):
            ranges.append((media, float(weight)))
    return ranges


def _weight(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that has the type (RFC 9110 §12.5.1)."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for given, weight in ranges:
            if given == wanted:
                return weight
    return 0.0
