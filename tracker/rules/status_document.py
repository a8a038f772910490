"""The JSON document of a status (API: Status), assembled from what the rules found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from tracker.comparison import Ratio, progress, ratio
from tracker.currencies import TABLE_VERSION
from tracker.facts import AssessmentIssued, ShareReported, StatementMade
from tracker.promises import Baseline, JointParty, Recurrence
from tracker.quantity import EXACT, TOLERANCE, Interval, Quantity, plain, spanning
from tracker.rules.candidates import Candidate
from tracker.rules.evaluation import Evaluation
from tracker.rules.flags import Evidence
from tracker.rules.instalments import InstalmentResult
from tracker.rules.json_values import actual_json, conversion_json, dates_json, party_json, quantity_json
from tracker.rules.milestones import Milestone
from tracker.rules.outcome import Outcome, first_window, schedule, window_in_force
from tracker.rules.periods import PeriodResult, tally_of
from tracker.rules.rates import RATE_TABLE
from tracker.rules.verdict import Question
from tracker.rules.views import FactInForce, View
from tracker.values import Trajectory

RULES = "2"
"""Counts up with every change of a rule that can change an answer; docs/rules.md has the changelog."""

RULES_VERSION = f"{RULES}+{RATE_TABLE}+{TABLE_VERSION}"
"""Rules, rates and currency codes: what an answer follows from beside the events."""


def outline(
    pledge: str,
    evaluation: Evaluation,
    attested: Evidence,
    own: Trajectory,
    own_ratio: Ratio | None,
    past_targets: list[dict[str, Any]],
) -> dict[str, Any]:
    """The members of the API's Status in their order, without the clocks; those that depend on the day are None."""
    shown, question, made = evaluation.terms.shown, evaluation.answering, evaluation.view.made.fact
    actual, beneficiary = question.actual, shown.beneficiary
    return {
        "pledge": pledge,
        "title": shown.title,
        "pledgor": party_json(shown.pledgor),
        **({"joint": [_joint(one) for one in shown.joint]} if shown.joint else {}),
        "beneficiary": None if beneficiary is None else party_json(beneficiary),
        "kind": shown.kind,
        "tags": list(shown.tags),
        **({"part_of": made.part_of} if made.part_of is not None else {}),
        "status": None,
        "flags": None,
        "target": quantity_json(shown.absolute),
        **({"relative_target": quantity_json(shown.target)} if shown.is_relative else {}),
        **({"baseline": _baseline(shown.baseline)} if shown.baseline is not None else {}),
        "actual": actual_json(actual),
        "ratio": quantity_json(own_ratio),
        "progress": quantity_json(_progress(question)),
        **_announced(evaluation),
        "stage": None if actual is None else actual.stage,
        "period": None if actual is None or actual.period is None else dates_json(actual.period),
        "window": None if shown.window is None else dates_json(shown.window),
        **({"recurrence": _recurrence(shown.recurrence)} if shown.recurrence is not None else {}),
        "deadline": None,
        "direction": shown.direction,
        "answers_by": evaluation.answers_by,
        "required_stage": shown.required_stage,
        "schedule": None,
        "trajectory": own,
        "claimed_trajectory": _claimed(evaluation.view),
        **_optional(evaluation),
        "evidence": attested,
        "lifecycle": "active" if evaluation.lifecycle.stop is None else evaluation.lifecycle.stop.status,
        "past_targets": past_targets,
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
    deadline: date | None,
    instalments: tuple[InstalmentResult, ...],
    because: dict[str, tuple[str, ...]],
) -> dict[str, Any]:
    """The status document: the outline completed with what depends on the day."""
    found = {
        **outlined,
        "status": outcome.status,
        "flags": flags,
        "deadline": None if deadline is None else deadline.isoformat(),
        "schedule": _schedule(evaluation, outcome),
        "because": because,
    }
    if evaluation.steps.all:
        found["milestones"] = [_milestone(step, evaluation) for step in evaluation.steps.all]
    if evaluation.promise.recurrence is not None:
        found |= _periods(evaluation.periods, evaluation.promise.recurrence)
    if instalments:
        found["instalments"] = [
            {"due": one.instalment.due, "quantity": quantity_json(one.instalment.quantity), "state": one.state}
            for one in instalments
        ]
    return found


def ratio_of(question: Question) -> Ratio | None:
    """The actual over the target that it is judged by."""
    actual, target = question.actual, question.promise.absolute
    if actual is None or target is None or actual.compared is None:
        return None
    return ratio(actual.compared, target, question.promise.direction)


def _progress(question: Question) -> Ratio | None:
    actual, target = question.actual, question.promise.absolute
    if actual is None or target is None or actual.compared is None:
        return None
    return progress(actual.compared, target, question.promise.base, question.promise.direction)


def _schedule(evaluation: Evaluation, outcome: Outcome) -> dict[str, str]:
    return {
        "current": schedule(window_in_force(evaluation, outcome), evaluation, outcome),
        "original": schedule(first_window(evaluation), evaluation, outcome),
    }


