"""Amounts, ratios and counts for people: abbreviated and in full. A bound stays a bound, also when abbreviated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from api.wording import MILESTONE, NBSP, PERIODS
from tracker.quantity import BOUND_ROUNDING, EXACT, OP_WORDS, plain

_SYMBOL = {"EUR": "€", "USD": "US$", "GBP": "£", "JPY": "¥"}
_SPELLED = {"gdp": "GDP"}
_SCALES = ((12, "tn"), (9, "bn"), (6, "m"))
"""Powers of ten with their abbreviations, the largest first."""

CONSTANT = ":constant-"
"""What stands between a currency and the year of its prices in a unit."""

_SMALLEST_ABBREVIATED = 1_000_000
_SHORT_DIGITS = 3
"""Digits of an abbreviation, unless what stands beside it needs more."""

_FULL_DIGITS = 7
"""A number that would need so many digits is not abbreviated."""

_ROUNDING = BOUND_ROUNDING | {"nearly": ROUND_CEILING}
_HALF_A_TENTH_PERCENT = Decimal("0.05")


class AmountText(NamedTuple):
    """A quantity for people: `short` abbreviated ("over €50bn"), `exact` in full, `text` as it was said."""

    short: str
    exact: str
    text: str | None


Digits = Mapping[tuple[str, Decimal, str], int]
"""Digits of the abbreviation of (unit, value, rounding), where they are not three: see `distinct_digits`."""

_THREE_DIGITS: Digits = MappingProxyType({})


def amount(quantity: Mapping[str, str] | None, digits: Digits = _THREE_DIGITS) -> AmountText | None:
    """A quantity of a status document for people; None for none. See `amount_text`."""
    return None if quantity is None else amount_text(quantity, digits)


def amount_text(quantity: Mapping[str, str], digits: Digits = _THREE_DIGITS) -> AmountText:
    """A quantity of a document for people.

    `digits` come from `distinct_digits` of all that is shown together; alone a quantity has three.
    """
    op, unit = quantity["op"], quantity["unit"]
    ends = _ends(quantity)
    short = [short_value(v, unit, side, digits.get((unit, v, side), _SHORT_DIGITS)) for v, side in ends]
    exact = [exact_value(value, unit) for value, _ in ends]
    if op == "between":
        ends_open = quantity.get("open")
        return AmountText(
            _between(short[0], short[1], ends_open), _between(exact[0], exact[1], ends_open), quantity.get("text")
        )
    return AmountText(OP_WORDS[op] + short[0], OP_WORDS[op] + exact[0], quantity.get("text"))


def _between(low: str, high: str, ends_open: str | None) -> str:
    """Two ends in words; an end that is open does not belong to it."""
    if ends_open is None:
        return f"between {low} and {high}"
    return (
        f"{'over' if ends_open in ('low', 'both') else 'at least'} {low} and"
        f" {'under' if ends_open in ('high', 'both') else 'at most'} {high}"
    )


def same(one: Any, other: Any) -> bool:
    """Two members of documents say the same; quantities do, however they were worded."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {**one, "text": None} == {**other, "text": None}
    return bool(one == other)


def distinct_digits(*shown: Any) -> Digits:
    """How far to abbreviate the quantities in documents that are shown beside each other.

    What is less reads as less, and two amounts read the same only if they are: 39.999bn beside 40bn is not 40bn.
    """
    by_unit: dict[str, set[tuple[Decimal, str]]] = {}
    for quantity in _quantities(shown):
        by_unit.setdefault(quantity["unit"], set()).update(_ends(quantity))
    return {(unit, *end): n for unit, ends in by_unit.items() for end, n in _distinct(sorted(ends)).items()}


def _quantities(shown: Any) -> Iterator[Mapping[str, str]]:
    if isinstance(shown, Mapping):
        if "unit" in shown and "op" in shown:
            yield shown
        else:
            yield from _quantities(shown.values())
    elif isinstance(shown, Iterable) and not isinstance(shown, str | bytes):
        for part in shown:
            yield from _quantities(part)


