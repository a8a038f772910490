"""Quantities in words: "over €50bn", "at least 2 % of GDP", "half a billion euros", "2 million rounds of 155 mm".

A quantity reads `[bound] amount`, where the bound is one of the phrases of DOMAIN §3 ("at least", "more than",
"nearly", …; `≥ > ≤ < ~` too) or a suffix ("or more", `+`), and the amount is a number with number words and a unit: a
currency's sign, code or English name, `%` of something, `count:<slug>`, `percent:<slug>`, or a countable noun. Number
words are English, German, French, South Asian, and the commonest of some more languages. Where two readings are
possible it refuses and says both; docs/words.md has a table of what is understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from itertools import chain, islice

from pydantic import ValidationError

from tracker.currencies import CODES
from tracker.quantity import BOUND_ROUNDING, DECIMALS, DIGITS, Op, Quantity
from tracker.quantity_words_currencies import Money, before_number, currency
from tracker.quantity_words_numbers import Numeral, Scale, folded, numeral, plus, scale, share
from tracker.quantity_words_refusals import must_be_timeless, no_number
from tracker.quantity_words_tables import BOUNDS, PARTS, SUFFIXES, UnclearWords
from tracker.quantity_words_units import UnitWords, unit_of, whole

__all__ = ["UnclearWords", "read"]

MAX_LENGTH = 200
"""The most characters of words that are read, and kept as `text`."""

_BEFORE = [(re.compile(rf"(?:{'|'.join(words)})(?:(?<=\W)|(?![^\W\d_])) ?"), op) for op, words in BOUNDS.items()]
_BEHIND = [(re.compile(rf" (?:{words})$"), op) for words, op in SUFFIXES]
_BETWEEN = re.compile(r"(?:between|from|zwischen|von|entre|de) ")
_AND = re.compile(r" (?:and|und|et|to|bis|à) ")
_TO = re.compile(r" (?:to|bis|à) ")
_DASH = re.compile(r"(?<!constant)(?<=[0-9a-z€$£¥%.]) ?[-–—] ?(?=[^ ]{0,4} ?[0-9])")
_LEAD = re.compile(r"(?:a total of|a sum of|all|the|an?) (?=.*[^ ])")
_AND_A_HALF = re.compile(rf" (?:and|und|et) (?:an? |one |une? |eine? )?({'|'.join(PARTS)})(?![^\W\d_])")
_OF_WHOLE = re.compile(r"(?:of|der|des|du|de la|de l'|de|d') ?|(?=(?:the|its|their|our|all) )")
_OF_TOTAL = re.compile(r"(?:which|it|that|the total|from)(?![^\W\d_])")
_BARE = ("", "%", "percent", "per cent")
"""The units of the first end of a range that the second one completes: 2 % to 3 % of GDP."""
_JOINTS = 6
"""How many words that may join the ends of a range are tried."""
_ENDLESS = 2
"""Decimal places that are kept of a fraction that has no finite decimal."""
_IN_CODES = re.compile(r"((?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?)(?: (thousand|million|billion|trillion))? ([A-Z]{3})")
"""A number, an English number word and a code: nearly all amounts of a sheet are written so."""
_MISTAKABLE = re.compile(r"[0-9]{1,3}\.[0-9]{3}")
"""What may be a decimal or thousands."""
_ENGLISH = {None: 0, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_ROUNDED: dict[str, Callable[[Fraction], int]] = {ROUND_FLOOR: math.floor, ROUND_CEILING: math.ceil}


@dataclass(frozen=True, slots=True)
class _Amount:
    """The parts of an amount as it is written."""

    said: str
    minus: bool
    front: Money | None
    number: Numeral
    scale: Scale
    unit: str
    or_more: bool
    extra: Fraction = Fraction(0)
    """The fraction of the number word that is added: a billion and a half."""
    of: Fraction = Fraction(1)
    """The share of the amount that is meant: half of the 40bn."""

    @property
    def is_rounded(self) -> bool:
        """Whether the value comes from a fraction, so that it may have no finite decimal."""
        return self.number.is_share or self.of != 1 or self.extra != 0


def read(words: str) -> Quantity:
    """The one quantity that the words say, with the words kept as `text`.

    Raises: UnclearWords if a unit is missing, a number can be read in two ways, or the words are not a quantity.
    """
    said = " ".join(words.replace("\u2212", "-").split())
    if not said:
        raise UnclearWords('there are no words; write an amount with its unit, such as "over 50bn EUR"')
    if len(said) > MAX_LENGTH:
        raise UnclearWords(
            f"more than {MAX_LENGTH} characters; give the quantity alone and put the rest into 'summary'"
        )
    try:
        quantity = _plainly_written(said) or _read(said.replace("\u2019", "'"))
        return Quantity(op=quantity.op, value=quantity.value, upper=quantity.upper, unit=quantity.unit, text=said)
    except ValidationError as error:
        reason = error.errors()[0]
        long = f"more than {DIGITS} digits before the point or {DECIMALS} after it"
        raise UnclearWords(f'"{said}": {long if reason["type"] == "decimal_string" else reason["msg"]}') from None


def _plainly_written(said: str) -> Quantity | None:
    """What `_read` makes of a number with a currency's code, at a tenth of its cost; None of any other words."""
    match = _IN_CODES.fullmatch(said)
    if match is None or match[3] not in CODES or _MISTAKABLE.fullmatch(match[1]):
        return None
    value = Decimal(match[1]).scaleb(_ENGLISH[match[2]])
    return Quantity.model_construct(op="eq", value=value, upper=None, unit=match[3])


