"""The headline: one word for where a pledge stands on a day, and the schedule that follows from it (DOMAIN §6)."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tracker.promise_facts import ConditionReported, PledgeReaffirmed, PledgeSuperseded, PledgeWithdrawn
from tracker.rules.candidates import PLEDGE_FIGURES
from tracker.rules.days import due_soon
from tracker.rules.evaluation import Evaluation
from tracker.rules.members import GroupResult
from tracker.rules.periods import headline_of, tally_of
from tracker.rules.verdict import FigureStatus, judge, kept_on
from tracker.values import Window

Headline = Literal[
    "withdrawn",
    "superseded",
    "conditional",
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
LifecycleState = Literal["active", "withdrawn", "superseded"]
ScheduleState = Literal["no_deadline", "open", "due_soon", "overdue", "kept_on_time", "kept_late", "closed"]

KEPT = ("met", "exceeded")
CLOSED = ("withdrawn", "superseded", "missed", "partly_met", "indeterminate")
"""Headlines that settle a pledge without it being kept."""

DUE = (*KEPT, "partly_met", "missed", "indeterminate", "overdue")
"""Headlines of which it can be asked whether the pledge was kept: its time is up, or what was done settles it.

What was withdrawn or replaced is not among them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The headline, and the ids of the events that caused it.

    `core` is what figures, members, steps or periods say by themselves, whatever the lifecycle and the conditions.
    """

    status: Headline
    core: FigureStatus
    is_conditional: bool
    causes: frozenset[str]


def decide(evaluation: Evaluation) -> Outcome:
    """The first headline of DOMAIN §6 that holds."""
    core = core_of(evaluation)
    is_conditional = evaluation.has_open_condition and core not in KEPT
    status: Headline = core
    if evaluation.lifecycle.stop is not None:
        status = evaluation.lifecycle.stop.status
    elif is_conditional:
        status = "conditional"
    elif not evaluation.is_measurable:
        status = "not_measurable"
    return Outcome(status, core, is_conditional, _causes(evaluation, status))


def core_of(evaluation: Evaluation) -> FigureStatus:
    """What figures, members, steps or periods say by themselves."""
    question, as_of = evaluation.question, evaluation.as_of
    match evaluation.answers_by:
        case "periods":
            recurrence = evaluation.promise.recurrence
            assert recurrence is not None
            has_ended = recurrence.end is not None and as_of > recurrence.end
            tally = tally_of(evaluation.periods, recurrence)
            return headline_of(evaluation.periods, tally, has_closed=has_ended and not evaluation.has_open_condition)
        case "members":
            assert evaluation.group_result is not None
            found = _of_members(evaluation, evaluation.group_result)
        case "steps":
            found = _of_steps(evaluation)
        case _:
            return judge(question, as_of)
    return "in_progress" if found == "announced" and question.actual is not None else found


def _of_members(evaluation: Evaluation, result: GroupResult) -> FigureStatus:
    group, window = evaluation.promise.group, evaluation.window
    has_end = window is not None and window.deadline is not None
    kept = result.kept
    is_over = evaluation.is_closed or not has_end or evaluation.has_open_condition
    if kept is not None and ((group is not None and group.rule == "count_at_least") or is_over):
        return kept
    some = result.met.low > 0
    if kept is None and evaluation.question.is_admitted:
        return "partly_met" if some else "missed"
    if evaluation.is_closed:
        return "partly_met" if some else "missed" if result.is_none_of_all else "overdue"
    return "in_progress" if result.is_reported else "announced"


def _of_steps(evaluation: Evaluation) -> FigureStatus:
    steps = evaluation.steps
    if steps.are_done:
        return "met"
    if evaluation.question.is_admitted:
        return "partly_met" if steps.are_begun else "missed"
    has_deadline = evaluation.window is not None and evaluation.window.deadline is not None
    is_decided = not has_deadline and steps.are_decided and not evaluation.has_open_condition
    if (evaluation.is_closed or is_decided) and steps.are_begun:
        return "partly_met"
    if (evaluation.is_closed or is_decided) and steps.are_missed:
        return "missed"
    last_is_overdue = steps.last_is_overdue(evaluation.as_of) and not evaluation.has_open_condition
    if evaluation.is_closed or last_is_overdue:
        return "overdue"
    return "in_progress" if steps.are_reported else "announced"


def _causes(evaluation: Evaluation, status: Headline) -> frozenset[str]:
    """The ids of the events from which the headline follows."""
    if "status" not in evaluation.known:
        evaluation.known["status"] = _causes_of(evaluation, status)
    return evaluation.known["status"]


def _causes_of(evaluation: Evaluation, status: Headline) -> frozenset[str]:
    view, terms = evaluation.view, evaluation.terms
    causes = terms.causes | view.acting_on(PledgeWithdrawn, PledgeSuperseded, PledgeReaffirmed)
    causes |= {i for item in view.of(PledgeWithdrawn, PledgeReaffirmed, PledgeSuperseded) for i in item.causes}
    if status in ("withdrawn", "superseded"):
        return frozenset(causes)
    if evaluation.conditions:
        causes |= view.acting_on(ConditionReported)
        causes |= {i for c in evaluation.conditions if c.item is not None for i in c.item.causes}
    if terms.judged.target is None or evaluation.answers_by == "steps":
        causes |= evaluation.milestone_causes
    if status == "not_measurable":
        return frozenset(causes)
    if evaluation.group_result is not None:
        causes |= evaluation.group_result.causes
    return with_more(figure_causes(evaluation), causes)


def figure_causes(evaluation: Evaluation) -> frozenset[str]:
    """The ids of the events from which the chosen figure follows, and what is claimed of it."""
    if "figures" not in evaluation.known:
        evaluation.known["figures"] = _figure_causes(evaluation)
    return evaluation.known["figures"]


def _figure_causes(evaluation: Evaluation) -> frozenset[str]:
    questions = (evaluation.question, *(period.question for period in evaluation.periods))
    claims = {id_ for one in questions for claim in one.claims if claim.figure is None for id_ in claim.causes}
    first, *others = (one.choice.causes for one in questions)
    return first.union(evaluation.terms.causes, evaluation.view.acting_on(*PLEDGE_FIGURES), claims, *others)


def with_more(causes: frozenset[str], more: Set[str]) -> frozenset[str]:
    """Causes and some more; the same object where they have them all, of which very many are ordered once."""
    return causes if more <= causes else causes.union(more)


def all_figures(evaluation: Evaluation) -> frozenset[str]:
    """The ids of the events of every figure that may answer: from them follows which one was the first to keep it."""
    if "all figures" not in evaluation.known:
        evaluation.known["all figures"] = _all_figures(evaluation)
    return evaluation.known["all figures"]


def _all_figures(evaluation: Evaluation) -> frozenset[str]:
    questions = (evaluation.question, *(period.question for period in evaluation.periods))
    pool = [candidate.item for one in questions for candidate in one.choice.candidates if candidate.aside is None]
    return with_more(figure_causes(evaluation), {id_ for item in pool for id_ in item.causes})


def core_causes(evaluation: Evaluation) -> frozenset[str]:
    """The ids of the events from which follows what was kept, and when, whatever the lifecycle."""
    found = all_figures(evaluation) | evaluation.milestone_causes
    return found if evaluation.group_result is None else found | evaluation.group_result.causes


def kept_since(evaluation: Evaluation, looked_at: Window | None) -> date | None:
    """The day of what met it: the figure that first kept the target, the last member or step that was needed."""
    match evaluation.answers_by:
        case "periods":
            return None
        case "members":
            assert evaluation.group_result is not None
            return evaluation.group_result.kept_since(looked_at)
        case "steps":
            return evaluation.steps.kept_since(looked_at)
    return kept_on(evaluation.question, looked_at)


def first_window(evaluation: Evaluation) -> Window | None:
    """The window of `PledgeMade` itself; of a recurrence the current period of it."""
    first = evaluation.terms.first
    if first.recurrence is None:
        return first.window
    if first.recurrence == evaluation.promise.recurrence:
        return evaluation.window
    return evaluation.current(first.recurrence)


def window_in_force(evaluation: Evaluation, outcome: Outcome) -> Window | None:
    """The window that the pledge stands to; steps that measure nothing give none."""
    if outcome.status == "not_measurable" and evaluation.promise.recurrence is None:
        return evaluation.promise.window
    return evaluation.window


def deadline_in_force(evaluation: Evaluation, outcome: Outcome) -> date | None:
    """The last day in time; None without one, and while the pledge is conditional."""
    window = window_in_force(evaluation, outcome)
    return None if window is None or outcome.status == "conditional" else window.deadline


def schedule(window: Window | None, evaluation: Evaluation, outcome: Outcome) -> ScheduleState:
    """Where the pledge stands to one window: still open, kept in time or late, or closed (DOMAIN §6; POINTS)."""
    deadline = None if window is None else window.deadline
    if window is None or deadline is None or outcome.status == "conditional":
        return "no_deadline"
    if outcome.status in CLOSED:
        return "closed"
    if outcome.status in KEPT:
        if evaluation.periods:
            return "kept_late" if any(period.is_kept_late for period in evaluation.periods) else "kept_on_time"
        day = kept_since(evaluation, window)
        return "kept_late" if day is not None and day > deadline else "kept_on_time"
    if evaluation.as_of > deadline:
        return "overdue"
    return "due_soon" if deadline - evaluation.as_of <= due_soon(window) else "open"
