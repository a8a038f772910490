"""The JSON document of a status (API: Status), assembled from what the rules found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tracker.comparison import Ratio
from tracker.currencies import TABLE_VERSION
from tracker.facts import (
    AssessmentIssued,
    PledgeSuperseded,
    PledgeWithdrawn,
    ShareReported,
    StatementMade,
)
from tracker.quantity import EXACT, TOLERANCE, Interval, Quantity, plain, spanning
from tracker.rules.candidates import PLEDGE_FIGURES, Candidate
from tracker.rules.evaluation import Evaluation
from tracker.rules.flags import Evidence
from tracker.rules.json_values import conversion_json, dates_json, party_json, quantity_json
from tracker.rules.outcome import Outcome, deadline_of, schedule
from tracker.rules.pledge_history import FactInForce, View
from tracker.rules.rates import RATE_TABLE
from tracker.values import Trajectory

RULES = "1"
"""Counts up with every change of a rule that can change an answer; docs/rules.md has the changelog."""

RULES_VERSION = f"{RULES}+{RATE_TABLE}+{TABLE_VERSION}"
"""Rules, rates and currency codes: what an answer follows from beside the events."""


def outline(
    pledge: str, evaluation: Evaluation, share: Ratio | None, attested: Evidence, own: Trajectory
) -> dict[str, Any]:
    """The members of the API's Status in their order, without the clocks; those that depend on the day are None."""
    terms, actual, made = evaluation.terms, evaluation.choice.actual, evaluation.view.made.fact
    return {
        "pledge": pledge,
        "title": terms.title,
        "pledgor": party_json(made.pledgor),
        "beneficiary": None if made.beneficiary is None else party_json(made.beneficiary),
        "kind": terms.kind,
        "tags": list(made.tags),
        **({"part_of": made.part_of} if made.part_of is not None else {}),
        "status": None,
        "flags": None,
        "target": quantity_json(terms.target),
        "actual": None if actual is None else quantity_json(actual.quantity),
        "ratio": None if share is None else quantity_json(share),
        "stage": None if actual is None else actual.stage,
        "period": None if actual is None or actual.period is None else dates_json(actual.period),
        "window": None if terms.window is None else dates_json(terms.window),
        "deadline": None,
        "direction": terms.direction,
        "required_stage": terms.required_stage,
        "schedule": None,
        "trajectory": own,
        "claimed_trajectory": _claimed(evaluation.view),
        **_optional(evaluation),
        "evidence": attested,
        "lifecycle": None,
        "past_targets": None,
        "because": None,
        "tolerance": plain(TOLERANCE),
        "rules_version": RULES_VERSION,
        "last_stated_on": evaluation.view.latest.fact.stated_on.isoformat(),
    }


def status_document(
    outlined: dict[str, Any],
    evaluation: Evaluation,
    outcome: Outcome,
    flags: tuple[str, ...],
    past_targets: list[dict[str, Any]],
    because: dict[str, tuple[str, ...]],
) -> dict[str, Any]:
    """The status document: the outline completed with what depends on the day."""
    return {
        **outlined,
        "status": outcome.status,
        "flags": flags,
        "deadline": None if evaluation.deadline is None else evaluation.deadline.isoformat(),
        "schedule": _schedule(evaluation, outcome),
        **({"milestones": _milestones(evaluation)} if evaluation.steps else {}),
        "lifecycle": outcome.status if outcome.status in ("withdrawn", "superseded") else "active",
        "past_targets": past_targets,
        "because": because,
    }


def _schedule(evaluation: Evaluation, outcome: Outcome) -> dict[str, str]:
    as_of = evaluation.as_of
    steps = () if evaluation.terms.target is not None or outcome.status == "not_measurable" else evaluation.steps
    current = deadline_of(evaluation.terms.window, steps)
    original = deadline_of(evaluation.terms.first_window, steps)
    return {"current": schedule(current, outcome, as_of), "original": schedule(original, outcome, as_of)}


def _claimed(view: View) -> list[dict[str, Any]]:
    return [
        {
            "trajectory": item.fact.trajectory,
            "speaker": None if item.fact.speaker is None else party_json(item.fact.speaker),
            "stated_on": item.fact.stated_on.isoformat(),
            "event": item.id,
        }
        for item in view.of(StatementMade)
        if item.fact.trajectory is not None
    ]


