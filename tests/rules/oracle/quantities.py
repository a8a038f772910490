"""Quantities, intervals, comparison, ratio and slack (DOMAIN §3), in exact fractions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

TOLERANCE = Fraction(5, 100)
SLACK_CAP = Fraction(25, 1000)
BELOW, ABOVE = "percent:below-baseline", "percent:above-baseline"


@dataclass(frozen=True)
class Interval:
    """The possible values; an end of None is infinite."""

    low: Fraction | None
    low_open: bool
    high: Fraction | None
    high_open: bool

    def scaled(self, factor: Fraction) -> Interval:
        """Every value times a factor; a negative one turns the ends round."""
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        if factor < 0:
            return Interval(high, self.high_open, low, self.low_open)
        return Interval(low, self.low_open, high, self.high_open)

    def shifted(self, by: Fraction) -> Interval:
        """Every value plus a number."""
        low = None if self.low is None else self.low + by
        high = None if self.high is None else self.high + by
        return replace(self, low=low, high=high)

    def widened(self, by: Fraction) -> Interval:
        """Both ends moved outward."""
        low = None if self.low is None else self.low - by
        high = None if self.high is None else self.high + by
        return replace(self, low=low, high=high)

    def lies_below(self, other: Interval) -> bool:
        """Whether every value is less than every value of the other."""
        if self.high is None or other.low is None:
            return False
        return self.high < other.low or (self.high == other.low and (self.high_open or other.low_open))

    def meets(self, other: Interval) -> bool:
        """Whether the two have a value in common."""
        return not self.lies_below(other) and not other.lies_below(self)

    def within(self, other: Interval) -> bool:
        """Whether every value is one of the other's."""
        low_in = other.low is None or (
            self.low is not None
            and (self.low > other.low or (self.low == other.low and (self.low_open or not other.low_open)))
        )
        high_in = other.high is None or (
            self.high is not None
            and (self.high < other.high or (self.high == other.high and (self.high_open or not other.high_open)))
        )
        return low_in and high_in


@dataclass(frozen=True)
class Quantity:
    """An amount as it is said; `open` names the ends of a `between` that do not belong to it."""

    op: str
    value: Fraction
    unit: str
    upper: Fraction | None = None
    open: str | None = None

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Quantity:
        """The quantity of a fact."""
        upper = raw.get("upper")
        return cls(
            raw["op"],
            Fraction(raw["value"]),
            raw.get("unit", ""),
            None if upper is None else Fraction(upper),
            raw.get("open"),
        )

    @property
    def interval(self) -> Interval:
        """§3, Intervals: open ends matter."""
        v, tol = self.value, abs(self.value) * TOLERANCE
        match self.op:
            case "eq":
                return Interval(v, False, v, False)
            case "ge":
                return Interval(v, False, None, False)
            case "gt":
                return Interval(v, True, None, False)
            case "le":
                return Interval(Fraction(0) if v >= 0 else None, False, v, False)
            case "lt":
                return Interval(Fraction(0) if v > 0 else None, False, v, True)
            case "nearly":
                return Interval(v - tol, True, v, True)
            case "approx":
                return Interval(v - tol, False, v + tol, False)
        return Interval(v, self.open in ("low", "both"), self.upper, self.open in ("high", "both"))

    def scaled(self, factor: Fraction, unit: str) -> Quantity:
        """The same words of an amount times a positive factor."""
        upper = None if self.upper is None else self.upper * factor
        return replace(self, value=self.value * factor, upper=upper, unit=unit)

    def json(self, places: int | None = None) -> dict[str, Any]:
        """As it is answered, `text` left out."""
        answer = {"op": self.op, "value": plain(self.value, places)}
        if self.upper is not None:
            answer["upper"] = plain(self.upper, places)
        if self.unit:
            answer["unit"] = self.unit
        if self.open is not None:
            answer["open"] = self.open
        return answer


