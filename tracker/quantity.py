"""Amounts as they are said, bounds included (DOMAIN §3).

    20.9bn EUR          eq       the point 20900000000
    at least 40bn EUR   ge       [40000000000, ∞)
    over 50bn EUR       gt       (50000000000, ∞): never printed as "equals"
    up to 5m EUR        le       [0, 5000000]
    nearly 20 %         nearly   (19, 20): below, by less than the tolerance of 5 %
    about 2m rounds     approx   [1900000, 2100000]

Values are exact decimals; no float is ever made of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import cached_property, reduce
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from tracker.units import Unit, measure_of

Op = Literal["eq", "ge", "gt", "le", "lt", "approx", "nearly", "between"]
OpenEnds = Literal["low", "high", "both"]

TOLERANCE = Decimal("0.05")
"""Half-width of "about" and width of "nearly", as a share of the value."""

SLACK_LIMIT = Decimal("0.025")
"""The most by which rounding slack widens a figure at each end, as a share of its value."""

EXACT = Context(prec=120)
"""Sums and products of posted decimals stay exact in this many digits; quotients are rounded where they are shown."""

ONE = Decimal(1)

DIGITS = 30
"""The most digits of a posted decimal before the point."""

DECIMALS = 18
"""The most digits of a posted decimal after the point."""

DECIMAL = rf"^-?(0|[1-9][0-9]{{0,{DIGITS - 1}}})(\.[0-9]{{1,{DECIMALS}}})?$"
"""The pattern of a decimal in JSON, with anchors."""

_is_decimal = re.compile(DECIMAL).fullmatch
_is_mistakable = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}").fullmatch


def plain(value: Decimal) -> str:
    """The decimal written plainly: no exponent, no trailing zeros, no minus zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def unmistakable(number: str) -> str:
    """A plainly written number that nobody takes for thousands: 1.375 is written 1.3750, others stay (DOMAIN §3)."""
    return f"{number}0" if _is_mistakable(number) else number


def _decimal(value: Any) -> Any:
    written = plain(value) if isinstance(value, Decimal) else value
    if not isinstance(written, str) or not _is_decimal(written):
        raise PydanticCustomError(
            "decimal_string",
            'a decimal is a JSON string written plainly, such as "20900000000" or "1.25": no exponent, no separators,'
            f" at most {DIGITS} digits before the point and {DECIMALS} after it",
        )
    return value


def _normal(value: Decimal) -> Decimal:
    return Decimal(plain(value))


def _share(value: Decimal, factor: Decimal, per: Decimal) -> Decimal:
    """`value * factor / per`, exact wherever it has an end: the product comes before the quotient."""
    product = EXACT.multiply(value, factor)
    return product if per == ONE else EXACT.divide(product, per)


ExactDecimal = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    AfterValidator(_normal),
    PlainSerializer(plain, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DECIMAL, "examples": ["40000000000", "1.25"]}),
]
"""A decimal that is a string in JSON."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Possible values from `low` to `high`; None is unbounded; an open end does not belong to it."""

    low: Decimal | None
    high: Decimal | None
    low_open: bool = False
    high_open: bool = False

    def mirrored(self) -> Interval:
        """The interval of the negated values."""
        return Interval(
            None if self.high is None else self.high.copy_negate(),
            None if self.low is None else self.low.copy_negate(),
            self.high_open,
            self.low_open,
        )

    def within(self, other: Interval) -> bool:
        """Whether every value lies in the other interval."""
        low_in = other.low is None or (
            self.low is not None
            and (self.low > other.low or (self.low == other.low and (self.low_open or not other.low_open)))
        )
        high_in = other.high is None or (
            self.high is not None
            and (self.high < other.high or (self.high == other.high and (self.high_open or not other.high_open)))
        )
        return low_in and high_in

    def meets(self, other: Interval) -> bool:
        """Whether some value lies in both."""
        return not (self._ends_before(other) or other._ends_before(self))

    def _ends_before(self, other: Interval) -> bool:
        if self.high is None or other.low is None:
            return False
        return self.high < other.low or (self.high == other.low and (self.high_open or other.low_open))

    def times(self, factor: Decimal, per: Decimal = ONE) -> Interval:
        """Every value times a factor, for each `per` of it; a negative factor turns the ends round."""
        low = None if self.low is None else _share(self.low, factor, per)
        high = None if self.high is None else _share(self.high, factor, per)
        if factor < 0:
            return Interval(high, low, self.high_open, self.low_open)
        return Interval(low, high, self.low_open, self.high_open)

    def shifted(self, by: Decimal) -> Interval:
        """Every value plus a number."""
        low = None if self.low is None else EXACT.add(self.low, by)
        high = None if self.high is None else EXACT.add(self.high, by)
        return Interval(low, high, self.low_open, self.high_open)

    @property
    def open_ends(self) -> OpenEnds | None:
        """Which of its two ends do not belong to it."""
        if self.low_open:
            return "both" if self.high_open else "low"
        return "high" if self.high_open else None

    def plus(self, other: Interval) -> Interval:
        """The interval of all sums of a value of each."""
        return Interval(
            None if self.low is None or other.low is None else EXACT.add(self.low, other.low),
            None if self.high is None or other.high is None else EXACT.add(self.high, other.high),
            self.low_open or other.low_open,
            self.high_open or other.high_open,
        )


