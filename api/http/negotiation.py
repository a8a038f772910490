"""Which format a response takes: `?format=` before `Accept`, the first one offered when both leave it open.

Negotiation knows names and media types only; `api/formats/table.py` knows who writes a format.
"""

from __future__ import annotations

import re

from litestar.types import Scope

from api.http.contract import Parameter
from api.http.headers import header
from api.http.media import MediaFormat
from api.http.parameters import Query
from api.http.problems import NotAcceptable


def format_parameter(offered: tuple[MediaFormat, ...]) -> Parameter:
    """The query parameter that names one of the formats offered."""
    names = [media_format.name for media_format in offered]
    return Parameter("format", "The format of the answer; goes before `Accept`.", {"enum": names})


def negotiate(scope: Scope, query: Query, offered: tuple[MediaFormat, ...]) -> MediaFormat:
    """The format to answer in, out of those that the route offers and this installation can write.

    Raises: NotAcceptable if the caller accepts none of them.
    """
    available = tuple(media_format for media_format in offered if media_format.is_installed)
    if (name := query.get("format")) is not None:
        for media_format in available:
            if media_format.name == name:
                return media_format
        wanted = [media_format for media_format in offered if media_format.name == name]
    else:
        accept = (header(scope, b"accept") or b"").decode("latin-1")
        if not accept.strip():
            return available[0]
        if best := _best(accept, available):
            return best
        wanted = [media_format for media_format in offered if media_format.essence in accept.lower()]
    hints = "".join(f"; {media_format.install_hint}" for media_format in wanted if media_format not in available)
    names = ", ".join(media_format.name for media_format in available)
    media_types = [media_format.media_type for media_format in available]
    raise NotAcceptable(f"offered here: {names}{hints}", offered=media_types)


def _best(accept: str, offered: tuple[MediaFormat, ...]) -> MediaFormat | None:
    """The format with the highest weight, the default before others; None if all weigh 0.

    A browser that opens an address names XML beside HTML, out of habit: that asks for neither, so the rest decides.
    """
    ranges = _ranges(accept)
    if _weight("text/html", ranges) >= _weight("application/xml", ranges) > _weight("*/*", ranges) > 0:
        ranges = [(media_range, weight) for media_range, weight in ranges if media_range != "application/xml"]
    weights = {media_format: _weight(media_format.essence, ranges) for media_format in offered}
    best = max(offered, key=lambda media_format: weights[media_format])
    return best if weights[best] > 0 else None


def _ranges(accept: str) -> list[tuple[str, float]]:
    """The media ranges of an `Accept` header with their weights; a range whose weight cannot be read is left out."""
    ranges: list[tuple[str, float]] = []
    for part in accept.split(","):
        media_range, *parameters = (re.sub(r"\s", "", piece).lower() for piece in part.split(";"))
        weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", weight):
            ranges.append((media_range, float(weight)))
    return ranges


def _weight(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that has the type (RFC 9110 §12.5.1); 0 if none has it."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for media_range, weight in ranges:
            if media_range == wanted:
                return weight
    return 0.0