def _optional(evaluation: Evaluation) -> dict[str, Any]:
    """The members of the document that are left out where they would be empty."""
    view, terms, choice = evaluation.view, evaluation.terms, evaluation.choice
    found: dict[str, Any] = {}
    first = terms.changes[0]
    if len(terms.changes) > 1:
        found["original"] = {
            "target": quantity_json(first.target),
            "window": None if first.window is None else dates_json(first.window),
        }
    if choice.projection is not None and choice.projection.figure is not None:
        figure = choice.projection.figure
        found["projection"] = {
            "quantity": quantity_json(figure.quantity),
            "stage": figure.stage,
            "period": None if figure.period is None else dates_json(figure.period),
            "stated_on": choice.projection.fact.stated_on.isoformat(),
            "event": choice.projection.id,
        }
    if evaluation.group_result is not None:
        counts = evaluation.group_result.counts
        names = ("eligible", "met", "not_met", "not_applicable", "opted_out", "not_reported", "total")
        found["members"] = {name: _count_json(getattr(counts, name)) for name in names}
        if counts.projected is not None:
            found["members"]["projected"] = _count_json(counts.projected)
    if evaluation.steps:
        found["milestones"] = None
    if shares := [_share(item, evaluation) for item in view.of(ShareReported)]:
        found["shares"] = shares
    others: dict[str, Candidate] = {}
    for candidate in (c for c in choice.candidates if c.aside is not None and c.aside[0] == "other_measure"):
        unit = candidate.figure.quantity.unit
        others[unit] = min(others.get(unit, candidate), candidate, key=lambda c: c.order)
    if others:
        found["other_measures"] = [
            {
                "quantity": quantity_json(candidate.figure.quantity),
                "event": candidate.item.id,
                "stated_on": candidate.item.fact.stated_on.isoformat(),
            }
            for candidate in others.values()
        ]
    if assessments := view.of(AssessmentIssued):
        found["assessment"] = _assessment(max(assessments, key=lambda item: item.last_said))
    parts = () if choice.actual is None else choice.actual.parts
    conversions = [part.conversion for part in parts if part.conversion is not None]
    if conversions:
        found["conversion"] = conversion_json(conversions[0])
        if len(conversions) > 1:
            found["conversions"] = [conversion_json(c) for c in conversions]
    return found


def _milestones(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [
        {
            "milestone": step.milestone,
            "due": step.due,
            "first_due": step.first_due,
            "state": step.state,
            "late": step.late,
            "stated_on": None if step.stated_on is None else step.stated_on.isoformat(),
            "event": step.event,
        }
        for step in evaluation.steps
    ]


def _count_json(value: int | Quantity | None) -> int | dict[str, str] | None:
    return quantity_json(value) if isinstance(value, Quantity) else value


def _share(item: FactInForce[ShareReported], evaluation: Evaluation) -> dict[str, Any]:
    """A share with the bound that follows from it, never an exact residual."""
    fact = item.fact
    whole: Quantity | None = None
    of = fact.of
    if of is not None:
        figure = next((i.figure for i in evaluation.view.items if i.id == of), None)
        whole = None if figure is None else figure.quantity
    elif evaluation.choice.actual is not None:
        of, whole = evaluation.choice.actual.lead.item.id, evaluation.choice.actual.quantity
    return {
        "subset": fact.subset,
        "share": quantity_json(fact.share),
        "of": of,
        "bound": quantity_json(None if whole is None else _bound(fact.share, whole)),
        "derived": True,
        "event": item.id,
    }


def _bound(share: Quantity, whole: Quantity) -> Quantity | None:
    part, all_ = share.interval, whole.interval
    if part.low is None or all_.low is None or all_.low < 0:
        return None
    hundredth = Decimal("0.01")
    high = None
    if part.high is not None and all_.high is not None:
        high = EXACT.multiply(EXACT.multiply(part.high, all_.high), hundredth)
    low = EXACT.multiply(EXACT.multiply(part.low, all_.low), hundredth)
    return spanning(Interval(low, high, part.low_open or all_.low_open, part.high_open or all_.high_open), whole.unit)


def _assessment(item: FactInForce[AssessmentIssued]) -> dict[str, str]:
    fact = item.fact
    return {
        "rating": fact.rating,
        "rubric": fact.rubric,
        "rubric_version": fact.rubric_version,
        "reasoning": fact.reasoning,
        "stated_on": fact.stated_on.isoformat(),
        "event": item.id,
    }


def because_of(
    evaluation: Evaluation,
    outcome: Outcome,
    attested: tuple[Evidence, frozenset[str]],
    raised: list[tuple[str, frozenset[str]]],
    versions: dict[str, int],
) -> dict[str, tuple[str, ...]]:
    """The ids of the events that caused each axis, figure and flag, by version: from them alone it follows."""
    view, terms, choice = evaluation.view, evaluation.terms, evaluation.choice
    figures = terms.causes | choice.causes | view.acting_on(*PLEDGE_FIGURES)
    lifecycle = terms.causes | view.acting_on(PledgeWithdrawn, PledgeSuperseded)
    causes: dict[str, frozenset[str]] = {
        "status": outcome.causes,
        "lifecycle": outcome.causes if outcome.status in ("withdrawn", "superseded") else lifecycle,
        "schedule": outcome.causes | (evaluation.milestone_causes if terms.target is None else set()),
        "trajectory": figures,
        "evidence": attested[1],
        "target": terms.causes,
        "actual": figures,
        "ratio": figures,
    }
    if choice.projection is not None:
        causes["projection"] = figures.union(choice.projection.causes)
    if evaluation.group_result is not None:
        causes["members"] = evaluation.group_result.causes | terms.causes
    causes |= dict(raised)
    ordered = {ids: tuple(sorted(ids, key=versions.__getitem__)) for ids in set(causes.values())}
    return {name: ordered[ids] for name, ids in causes.items()}
