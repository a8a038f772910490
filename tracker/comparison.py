"""The actual against the target: whether it is met, and how much of it there is (DOMAIN §3).

actual "over 40"       target "at least 40"   exceeded   ratio "over 100 %"
actual "at least 40"   target "at least 40"   met
actual "exactly 40"    target "over 40"       below
actual "at least 30"   target "at least 40"   unknown: never rounded up
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tracker.quantity import (
    BOUND_ROUNDING,
    EXACT,
    OP_WORDS,
    ExactDecimal,
    Interval,
    Op,
    OpenEnds,
    Quantity,
    plain,
)

Comparison = Literal["exceeded", "met", "below", "unknown"]
Direction = Literal["up", "down"]
"""Whether a pledge is kept by as much as its target or more (`up`), or by as much or less (`down`)."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What keeps a target, in direction up: a value from `low` on. What lies above `edge` is beyond the target."""

    low: Decimal
    low_open: bool
    edge: Decimal
    edge_open: bool
    """The target is an open bound, so an open end at the edge is not beyond it."""

    edge_is_beyond: bool
    """The edge itself lies beyond: 40 is more than "nearly 40"."""


def _wanted(target: Quantity, direction: Direction) -> _Wanted:
    """What keeps the target; for `down` in mirrored values. A target that is an envelope is taken as its value."""
    interval, near = target.interval, target.value
    far = near if target.upper is None else target.upper
    if target.op in ("approx", "nearly"):
        assert interval.low is not None
        assert interval.high is not None
        near, far = interval.low, interval.high
    is_nearly = target.op == "nearly"
    is_open = is_nearly or target.op == ("gt" if direction == "up" else "lt")
    if direction == "up":
        return _Wanted(near, is_open, far, is_open, is_nearly)
    return _Wanted(far.copy_negate(), is_open, near.copy_negate(), is_open, is_nearly)


def is_envelope(target: Quantity | None, direction: Direction) -> bool:
    """Whether the target is the most that may come ("up to 100m"), not a ceiling (DOMAIN §3)."""
    return target is not None and direction == "up" and target.op in ("le", "lt")


def compare(actual: Quantity, target: Quantity, direction: Direction = "up") -> Comparison:
    """Where every possible value of the actual stands to the target, both in one unit (DOMAIN §3, POINTS).

    `met`: every one keeps it. `exceeded`: and the actual goes beyond the target itself. `below`: none keeps it.
    `unknown`: some do, some do not; never rounded up. `down` is the mirror image. An envelope (`le`, `lt` in direction
    up) is compared as its value.

    Raises: ValueError if the two are in different units.
    """
    if actual.unit != target.unit:
        raise ValueError(f"{actual.unit} cannot be compared with {target.unit}")
    stated = actual.interval if direction == "up" else actual.interval.mirrored()
    wanted = _wanted(target, direction)
    keeping = Interval(wanted.low, None, low_open=wanted.low_open)
    if not stated.within(keeping):
        return "unknown" if stated.meets(keeping) else "below"
    assert stated.low is not None
    clear_of_it = wanted.edge_is_beyond or (stated.low_open and not wanted.edge_open)
    is_beyond = stated.low > wanted.edge or (stated.low == wanted.edge and clear_of_it)
    return "exceeded" if is_beyond else "met"


def least_kept(target: Quantity) -> Decimal:
    """The lowest amount that may keep a target in direction up."""
    return _wanted(target, "up").low


def may_exceed(actual: Quantity, target: Quantity, direction: Direction = "up") -> bool:
    """Whether some possible value of the actual lies beyond the target."""
    stated = actual.interval if direction == "up" else actual.interval.mirrored()
    wanted = _wanted(target, direction)
    if stated.high is None or stated.high > wanted.edge:
        return True
    return stated.high == wanted.edge and wanted.edge_is_beyond and not stated.high_open


def is_raised(before: Quantity, after: Quantity, direction: Direction) -> bool:
    """Whether a target asks for more than another in its unit (`down`: for less)."""
    if before.unit != after.unit:
        return False
    old, new = number_of(before, direction), number_of(after, direction)
    return new > old if direction == "up" else new < old


