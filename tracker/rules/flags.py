"""Evidence and flags beside the headline, each with the events that caused it (DOMAIN §6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Literal

from tracker.comparison import is_envelope
from tracker.facts import (
    EventCorrected,
    EventVoided,
    MemberReported,
    MilestoneMissed,
    MilestoneReached,
    StatementRetracted,
    TallyReported,
)
from tracker.promise_facts import Fact
from tracker.rules.candidates import PLEDGE_FIGURES
from tracker.rules.claims import conflicting, unproven
from tracker.rules.days import stale_after
from tracker.rules.evaluation import Evaluation
from tracker.rules.figures import Reports
from tracker.rules.instalments import InstalmentResult
from tracker.rules.outcome import KEPT, Outcome, core_causes, figure_causes, first_window, kept_since, with_more
from tracker.rules.periods import tally_of
from tracker.rules.rates import SOURCE
from tracker.rules.sums import Pair
from tracker.rules.views import FactInForce
from tracker.values import Nature, Window

Evidence = Literal["none", "single_source", "corroborated", "disputed", "retracted"]

FLAGS = (
    "disputed",
    "suspected_unit_error",
    "suspected_duplicate",
    "falling_total",
    "added_totals",
    "overlap",
    "assertion_conflict",
    "unproven_claim",
    "tally_mismatch",
    "converted",
    "late",
    "revised_target",
    "revised_after_close",
    "envelope",
    "conditional",
    "instalment_overdue",
    "reinstated",
    "broken_period",
    "provisional",
    "estimated",
    "stale",
    "single_source",
)
"""Every flag, in the order in which they are listed."""

Caused = tuple[str, frozenset[str]]
"""A flag and the ids of the events that raised it."""


def evidence(evaluation: Evaluation) -> tuple[Evidence, frozenset[str]]:
    """How well the actual, the members or the milestones are attested, and by which events."""
    choice, view = evaluation.choice, evaluation.view
    figures = figure_causes(evaluation)
    if choice.contradicted:
        return "disputed", with_more(figures, choice.contradicted)
    reports, reporting = attesting(evaluation)
    causes = view.acting_on(*reporting) | evaluation.milestone_causes
    if evaluation.group_result is not None:
        causes |= evaluation.group_result.causes
    if reports:
        if reports is choice.corroborating:
            causes |= choice.attesting - figures
        else:
            causes |= {id_ for origins in reports for item in origins for id_ in item.causes}
        word: Evidence = "corroborated" if min(map(len, reports)) > 1 else "single_source"
        return word, with_more(figures, causes)
    taken_back = [item for item in view.taken_back if isinstance(item.fact, reporting)]
    if reporting is PLEDGE_FIGURES:
        taken_back = [item for item in taken_back if item.figure is not None]
    causes |= {id_ for item in taken_back for id_ in (*item.causes, view.retracted[item.id])}
    return "retracted" if taken_back else "none", with_more(figures, causes)


def attesting(evaluation: Evaluation) -> tuple[Sequence[Reports], tuple[type[Fact], ...]]:
    """For each report that decides one of each origin that says the same; and the types of fact that decide."""
    of_figure = evaluation.choice.corroborating
    match evaluation.answers_by:
        case "members":
            assert evaluation.group_result is not None
            found = evaluation.group_result.attesting
            return found or of_figure, (MemberReported, TallyReported)
        case "steps":
            reports = [step.unbroken for step in evaluation.steps.all if step.reports]
            of_steps = [_of_each_origin(items) for items in reports]
            return of_steps or of_figure, (MilestoneReached, MilestoneMissed)
    return of_figure, PLEDGE_FIGURES


def _of_each_origin(items: Iterable[FactInForce[Fact]]) -> tuple[FactInForce[Fact], ...]:
    found: dict[str, FactInForce[Fact]] = {}
    for item in items:
        found.setdefault(item.origin, item)
    return tuple(found.values())


def flags(
    evaluation: Evaluation,
    outcome: Outcome,
    attested: tuple[Evidence, frozenset[str]],
    instalments: tuple[InstalmentResult, ...],
) -> list[Caused]:
    """The flags that are up, in the order of `FLAGS`, each with the events that raised it."""
    if outcome not in evaluation.flags:
        evaluation.flags[outcome] = dict(_lasting(evaluation, outcome, attested))
    found = evaluation.flags[outcome] | dict(_of_the_day(evaluation, outcome, instalments))
    return [(name, found[name]) for name in FLAGS if name in found] if found else []


def _of_the_day(
    evaluation: Evaluation, outcome: Outcome, instalments: tuple[InstalmentResult, ...]
) -> Iterator[Caused]:
    """The flags that go up because a day has passed."""
    if is_late(evaluation, outcome):
        yield "late", outcome.causes | core_causes(evaluation)
    if _is_stale(evaluation, outcome):
        yield "stale", outcome.causes | _latest_causes(evaluation)
    if any(one.state == "overdue" for one in instalments):
        yield "instalment_overdue", outcome.causes | figure_causes(evaluation)


def _lasting(evaluation: Evaluation, outcome: Outcome, attested: tuple[Evidence, frozenset[str]]) -> Iterator[Caused]:
    """The flags that are the same on every day with one outcome."""
    terms = evaluation.terms
    yield from _of_figures(evaluation)
    yield from _of_claims(evaluation, outcome)
    if evaluation.group_result is not None and evaluation.group_result.mismatch:
        yield "tally_mismatch", evaluation.group_result.causes | terms.causes
    if terms.revised_target:
        yield "revised_target", terms.causes
    if terms.revised_after_close:
        yield "revised_after_close", terms.causes
    if is_envelope(evaluation.promise.absolute, evaluation.promise.direction):
        yield "envelope", terms.causes
    if evaluation.has_open_condition:
        yield "conditional", outcome.causes
    if evaluation.lifecycle.is_reinstated:
        yield "reinstated", outcome.causes
    recurrence = evaluation.promise.recurrence
    if recurrence is not None and tally_of(evaluation.periods, recurrence).not_kept:
        yield "broken_period", outcome.causes | figure_causes(evaluation)
    if attested[0] == "single_source":
        yield "single_source", attested[1]


def _of_figures(evaluation: Evaluation) -> Iterator[Caused]:
    """What is wrong between the figures, and how the actual came about."""
    choice, actual = evaluation.choice, evaluation.choice.actual
    natures: frozenset[Nature] = frozenset() if actual is None else actual.natures
    if evaluation.answers_by == "members" and evaluation.group_result is not None:
        natures |= evaluation.group_result.natures
    if not choice.candidates and not natures:
        return
    causes = figure_causes(evaluation)
    for name, ids in (
        ("disputed", choice.contradicted),
        ("suspected_unit_error", choice.unit_errors),
        ("falling_total", choice.falls),
    ):
        if ids:
            yield name, causes | ids
    if actual is not None:
        for name, pairs in (("suspected_duplicate", choice.duplicates), ("overlap", actual.overlaps)):
            if pairs:
                yield name, _causes_of_pairs(evaluation, name, pairs)
        if actual.is_added:
            yield "added_totals", causes
        if any(how.rate is not None or how.provider == SOURCE for how in actual.conversions):
            yield "converted", causes
    if evaluation.group_result is not None:
        causes |= evaluation.group_result.causes
    if "provisional" in natures:
        yield "provisional", causes
    if "estimate" in natures:
        yield "estimated", causes


def _causes_of_pairs(evaluation: Evaluation, name: str, pairs: Iterable[Pair]) -> frozenset[str]:
    if name not in evaluation.known:
        of_pairs = {id_ for pair in pairs for one in pair for id_ in one.item.causes}
        evaluation.known[name] = figure_causes(evaluation) | of_pairs
    return evaluation.known[name]


def _of_claims(evaluation: Evaluation, outcome: Outcome) -> Iterator[Caused]:
    if not evaluation.question.claims and not evaluation.periods and evaluation.group_result is None:
        return
    for name, items in (
        ("assertion_conflict", conflicting(evaluation, outcome)),
        ("unproven_claim", unproven(evaluation, outcome)),
    ):
        if items:
            yield name, outcome.causes | core_causes(evaluation) | {id_ for item in items for id_ in item.causes}


def is_late(evaluation: Evaluation, outcome: Outcome) -> bool:
    """Whether what met it lies after the first window, or a step after its own due (DOMAIN §6; POINTS, Steps)."""
    if evaluation.answers_by == "periods":
        return any(period.is_kept_late for period in evaluation.periods)
    first = first_window(evaluation)
    if outcome.core in KEPT and first is not None and first.deadline is not None:
        day = kept_since(evaluation, first)
        if day is not None and day > first.deadline:
            return True
    if evaluation.answers_by != "steps":
        return False
    deadline = None if evaluation.window is None else evaluation.window.deadline
    is_settled = outcome.core == "overdue" or (deadline is not None and evaluation.as_of > deadline)
    return evaluation.steps.are_late(first or evaluation.window, evaluation.as_of, is_settled=is_settled)


def _is_stale(evaluation: Evaluation, outcome: Outcome) -> bool:
    if outcome.status not in ("announced", "in_progress"):
        return False
    day = stale_from(evaluation)
    return day is not None and evaluation.as_of >= day


def stale_from(evaluation: Evaluation) -> date | None:
    """The day on which too long nothing will have been said of an open pledge; None beyond the calendar's end."""
    window, recurrence = evaluation.question.window, evaluation.promise.recurrence
    if recurrence is not None:
        window = Window.model_construct(start=recurrence.start, end=recurrence.end or date.max, latest=None, text=None)
    said, silence = evaluation.view.latest.fact.in_force_on, stale_after(window)
    return None if date.max - said < silence else said + silence


def _latest_causes(evaluation: Evaluation) -> set[str]:
    """The ids of the latest statement, and of what took later ones away."""
    view = evaluation.view
    taking = {item.id for item in view.of(EventVoided, EventCorrected, StatementRetracted)}
    return set(view.latest.causes) | (taking & {id_ for id_, _ in view.acting})
