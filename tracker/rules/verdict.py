"""What the chosen figure says: whether it is final, keeps the target, and the word that follows (DOMAIN §6)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

from tracker.comparison import Comparison, compare, least_kept
from tracker.facts import Claim, PledgeMissed
from tracker.quantity import EXACT, Quantity
from tracker.rules.candidates import Candidate
from tracker.rules.days import counted_day
from tracker.rules.figures import Choice, FirstKept, actual_of
from tracker.rules.sums import Actual
from tracker.rules.terms import Promise
from tracker.rules.views import FactInForce
from tracker.values import Window

FigureStatus = Literal[
    "exceeded", "met", "partly_met", "missed", "indeterminate", "overdue", "in_progress", "announced"
]


@dataclass(frozen=True)
class Question:
    """One question: what is promised by when, and the figures and claims that may answer it."""

    promise: Promise
    window: Window | None
    choice: Choice
    claims: tuple[FactInForce[Claim], ...] = ()
    asked_on: date | None = None
    """What was said before this day answers an earlier question, and is not final for this one."""

    has_no_close: bool = False
    """A condition is open or failed: the promise does not fall due meanwhile."""

    @property
    def actual(self) -> Actual | None:
        """The chosen actual."""
        return self.choice.actual

    def is_closed(self, as_of: date) -> bool:
        """Whether the latest reading of the deadline has passed."""
        deadline = None if self.window is None else self.window.deadline
        return deadline is not None and as_of > deadline and not self.has_no_close

    def is_stale(self, said_on: date) -> bool:
        """Whether what was said then is an answer to an earlier question."""
        return self.asked_on is not None and said_on < self.asked_on

    @cached_property
    def comparison(self) -> Comparison | None:
        """The actual against the target; None where they cannot be compared."""
        return None if self.actual is None else compared(self.actual.compared, self.promise)

    @cached_property
    def kept(self) -> Literal["met", "exceeded"] | None:
        """Whether the actual has kept the target."""
        return keeps(self.actual, self)

    @cached_property
    def is_admitted(self) -> bool:
        """Whether somebody said that the target was not met (`PledgeMissed` without a figure)."""
        return any(isinstance(c.fact, PledgeMissed) and c.figure is None for c in self.valid_claims)

    @property
    def valid_claims(self) -> list[FactInForce[Claim]]:
        """The claims about this question."""
        return [claim for claim in self.claims if not self.is_stale(claim.first_said_on)]


def compared(amount: Quantity | None, promise: Promise) -> Comparison | None:
    """An amount in the target's unit against the target; None where one of them is not there."""
    target = promise.absolute
    if amount is None or target is None:
        return None
    return compare(amount, target, promise.direction)


def is_final(candidate: Candidate, question: Question) -> bool:
    """Whether a figure is the last word (DOMAIN §6).

    It is if it says so, or if its period reaches the end of the window and it was said on or after that period's end.
    """
    if question.is_stale(candidate.item.said_on):
        return False
    if candidate.says_final is not None:
        return candidate.says_final
    deadline = None if question.window is None else question.window.earliest_deadline
    end = candidate.end
    return deadline is not None and end is not None and end >= deadline and candidate.item.said_on >= end


def is_last_word(candidate: Candidate, question: Question, as_of: date) -> bool:
    """Whether a figure is final on a day: one below the target may have to wait for the latest reading of the end."""
    if not is_final(candidate, question):
        return False
    is_below = compared(candidate.compared, question.promise) == "below"
    return not (is_below and _waits_for_the_latest(candidate, question, as_of))


def _waits_for_the_latest(candidate: Candidate, question: Question, as_of: date) -> bool:
    """Whether a figure below the target reaches the end, but the latest reading of it is still to come."""
    if candidate.says_final is not None or question.window is None or question.window.deadline is None:
        return False
    deadline, end = question.window.deadline, candidate.end
    return end is not None and end < deadline and as_of <= deadline


def keeps(actual: Actual | None, question: Question) -> Literal["met", "exceeded"] | None:
    """Whether an actual has kept the target: a running total at once, anything else once it is final.

    Levels, anything with direction down, and totals that are added up are no running totals.
    """
    if actual is None:
        return None
    outcome = compared(actual.compared, question.promise)
    if outcome not in ("met", "exceeded"):
        return None
    needs_final = question.promise.direction == "down" or actual.is_level or actual.is_added
    if needs_final and not is_final(actual.last, question):
        return None
    return "exceeded" if outcome == "exceeded" else "met"


