"""What a number counts: a currency before or behind it, a percentage, a counted noun, or a unit as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tracker.currencies import CODES
from tracker.quantity_words_currencies import KNOWN, Money, currency
from tracker.quantity_words_numbers import folded, numeral, share
from tracker.quantity_words_refusals import left_over
from tracker.quantity_words_tables import COUNTED, SCALES, WHOLES, UnclearWords
from tracker.units import is_unit

_LINK = re.compile(r"d'|de l'|de |di |of (?=(?:the )?[a-z$€£]+s?$)")
_PERCENT = re.compile(r"(?:%|per ?cent(?!:)|percent(?!:)|pct\.?|prozent|pour ?cent|v\.? ?h\.)(?![^\W\d_])")
_POINTS = re.compile(r"(?:percent(?:age)?|per cent|basis|%)[ -]points?(?![^\W\d_])|prozentpunkte?|pp(?![^\W\d_])")
_FOREIGN_PERCENT = re.compile(r"prozent|pour ?cent|v\.")
_OF = re.compile(r"(?:of|des|der|du|de la|de l'|de|d'|vom|von) ?")
_ARTICLES = re.compile(r"(?:the|its|their|our|all|a|national|la|le|l') ?(?<=[ '])")
_PRICES = re.compile(
    r",? ?\(?(?:(?:in|at) )?(?:constant )?((?:19|20)[0-9]{2}) prices\)?|,? ?\(constant ((?:19|20)[0-9]{2})\)"
)
_CONSTANT = re.compile(r"constant ((?:19|20)[0-9]{2}) ")
_BASELINE = re.compile(
    r"(?:below|above|under|over|less|more|lower|higher|fewer|compared|relative|against|than|versus|vs)\b"
)


@dataclass(frozen=True, slots=True)
class UnitWords:
    """The unit that words say, and what they say of the number."""

    unit: str
    factors: tuple[int, ...] = (1,)
    has_scale: bool = False
    decimal_comma: bool = False
    """Whether they are of a language that writes a comma before decimals."""
    south_asian: bool = False


_WORDS_TOO = ("real", "won", "mark", "marks", "crown", "crowns")
"""Names of currencies that are common words, too: 19.4 % real."""
_NO_NOUNS = frozenset("since by in for and or with from to on at as per than until which more less".split())
_SOUTH_ASIAN = ("INR", "PKR", "BDT", "NPR", "LKR")


def unit_of(front: Money | None, words: str, said: str) -> UnitWords:
    """The unit of an amount with a currency before its number, or none, and words behind it.

    Raises: UnclearWords if there is no unit, more than one, or more than the unit.
    """
    text = words.strip()
    link = _LINK.match(folded(text))
    foreign = link is not None and not link[0].startswith("of")
    text = text[link.end() :] if link else text
    if ":" in text and text.islower() and is_unit(text):
        if front is not None:
            raise UnclearWords(f'"{said}" has two units, {front.said} and "{text}"; give one')
        return UnitWords(text)
    year, text = _constant(text)
    behind = currency(text)
    if front is not None or behind is not None:
        return _money(front, behind, text, year, foreign, said)
    low = folded(text)
    if not text:
        problem = 'name the currency ("50bn EUR") or what is counted ("2m count:trees")'
        raise UnclearWords(f'"{said}" has no unit; {problem}')
    if _POINTS.match(low):
        raise UnclearWords(f'"{said}": a point is the difference of two percentages; give the percentage itself')
    if match := _PERCENT.match(low):
        comma = foreign or _FOREIGN_PERCENT.match(low) is not None
        return UnitWords(_percent(low[match.end() :].strip(), said), decimal_comma=comma)
    for pattern, counted in COUNTED.items():
        if re.fullmatch(pattern, low):
            return UnitWords(counted, decimal_comma=foreign)
    raise _no_unit(text, said)


def _money(
    front: Money | None, behind: tuple[Money, str] | None, text: str, year: str | None, foreign: bool, said: str
) -> UnitWords:
    """The currency that stands before the number, behind it, or both, with what else is said of it."""
    money, rest = behind or (front, text)
    assert money is not None
    if front is not None and behind is not None:
        together = front.together(behind[0])
        if together is None:
            raise UnclearWords(f'"{said}" has two units, {front.said} and "{behind[0].said}"; give one')
        money = together
    year = year or money.year
    if year is None and (match := _PRICES.fullmatch(folded(rest))):
        year, rest = match[1] or match[2], ""
    if rest.startswith(":"):
        raise UnclearWords(f'"{text}" is no unit; constant prices are written USD:constant-2020')
    if rest.strip(" ."):
        raise left_over(rest.strip(), said)
    if money.default is None:
        raise _several(money, said)
    unit = money.default if year is None else f"{money.default}:constant-{year}"
    south = money.default in _SOUTH_ASIAN
    return UnitWords(unit, money.factors, money.has_scale, foreign, south)


def _constant(text: str) -> tuple[str | None, str]:
    """The year of "constant 2020" before a currency, and the currency."""
    match = _CONSTANT.match(folded(text))
    return (match[1], text[match.end() :]) if match else (None, text)


def _several(money: Money, said: str) -> UnclearWords:
    shown = money.codes if len(money.codes) <= 4 else (*money.codes[:3], "another")
    readings = f"{', '.join(shown[:-1])} or {shown[-1]}"
    return UnclearWords(f'"{money.said}" in "{said}" may be {money.several}: {readings}; write the ISO 4217 code')


def _percent(words: str, said: str) -> str:
    """The unit of a percentage of what the words say."""
    if not words:
        raise UnclearWords(f'"{said}": percent of what? Write "2 % of GDP" or "2 percent:gdp"')
    match = re.fullmatch(r"(below|above) (?:the |its |their )?baseline", words)
    if match:
        return f"percent:{match[1]}-baseline"
    if _BASELINE.match(words):
        side = "above" if re.match("above|over|more|higher", words) else "below"
        problem = "what it is measured against goes into 'baseline', and the unit is"
        raise UnclearWords(f'"{said}": {problem} percent:{side}-baseline ("55 percent:{side}-baseline")')
    of = _OF.match(words)
    return f"percent:{whole(words[of.end() :] if of else words, said)}"


def whole(words: str, said: str) -> str:
    """The slug of what a percentage is of.

    Raises: UnclearWords if the words are an amount, or more than a few.
    """
    name = folded(words).strip().rstrip(".")
    while match := _ARTICLES.match(name):
        name = name[match.end() :]
    name = WHOLES.get(name, name)
    amounts = [word for word in re.findall(r"[^\W\d_]+", name) if word in SCALES and len(word) > 1]
    is_money = (
        name.upper() in CODES
        or any(word in KNOWN and word not in _WORDS_TOO for word in name.split())
        or any(sign in name for sign in "€$£¥₹")
    )
    if (
        amounts
        or is_money
        or share(name) is not None
        or (numeral(name) is not None and not re.match(r"[0-9]{4}\b(?![.,'])", name))
    ):
        problem = "give the amount itself, or say in words what the percentage is of"
        raise UnclearWords(f'"{said}" is a share of an amount: {problem}')
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-")
    if ":" in name or not re.search("[a-z]", slug) or len(name.split()) > 5 or name.split()[0] in _NO_NOUNS:
        raise UnclearWords(f'"{words}": name what the percentage is of in a few words, such as "percent:gdp"')
    return slug


_HINTS = {
    "t": "a lone t may be a trillion (T), a thousand (k) or tonnes (count:tonnes)",
    "mm": "write m for a million, mm is a millimetre",
    "tonnes": "write count:tonnes",
    "years": "what lies between two days goes into 'window'",
}


def _no_unit(text: str, said: str) -> UnclearWords:
    word = folded(text)
    first = word.split()[0]
    if first in _HINTS and not re.search("[0-9(]", text):
        return UnclearWords(f'"{text}" in "{said}" is no unit: {_HINTS[first]}')
    if re.fullmatch(r"[A-Za-z]{3}", text) and not text.islower():
        return UnclearWords(f'"{text}" in "{said}" is no ISO 4217 currency code')
    if re.search(r"[0-9(€$£]", text) and not text.startswith(("count:", "percent:")):
        return left_over(text, said)
    slug = re.sub(r"[^a-z0-9]+", "-", word).strip("-")
    example = f', such as "count:{slug}"' if slug and ":" not in word and len(word.split()) <= 5 else ""
    how = f'use a currency code, or "count:<what>" or "percent:<of what>" in lower case{example}'
    return UnclearWords(f'"{text}" is no unit; {how}')
