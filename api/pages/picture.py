"""A pledge as a picture that can be taken away: title, verdict, chart, source and date in one SVG, or as PNG.

The SVG needs nothing beside itself; `png` draws the PNG of it, with the font that comes along.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from api import wording
from api.formats.badge import NEUTRAL_COLOURS, STATUS_COLOURS
from api.formats.xml_text import xml_safe
from api.pages.drawing import Drawing, Shape
from api.pages.pledge_rows import PledgeRow

WIDTH, HEIGHT = 1200, 630
"""The size in px that is shown of a link."""

_FAMILY = "DejaVu Sans"
_TITLE_CHARACTERS, _LINE_CHARACTERS = 52, 110
_MOST_LINES = 3
_CHART_TOP = 250

_HALO = "paint-order:stroke;stroke:#fcfbf8;stroke-width:3;stroke-linejoin:round"
"""Keeps words legible that stand on a line or a bar."""

_LOOKS = {
    "c-window": "fill:#e9eef4", "c-latest": "fill:#f4efe4", "c-key": "stroke:#8b8f94", "c-grid": "stroke:#dfdcd4",
    "c-tick": "fill:#545d66", "c-note": f"fill:#545d66;{_HALO}", "c-label": f"fill:#a8430b;font-weight:700;{_HALO}",
    "c-target": "stroke:#a8430b;stroke-width:2", "c-past": "stroke-dasharray:2 4",
    "c-target-range": "fill:#a8430b;fill-opacity:.15", "c-pace": "stroke:#6d757d;stroke-width:1.5;stroke-dasharray:6 4",
    "c-moved": "stroke:#a8430b;stroke-dasharray:3 3", "c-today": "stroke:#8b8f94;stroke-dasharray:1 3",
    "c-step": "stroke:#0b4f82;stroke-width:3", "c-riser": "stroke:#0b4f82;stroke-width:1.5;stroke-opacity:.55",
    "c-range": "fill:#0b4f82;fill-opacity:.3", "c-covers": "stroke:#0b4f82;stroke-dasharray:1 3",
    "c-point": "fill:#0b4f82;stroke:#fff;stroke-width:1.5", "c-earlier": "fill:#545d66",
    "c-aside": "fill:#fff;stroke:#0b4f82", "c-period": "fill:#fff;stroke:#0b4f82;stroke-width:1.5",
    "c-open": "fill:#0b4f82;fill-opacity:.35", "c-due": "stroke:#a8430b;stroke-width:2;stroke-dasharray:5 3",
    "c-baseline": "fill:#fff;stroke:#1c2126;stroke-width:2", "c-name": "fill:#1c2126",
    "c-value": f"fill:#545d66;{_HALO}",
    "v-met": "fill:#25713a", "v-not_met": "fill:url(#p-hatch);stroke:#a01c38;stroke-width:1.5",
    "c-maybe": "fill-opacity:.35;stroke-opacity:.35",
    "c-none": "fill:none;stroke:#8b8f94;stroke-dasharray:2 2",
    "c-duemark": "fill:#fff;stroke:#a8430b;stroke-width:2", "c-reached": "fill:#25713a",
    "m-partly_reached": "fill:#fff;stroke:#7d5a00;stroke-width:2", "c-half": "fill:#7d5a00",
    "c-missedmark": "fill:none;stroke:#a01c38;stroke-width:2.5",
}  # fmt: skip
"""How the classes of shapes look on paper and in a picture: the pages' light colours."""

_FADES = "".join(
    f'<linearGradient id="p-{name}" x1="0" x2="{x}" y1="{y}" y2="0"><stop offset="0" stop-color="#fff"/>'
    '<stop offset="1" stop-color="#fff" stop-opacity="0"/></linearGradient>'
    f'<mask id="{name}" maskContentUnits="objectBoundingBox"><rect width="1" height="1" fill="url(#p-{name})"/></mask>'
    for name, x, y in (("fade", 1, 0), ("rise", 0, 1))
)
"""Masks for what has no end: a bound fades out to the right or upwards."""

STYLE = "".join(
    [
        *(f".{kind}{{{look}}}" for kind, look in _LOOKS.items()),
        *(f".c-column.s-{status}{{fill:{light}}}" for status, (light, _) in STATUS_COLOURS.items()),
    ]
)
"""The style sheet of the picture."""