def plain(value: Fraction, places: int | None = None) -> str:
    """A decimal without exponent or trailing zeros; rounded half-even where places are given, else exact."""
    if places is None:
        places = next((n for n in range(60) if (value * 10**n).denominator == 1), 60)
    scaled = round(value * 10**places)
    sign, digits = ("-" if scaled < 0 else ""), str(abs(scaled)).rjust(places + 1, "0")
    whole, part = (digits[:-places], digits[-places:].rstrip("0")) if places else (digits, "")
    return f"{sign}{whole}" + (f".{part}" if part else "")


def of_interval(interval: Interval, unit: str) -> Quantity:
    """The quantity that says an interval; one that reaches down from a positive number without end reads `le`."""
    low, high = interval.low, interval.high
    if low is None:
        return Quantity("lt" if interval.high_open else "le", high or Fraction(0), unit)
    if high is None:
        return Quantity("gt" if interval.low_open else "ge", low, unit)
    if low == high:
        return Quantity("eq", low, unit)
    if low == 0 and not interval.low_open:
        return Quantity("lt" if interval.high_open else "le", high, unit)
    ends = {(True, True): "both", (True, False): "low", (False, True): "high"}
    return Quantity("between", low, unit, high, ends.get((interval.low_open, interval.high_open)))


def floor_of(quantity: Quantity) -> Quantity:
    """§5: "at least that": reads `ge`, a `gt` (or another open low end) `gt`."""
    interval = quantity.interval
    return of_interval(replace(interval, high=None, high_open=False), quantity.unit)


def total(parts: list[Quantity], unit: str) -> Quantity:
    """The sum of intervals; the op is kept where all parts share it."""
    ops = {part.op for part in parts}
    if len(parts) == 1:
        return replace(parts[0], unit=unit)
    if len(ops) == 1 and ops <= {"eq", "ge", "gt", "le", "lt", "approx", "nearly"} and all(p.value > 0 for p in parts):
        return Quantity(parts[0].op, sum((p.value for p in parts), Fraction(0)), unit)
    low: Fraction | None = Fraction(0)
    high: Fraction | None = Fraction(0)
    for part in parts:
        interval = part.interval
        low = None if low is None or interval.low is None else low + interval.low
        high = None if high is None or interval.high is None else high + interval.high
    return of_interval(
        Interval(low, any(p.interval.low_open for p in parts), high, any(p.interval.high_open for p in parts)), unit
    )


def slack_of(quantity: Quantity) -> Fraction:
    """§3, Slack: half a unit of the last non-zero digit of the value, at most 2.5 % of the value."""
    if quantity.value == 0:
        return Fraction(0)
    digits = Decimal(plain(quantity.value)).normalize()
    unit = Fraction(10) ** int(digits.as_tuple().exponent)
    return min(unit / 2, abs(quantity.value) * SLACK_CAP)


def with_slack(quantity: Quantity) -> Interval:
    """The interval that a figure stands for among others."""
    return quantity.interval.widened(slack_of(quantity))


def is_envelope(target: Quantity, direction: str) -> bool:
    """§3: a target `le` or `lt` with direction up."""
    return direction == "up" and target.op in ("le", "lt")


def keeping(target: Quantity, direction: str) -> Interval:
    """§3 and POINTS: the values that satisfy the target."""
    v, tol = target.value, abs(target.value) * TOLERANCE
    if direction == "up":
        low, low_open = {
            "gt": (v, True),
            "approx": (v - tol, False),
            "nearly": (v - tol, True),
        }.get(target.op, (v, False))
        return Interval(low, low_open, None, False)
    high, high_open = {
        "lt": (v, True),
        "approx": (v + tol, False),
        "nearly": (v, True),
        "between": (target.upper, False),
    }.get(target.op, (v, False))
    return Interval(None, False, high, high_open)


def beyond(target: Quantity, direction: str) -> Interval:
    """The values beyond the target itself (`up`: above it)."""
    v, tol = target.value, abs(target.value) * TOLERANCE
    if direction == "up":
        edge = {"approx": v + tol, "between": target.upper}.get(target.op, v)
        return Interval(edge, True, None, False)
    edge = {"approx": v - tol, "between": v}.get(target.op, v)
    return Interval(None, False, edge, True)


