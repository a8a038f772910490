"""The JSON document of a status (API: Status), assembled from what the rules found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tracker.facts import (
    AssessmentIssued,
    PledgeMade,
    PledgeSuperseded,
    PledgeWithdrawn,
    ShareReported,
    StatementMade,
)
from tracker.quantity import EXACT, TOLERANCE, Interval, Quantity, Ratio, plain, spanning
from tracker.rules.candidates import PLEDGE_FIGURES, Candidate
from tracker.rules.flags import Evidence
from tracker.rules.outcome import Evaluation, Outcome, deadline_of, schedule, step_causes
from tracker.rules.pledge_history import FactInForce, View
from tracker.rules.rates import TABLE, Conversion
from tracker.values import Party, Period, Trajectory, Window

RULES = "1"
"""Counts up with every change of a rule that can change an answer; docs/rules.md has the changelog."""

RULES_VERSION = f"{RULES}+{TABLE}"


def outline(
    pledge: str, facts: Evaluation, actual: Quantity | None, share: Ratio | None, attested: Evidence, own: Trajectory
) -> dict[str, Any]:
    """The members of API's Status in their order, without the clocks; what depends on the day is still None."""
    terms, answer, made = facts.terms, facts.choice.answer, facts.view.made.fact
    assert isinstance(made, PledgeMade)
    return {
        "pledge": pledge,
        "title": terms.title,
        "pledgor": party(made.pledgor),
        "beneficiary": None if made.beneficiary is None else party(made.beneficiary),
        "kind": terms.kind,
        "tags": list(made.tags),
        **({"part_of": made.part_of} if made.part_of is not None else {}),
        "status": None,
        "flags": None,
        "target": quantity(terms.target),
        "actual": quantity(actual),
        "ratio": None if share is None else quantity(share),
        "stage": None if answer is None else answer.stage,
        "period": None if answer is None or answer.period is None else dates(answer.period),
        "window": None if terms.window is None else dates(terms.window),
        "deadline": None,
        "direction": terms.direction,
        "required_stage": terms.required_stage,
        "schedule": None,
        "trajectory": own,
        "claimed_trajectory": _claimed(facts.view),
        **_optional(facts),
        "evidence": attested,
        "lifecycle": None,
        "past_targets": None,
        "because": None,
        "tolerance": plain(TOLERANCE),
        "rules_version": RULES_VERSION,
        "last_stated_on": facts.view.latest.fact.stated_on.isoformat(),
    }


def status_document(
    outlined: dict[str, Any],
    facts: Evaluation,
    outcome: Outcome,
    flags: tuple[str, ...],
    past_targets: list[dict[str, Any]],
    because: dict[str, tuple[str, ...]],
) -> dict[str, Any]:
    """The outline with what depends on the day."""
    return {
        **outlined,
        "status": outcome.status,
        "flags": flags,
        "deadline": None if facts.deadline is None else facts.deadline.isoformat(),
        "schedule": _schedule(facts, outcome),
        **({"milestones": _milestones(facts)} if facts.steps else {}),
        "lifecycle": outcome.status if outcome.status in ("withdrawn", "superseded") else "active",
        "past_targets": past_targets,
        "because": because,
    }


def _schedule(facts: Evaluation, outcome: Outcome) -> dict[str, str]:
    as_of = facts.as_of
    steps = () if facts.terms.target is not None or outcome.status == "not_measurable" else facts.steps
    current = deadline_of(facts.terms.window, steps)
    original = deadline_of(facts.terms.first_window, steps)
    return {"current": schedule(current, outcome, as_of), "original": schedule(original, outcome, as_of)}


def _claimed(view: View) -> list[dict[str, Any]]:
    return [
        {
            "trajectory": item.fact.trajectory,
            "speaker": None if item.fact.speaker is None else party(item.fact.speaker),
            "stated_on": item.fact.stated_on.isoformat(),
            "event": item.id,
        }
        for item in view.of(StatementMade)
        if isinstance(item.fact, StatementMade) and item.fact.trajectory is not None
    ]


def _optional(facts: Evaluation) -> dict[str, Any]:
    """The members of the document that are there only when there is something to say."""
    view, terms, choice = facts.view, facts.terms, facts.choice
    found: dict[str, Any] = {}
    first = terms.changes[0]
    if len(terms.changes) > 1:
        found["original"] = {
            "target": quantity(first.target),
            "window": None if first.window is None else dates(first.window),
        }
    if choice.projection is not None and choice.projection.figure is not None:
        figure = choice.projection.figure
        found["projection"] = {
            "quantity": quantity(figure.quantity),
            "stage": figure.stage,
            "period": None if figure.period is None else dates(figure.period),
            "stated_on": choice.projection.fact.stated_on.isoformat(),
            "event": choice.projection.id,
        }
    if facts.result is not None:
        members = facts.result.members
        names = ("eligible", "met", "not_met", "not_applicable", "opted_out", "not_reported", "total")
        found["members"] = {name: _count(getattr(members, name)) for name in names}
        if members.projected is not None:
            found["members"]["projected"] = _count(members.projected)
    if facts.steps:
        found["milestones"] = None
    if shares := [_share(item, facts) for item in view.of(ShareReported)]:
        found["shares"] = shares
    others: dict[str, Candidate] = {}
    for reading in (r for r in choice.readings if r.aside is not None and r.aside[0] == "other_measure"):
        others[reading.figure.quantity.unit] = min(
            others.get(reading.figure.quantity.unit, reading), reading, key=lambda r: r.order
        )
    if others:
        found["other_measures"] = [
            {
                "quantity": quantity(r.figure.quantity),
                "event": r.item.id,
                "stated_on": r.item.fact.stated_on.isoformat(),
            }
            for r in others.values()
        ]
    if verdicts := view.of(AssessmentIssued):
        found["assessment"] = _assessment(max(verdicts, key=lambda item: (item.said_on, item.version)))
    conversions = (
        [] if choice.answer is None else [p.conversion for p in choice.answer.parts if p.conversion is not None]
    )
    if conversions:
        found["conversion"] = conversion(conversions[0])
        if len(conversions) > 1:
            found["conversions"] = [conversion(c) for c in conversions]
    return found