def _ends(quantity: Mapping[str, str]) -> list[tuple[Decimal, str]]:
    """The values that a quantity is written with, and the side to which each is rounded."""
    value = Decimal(quantity["value"])
    if quantity["op"] == "between":
        return [(value, ROUND_FLOOR), (Decimal(quantity["upper"]), ROUND_CEILING)]
    return [(value, _ROUNDING.get(quantity["op"], ROUND_HALF_EVEN))]


def _distinct(ends: list[tuple[Decimal, str]]) -> dict[tuple[Decimal, str], int]:
    """The fewest digits with which the values, in ascending order, still read in that order."""
    digits = dict.fromkeys(ends, _SHORT_DIGITS)

    def misread() -> set[tuple[Decimal, str]]:
        read = [_rounded(*end, digits[end]) for end in ends]
        pairs = zip(pairwise(ends), pairwise(read), strict=True)
        wrong = {end for (a, b), (x, y) in pairs if (a[0] < b[0]) != (x < y) or x > y for end in (a, b)}
        return {end for end in wrong if _rounded(*end, digits[end]) != end[0]}

    for more in range(_SHORT_DIGITS + 1, _FULL_DIGITS + 1):
        digits |= dict.fromkeys(misread(), more)
    return dict.fromkeys(ends, _FULL_DIGITS) if misread() else digits


def short_value(value: Decimal, unit: str, rounding: str = ROUND_HALF_EVEN, digits: int = _SHORT_DIGITS) -> str:
    """A value with its unit in three digits, €20.9bn; what is below a million stays in full."""
    return with_unit(short_number(value, rounding, digits), unit)


def short_number(value: Decimal, rounding: str = ROUND_HALF_EVEN, digits: int = _SHORT_DIGITS) -> str:
    """A number in three digits, 20.9bn."""
    if digits < _FULL_DIGITS and abs(value) >= _SMALLEST_ABBREVIATED:
        number = _rounded(value, rounding, digits)
        exponent, name = next((e, name) for e, name in _SCALES if number.adjusted() >= e)
        return f"{grouped(number.scaleb(-exponent, context=EXACT))}{name}"
    return grouped(value)


def _rounded(value: Decimal, rounding: str, digits: int) -> Decimal:
    """What the abbreviation of a value says."""
    if digits >= _FULL_DIGITS or abs(value) < _SMALLEST_ABBREVIATED:
        return value
    place = min(value.adjusted() + 1 - digits, _SCALES[0][0])
    return value.quantize(Decimal(1).scaleb(place), rounding=rounding, context=EXACT)


def exact_value(value: Decimal, unit: str) -> str:
    """A value in full with its unit: 20,900,000,000 EUR."""
    if ":" not in unit:
        return f"{grouped(value)}{NBSP}{unit}"
    if CONSTANT in unit:
        return f"{exact_value(value, unit.partition(CONSTANT)[0])} {_prices_of(unit)}"
    return with_unit(grouped(value), unit)


def with_unit(number: str, unit: str) -> str:
    """A written number with its unit."""
    if CONSTANT in unit:
        return f"{with_unit(number, unit.partition(CONSTANT)[0])} {_prices_of(unit)}"
    kind, _, what = unit.partition(":")
    words = _SPELLED.get(what, what.replace("-", " "))
    if kind == "percent":
        preposition = "" if what.startswith(("below-", "above-", "increase", "growth", "real", "decrease")) else "of "
        return f"{number}{NBSP}% {preposition}{words}"
    if kind == "count":
        return f"{number}{NBSP}{words}"
    symbol = _SYMBOL.get(unit)
    if symbol is None:
        return f"{unit}{NBSP}{number}"
    return f"−{symbol}{number[1:]}" if number.startswith("−") else f"{symbol}{number}"


def _prices_of(unit: str) -> str:
    return f"in{NBSP}{unit.partition(CONSTANT)[2]}{NBSP}prices"


def grouped(value: Decimal) -> str:
    """A number with separators for thousands and a true minus."""
    whole, _, rest = plain(value.copy_abs()).partition(".")
    return f"{'−' if value < 0 else ''}{int(whole):,}{'.' + rest if rest else ''}"


