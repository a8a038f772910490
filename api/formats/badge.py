"""A pledge's status as a picture of a few words, for other people's pages.

Light and dark go by the reader's own setting, also inside an <img>. No text is ever cut: a long title has more lines,
and every line is told how wide to be, whatever font there is.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from api import amounts, wording

_LINE = 46
_LEADING = 15
_PAD = 8
_NARROW, _WIDE = frozenset("ijlft.,:;'|!()[]I "), frozenset("mwMWO@%QG—…")
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_COLOURS = {
    "exceeded": ("#0a6a5b", "#58cbb5"),
    "met": ("#25713a", "#76cf8c"),
    "partly_met": ("#7d5a00", "#e0b94f"),
    "in_progress": ("#1d5fa3", "#83b9f0"),
    "overdue": ("#a8430b", "#f39a5f"),
    "missed": ("#a01c38", "#ff9aa8"),
    "indeterminate": ("#6a489e", "#c5a8f0"),
}
_PLAIN = ("#56606b", "#b3bcc5")
"""For announced, not measurable, withdrawn and superseded: nothing good or bad is said."""

_STYLE = (
    ".l{fill:#ecebe6}.s{fill:%s}text{font:11px Verdana,'DejaVu Sans',sans-serif}.k{fill:#1c2126}.w{fill:#fff}"
    "@media(prefers-color-scheme:dark){.l{fill:#2a3138}.s{fill:%s}.k{fill:#e9e7e2}.w{fill:#14181c}}"
)


def style(headline: str) -> str:
    """The style of a badge, light and dark."""
    return _STYLE % _COLOURS.get(headline, _PLAIN)


def badge(status: Mapping[str, Any]) -> bytes:
    """The SVG for a status document."""
    headline = wording.STATUS[status["status"]]
    share = amounts.ratio(status["ratio"], status["actual"])
    title = textwrap.wrap(clean(status["title"]), _LINE) or [status["pledge"]]
    state = [headline, share] if share is not None and len(title) > 1 else [f"{headline} {share or ''}".strip()]
    left, right = (_PAD * 2 + max(map(_width, lines)) for lines in (title, state))
    rows = max(len(title), len(state))
    width, height = left + right, rows * _LEADING + 7
    label = f"{headline}: {clean(status['title'])}"
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
            *_lines(title, "k", _PAD, height),
            *_lines(state, "w", left + _PAD, height),
            "</g></svg>\n",
        ]
    ).encode()


def summary(status: Mapping[str, Any]) -> str:
    """The status in a sentence, with its clocks."""
    actual, target = amounts.amount(status["actual"]), amounts.amount(status["target"])
    reported = "nothing that counts is reported" if actual is None else f"{actual.exact} reported"
    aim = "" if target is None else f", {target.exact} promised"
    who = clean(wording.party(status["pledgor"]))
    return f"{who}: {reported}{aim}. As of {wording.day(status['as_of'])}, version {status['version']}."


def clean(text: str) -> str:
    """The text without what XML cannot hold."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _lines(lines: list[str], kind: str, x: int, height: int) -> list[str]:
    top = (height - len(lines) * _LEADING) / 2 + 11
    return [
        f'<text class="{kind}" x="{x}" y="{top + row * _LEADING:g}" textLength="{_width(line)}"'
        f' lengthAdjust="spacingAndGlyphs">{escape(line)}</text>'
        for row, line in enumerate(lines)
    ]


def _width(line: str) -> int:
    """How wide a line is in 11 px Verdana, rather more than less."""
    return round(sum(map(_advance, line))) or 1


def _advance(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 12
    return 4.4 if character in _NARROW else 9.6 if character in _WIDE else 7.6 if character.isupper() else 6.9
