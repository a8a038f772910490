"""Numbers as people write them in cells, written plainly: by the marks of a locale, with exponents and footnote marks.

1.250,5    (de)       1250.5
12,34,567  (en-IN)    1234567
1.2e3                 1200
(12.5)                -12.5     an accountant's negative
12.5¹                 12.5      the mark ¹ is told
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Final

from tracker.quantity import EXACT, plain, unmistakable

_NUMBER = re.compile(r"\d+(?:[.,'’\s]\d+)*(?:[eE][+-]?\d+)?")
_IN_PARENTHESES = re.compile(r"\(\s*([^()]*\d[^()]*?)\s*\)")
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ⁽⁾"
_MARK = rf"(?:[{_SUPERSCRIPT}*†‡§]+|\[[0-9a-z]{{1,3}}\]|\([a-z]\))"
_FOOTNOTE = re.compile(rf"(?<=[\d.)%])\s*({_MARK}(?:[\s,]*{_MARK})*)(?=\s|$|[)%])")
_MAY_HAVE_MARKS = re.compile(rf"[{_SUPERSCRIPT}*†‡§\[(]")
_MAX_EXPONENT = 30
_MAX_DIGITS = 60
"""Digits of a number in a cell, at most: more than any quantity has."""

_TO_SUPERSCRIPT = str.maketrans("0123456789abcdefghijklmnoprstuvwxyz()", _SUPERSCRIPT)

TO_SUBSCRIPT: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
"""Digits to lowered ones, which no number has."""
_MARK_OF_NAME = re.compile(rf"(?<=[^\W\d]{{3}})[{_SUPERSCRIPT}]+$")


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written: the mark before the decimals, the mark between thousands, and groups as in India."""

    decimal: str
    group: str
    by_hundreds: bool = False

    @property
    def whole(self) -> str:
        """The pattern of a number before its decimals."""
        marks = rf"[{re.escape(self.group)}'’\s]"
        groups = rf"(?:\d{{1,3}}(?:(?P<mark>{marks})\d{{3}}(?:(?P=mark)\d{{3}})*)"
        if self.by_hundreds:
            groups += rf"|\d{{1,2}}(?:{re.escape(self.group)}\d{{2}})*{re.escape(self.group)}\d{{3}}"
        return rf"{groups}|\d+)"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of a number."""
        decimals = rf"(?P<part>{re.escape(self.decimal)}\d+)?"
        return re.compile(rf"(?P<whole>{self.whole}){decimals}(?P<power>[eE][+-]?\d+)?")


POINT: Final = NumberStyle(".", ",")
COMMA: Final = NumberStyle(",", ".")

LOCALES: Final = {
    **dict.fromkeys(("en", "en-GB", "en-US", "en-AU", "en-CA", "en-IE", "ja", "ko", "zh", "he", "th"), POINT),
    **dict.fromkeys(("en-IN", "hi-IN", "bn-BD"), NumberStyle(".", ",", by_hundreds=True)),
    **dict.fromkeys(("de-CH", "fr-CH", "it-CH", "de-LI"), NumberStyle(".", "'")),
    **dict.fromkeys(("de", "de-DE", "es", "es-ES", "it", "it-IT", "nl", "nl-NL", "nl-BE", "pt-BR", "da", "el"), COMMA),
    **dict.fromkeys(("tr", "id", "ro", "hr", "sl", "sr", "is", "vi", "es-AR", "es-CO"), COMMA),
    **dict.fromkeys(("es-MX",), POINT),
    **dict.fromkeys(("fr", "fr-FR", "fr-BE", "fr-CA", "de-AT", "pt", "pt-PT", "sv", "nb", "nn", "fi"), COMMA),
    **dict.fromkeys(("pl", "cs", "sk", "hu", "bg", "uk", "ru", "et", "lv", "lt"), COMMA),
}  # fmt: skip
"""The number formats of languages and countries, by their BCP 47 tag."""


def without_footnotes(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without the footnote marks that stand behind its numbers, and those marks."""
    if not _MAY_HAVE_MARKS.search(text):
        return text, ()
    marks = tuple(match[1] for match in _FOOTNOTE.finditer(text))
    return (_FOOTNOTE.sub("", text).strip(), marks) if marks else (text, ())


def without_marks(name: str) -> str:
    """A name without the footnote marks that stand behind it."""
    return name.rstrip(_SUPERSCRIPT + "*†‡§ ")


def without_raised_marks(name: str) -> str:
    """A name without the raised marks behind a word of three letters or more: Germany¹, but not km²."""
    return _MARK_OF_NAME.sub("", name)


def superscript(text: str) -> str:
    """A raised text in characters that are raised themselves; in brackets where there are none for it."""
    raised = text.strip().lower().translate(_TO_SUPERSCRIPT)
    return raised if all(character in _SUPERSCRIPT + "*†‡§, " for character in raised) else f"[{text.strip()}]"


def plain_number(text: str, style: NumberStyle, decimals: int | None = None) -> str:
    """The text with the one number in it written plainly, rounded half-even to so many decimals.

    Raises: ValueError if it has no number, or more than one, or one of another style.
    """
    negative = _IN_PARENTHESES.fullmatch(text)
    inner = negative[1] if negative else text
    found = _NUMBER.findall(inner)
    number = None
    if len(found) == 1 and len(found[0]) <= _MAX_DIGITS:
        number = style.pattern.fullmatch(found[0])
    if number is None:
        raise ValueError(f'"{text}" has no number, or more than one, with "{style.decimal}" before the decimals')
    if number["power"] and abs(int(number["power"][1:])) > _MAX_EXPONENT:
        raise ValueError(f'"{text}" has an exponent beyond {_MAX_EXPONENT}')
    whole = re.sub(r"\D", "", number["whole"])
    part = (number["part"] or "").replace(style.decimal, ".")
    value = Decimal(f"{whole}{part}{number['power'] or ''}")
    written = unmistakable(plain(rounded(value, decimals)))
    return f"{'-' if negative else ''}{inner.replace(found[0], written)}"


def rounded(value: Decimal, decimals: int | None) -> Decimal:
    """The value rounded half-even to so many decimals; as it is if none are asked for."""
    if decimals is None:
        return value
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN, context=EXACT)