def possible(op: Op, value: Decimal, upper: Decimal | None = None, open_ends: OpenEnds | None = None) -> Interval:
    """The values that an amount as said may have (DOMAIN §3)."""
    match op:
        case "eq":
            return Interval(value, value)
        case "ge":
            return Interval(value, None)
        case "gt":
            return Interval(value, None, low_open=True)
        case "le":
            return Interval(Decimal(0) if value >= 0 else None, value)
        case "lt":
            return Interval(Decimal(0) if value > 0 else None, value, high_open=True)
        case "between":
            return Interval(value, upper, open_ends in ("low", "both"), open_ends in ("high", "both"))
    tolerance = EXACT.multiply(value.copy_abs(), TOLERANCE)
    if op == "approx":
        return Interval(EXACT.subtract(value, tolerance), EXACT.add(value, tolerance))
    return Interval(EXACT.subtract(value, tolerance), value, low_open=True, high_open=True)


class Quantity(BaseModel):
    """`{op, value, upper?, unit, text?}`. `text` is how it was said; two quantities are equal without it.

    `open` names the ends of a derived `between` that do not belong to it; it is never posted. An unknown currency, an
    `upper` without `between` or a `between` without it, and bounds that no value can satisfy ("under 0") are refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Op
    value: ExactDecimal
    upper: ExactDecimal | None = None
    unit: Unit
    text: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    open: SkipJsonSchema[OpenEnds | None] = None

    @model_validator(mode="after")
    def _has_possible_values(self) -> Self:
        if self.open is not None:
            raise PydanticCustomError("open", "'open' is only answered: say 'ge', 'gt', 'le' or 'lt'")
        if (self.op == "between") != (self.upper is not None):
            raise PydanticCustomError("upper", "'upper' goes with op 'between', and 'between' needs it")
        if self.upper is not None and self.upper < self.value:
            raise PydanticCustomError("upper", "'upper' lies below 'value': give the lower bound first")
        if self.op in ("le", "lt") and (self.value < 0 or (self.op == "lt" and self.value == 0)):
            problem = "no amount is {said}: an upper bound starts at 0; below that give both bounds"
            raise PydanticCustomError("empty", problem, {"said": f"{OP_WORDS[self.op]}{plain(self.value)}"})
        if self.op == "nearly" and self.value == 0:
            raise PydanticCustomError("empty", "no amount is nearly 0")
        return self

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Quantity) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        if self.op == "between" and self.upper is not None:
            return f"between {unmistakable(plain(self.value))} and {unmistakable(plain(self.upper))} {self.unit}"
        return f"{OP_WORDS[self.op]}{unmistakable(plain(self.value))} {self.unit}"

    @property
    def key(self) -> tuple[str, Decimal, Decimal | None, str, str | None]:
        """What the quantity is, without how it was said."""
        return (self.op, self.value, self.upper, self.unit, self.open)

    @property
    def measure(self) -> str:
        """What is measured: all currencies are one measure, `money`; otherwise the unit itself."""
        return measure_of(self.unit)

    @cached_property
    def interval(self) -> Interval:
        """Its possible values."""
        return possible(self.op, self.value, self.upper, self.open)

    @cached_property
    def widened(self) -> Interval:
        """Its possible values with rounding slack at each end (DOMAIN §3, Slack).

        The slack is half a unit of the last non-zero digit of the value, at most 2.5 % of it; taken before conversion.
        """
        interval = self.interval
        slack = min(_half_unit(self.value), EXACT.multiply(self.value.copy_abs(), SLACK_LIMIT))
        return Interval(
            None if interval.low is None else EXACT.subtract(interval.low, slack),
            None if interval.high is None else EXACT.add(interval.high, slack),
            interval.low_open,
            interval.high_open,
        )

    @property
    def exactness(self) -> int:
        """The place in the order of DOMAIN §5: 0 exact, 1 bounded, 2 approximate."""
        return {"eq": 0, "approx": 2, "nearly": 2}.get(self.op, 1)

    def in_unit(self, unit: str, factor: Decimal, per: Decimal = ONE) -> Quantity:
        """The same bounds in another unit, of which `factor`, positive as `per`, come to `per` of this one."""
        upper = None if self.upper is None else _share(self.upper, factor, per)
        return _bound(self.op, _share(self.value, factor, per), unit, upper, self.open)


OP_WORDS: dict[str, str] = {
    "eq": "",
    "ge": "at least ",
    "gt": "over ",
    "le": "up to ",
    "lt": "under ",
    "approx": "about ",
    "nearly": "nearly ",
}


BOUND_ROUNDING = {"ge": ROUND_FLOOR, "gt": ROUND_FLOOR, "le": ROUND_CEILING, "lt": ROUND_CEILING}
"""How a bound is rounded so that it stays true; everything else half-even."""


def _half_unit(value: Decimal) -> Decimal:
    """Half a unit of the last non-zero digit: 0.05bn for 20.9bn, 0.5 for 0."""
    exponent = value.normalize(EXACT).as_tuple().exponent
    return Decimal(5).scaleb(int(exponent) - 1, EXACT)


def spanning(interval: Interval, unit: str) -> Quantity:
    """The quantity whose possible values are the interval: `eq` for a point, a bound for one open end.

    An end of a `between` that does not belong to it is named in `open`. From 0 on it is an upper bound.

    Raises: ValueError if the interval has neither end.
    """
    low, high = interval.low, interval.high
    if low is None:
        if high is None:
            raise ValueError("an interval without an end is no quantity")
        return _bound("lt" if interval.high_open else "le", high, unit)
    if high is None:
        return _bound("gt" if interval.low_open else "ge", low, unit)
    if low == high:
        return _bound("eq", high, unit)
    if low == 0 and not interval.low_open:
        return _bound("lt" if interval.high_open else "le", high, unit)
    return _bound("between", low, unit, high, interval.open_ends)


def _bound(
    op: Op, value: Decimal, unit: str, upper: Decimal | None = None, open_ends: OpenEnds | None = None
) -> Quantity:
    """A quantity that is derived: it may have more digits than a posted one."""
    return Quantity.model_construct(
        op=op,
        value=_normal(value),
        upper=None if upper is None else _normal(upper),
        unit=unit,
        text=None,
        open=open_ends,
    )


ADDED_AS_SAID = ("eq", "ge", "gt", "approx", "nearly")
"""Ways in which amounts above 0 can be said so that their sum, said in the same way, is that of their intervals: it can
be added to one by one."""


def total(quantities: Sequence[Quantity]) -> Quantity:
    """The sum of quantities of one unit as the sum of their intervals: `eq` only if all are exact.

    Amounts above 0 that are all said in one way ("about") add up to an amount that is said so, too.
    """
    if len(quantities) == 1:
        return quantities[0]
    op, unit = quantities[0].op, quantities[0].unit
    if op != "between" and all(quantity.op == op and quantity.value > 0 for quantity in quantities):
        return _bound(op, reduce(EXACT.add, [quantity.value for quantity in quantities]), unit)
    intervals = [quantity.interval for quantity in quantities]
    lows, highs = [i.low for i in intervals if i.low is not None], [i.high for i in intervals if i.high is not None]
    together = Interval(
        reduce(EXACT.add, lows) if len(lows) == len(intervals) else None,
        reduce(EXACT.add, highs) if len(highs) == len(intervals) else None,
        any(i.low_open for i in intervals),
        any(i.high_open for i in intervals),
    )
    return spanning(together, unit)


def at_least(quantity: Quantity) -> Quantity:
    """The quantity read as a lower bound: `ge`, or `gt` where its low end does not belong to it."""
    if quantity.op in ("ge", "gt"):
        return quantity
    interval = quantity.interval
    return spanning(Interval(interval.low, None, interval.low_open), quantity.unit)
