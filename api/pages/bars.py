"""Progress towards a target as a bar, in percent of its width: what is certain, what is possible, and the target.

A bound is drawn as one: "over 50" is solid up to 50 and fades out to the right, "up to 50" is possible as far as 50.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from tracker.quantity import possible

TARGET_PLACE = Decimal("66.6")
"""Percent of the bar's width at which the target stands, the same on every row: the bar ends at 150 % of the target."""

FADE_WIDTH = Decimal(18)
"""Percent of the bar's width over which a bound without an end above fades out."""

_BAR_END = Decimal(100)
_OVERLAP = Decimal("0.3")
"""Percent of the bar's width that a fade lies over the segment before it, so that no hairline shows between them."""


@dataclass(frozen=True, slots=True)
class BarSegment:
    """A stretch of the bar: `solid` is certain, `possible` may be, `fade` may go on for ever."""

    kind: Literal["solid", "possible", "fade"]
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Segments in percent of the bar's width, and where the target stands.

    `target_width` is the width of a target with two ends; `beyond` is True if the value lies after the bar's end.
    """

    segments: tuple[BarSegment, ...]
    target: str | None
    target_width: str | None = None
    beyond: bool = False
    steps: tuple[str, ...] = ()
    """States of milestones, drawn as dots instead of a bar."""


def bar_of(status: Mapping[str, Any]) -> Bar | None:
    """The bar of a status document; None where there is nothing to measure against."""
    if status["status"] == "not_measurable":
        return None
    members = status.get("members")
    if members is not None and members["met"] is not None:
        return _bar_of_members(members)
    if tally := status.get("periods_tally"):
        kept = Decimal(tally["kept"]) / Decimal(tally["closed"]) if tally["closed"] else Decimal(0)
        return Bar(_segments("eq", kept, None), _at_target())
    if status.get("baseline") is not None and status["progress"] is not None:
        return _bar_of_ratio(status["progress"], status["target"])
    if status["ratio"] is not None:
        return _bar_of_ratio(status["ratio"], status["target"])
    if status["target"] is not None and members is None:
        # What is reported and has no share of the target, of 0 or in another unit, is not drawn as nothing.
        is_drawn = status["actual"] is None and Decimal(status["target"]["value"]) > 0
        return Bar((), _at_target(), _target_width(status["target"])) if is_drawn else None
    if milestones := status.get("milestones"):
        return Bar((), None, steps=tuple(step["state"] for step in milestones))
    return None if members is None else Bar((), _at_target())


def _bar_of_members(members: Mapping[str, Any]) -> Bar:
    met, eligible = members["met"], members["eligible"] or members["total"]
    if isinstance(met, int):
        share = Decimal(met) / Decimal(eligible) if eligible else Decimal(0)
        return Bar(_segments("eq", share, None), _at_target())
    if met["unit"].startswith("percent:"):
        upper = None if met.get("upper") is None else Decimal(met["upper"]).scaleb(-2)
        share = Decimal(met["value"]).scaleb(-2)
        beyond = _is_beyond(share if upper is None else upper)
        return Bar(_segments(met["op"], share, upper), _at_target(), beyond=beyond)
    return Bar((), _at_target())


def _bar_of_ratio(ratio: Mapping[str, str], target: Mapping[str, str]) -> Bar:
    share = Decimal(ratio["value"])
    upper = None if ratio.get("upper") is None else Decimal(ratio["upper"])
    segments = _segments(ratio["op"], share, upper)
    return Bar(segments, _at_target(), _target_width(target), _is_beyond(share if upper is None else upper))


def _segments(op: Any, share: Decimal, upper: Decimal | None) -> tuple[BarSegment, ...]:
    """What is certain from 0 on, then what is possible: all between the ends of the share's possible values."""
    values = possible(op, share, upper)
    low = _place(values.low or Decimal(0))
    found = [("solid", Decimal(0), low)]
    if values.high is None:
        found.append(("fade", max(low - _OVERLAP, Decimal(0)), min(low + FADE_WIDTH, _BAR_END)))
    else:
        found.append(("possible", low, _place(values.high)))
    return tuple(_segment(kind, start, end) for kind, start, end in found if end > start)


def _segment(kind: Any, start: Decimal, end: Decimal) -> BarSegment:
    return BarSegment(kind, f"{start:.2f}%", f"{end - start:.2f}%")


def _place(share: Decimal) -> Decimal:
    """Where a share of the target stands on the bar, in percent of its width."""
    return min(max(share, Decimal(0)) * TARGET_PLACE, _BAR_END)


def _is_beyond(share: Decimal) -> bool:
    return share * TARGET_PLACE > _BAR_END


def _at_target() -> str:
    return f"{TARGET_PLACE:.2f}%"


def _target_width(target: Mapping[str, str]) -> str | None:
    """How far a target with two ends reaches on the bar after the place of its value; None for any other target."""
    op: Any = target["op"]
    value = Decimal(target["value"])
    if op not in ("between", "approx") or value == 0:
        return None
    values = possible(op, value, Decimal(target["upper"]) if "upper" in target else None)
    far_end = max(end / value for end in (values.low, values.high) if end is not None)
    return f"{_place(far_end) - TARGET_PLACE:.2f}%"