def _read(said: str) -> Quantity:
    low = folded(said)
    must_be_timeless(said, low)
    if (found := _range(said, low)) is not None:
        return found
    op, rest = _bound(said, low)
    if (amount := _amount(rest)) is None and (amount := _share(rest)) is None:
        return _share_of_whole(rest, op)
    if amount.or_more:
        if op is not None:
            raise UnclearWords(f'"{said}" has two bounds; keep the one that the source means')
        op = "ge"
    return _one(list(_quantities(amount, op)), said)


def _bound(said: str, low: str) -> tuple[Op | None, str]:
    """The bound before or behind an amount, and the amount."""
    for pattern, op in _BEFORE:
        if match := pattern.match(low):
            rest, op_behind = said[match.end() :], _bound_behind(low)
            if any(p.match(low, match.end()) for p, _ in _BEFORE) or op_behind is not None:
                raise UnclearWords(f'"{said}" has two bounds; keep the one that the source means')
            return op, rest
    behind = _bound_behind(low)
    return (None, said) if behind is None else (behind[0], said[: behind[1]])


def _bound_behind(low: str) -> tuple[Op, int] | None:
    return next(((op, match.start()) for pattern, op in _BEHIND if (match := pattern.search(low))), None)


def _range(said: str, low: str) -> Quantity | None:
    """A range: both ends in one unit, and what one end leaves out it takes from the other (10–12bn EUR, €10–12bn)."""
    start = _BETWEEN.match(low)
    joints = _AND.finditer(low, start.end()) if start else chain(_TO.finditer(low), _DASH.finditer(low))
    wrong: UnclearWords | None = None
    for joint in islice(joints, _JOINTS):
        first, last = said[start.end() if start else 0 : joint.start()], said[joint.end() :]
        ends = _amount(first), _amount(last)
        if ends[0] is None or ends[1] is None or (not start and not _may_start_range(ends[0])):
            continue
        try:
            return _between(ends[0], ends[1], said)
        except UnclearWords as unclear:
            wrong = wrong or unclear
    if wrong is not None:
        raise wrong
    if start and start[0].startswith(("between", "zwischen")):
        raise UnclearWords(f'"{said}" is not a range of two amounts')
    return None


def _may_start_range(first: _Amount) -> bool:
    """Whether a dash or "to" behind the amount can make a range: it has no unit yet, or money or percent."""
    return first.unit in _BARE or currency(first.unit) is not None


def _between(first: _Amount, last: _Amount, said: str) -> Quantity:
    if first.or_more or last.or_more:
        raise UnclearWords(f'"{said}" has two bounds; keep the one that the source means')
    if not first.scale.is_said and not (first.front and first.front.has_scale):
        first = replace(first, scale=last.scale)
    if first.front is None and first.unit in _BARE:
        first = replace(first, unit=last.unit, front=last.front)
    elif last.front is None and not last.unit:
        last = replace(last, unit=first.unit, front=first.front)
    low, high = (_one(list(_quantities(end, None)), said) for end in (first, last))
    if low.unit != high.unit:
        raise UnclearWords(f"two units, {low.unit} and {high.unit}; a range has one")
    return Quantity.model_construct(op="between", value=low.value, upper=high.value, unit=low.unit)


def _amount(said: str) -> _Amount | None:
    """The parts of an amount; None if no number stands where one belongs."""
    text = said
    if (lead := _LEAD.match(_folded_but_codes(text))) and _starts_with_number(text[lead.end() :]):
        text = text[lead.end() :]
    if re.match(r"A \$", text):
        raise UnclearWords(f'"{text[:3]}" in "{said}" may be an article or the "A" of A$; write the ISO 4217 code')
    minus, text = text.startswith("-"), text.removeprefix("-").lstrip()
    front = None
    if not _starts_with_number(text, bare=True) and (found := currency(text)) is not None:
        front, text = before_number(*found)
        text = text.lstrip()
    if text.startswith("-"):
        if minus:
            raise UnclearWords(f'"{said}" has two minus signs')
        minus, text = True, text[1:].lstrip()
    if (number := numeral(folded(text))) is None:
        return None
    value, behind = number
    if value.digits and re.match(r"e[+-]?[0-9]", behind):
        raise UnclearWords(f'"{said}" has an exponent; write the number out, such as 5000000000 or 5bn')
    or_more, behind = plus(text[len(text) - len(behind) :])
    scaled, behind = scale(behind, value)
    extra, behind = _and_a_half(behind) if scaled.is_said else (Fraction(0), behind)
    more, behind = plus(behind)
    unit = behind.strip()
    if unit.endswith("+"):
        more, unit = True, unit[:-1].strip()
    return _Amount(said, minus, front, value, scaled, unit, or_more or more, extra)


