"""A pledge's status as a picture of a few words, for other people's pages.

Light and dark go by the reader's own setting, also inside an <img>. No text is ever cut: a long title has more lines,
and every line states its own width, so that it fits in whatever font the reader has.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from api import amounts, wording
from api.formats.xml_text import xml_safe
from api.http.media import MediaFormat

BADGE_FORMAT = MediaFormat("svg", "image/svg+xml")

_TITLE_LINE_CHARACTERS = 46
_LINE_HEIGHT_PX = 15
_PADDING_PX = 8
_NARROW, _WIDE = frozenset("ijlft.,:;'|!()[]I "), frozenset("mwMWO@%QG—…")

STATUS_COLOURS = {
    "exceeded": ("#0a6a5b", "#58cbb5"),
    "met": ("#25713a", "#76cf8c"),
    "partly_met": ("#7d5a00", "#e0b94f"),
    "in_progress": ("#1d5fa3", "#83b9f0"),
    "overdue": ("#a8430b", "#f39a5f"),
    "missed": ("#a01c38", "#ff9aa8"),
    "indeterminate": ("#6a489e", "#c5a8f0"),
}
"""The colours of a status, light and dark."""

NEUTRAL_COLOURS = ("#56606b", "#b3bcc5")
"""The colours of announced, not measurable, withdrawn and superseded, which say nothing good or bad."""

_STYLE = (
    ".l{fill:#ecebe6}.s{fill:%s}text{font:11px Verdana,'DejaVu Sans',sans-serif}.k{fill:#1c2126}.w{fill:#fff}"
    "@media(prefers-color-scheme:dark){.l{fill:#2a3138}.s{fill:%s}.k{fill:#e9e7e2}.w{fill:#14181c}}"
)


def style(headline: str) -> str:
    """The style sheet of a badge for a status, light and dark."""
    return _STYLE % STATUS_COLOURS.get(headline, NEUTRAL_COLOURS)


def badge(status: Mapping[str, Any]) -> bytes:
    """The SVG for a status document."""
    headline = wording.STATUS[status["status"]]
    share = amounts.counted(status) or amounts.ratio(status["ratio"], status["actual"])
    share = None if share is None else xml_safe(share)
    title = textwrap.wrap(xml_safe(status["title"]), _TITLE_LINE_CHARACTERS) or [status["pledge"]]
    state = [headline, share] if share is not None and len(title) > 1 else [f"{headline} {share or ''}".strip()]
    left, right = (_PADDING_PX * 2 + max(map(_width, lines)) for lines in (title, state))
    rows = max(len(title), len(state))
    width, height = left + right, rows * _LINE_HEIGHT_PX + 7
    label = f"{headline}: {xml_safe(status['title'])}"
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"',
            f' viewBox="0 0 {width} {height}" role="img" aria-labelledby="badge-title badge-desc">',
            f'<title id="badge-title">{escape(label)}</title><desc id="badge-desc">{escape(summary(status))}</desc>',
            f"<style>{style(status['status'])}</style>",
            f'<clipPath id="badge-shape"><rect width="{width}" height="{height}" rx="4"/></clipPath>',
            '<g clip-path="url(#badge-shape)">',
            f'<rect class="l" width="{width}" height="{height}"/>',
            f'<rect class="s" x="{left}" width="{right}" height="{height}"/></g>',
            '<g aria-hidden="true">',
            *_lines(title, "k", _PADDING_PX, height),
            *_lines(state, "w", left + _PADDING_PX, height),
            "</g></svg>\n",
        ]
    ).encode()


def summary(status: Mapping[str, Any]) -> str:
    """The status in a sentence, with its clocks."""
    actual, target = amounts.amount(status["actual"]), amounts.amount(status["target"])
    reported = "nothing that counts is reported" if actual is None else f"{actual.exact} reported"
    aim = "" if target is None else f", {target.exact} promised"
    who = xml_safe(wording.party(status["pledgor"]))
    return f"{who}: {reported}{aim}. As of {wording.day(status['as_of'])}, version {status['version']}."


def _lines(lines: list[str], kind: str, x: int, height: int) -> list[str]:
    top = (height - len(lines) * _LINE_HEIGHT_PX) / 2 + 11
    return [
        f'<text class="{kind}" x="{x}" y="{top + row * _LINE_HEIGHT_PX:g}" textLength="{_width(line)}"'
        f' lengthAdjust="spacingAndGlyphs">{escape(line)}</text>'
        for row, line in enumerate(lines)
    ]


def _width(line: str) -> int:
    """The width of a line in px of 11 px Verdana, rather more than less."""
    return round(sum(map(_advance, line))) or 1


def _advance(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 12
    return 4.4 if character in _NARROW else 9.6 if character in _WIDE else 7.6 if character.isupper() else 6.9