def compare(actual: Interval, target: Quantity, direction: str) -> str:
    """§3, compare: `exceeded | met | below | unknown`."""
    kept = keeping(target, direction)
    if actual.within(kept):
        return "exceeded" if goes_beyond(actual, target, direction) else "met"
    return "unknown" if actual.meets(kept) else "below"


def goes_beyond(actual: Interval, target: Quantity, direction: str) -> bool:
    """§3: its low end above the target's value, or at it but open where the target is closed (`down`: mirrored)."""
    past = beyond(target, direction)
    near, near_open, edge = (
        (actual.low, actual.low_open, past.low) if direction == "up" else (actual.high, actual.high_open, past.high)
    )
    if near is None or edge is None:
        return False
    target_is_open = target.op == "nearly" or (target.op == "gt" if direction == "up" else target.op == "lt")
    if near == edge:
        return near_open and not target_is_open
    return near > edge if direction == "up" else near < edge


def could_go_beyond(actual: Interval, target: Quantity, direction: str) -> bool:
    """POINTS: whether any possible value lies beyond the target."""
    return actual.meets(beyond(target, direction))


def number(target: Quantity, direction: str) -> Fraction:
    """The one number of a target, for ratio, progress and raising: `upper` of a `between` when direction is down."""
    return target.upper if target.op == "between" and direction == "down" and target.upper is not None else target.value


def ratio(actual: Quantity, target: Quantity, direction: str) -> Quantity | None:
    """§3: the actual over the target, itself a quantity; none over zero or less."""
    of = number(target, direction)
    return actual.scaled(1 / of, "") if of > 0 else None


def progress(actual: Quantity, target: Quantity, baseline: Quantity | None, direction: str) -> Quantity | None:
    """§3: with a baseline (actual − baseline) / (target − baseline), else the ratio when direction is up."""
    if baseline is None:
        return ratio(actual, target, direction) if direction == "up" else None
    way = number(target, direction) - baseline.value
    if way == 0 or baseline.unit != target.unit:
        return None
    if actual.op == "eq":
        return Quantity("eq", (actual.value - baseline.value) / way, "")
    interval = actual.interval.shifted(-baseline.value).scaled(1 / way)
    return exact_ends(interval)


def exact_ends(interval: Interval) -> Quantity:
    """An interval as a quantity, one from zero as a `between`, since here a share may be negative."""
    if interval.low == 0 and interval.high not in (None, Fraction(0)):
        ends = {(True, True): "both", (True, False): "low", (False, True): "high"}
        return Quantity("between", interval.low, "", interval.high, ends.get((interval.low_open, interval.high_open)))
    return of_interval(interval, "")


def absolute(target: Quantity | None, baseline: Quantity | None) -> Quantity | None:
    """§3, Baseline: the absolute target that follows from a relative one (100 and 55 % below: `le 45`)."""
    if target is None or target.unit not in (BELOW, ABOVE):
        return target
    if baseline is None:
        return None
    return turned(target, baseline)


def turned(quantity: Quantity, baseline: Quantity) -> Quantity:
    """A share below or above the baseline, in the baseline's unit."""
    base, down = baseline.value, quantity.unit == BELOW
    sign = Fraction(-1 if down else 1, 100)

    def amount(share: Fraction) -> Fraction:
        return base * (1 + sign * share)

    if quantity.op in ("eq", "ge", "gt") or (quantity.op in ("le", "lt") and not down):
        mirrored = {"ge": "le", "gt": "lt", "eq": "eq"}
        return Quantity(mirrored[quantity.op] if down else quantity.op, amount(quantity.value), baseline.unit)
    if quantity.op == "between" and quantity.upper is not None:
        ends = sorted((amount(quantity.value), amount(quantity.upper)))
        return Quantity("between", ends[0], baseline.unit, ends[1])
    return of_interval(quantity.interval.scaled(sign * base).shifted(base), baseline.unit)


def turned_interval(interval: Interval, unit: str, baseline: Quantity) -> Interval:
    """The interval of shares below or above the baseline, in the baseline's unit."""
    sign = Fraction(-1 if unit == BELOW else 1, 100)
    return interval.scaled(sign * baseline.value).shifted(baseline.value)