def _folded_but_codes(text: str) -> str:
    """In lower case, but for ALL, which is a currency, and the A of A$."""
    return text if text.startswith(("ALL", "A $")) else folded(text)


def _starts_with_number(text: str, *, bare: bool = False) -> bool:
    """Whether a number stands at the start, with a currency before it unless it is to be bare."""
    if numeral(folded(text)) is not None:
        return True
    if bare or (found := currency(text)) is None:
        return False
    return numeral(folded(before_number(*found)[1].lstrip(" -"))) is not None


def _and_a_half(rest: str) -> tuple[Fraction, str]:
    match = _AND_A_HALF.match(folded(rest))
    return (Fraction(1, PARTS[match[1]]), rest[match.end() :]) if match else (Fraction(0), rest)


def _share(said: str) -> _Amount | None:
    """A share of an amount: half of €40bn, a third of the 3bn EUR."""
    if (found := share(folded(said))) is None:
        return None
    of, _, rest = found
    whole_text = said[len(said) - len(rest) :].strip()
    link = _OF_WHOLE.match(folded(whole_text))
    amount = _amount(whole_text[link.end() :].strip()) if link else None
    return None if amount is None else replace(amount, of=of)


def _share_of_whole(said: str, op: Op | None) -> Quantity:
    """A share in percent of what is named.

    What is no finite decimal is rounded to two places: a bound to the side that keeps it true ("more than two-thirds":
    over 66.66 %), the rest to the nearest, as `approx`.
    """
    low = folded(said)
    if (found := share(low)) is None:
        raise no_number(said, low)
    of, _, rest = found
    rest = rest.strip()
    link = _OF_WHOLE.match(rest)
    if not rest or _OF_TOTAL.match(rest):
        unit = "percent:total"
    elif link is None:
        raise UnclearWords(f'"{said}": half of what? Write "half of GDP" or "50 percent:gdp"')
    else:
        of_what = rest[link.end() :]
        unit = f"percent:{'total' if _OF_TOTAL.match(of_what) else whole(of_what, said)}"
    value, is_exact = _decimal(of * 100, op, is_rounded=True)
    if op in (None, "eq") and (not is_exact or unit == "percent:members"):
        op = "approx"
    return Quantity.model_construct(op=op or "eq", value=value, unit=unit)


def _quantities(amount: _Amount, op: Op | None) -> Iterator[Quantity]:
    """What the amount may be: one quantity, or those that its words do not tell apart."""
    unit = unit_of(amount.front, amount.unit, amount.said)
    if unit.has_scale and amount.scale.is_said:
        raise UnclearWords(f'"{amount.said}" has two number words; give one')
    for number in _numbers(amount, unit):
        value, is_exact = _decimal(number, op, is_rounded=amount.is_rounded)
        seen = op if is_exact or op not in (None, "eq") else "approx"
        yield Quantity.model_construct(op=seen or "eq", value=value, unit=unit.unit)


def _numbers(amount: _Amount, unit: UnitWords) -> Iterator[Fraction]:
    decimal_comma = amount.scale.decimal_comma or unit.decimal_comma
    south_asian = amount.scale.south_asian or unit.south_asian
    sign = -1 if amount.minus else 1
    for number in amount.number.values(decimal_comma=decimal_comma, south_asian=south_asian):
        for factor in amount.scale.factors:
            for tied in unit.factors:
                yield sign * (number + amount.extra) * factor * tied * amount.of


def _one(readings: list[Quantity], said: str) -> Quantity:
    """The one reading.

    Raises: UnclearWords if there are two, naming both.
    """
    seen = list(dict.fromkeys(readings))
    if len(seen) > 1:
        both = " or ".join(str(reading) for reading in seen)
        raise UnclearWords(f'"{said}" may be {both}; write the one that the source means')
    return seen[0]


def _decimal(number: Fraction, op: Op | None, *, is_rounded: bool) -> tuple[Decimal, bool]:
    """The number as a decimal, and whether it is exact.

    A fraction without a decimal that can be recorded is rounded to two places so that a bound stays true.
    """
    for places in range(DECIMALS + 1 if is_rounded else 2 * (DIGITS + DECIMALS)):
        scaled = number * 10**places
        if scaled.denominator == 1:
            return _plain(scaled.numerator, places), True
    whole_number = _ROUNDED.get(BOUND_ROUNDING.get(op or "eq", ""), round)
    return _plain(whole_number(number * 10**_ENDLESS), _ENDLESS), False


def _plain(digits: int, places: int) -> Decimal:
    return Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -places))
