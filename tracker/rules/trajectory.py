"""Whether a pledge is on its way: the actual against what was expected by its day (DOMAIN §6, `trajectory`)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tracker.comparison import number_of, way_gone
from tracker.quantity import EXACT, Interval
from tracker.rules.instalments import amount_of, sum_due
from tracker.rules.terms import Promise
from tracker.rules.verdict import Question
from tracker.values import Trajectory, Window, end_of

TRAJECTORY_BAND = Decimal("0.10")
"""On track is within this share of what was expected, either way."""


class Elapsed(NamedTuple):
    """The days that have passed of the days there are."""

    passed: int
    whole: int


def trajectory(question: Question, *, is_conditional: bool) -> Trajectory:
    """The actual against the instalments due by its day, else the share of the time that had passed, within ±10 %.

    Unknown for levels and ceilings without a baseline, before the first instalment, without a start and an end, and
    where the bounds allow two readings.
    """
    actual, promise = question.actual, question.promise
    amount = amount_of(actual, promise)
    if actual is None or amount is None or is_conditional:
        return "unknown"
    target, base = promise.absolute, promise.base
    if base is None and (actual.is_level or promise.direction == "down"):
        return "unknown"
    if promise.instalments:
        owed = sum_due(promise, actual.last.day)
        return "unknown" if owed is None else _side(amount.interval, owed)
    elapsed = _elapsed(promise, question.window, actual.last.day)
    if target is None or elapsed is None:
        return "unknown"
    gone, whole = amount.interval, number_of(target, promise.direction)
    if base is not None:
        found = way_gone(amount, target, base, promise.direction)
        if found is None:
            return "unknown"
        gone, whole = found
    return _side(gone.times(Decimal(elapsed.whole)), EXACT.multiply(whole, Decimal(elapsed.passed)))


def _elapsed(promise: Promise, window: Window | None, day: date) -> Elapsed | None:
    """The time from the baseline's day, else the window's start, to its end (never `latest`); None before it began."""
    end = None if window is None else window.earliest_deadline
    if end is None:
        return None
    if promise.baseline is not None and promise.baseline.on is not None:
        since = end_of(promise.baseline.on)
        passed, whole = (day - since).days, (end - since).days
    elif window is not None and window.start is not None:
        passed, whole = (day - window.start).days + 1, (end - window.start).days + 1
    else:
        return None
    return None if whole <= 0 or passed <= 0 else Elapsed(min(passed, whole), whole)


def _side(actual: Interval, expected: Decimal) -> Trajectory:
    ends = [EXACT.multiply(expected, 1 - TRAJECTORY_BAND), EXACT.multiply(expected, 1 + TRAJECTORY_BAND)]
    low, high = sorted(ends)
    if actual.within(Interval(high, None, low_open=True)):
        return "ahead"
    if actual.within(Interval(None, low, high_open=True)):
        return "behind"
    return "on_track" if actual.within(Interval(low, high)) else "unknown"