def _joint(one: JointParty) -> dict[str, Any]:
    share = {} if one.share is None else {"share": plain(one.share)}
    return {"party": party_json(one.party), **share}


def _baseline(baseline: Baseline) -> dict[str, Any]:
    given = {name: value for name in ("on", "text") if (value := getattr(baseline, name)) is not None}
    return {"quantity": quantity_json(baseline.quantity), **given}


def _recurrence(recurrence: Recurrence) -> dict[str, str]:
    end = {} if recurrence.end is None else {"end": recurrence.end.isoformat()}
    return {"every": recurrence.every, "start": recurrence.start.isoformat(), **end}


def _announced(evaluation: Evaluation) -> dict[str, Any]:
    """What is only promised, in the order it was said."""
    amounts = [
        {
            "quantity": quantity_json(candidate.quantity),
            **({} if candidate.figure.period is None else {"period": dates_json(candidate.figure.period)}),
            "event": candidate.item.id,
        }
        for candidate in evaluation.question.choice.announced
    ]
    return {"announced_amounts": amounts} if amounts else {}


def _periods(periods: Iterable[PeriodResult], recurrence: Recurrence) -> dict[str, Any]:
    told = list(periods)
    tally = tally_of(told, recurrence)
    counts = {name: getattr(tally, name) for name in ("closed", "kept", "not_kept", "unreported", "undecided")}
    return {
        "periods": [
            {
                **dates_json(period.window),
                "status": period.status,
                "actual": actual_json(period.question.actual),
                "ratio": quantity_json(ratio_of(period.question)),
            }
            for period in told
        ],
        "periods_tally": ({} if tally.total is None else {"total": tally.total}) | counts,
    }


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
    if terms.first is not terms.shown:
        found["original"] = {
            "target": quantity_json(terms.first.absolute),
            "window": None if terms.first.window is None else dates_json(terms.first.window),
        }
    projection = evaluation.question.choice.projection
    if projection is not None and projection.figure is not None:
        figure = projection.figure
        found["projection"] = {
            "quantity": quantity_json(figure.quantity),
            "stage": figure.stage,
            "period": None if figure.period is None else dates_json(figure.period),
            "stated_on": projection.fact.stated_on.isoformat(),
            "event": projection.id,
        }
    if evaluation.group_result is not None:
        found["members"] = _members(evaluation)
    if evaluation.steps.all:
        found["milestones"] = None
    if evaluation.promise.recurrence is not None:
        found |= {"periods": None, "periods_tally": None}
    if evaluation.promise.instalments:
        found["instalments"] = None
    if evaluation.conditions:
        found["conditions"] = [
            {
                "condition": one.condition.condition,
                "text": one.condition.text,
                "state": one.state,
                **({} if one.item is None else {"event": one.item.id}),
            }
            for one in evaluation.conditions
        ]
    if shares := [_share(item, evaluation) for item in view.of(ShareReported)]:
        found["shares"] = shares
    if others := _other_measures(choice.candidates):
        found["other_measures"] = others
    if assessments := view.of(AssessmentIssued):
        found["assessment"] = _assessment(max(assessments, key=lambda item: item.last_said))
    conversions = () if choice.actual is None else choice.actual.conversions
    if conversions:
        found["conversion"] = conversion_json(conversions[0])
        if len(conversions) > 1:
            found["conversions"] = [conversion_json(how) for how in conversions]
    return found


def _members(evaluation: Evaluation) -> dict[str, Any]:
    result = evaluation.group_result
    assert result is not None
    found = {
        "eligible": result.eligible,
        "met": _count_json(result.count("met")),
        "not_met": _count_json(result.count("not_met")),
        "not_applicable": result.not_applicable,
        "opted_out": result.opted_out,
        "not_reported": result.not_reported,
        "total": result.total,
    }
    return found if result.projected is None else {**found, "projected": _count_json(result.projected)}


def _other_measures(candidates: Iterable[Candidate]) -> list[dict[str, Any]]:
    """The first figure of each other unit, and of shares of a baseline that is not known."""
    others: dict[str, Candidate] = {}
    for candidate in candidates:
        if candidate.aside is not None and candidate.aside[0] in ("other_measure", "no_baseline"):
            unit = candidate.figure.quantity.unit
            others[unit] = min(others.get(unit, candidate), candidate, key=lambda c: c.order)
    return [
        {
            "quantity": quantity_json(candidate.figure.quantity),
            "event": candidate.item.id,
            "stated_on": candidate.item.fact.stated_on.isoformat(),
        }
        for candidate in others.values()
    ]


def _milestone(step: Milestone, evaluation: Evaluation) -> dict[str, Any]:
    last = step.last
    return {
        "milestone": step.milestone,
        "due": step.due,
        "first_due": step.first_due,
        "state": step.state,
        "late": step.was_late or step.is_waiting(evaluation.as_of),
        "stated_on": None if last is None else last.fact.stated_on.isoformat(),
        "event": None if last is None else last.id,
    }


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