def is_nothing(actual: Actual | None, promise: Promise) -> bool:
    """Whether what fell short is nothing at all: what is `missed` and not `partly_met`.

    At or below zero; with a baseline not a step from it; beyond a ceiling; no figure.
    """
    if actual is None or promise.is_ceiling:
        return True
    amount = actual.compared or actual.quantity
    interval, base, target = amount.interval, promise.base, promise.absolute
    if base is None:
        return interval.high is not None and interval.high <= 0
    if target is None or actual.compared is None or base.unit != target.unit:
        return False
    goes_down = promise.direction == "down" if target.value == base.value else target.value < base.value
    if goes_down:
        return interval.low is not None and interval.low >= base.value
    return interval.high is not None and interval.high <= base.value


def judge(question: Question, as_of: date) -> FigureStatus:
    """The headline by the figure alone, first match wins."""
    actual, promise = question.actual, question.promise
    if question.kept is not None:
        return question.kept
    outcome = question.comparison
    if actual is not None and outcome == "below" and promise.is_ceiling and not actual.is_level:
        return "missed"
    fell_short: FigureStatus = "missed" if is_nothing(actual, promise) else "partly_met"
    if question.is_admitted:
        return fell_short
    if actual is not None and promise.absolute is not None and is_final(actual.last, question):
        if outcome != "below":
            return "indeterminate"
        if not _waits_for_the_latest(actual.last, question, as_of):
            return fell_short
    if question.is_closed(as_of):
        return "overdue"
    return "announced" if actual is None else "in_progress"


def kept_on(question: Question, looked_at: Window | None) -> date | None:
    """The day of the figure that first kept the target (DOMAIN §6); None while it is not kept.

    It is the first day at which the figures up to then keep it, by the same choice. Figures are dated by the end of
    their period, else the day they were said, soon after the close of the window looked at the close.
    """
    if question.kept is None:
        return None
    choice, deadline = question.choice, None if looked_at is None else looked_at.deadline
    asked = question.promise, question.window, question.asked_on
    known = choice.kept.get(deadline)
    if known is None or known.asked != asked:
        known = _kept_before(choice, deadline, asked, looked_at) or FirstKept(asked, _first_kept(question, looked_at))
        choice.kept[deadline] = known
    return known.day


def _kept_before(
    choice: Choice, deadline: date | None, asked: tuple[object, ...], looked_at: Window | None
) -> FirstKept | None:
    """The day on which the figures without the last one kept the target, if that one is of a later day: it is the same.

    None if that is not known.
    """
    if choice.before is None:
        return None
    known, added = choice.before.kept.get(deadline), choice.before.added
    if known is None or known.asked != asked or known.day is None:
        return None
    is_later = counted_day(None, added.end, added.item.first_said_on, looked_at) > known.day
    return known if is_later else None


def _first_kept(question: Question, looked_at: Window | None) -> date | None:
    pool = [candidate for candidate in question.choice.candidates if candidate.aside is None]
    days = [counted_day(None, candidate.end, candidate.item.first_said_on, looked_at) for candidate in pool]
    ordered = sorted(zip(days, range(len(pool)), strict=True))
    so_far: list[Candidate] = []
    possible = _Possible(question)
    for place, (day, index) in enumerate(ordered):
        so_far.append(pool[index])
        possible.add(pool[index])
        is_last_of_the_day = place + 1 == len(ordered) or ordered[place + 1][0] != day
        if is_last_of_the_day and possible.is_so and keeps(actual_of(so_far, question.promise), question) is not None:
            return day
    return None


class _Possible:
    """Whether the figures so far may keep the target at all: what spares a choice among them for every day.

    In direction up they may once figures that do not overlap reach it together, whichever of them is chosen. A target
    at or below zero any figure may keep.
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        target = question.promise.absolute
        self._wanted = None if target is None or question.promise.direction == "down" else least_kept(target)
        self.is_so = self._wanted is not None and self._wanted <= 0
        self._ends: list[date] = []
        self._most: list[Decimal] = []
        """By the end of each figure, the most that figures which end by then and do not overlap come to."""

        self._loose = Decimal(0)
        """The sum of figures that end before one that was taken in earlier."""

    def add(self, candidate: Candidate) -> None:
        """Take in one more figure."""
        amount = candidate.compared
        if self.is_so or amount is None:
            return
        if self._wanted is None:
            self.is_so = is_final(candidate, self._question)
            return
        low = amount.interval.low
        if low is None or low <= 0:
            return
        start, end = candidate.span
        if self._ends and end < self._ends[-1]:
            self._loose = EXACT.add(self._loose, low)
        else:
            before = bisect_left(self._ends, start)
            together = EXACT.add(low, self._most[before - 1]) if before else low
            self._ends.append(end)
            self._most.append(max(together, self._most[-1]) if self._most else together)
        most = self._most[-1] if self._most else Decimal(0)
        self.is_so = EXACT.add(most, self._loose) >= self._wanted