def picture(row: PledgeRow, drawings: tuple[Drawing, ...], source: str, footer: str, address: str) -> bytes:
    """The SVG of a pledge, with a chart or two columns of one side by side.

    `source` names who said what is shown last, `footer` the clocks, `address` its page.
    """
    status = row.status
    colour = _colour(status["status"])
    title = textwrap.wrap(xml_safe(status["title"]), _TITLE_CHARACTERS)[:_MOST_LINES]
    y = 96 + 44 * len(title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"',
        f' role="img" font-family="{_FAMILY}, sans-serif"><title>{escape(xml_safe(status["title"]))}</title>',
        f"<style>{STYLE}</style>",
        _FADES,
        '<pattern id="p-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">',
        '<line x1="0" y1="0" x2="0" y2="6" stroke="#a01c38" stroke-width="2"/></pattern>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfbf8"/><rect width="{WIDTH}" height="8" fill="{colour}"/>',
        _text(56, 56, 20, "#545d66", _parties(status)),
        *(_text(56, 100 + 44 * index, 36, "#1c2126", line, bold=True) for index, line in enumerate(title)),
        _text(56, y + 10, 28, colour, wording.STATUS[status["status"]], bold=True),
        *_beside(row, y + 10),
        *(_chart(drawings, y + 30) if drawings else _bar(row, y + 70, colour)),
        _text(56, HEIGHT - 68, 17, "#545d66", _cut(source)),
        _text(56, HEIGHT - 44, 17, "#545d66", _cut(footer)),
        # An address that is cut leads nowhere: a long one is written smaller.
        _text(56, HEIGHT - 20, min(17, 17 * _LINE_CHARACTERS // len(address)), "#545d66", address),
        "</svg>\n",
    ]
    return "".join(parts).encode()


def _beside(row: PledgeRow, y: int) -> Iterator[str]:
    """How far it is, beside the verdict."""
    x = 56 + 20 * len(wording.STATUS[row.status["status"]]) + 20
    yield _text(x, y, 24, "#1c2126", row.progress + (f" · {row.share}" if row.share else ""))


def _bar(row: PledgeRow, top: int, colour: str) -> Iterator[str]:
    """How far it is as a bar, or a dot for each step, where there is no chart."""
    if row.bar is None:
        return
    if row.bar.steps:
        for index, state in enumerate(row.bar.steps):
            fill, x = colour if state == "reached" else "none", 72 + 48 * index
            yield f'<circle cx="{x}" cy="{top + 20}" r="15" fill="{fill}" stroke="{colour}" stroke-width="3"/>'
        return
    yield f'<svg x="56" y="{top}" width="{WIDTH - 112}" height="40">'
    yield '<rect y="8" width="100%" height="24" fill="#eceae4"/>'
    looks = {"solid": "", "possible": ' fill-opacity=".35"', "fade": ' mask="url(#fade)"'}
    for each in row.bar.segments:
        yield f'<rect x="{each.x}" y="8" width="{each.width}" height="24" fill="{colour}"{looks[each.kind]}/>'
    target = row.bar.target
    if row.bar.target_width:
        yield f'<rect x="{target}" width="{row.bar.target_width}" height="40" fill="#1c2126" fill-opacity=".15"/>'
    if target:
        yield f'<line x1="{target}" x2="{target}" y2="40" stroke="#1c2126" stroke-width="4"/>'
    yield "</svg>"


def _chart(drawings: tuple[Drawing, ...], top: int) -> Iterator[str]:
    """The drawings side by side, as large as they can be below the words."""
    width = sum(drawing.width for drawing in drawings)
    scale = min((HEIGHT - 102 - top) / max(drawing.height for drawing in drawings), (WIDTH - 112) / width)
    left = (WIDTH - width * scale) / 2
    for drawing in drawings:
        yield f'<g transform="translate({left:.1f} {top}) scale({scale:.4f})" font-size="12">'
        yield from map(_shape, drawing.shapes)
        yield "</g>"
        left += drawing.width * scale


def _shape(shape: Shape) -> str:
    given = "".join(f" {name}={quoteattr(str(value))}" for name, value in shape.attributes)
    given += f' mask="url(#{shape.fades})"' if shape.fades else ""
    opened = f'<{shape.tag} class="{shape.kind}"{given}'
    return f"{opened}/>" if shape.text is None else f"{opened}>{escape(xml_safe(shape.text))}</{shape.tag}>"


def _text(x: int, y: int, size: int, colour: str, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}"{weight}>{escape(xml_safe(text))}</text>'


def _parties(status: Mapping[str, Any]) -> str:
    to = wording.party(status["beneficiary"])
    return wording.party(status["pledgor"]) + (f" to {to}" if to else "")


def _cut(text: str) -> str:
    return text if len(text) <= _LINE_CHARACTERS else f"{text[: _LINE_CHARACTERS - 1]}…"


def _colour(status: str) -> str:
    return STATUS_COLOURS.get(status, NEUTRAL_COLOURS)[0]
