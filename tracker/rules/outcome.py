"""The headline: one word for where a pledge stands on a day, and the day on which it was settled (DOMAIN §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from tracker.comparison import Comparison, compare
from tracker.facts import PledgeMissed, PledgeSuperseded, PledgeWithdrawn
from tracker.quantity import Quantity
from tracker.rules.candidates import PLEDGE_FIGURES
from tracker.rules.evaluation import MILESTONE_FACTS, Evaluation
from tracker.rules.figures import Actual, reached_on
from tracker.rules.members import GroupResult
from tracker.rules.milestones import Milestone, last_due
from tracker.rules.terms import Terms
from tracker.values import Window

Headline = Literal[
    "withdrawn",
    "superseded",
    "not_measurable",
    "exceeded",
    "met",
    "partly_met",
    "missed",
    "indeterminate",
    "overdue",
    "in_progress",
    "announced",
]
Lifecycle = Literal["active", "withdrawn", "superseded"]
ScheduleState = Literal["no_deadline", "open", "due_soon", "overdue", "closed_on_time", "closed_late"]

DUE_SOON = timedelta(days=30)
"""A deadline that is no further away is due soon."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The headline and the ids of the events that caused it.

    `settled_on` is the day from which nothing more is expected, None while something is.
    """

    status: Headline
    causes: frozenset[str]
    comparison: Comparison | None = None
    settled_on: date | None = None


def decide(evaluation: Evaluation) -> Outcome:
    """The first headline of DOMAIN §6 that holds."""
    view, terms = evaluation.view, evaluation.terms
    acting = view.acting_on(PledgeWithdrawn, PledgeSuperseded)
    for name, cls in (("withdrawn", PledgeWithdrawn), ("superseded", PledgeSuperseded)):
        if items := view.of(cls):
            ended = min(items, key=lambda item: item.last_said)
            return Outcome(
                "withdrawn" if name == "withdrawn" else "superseded",
                terms.causes | acting | set(ended.causes),
                settled_on=ended.said_on,
            )
    causes = terms.causes | acting
    if not evaluation.is_measurable:
        return Outcome("not_measurable", causes | view.acting_on(*MILESTONE_FACTS))
    if terms.target is None:
        causes = causes | evaluation.milestone_causes
    if terms.group is not None and terms.group.rule != "aggregate" and evaluation.group_result is not None:
        return _of_members(evaluation, evaluation.group_result, causes)
    if evaluation.steps and terms.target is None:
        return _of_steps(evaluation, causes)
    return _of_figure(evaluation, causes | view.acting_on(*PLEDGE_FIGURES))


def _of_members(evaluation: Evaluation, result: GroupResult, causes: frozenset[str] | set[str]) -> Outcome:
    causes = frozenset(causes | result.causes)
    group = evaluation.terms.group
    assert group is not None
    met, eligible = result.counts.met, result.counts.eligible
    if group.rule == "count_at_least" and group.count is not None and isinstance(met, int) and met >= group.count:
        word: Headline = "exceeded" if met > group.count else "met"
        return Outcome(word, causes, settled_on=_reached_on(result, group.count))
    all_met = result.is_complete and eligible is not None and eligible > 0 and met == eligible
    if group.rule == "each_member" and evaluation.deadline is None:
        settled = max((item.said_on for item in result.items), default=None)
        if all_met:
            return Outcome("met", causes, settled_on=settled)
        return Outcome("in_progress" if result.is_reported else "announced", causes)
    if not evaluation.is_closed:
        return Outcome("in_progress" if result.is_reported else "announced", causes)
    if all_met and group.rule == "each_member":
        return Outcome("met", causes, settled_on=evaluation.deadline)
    settled = evaluation.deadline if result.is_complete else None
    if result.some_met:
        return Outcome("partly_met", causes, settled_on=settled)
    return Outcome("missed" if result.is_complete else "overdue", causes, settled_on=settled)


def _reached_on(result: GroupResult, count: int) -> date | None:
    """The day on which so many had met it: of the last member needed, else of the tally."""
    days = sorted(row.item.said_on for row in result.rows if row.verdict == "met" and row.item is not None)
    return days[count - 1] if len(days) >= count else max((item.said_on for item in result.items), default=None)


def _of_steps(evaluation: Evaluation, causes: frozenset[str] | set[str]) -> Outcome:
    steps = evaluation.steps
    causes = frozenset(causes)
    reached = [step for step in steps if step.state == "reached"]
    decided = [step.decided_on for step in steps if step.decided_on is not None]
    some = any(step.state in ("reached", "partly_reached") for step in steps)
    if len(reached) == len(steps):
        return Outcome("met", causes, settled_on=max(decided))
    all_decided = all(step.state != "scheduled" for step in steps)
    closed = evaluation.is_closed or (evaluation.deadline is None and all_decided)
    if closed and some:
        return Outcome("partly_met", causes, settled_on=max(decided) if all_decided else None)
    if closed and all_decided:
        return Outcome("missed", causes, settled_on=max(decided))
    if evaluation.is_closed or _last_is_overdue(evaluation):
        return Outcome("overdue", causes)
    return Outcome("in_progress" if decided else "announced", causes)


def _last_is_overdue(evaluation: Evaluation) -> bool:
    """Whether the step that is due last has not been reached in time, whatever the window leaves (POINTS)."""
    last = last_due(evaluation.steps)
    if last is None or evaluation.as_of <= last:
        return False
    return any(step.state != "reached" and step.deadline == last for step in evaluation.steps)


def _of_figure(evaluation: Evaluation, causes: frozenset[str] | set[str]) -> Outcome:
    view, terms, choice = evaluation.view, evaluation.terms, evaluation.choice
    actual = choice.actual
    admissions = [i for i in view.of(PledgeMissed) if i.figure is None and not terms.raised_after(i)]
    causes = frozenset(causes | choice.causes | {id_ for item in admissions for id_ in item.causes})
    comparison = _compared(actual, terms)
    is_final = actual is not None and (actual.final or bool(admissions))
    settled = None if actual is None else actual.day
    if actual is not None and comparison in ("exceeded", "met") and (is_final or _needs_no_end(actual, terms)):
        if _needs_no_end(actual, terms) and (first := reached_on(choice, lambda q: _keeps(q, terms))):
            settled, causes = first[0], causes | first[1]
        return Outcome("exceeded" if comparison == "exceeded" else "met", causes, comparison, settled)
    if actual is not None and is_final and comparison == "below":
        zero = actual.quantity.certainly_zero or (admissions and not _may_be_above_zero(actual.quantity))
        return Outcome("missed" if zero else "partly_met", causes, comparison, settled)
    if admissions and (actual is None or not _may_be_above_zero(actual.quantity)):
        return Outcome("missed", causes, comparison, max(item.said_on for item in admissions))
    if is_final and terms.target is not None:
        return Outcome("indeterminate", causes, comparison or "unknown", settled)
    if evaluation.is_closed and not is_final:
        return Outcome("overdue", causes, comparison)
    return Outcome("in_progress" if actual is not None else "announced", causes, comparison)


def _compared(actual: Actual | None, terms: Terms) -> Comparison | None:
    """The actual against the target: None without one of them, `unknown` where no rate makes them comparable."""
    if actual is None or terms.target is None:
        return None
    if actual.compared is None or actual.compared.unit != terms.target.unit:
        return "unknown"
    return compare(actual.compared, terms.target, terms.direction)


def _keeps(quantity: Quantity, terms: Terms) -> bool:
    target = terms.target
    if target is None or quantity.unit != target.unit:
        return False
    return compare(quantity, target, terms.direction) in ("met", "exceeded")


def _needs_no_end(actual: Actual, terms: Terms) -> bool:
    """A running total that has reached its target has met it; a level or a ceiling only at the end."""
    ceiling = terms.target is not None and terms.target.op in ("le", "lt")
    return terms.direction == "up" and not ceiling and not actual.is_level


def _may_be_above_zero(quantity: Quantity) -> bool:
    high = quantity.interval.high
    return high is None or high > 0


def schedule(window_deadline: date | None, outcome: Outcome, as_of: date) -> ScheduleState:
    """Where the pledge stands to one deadline: still open, or closed on time or late (POINTS)."""
    if window_deadline is None:
        return "no_deadline"
    if outcome.settled_on is not None:
        return "closed_on_time" if outcome.settled_on <= window_deadline else "closed_late"
    if as_of > window_deadline:
        return "overdue"
    return "due_soon" if window_deadline - as_of <= DUE_SOON else "open"


def deadline_of(window: Window | None, steps: tuple[Milestone, ...]) -> date | None:
    """The deadline of a window; that of the last milestone where the window gives none."""
    given = None if window is None else window.deadline
    return given if given is not None else last_due(steps)
