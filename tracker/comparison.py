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


def _kept_by(target: Quantity) -> Interval:
    """The target as said, without the natural floor of 0 that "up to" has as an amount."""
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
    said, aim = actual.interval, _kept_by(target)
    if direction == "down":
        said, aim = said.mirrored(), aim.mirrored()
    kept = aim if aim.low is None else Interval(aim.low, None, low_open=aim.low_open)
    if not said.within(kept):
        return "unknown" if said.meets(kept) else "below"
    return "exceeded" if aim.low is not None and _lies_beyond(said, aim) else "met"


def _lies_beyond(said: Interval, aim: Interval) -> bool:
    if said.low is None:
        return False
    if aim.high is not None:
        return said.low > aim.high or (said.low == aim.high and (said.low_open or aim.high_open))
    assert aim.low is not None
    return said.low > aim.low or (said.low == aim.low and said.low_open and not aim.low_open)


def may_exceed(actual: Quantity, target: Quantity, direction: Direction = "up") -> bool:
    """Whether some possible value of the actual lies beyond the target."""
    said, aim = actual.interval, _kept_by(target)
    if direction == "down":
        said, aim = said.mirrored(), aim.mirrored()
    if aim.low is None:
        return False
    edge = aim.low if aim.high is None else aim.high
    if said.high is None or said.high > edge:
        return True
    return said.high == edge and not said.high_open and aim.high is not None and aim.high_open


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
