"""The evaluation of a day: all that the headline, the flags and the status document are decided on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from tracker.facts import Claim, PledgeExceeded, PledgeMet, PledgeMissed
from tracker.promise_facts import PledgeReaffirmed, PledgeSuperseded, PledgeWithdrawn, StatedFact
from tracker.promises import Recurrence
from tracker.rules.candidates import PLEDGE_FIGURES
from tracker.rules.carried import Chooser
from tracker.rules.conditions import ConditionResult, conditions_of
from tracker.rules.figures import Choice, listed
from tracker.rules.members import GroupResult, group_result
from tracker.rules.milestones import MILESTONE_FACTS, Steps, steps_of
from tracker.rules.periods import PeriodResult, Periods, Stop, current_window, with_figure
from tracker.rules.terms import Evening, EveningOf, Promise, Terms, terms_of
from tracker.rules.verdict import Question
from tracker.rules.views import FactInForce, View
from tracker.values import Window

CLAIMS = (PledgeMet, PledgeExceeded, PledgeMissed)
"""Asserted claims: with a figure, or without."""

AnswersBy = Literal["figures", "members", "steps", "periods"]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Whether the pledge stands: withdrawn by the latest of withdrawal and reaffirmation, superseded, else active."""

    stop: Stop | None
    is_reinstated: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the facts in force say on a day: the terms, the question and its figure, the members, the steps."""

    as_of: date
    view: View
    terms: Terms
    lifecycle: Lifecycle
    conditions: tuple[ConditionResult, ...]
    question: Question
    """Of a recurring pledge without figures: those are asked for each period."""

    group_result: GroupResult | None
    steps: Steps
    answers_by: AnswersBy
    """What decides: the periods, the members, the steps or the figure."""

    answering: Question
    """The question whose figure is the actual: of a recurring pledge that of the last period with one."""

    periods_of_view: Periods | None = None
    periods: tuple[PeriodResult, ...] = ()
    known: dict[object, frozenset[str]] = field(default_factory=dict)
    """Causes that were found already: they are the same on every day of the view, but of a recurring pledge."""

    flags: dict[object, dict[str, frozenset[str]]] = field(default_factory=dict)
    """The flags of each outcome that no day raises, with their causes: the same for the same days."""

    because: dict[object, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """The causes of each outcome but for the flags: the same for the same days."""

    def on(self, as_of: date) -> Evaluation:
        """The evaluation of another day of the same view."""
        if as_of == self.as_of and (self.periods or self.periods_of_view is None):
            return self
        if self.periods_of_view is None or self.promise.recurrence is None:
            return Evaluation(
                as_of,
                self.view,
                self.terms,
                self.lifecycle,
                self.conditions,
                self.question,
                self.group_result,
                self.steps,
                self.answers_by,
                self.answering,
                known=self.known,
                flags=self.flags,
                because=self.because,
            )
        periods = self.periods_of_view.on(self.promise.recurrence, as_of)
        last = with_figure(periods)
        answering = self.question if last is None else last.question
        return replace(self, as_of=as_of, periods=periods, answering=answering, known={}, flags={}, because={})

    @property
    def promise(self) -> Promise:
        """What the pledge is judged by."""
        return self.terms.judged

    @property
    def choice(self) -> Choice:
        """The chosen figure and what is wrong between the figures."""
        return self.answering.choice

    @property
    def window(self) -> Window | None:
        """The window in force: that of the current period, the given one, or one to the last due of the steps."""
        recurrence = self.promise.recurrence
        return self.question.window if recurrence is None else self.current(recurrence)

    def current(self, recurrence: Recurrence) -> Window:
        """The current period of a recurrence."""
        return current_window(recurrence, self.as_of, self.view.latest.fact.in_force_on)

    @property
    def has_open_condition(self) -> bool:
        """Whether a condition is open or failed."""
        return any(condition.holds_back for condition in self.conditions)

    @property
    def is_closed(self) -> bool:
        """Whether the latest reading of the deadline has passed."""
        deadline = None if self.window is None else self.window.deadline
        return deadline is not None and self.as_of > deadline and not self.has_open_condition

    @property
    def is_measurable(self) -> bool:
        """Whether there is anything by which the pledge can be judged (DOMAIN §6, `not_measurable`)."""
        promise, steps = self.promise, self.steps.all
        if not self.view.made.fact.measurable or (promise.is_relative and promise.absolute is None):
            return False
        if promise.kind == "qualitative":
            return bool(steps)
        return promise.target is not None or promise.group is not None or bool(steps)

    @property
    def milestone_causes(self) -> set[str]:
        """The ids of the events that made the milestones what they are."""
        if not self.steps.all and not self.view.acting:
            return set()
        of_steps = {id_ for step in self.steps.all for item in step.items for id_ in item.causes}
        return self.view.acting_on(*MILESTONE_FACTS) | of_steps


def evaluate(view: View, as_of: date, chooser: Chooser, evening: EveningOf) -> Evaluation:
    """What the facts in force on a view's days say."""
    asked: list[date] = []

    def noted(day: date) -> Evening | None:
        asked.append(day)
        return evening(day)

    terms = terms_of(view, noted)
    promise, lifecycle = terms.judged, _lifecycle(view)
    conditions = conditions_of(view, promise)
    held_back = any(condition.holds_back for condition in conditions)
    claims: tuple[FactInForce[Claim], ...] = tuple(view.of(*CLAIMS))
    steps = steps_of(view, terms, noted)
    if asked:
        terms = replace(terms, causes=terms.causes | view.ids)
    periods: Periods | None = None
    if promise.recurrence is not None:
        items = [item for item in view.of(*PLEDGE_FIGURES) if item.figure is not None]
        periods = Periods(terms, items, claims, lifecycle.stop, view.latest.fact.in_force_on, held_back, {})
        choice, window, claims = listed(items, promise, chooser.reader), None, ()
    else:
        window = _window(promise, steps)
        choice = chooser.choose(view, promise, None if window is None else window.start)
    question = Question(promise, window, choice, claims, terms.asked_anew(date.max), held_back)
    result = group_result(view, promise)
    answers_by: AnswersBy = "steps" if _answers_by_steps(promise, steps) else "figures"
    if promise.recurrence is not None:
        answers_by = "periods"
    elif promise.counts_members and result is not None:
        answers_by = "members"
    found = Evaluation(
        as_of, view, terms, lifecycle, conditions, question, result, steps, answers_by, question, periods
    )
    return found.on(as_of)


