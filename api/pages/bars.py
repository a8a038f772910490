"""Progress towards a target as a bar, in percent of its width: what is certain, what is possible, and the target.

A bound is drawn as one: "over 50" is solid up to 50 and fades out to the right, "up to 50" is possible as far as 50.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from tracker.quantity import TOLERANCE

FULL = Decimal("66.6")
"""Where the target stands on the bar, the same on every row: the bar ends at 150 %."""

FADE = Decimal(18)
"""How far an open bound fades out."""

_HUNDRED = Decimal(100)
_SEAM = Decimal("0.3")  # laid over each other, so that no hairline shows between them


@dataclass(frozen=True, slots=True)
class BarSegment:
    """A stretch of the bar: ``solid`` is certain, ``possible`` may be, ``fade`` may go on for ever."""

    kind: Literal["solid", "possible", "fade"]
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Bar:
    """``target`` is the place of the target's line, ``target_width`` that of a target with two ends.

    ``beyond``: the bar goes on after its end.
    """

    segments: tuple[BarSegment, ...]
    target: str | None
    target_width: str | None = None
    beyond: bool = False
    steps: tuple[str, ...] = ()
    """States of milestones, one a dot, instead of a bar."""


def bar(status: Mapping[str, Any]) -> Bar | None:
    """The bar of a status document; None where there is nothing to measure against."""
    if status["status"] == "not_measurable":
        return None
    members = status.get("members")
    if members is not None and members["met"] is not None:
        return _of_members(members)
    if status["ratio"] is not None:
        return _of_ratio(status["ratio"], status["target"])
    if status["target"] is not None and members is None:
        return Bar((), _at(Decimal(1)), _target_width(status["target"]))
    if milestones := status.get("milestones"):
        return Bar((), None, steps=tuple(step["state"] for step in milestones))
    return None if members is None else Bar((), _at(Decimal(1)))


def _of_members(members: Mapping[str, Any]) -> Bar:
    met, eligible = members["met"], members["eligible"] or members["total"]
    if isinstance(met, int):
        share = Decimal(met) / Decimal(eligible) if eligible else Decimal(0)
        return Bar(_segments("eq", share, None)[0], _at(Decimal(1)))
    if met["unit"].startswith("percent:"):
        upper = None if met.get("upper") is None else Decimal(met["upper"]) / _HUNDRED
        segments, beyond = _segments(met["op"], Decimal(met["value"]) / _HUNDRED, upper)
        return Bar(segments, _at(Decimal(1)), beyond=beyond)
    return Bar((), _at(Decimal(1)))


def _of_ratio(ratio: Mapping[str, str], target: Mapping[str, str]) -> Bar:
    upper = None if ratio.get("upper") is None else Decimal(ratio["upper"])
    segments, beyond = _segments(ratio["op"], Decimal(ratio["value"]), upper)
    return Bar(segments, _at(Decimal(1)), _target_width(target), beyond)


def _segments(op: str, value: Decimal, upper: Decimal | None) -> tuple[tuple[BarSegment, ...], bool]:
    at = _place(value)
    below, above = _place(value * (1 - TOLERANCE)), _place(value * (1 + TOLERANCE))
    beyond = value * FULL > _HUNDRED
    match op:
        case "eq":
            found = [("solid", Decimal(0), at)]
        case "ge" | "gt":
            found = [("solid", Decimal(0), at), ("fade", max(at - _SEAM, Decimal(0)), min(at + FADE, _HUNDRED))]
        case "le" | "lt":
            found = [("possible", Decimal(0), at)]
        case "approx":
            found = [("solid", Decimal(0), below), ("possible", below, above)]
        case "nearly":
            found = [("solid", Decimal(0), below), ("possible", below, at)]
        case _:
            assert upper is not None
            found = [("solid", Decimal(0), at), ("possible", at, _place(upper))]
            beyond = upper * FULL > _HUNDRED
    segments = tuple(_segment(kind, start, end) for kind, start, end in found if end > start)
    return segments, beyond


def _segment(kind: Any, start: Decimal, end: Decimal) -> BarSegment:
    return BarSegment(kind, f"{start:.2f}%", f"{end - start:.2f}%")


def _place(share: Decimal) -> Decimal:
    """Where a share of the target stands on the bar."""
    return min(max(share, Decimal(0)) * FULL, _HUNDRED)


def _at(share: Decimal) -> str:
    return f"{_place(share):.2f}%"


def _target_width(target: Mapping[str, str]) -> str | None:
    if target["op"] == "between":
        return f"{_place(Decimal(target['upper']) / Decimal(target['value'])) - FULL:.2f}%"
    return f"{FULL * TOLERANCE:.2f}%" if target["op"] == "approx" else None