def _milestones(facts: Evaluation) -> list[dict[str, Any]]:
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
        for step in facts.steps
    ]


def _count(value: int | Quantity | None) -> int | dict[str, str] | None:
    return quantity(value) if isinstance(value, Quantity) else value


def _share(item: FactInForce, facts: Evaluation) -> dict[str, Any]:
    """A share with the bound that follows from it, never an exact residual."""
    fact = item.fact
    assert isinstance(fact, ShareReported)
    whole: Quantity | None = None
    of = fact.of
    if of is not None:
        figure = next((i.figure for i in facts.view.items if i.id == of), None)
        whole = None if figure is None else figure.quantity
    elif facts.choice.answer is not None:
        of, whole = facts.choice.answer.lead.item.id, facts.choice.answer.quantity
    return {
        "subset": fact.subset,
        "share": quantity(fact.share),
        "of": of,
        "bound": quantity(None if whole is None else _bound(fact.share, whole)),
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


def _assessment(item: FactInForce) -> dict[str, str]:
    fact = item.fact
    assert isinstance(fact, AssessmentIssued)
    return {
        "rating": fact.rating,
        "rubric": fact.rubric,
        "rubric_version": fact.rubric_version,
        "reasoning": fact.reasoning,
        "stated_on": fact.stated_on.isoformat(),
        "event": item.id,
    }


def because_of(
    facts: Evaluation,
    outcome: Outcome,
    attested: tuple[Evidence, frozenset[str]],
    raised: list[tuple[str, frozenset[str]]],
    versions: dict[str, int],
) -> dict[str, tuple[str, ...]]:
    """For each axis, figure and flag the events that caused it, by version; with them alone it would be the same."""
    view, terms, choice = facts.view, facts.terms, facts.choice
    figures = terms.causes | choice.causes | view.acting_on(*PLEDGE_FIGURES)
    lifecycle = terms.causes | view.acting_on(PledgeWithdrawn, PledgeSuperseded)
    causes: dict[str, frozenset[str]] = {
        "status": outcome.causes,
        "lifecycle": outcome.causes if outcome.status in ("withdrawn", "superseded") else lifecycle,
        "schedule": outcome.causes | (step_causes(facts) if terms.target is None else set()),
        "trajectory": figures,
        "evidence": attested[1],
        "target": terms.causes,
        "actual": figures,
        "ratio": figures,
    }
    if choice.projection is not None:
        causes["projection"] = figures.union(choice.projection.causes)
    if facts.result is not None:
        causes["members"] = facts.result.causes | terms.causes
    causes |= dict(raised)
    ordered = {ids: tuple(sorted(ids, key=versions.__getitem__)) for ids in set(causes.values())}
    return {name: ordered[ids] for name, ids in causes.items()}


def party(value: Party) -> dict[str, str]:
    """A party as JSON."""
    return {"name": value.name} if value.code is None else {"name": value.name, "code": value.code}


def quantity(value: Quantity | Ratio | None) -> dict[str, str] | None:
    """A quantity or ratio as JSON, decimals as plain strings."""
    if value is None:
        return None
    found: dict[str, str] = {"op": value.op, "value": plain(value.value)}
    if value.upper is not None:
        found["upper"] = plain(value.upper)
    if isinstance(value, Quantity):
        found["unit"] = value.unit
        if value.text is not None:
            found["text"] = value.text
    return found


def dates(value: Period | Window) -> dict[str, str]:
    """A period or window as JSON, without what is not given."""
    found = {name: day.isoformat() for name in _DAYS if (day := getattr(value, name, None)) is not None}
    return found | {"text": value.text} if isinstance(value, Window) and value.text is not None else found


_DAYS = ("start", "end", "latest")


def conversion(how: Conversion) -> dict[str, Any]:
    """How an amount was converted, as JSON; ``rate`` and ``date`` are null where no rate is published."""
    found: dict[str, Any] = {
        "from": how.from_unit,
        "to": how.to_unit,
        "rate": None if how.rate is None else plain(how.rate),
        "date": None if how.date is None else how.date.isoformat(),
        "provider": how.provider,
    }
    if how.to_rate is not None:
        found["to_rate"] = plain(how.to_rate)
    return found