def _answers_by_steps(promise: Promise, steps: Steps) -> bool:
    if promise.counts_members or not steps.all:
        return False
    return promise.kind in ("milestone", "qualitative") or promise.target is None


def _window(promise: Promise, steps: Steps) -> Window | None:
    """The window that is given; where it gives no deadline, up to the last due of the steps that decide."""
    given = promise.window
    if (given is not None and given.deadline is not None) or not _answers_by_steps(promise, steps):
        return given
    last = steps.last_due
    if last is None:
        return given
    return Window.model_construct(start=None if given is None else given.start, end=last, latest=None, text=None)


def _lifecycle(view: View) -> Lifecycle:
    turns = sorted(view.of(PledgeWithdrawn, PledgeReaffirmed), key=lambda item: item.last_said)
    withdrawn: FactInForce[StatedFact] | None = None
    was_withdrawn = False
    for item in turns:
        if isinstance(item.fact, PledgeReaffirmed):
            withdrawn = None
        else:
            withdrawn, was_withdrawn = withdrawn or item, True
    if withdrawn is not None:
        return Lifecycle(Stop(withdrawn.said_on, "withdrawn"), is_reinstated=False)
    superseded = min(view.of(PledgeSuperseded), key=lambda item: item.last_said, default=None)
    stop = None if superseded is None else Stop(superseded.said_on, "superseded")
    return Lifecycle(stop, was_withdrawn)
