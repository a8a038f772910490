"""The actual against the target: whether it is met, and how much of it there is (DOMAIN §3).

actual "over 40"       target "at least 40"   exceeded   ratio "over 100 %"
actual "at least 40"   target "at least 40"   met
actual "exactly 40"    target "over 40"       below
actual "at least 30"   target "at least 40"   unknown: never rounded up
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tracker.quantity import BOUND_ROUNDING, EXACT, OP_WORDS, ExactDecimal, Interval, Op, Quantity, plain

Comparison = Literal["exceeded", "met", "below", "unknown"]
Direction = Literal["up", "down"]
"""Whether a pledge is kept by as much as its target or more (`up`), or by as much or less (`down`)."""


def _wanted(target: Quantity) -> Interval:
    """The target as stated, without the natural floor of 0 that "up to" has as an amount."""
    interval = target.interval
    if target.op in ("le", "lt"):
        return Interval(None, interval.high, high_open=interval.high_open)
    return interval


def compare(actual: Quantity, target: Quantity, direction: Direction = "up") -> Comparison:
    """Where every possible value of the actual stands to the target, both in one unit (DOMAIN §3, POINTS).

    `met`: every one keeps it. `exceeded`: and the actual goes beyond the target itself. `below`: none keeps it.
    `unknown`: some do, some do not; never rounded up. `down` is the mirror image. A target that is a ceiling
    (`le`, `lt`) in direction up, or a floor in direction down, is taken as it stands: met at most.

    Raises: ValueError if the two are in different units.
    """
    if actual.unit != target.unit:
        raise ValueError(f"{actual.unit} cannot be compared with {target.unit}")
    stated, wanted = actual.interval, _wanted(target)
    if direction == "down":
        stated, wanted = stated.mirrored(), wanted.mirrored()
    keeping = wanted if wanted.low is None else Interval(wanted.low, None, low_open=wanted.low_open)
    if not stated.within(keeping):
        return "unknown" if stated.meets(keeping) else "below"
    return "exceeded" if wanted.low is not None and _lies_beyond(stated, wanted) else "met"


def _lies_beyond(stated: Interval, wanted: Interval) -> bool:
    if stated.low is None:
        return False
    if wanted.high is not None:
        return stated.low > wanted.high or (stated.low == wanted.high and (stated.low_open or wanted.high_open))
    assert wanted.low is not None
    return stated.low > wanted.low or (stated.low == wanted.low and stated.low_open and not wanted.low_open)


def may_exceed(actual: Quantity, target: Quantity, direction: Direction = "up") -> bool:
    """Whether some possible value of the actual lies beyond the target."""
    stated, wanted = actual.interval, _wanted(target)
    if direction == "down":
        stated, wanted = stated.mirrored(), wanted.mirrored()
    if wanted.low is None:
        return False
    edge = wanted.low if wanted.high is None else wanted.high
    if stated.high is None or stated.high > edge:
        return True
    return stated.high == edge and not stated.high_open and wanted.high is not None and wanted.high_open


class Ratio(BaseModel):
    """Actual over target, a quantity without a unit, at most 6 decimal places; `gt 1.25` is "over 125 %"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Op
    value: ExactDecimal
    upper: ExactDecimal | None = None

    def __str__(self) -> str:
        if self.upper is not None:
            return f"between {_percent(self.value)} % and {_percent(self.upper)} %"
        return f"{OP_WORDS[self.op]}{_percent(self.value)} %"


def _percent(share: Decimal) -> str:
    return plain(share.scaleb(2, EXACT))


RATIO_STEP = Decimal("0.000001")
"""The last place of a ratio."""


def ratio(actual: Quantity, target: Quantity) -> Ratio | None:
    """The actual divided by the target's value; its bounds stay bounds. None for a target of 0.

    A bound is rounded to the side that keeps it true, an exact or approximate value half-even, but never to 1 if it is
    not 1: a pledge that misses its target by a cent is not shown as 100 %.
    """
    if target.value == 0 or (target.value < 0 and actual.op != "eq"):
        return None

    def share(value: Decimal, rounding: str) -> Decimal:
        exact = EXACT.divide(value, target.value)
        rounded = exact.quantize(RATIO_STEP, rounding=rounding, context=EXACT)
        if rounded == 1 and rounding == ROUND_HALF_EVEN and value != target.value:
            return rounded - RATIO_STEP if exact < 1 else rounded + RATIO_STEP
        return rounded

    if actual.op == "between" and actual.upper is not None:
        low, high = share(actual.value, ROUND_FLOOR), share(actual.upper, ROUND_CEILING)
        return Ratio.model_construct(op="between", value=low, upper=high)
    return Ratio.model_construct(
        op=actual.op, value=share(actual.value, BOUND_ROUNDING.get(actual.op, ROUND_HALF_EVEN))
    )
