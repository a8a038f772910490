"""Recurring pledges: each period is judged as a pledge with that window (DOMAIN §6; POINTS, Recurrence)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Literal

from tracker.facts import Claim
from tracker.promise_facts import Fact
from tracker.promises import Recurrence
from tracker.rules.candidates import CandidateReader, day_of, figure_of
from tracker.rules.figures import choose_among
from tracker.rules.terms import Promise, Terms
from tracker.rules.verdict import FigureStatus, Question, judge, kept_on
from tracker.rules.views import FactInForce
from tracker.values import Window

PeriodStatus = FigureStatus | Literal["withdrawn", "superseded"]

PERIODS_AHEAD = 60
"""A recurrence without an end is told for so many periods after the last thing said; then somebody has to say more."""

KEPT, NOT_KEPT = ("met", "exceeded"), ("partly_met", "missed")
STOPPED = ("withdrawn", "superseded")


@dataclass(frozen=True, slots=True)
class Stop:
    """Since when and how a pledge is no longer active."""

    on: date
    status: Literal["withdrawn", "superseded"]


@dataclass(frozen=True, slots=True)
class PeriodResult:
    """One period, its question and its answer on a day."""

    window: Window
    question: Question
    status: PeriodStatus
    is_closed: bool

    @property
    def is_kept(self) -> bool:
        """Whether the target was kept in it."""
        return self.status in KEPT

    @property
    def is_kept_late(self) -> bool:
        """Whether what kept it lies after its end."""
        if not self.is_kept or self.window.deadline is None:
            return False
        day = kept_on(self.question, self.window)
        return day is not None and day > self.window.deadline


@dataclass(frozen=True, slots=True)
class PeriodsTally:
    """How the closed periods came out; `total` is None for a recurrence without an end."""

    total: int | None
    kept: int = 0
    not_kept: int = 0
    unreported: int = 0
    undecided: int = 0

    @property
    def closed(self) -> int:
        """How many periods have closed."""
        return self.kept + self.not_kept + self.unreported + self.undecided


def tally_of(periods: Sequence[PeriodResult], recurrence: Recurrence) -> PeriodsTally:
    """The closed periods counted by their answers; those that were open on a withdrawal are in no count."""
    closed = [p.status for p in periods if p.is_closed and p.status not in STOPPED]
    kept = sum(1 for status in closed if status in KEPT)
    not_kept = sum(1 for status in closed if status in NOT_KEPT)
    undecided = closed.count("indeterminate")
    total = None if recurrence.end is None else len(periods)
    return PeriodsTally(total, kept, not_kept, len(closed) - kept - not_kept - undecided, undecided)


def headline_of(periods: Sequence[PeriodResult], tally: PeriodsTally, *, has_closed: bool) -> FigureStatus:
    """The headline of a recurring pledge; `has_closed` once the last period has."""
    if not has_closed:
        return "in_progress" if any(p.question.actual is not None for p in periods) else "announced"
    if tally.kept == len(periods):
        return "met"
    if tally.kept:
        return "partly_met"
    return "overdue" if tally.undecided or tally.unreported else "missed"


def with_figure(periods: Sequence[PeriodResult]) -> PeriodResult | None:
    """The last period with a figure, which gives the pledge's actual."""
    return next((period for period in reversed(periods) if period.question.actual is not None), None)


def windows_of(recurrence: Recurrence, as_of: date, last_said: date) -> list[Window]:
    """Every period of a recurrence; without an end those that have begun, up to its `horizon`."""
    return periods_until(recurrence, recurrence.end or min(as_of, horizon(recurrence, last_said)))


def periods_until(recurrence: Recurrence, last: date) -> list[Window]:
    """The periods of a recurrence that begin by a day."""
    return [_window(start, recurrence) for start in recurrence.starts(last)]


def horizon(recurrence: Recurrence, last_said: date) -> date:
    """The start of the last period that a recurrence without an end is told for."""
    known = sum(1 for _ in recurrence.starts(last_said))
    return list(islice(recurrence.starts(date.max.replace(year=date.max.year - 1)), known + PERIODS_AHEAD))[-1]


def current_window(recurrence: Recurrence, as_of: date, last_said: date) -> Window:
    """The period that a day lies in; before the first the first, after the last the last."""
    last = as_of if recurrence.end is not None else min(as_of, horizon(recurrence, last_said))
    start = recurrence.start
    for start in recurrence.starts(last):  # noqa: B007
        pass
    return _window(start, recurrence)


def _window(start: date, recurrence: Recurrence) -> Window:
    last = recurrence.last_day_of(start)
    return Window.model_construct(start=start, end=last, latest=None, text=None)


@dataclass(slots=True)
class Periods:
    """The periods of a recurring pledge on the days of one view: the question of each is asked once."""

    terms: Terms
    items: Sequence[FactInForce[Fact]]
    """The reported figures."""

    claims: Sequence[FactInForce[Claim]]
    stop: Stop | None
    last_said: date
    has_no_close: bool
    _asked: dict[tuple[date, bool, int], Question]

    def on(self, recurrence: Recurrence, as_of: date) -> tuple[PeriodResult, ...]:
        """Each period as it is judged on a day."""
        windows = windows_of(recurrence, as_of, self.last_said)
        return tuple(self._judged(window, windows, as_of) for window in windows)

    def _judged(self, window: Window, windows: Sequence[Window], as_of: date) -> PeriodResult:
        assert window.start is not None
        assert window.end is not None
        is_closed = as_of > window.end
        upto = min(as_of, window.end)
        asked_on = self.terms.asked_anew(upto)
        key = (window.start, is_closed, 0 if asked_on is None else asked_on.toordinal())
        if key not in self._asked:
            promise = self.terms.judged_on(window.end) if is_closed else self.terms.judged
            self._asked[key] = self._question(window, windows, promise, asked_on)
        question = self._asked[key]
        status: PeriodStatus = judge(question, as_of)
        if self.stop is not None and self.stop.on <= window.end:
            status = self.stop.status
        return PeriodResult(window, question, status, is_closed)

    def _question(self, window: Window, windows: Sequence[Window], promise: Promise, asked_on: date | None) -> Question:
        inside = [item for item in self.items if lies_in(item, window)]
        ids = {item.id for item in inside}
        return Question(
            promise,
            window,
            choose_among(inside, promise, window.start, CandidateReader()),
            tuple(claim for claim in self.claims if _is_about(claim, ids, window, windows)),
            asked_on,
            self.has_no_close,
        )


def lies_in(item: FactInForce[Fact], window: Window) -> bool:
    """Whether a figure's period lies in a period: a level by its end, an increment without one by the day it was said.

    A total without a start or without a period is set aside.
    """
    figure, day = figure_of(item), day_of(item)
    assert window.start is not None
    assert window.end is not None
    if figure.basis == "level" or (figure.basis == "increment" and figure.period is None):
        return window.start <= day <= window.end
    if figure.period is None or figure.period.start is None:
        return False
    return window.start <= figure.period.start and day <= window.end


def _is_about(claim: FactInForce[Claim], inside: set[str], window: Window, windows: Sequence[Window]) -> bool:
    """A claim with a figure is about the figure's period, one without about the latest that had closed."""
    if claim.figure is not None:
        return claim.id in inside
    closed = [one for one in windows if one.end is not None and claim.first_said_on > one.end]
    return bool(closed) and closed[-1] == window