def unit_words(unit: str) -> str:
    """What a unit is called: EUR, 155mm rounds, % of GDP."""
    return (
        unit
        if ":" not in unit
        else f"{unit.partition(CONSTANT)[0]} {_prices_of(unit)}"
        if CONSTANT in unit
        else with_unit("", unit).strip(f" {NBSP}")
    )


def ratio(value: Mapping[str, str] | None, actual: Mapping[str, str] | None = None) -> str | None:
    """A ratio in percent, with one decimal, rounded to the side that keeps a bound true: "over 125 %".

    It reads 100 % only if it is that. `actual` tells a nothing from what is too little for a ratio of six decimals.
    """
    if value is None:
        return None
    op, share = value["op"], Decimal(value["value"])
    if op == "between":
        ends = percent(share, ROUND_FLOOR), percent(Decimal(value["upper"]), ROUND_CEILING)
        return _between(*ends, value.get("open"))
    said = share or Decimal((actual or value)["value"])
    if said and op in ("eq", "approx", "nearly") and abs(share) * 100 <= _HALF_A_TENTH_PERCENT:
        return f"under {'0.1' if said > 0 else '0'}{NBSP}%"
    if said > 0 == share and op in ("ge", "gt"):
        return f"over 0{NBSP}%"
    return OP_WORDS[op] + percent(share, _ROUNDING.get(op, ROUND_HALF_EVEN))


def exact_ratio(status: Mapping[str, Any]) -> str:
    """The ratio of a status document with all of its digits."""
    value, actual, target = status["ratio"], status["actual"], status["target"]
    share = Decimal(value["value"])
    if value["op"] == "between":
        return _between(_percent(share), _percent(Decimal(value["upper"])), value.get("open"))
    if value["op"] != "eq":
        return OP_WORDS[value["op"]] + _percent(share)
    product = EXACT.multiply(share, Decimal(target["value"]))
    is_exact = actual["unit"] == target["unit"] and product == Decimal(actual["value"])
    return f"{'exactly' if is_exact else 'rounded to'} {_percent(share)}"


def percent(share: Decimal, rounding: str = ROUND_HALF_EVEN) -> str:
    """A share as a percentage with one decimal, and more where it would read 0 or 100 % without being that."""
    exact = share.scaleb(2, context=EXACT)
    for places in range(1, 13):
        number = exact.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=EXACT)
        if number not in (0, 100) or number == exact:
            return f"{grouped(number)}{NBSP}%"
    return _percent(share)


def _percent(share: Decimal) -> str:
    return f"{grouped(share.scaleb(2, context=EXACT))}{NBSP}%"


def counted(status: Mapping[str, Any]) -> str | None:
    """How many members, steps or periods of a status document are done: 22 of 31; a single step by its name.

    None where the pledge is measured by an amount, or by nothing.
    """
    members, steps = status.get("members"), status.get("milestones")
    if tally := status.get("periods_tally"):
        periods = PERIODS[status["recurrence"]["every"]]
        if tally["closed"] == 1:
            periods = periods.removesuffix("s")
        return f"{tally['kept']} of {tally['closed']} {periods} kept" if tally["closed"] else f"no {periods} over yet"
    if members is not None and members["met"] is not None:
        met, eligible = members["met"], members["eligible"] or members["total"]
        return f"{met} of {eligible}" if isinstance(met, int) else count(met)
    if steps and status["actual"] is None and status["target"] is None:
        if len(steps) == 1:
            return f"“{steps[0]['milestone']}”: {MILESTONE[steps[0]['state']].lower()}"
        return f"{sum(step['state'] == 'reached' for step in steps)} of {len(steps)}"
    return None


def count(value: int | Mapping[str, str] | None) -> str:
    """A number of members, which may be a quantity ("about 66.67 % of members") or unknown."""
    if value is None:
        return "not known"
    if isinstance(value, int):
        return str(value)
    return amount_text(value).short