def number_of(target: Quantity, direction: Direction) -> Decimal:
    """The number by which a target is raised, and of which shares are taken: of a range the end that keeps it."""
    return target.upper if direction == "down" and target.upper is not None else target.value


class Ratio(BaseModel):
    """Actual over target, a quantity without a unit, at most 6 decimal places; `gt 1.25` is "over 125 %"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Op
    value: ExactDecimal
    upper: ExactDecimal | None = None
    open: OpenEnds | None = None

    def __str__(self) -> str:
        if self.upper is not None:
            return f"between {_percent(self.value)} % and {_percent(self.upper)} %"
        return f"{OP_WORDS[self.op]}{_percent(self.value)} %"


def _percent(share: Decimal) -> str:
    return plain(share.scaleb(2, EXACT))


RATIO_STEP = Decimal("0.000001")
"""The last place of a ratio."""


def _rounded(exact: Decimal, rounding: str, *, is_one: bool) -> Decimal:
    """A share with 6 places; it is 1 only if it is exactly that."""
    rounded = exact.quantize(RATIO_STEP, rounding=rounding, context=EXACT)
    if rounded == 1 and rounding == ROUND_HALF_EVEN and not is_one:
        return rounded - RATIO_STEP if exact < 1 else rounded + RATIO_STEP
    return rounded


def ratio(actual: Quantity, target: Quantity, direction: Direction = "up") -> Ratio | None:
    """The actual divided by the target's number; its bounds stay bounds. None for a target of 0 or less.

    A bound is rounded to the side that keeps it true, an exact or approximate value half-even, but never to 1 if it is
    not 1: a pledge that misses its target by a cent is not shown as 100 %.
    """
    whole = number_of(target, direction)
    if whole <= 0:
        return None

    def share(value: Decimal, rounding: str) -> Decimal:
        return _rounded(EXACT.divide(value, whole), rounding, is_one=value == whole)

    if actual.upper is not None:
        low, high = share(actual.value, ROUND_FLOOR), share(actual.upper, ROUND_CEILING)
        return Ratio.model_construct(op="between", value=low, upper=high, open=actual.open)
    return Ratio.model_construct(
        op=actual.op, value=share(actual.value, BOUND_ROUNDING.get(actual.op, ROUND_HALF_EVEN)), upper=None, open=None
    )


def way_gone(
    actual: Quantity, target: Quantity, baseline: Quantity, direction: Direction
) -> tuple[Interval, Decimal] | None:
    """How far the actual lies from the baseline towards the target, and how far the target does, which is above 0.

    None where the target is the baseline itself, or in another unit.
    """
    way = EXACT.subtract(number_of(target, direction), baseline.value)
    if way == 0 or not baseline.unit == target.unit == actual.unit:
        return None
    gone = actual.interval.shifted(baseline.value.copy_negate())
    return (gone, way) if way > 0 else (gone.mirrored(), way.copy_negate())


def progress(actual: Quantity, target: Quantity, baseline: Quantity | None, direction: Direction) -> Ratio | None:
    """The share of the way (DOMAIN §3): from the baseline to the target, else the ratio when direction is up.

    None without either, and where the target is the baseline itself or in another unit.
    """
    if baseline is None:
        return ratio(actual, target) if direction == "up" else None
    found = way_gone(actual, target, baseline, direction)
    if found is None:
        return None
    gone, whole = found

    def share(value: Decimal, rounding: str) -> Decimal:
        return _rounded(EXACT.divide(value, whole), rounding, is_one=value == whole)

    low, high = gone.low, gone.high
    if low is not None and low == high:
        return Ratio.model_construct(op="eq", value=share(low, ROUND_HALF_EVEN), upper=None, open=None)
    if low is not None and high is not None:
        ends = share(low, ROUND_FLOOR), share(high, ROUND_CEILING)
        return Ratio.model_construct(op="between", value=ends[0], upper=ends[1], open=gone.open_ends)
    if low is not None:
        op: Op = "gt" if gone.low_open else "ge"
        return Ratio.model_construct(op=op, value=share(low, ROUND_FLOOR), upper=None, open=None)
    if high is None:
        return None
    return Ratio.model_construct(
        op="lt" if gone.high_open else "le", value=share(high, ROUND_CEILING), upper=None, open=None
    )
