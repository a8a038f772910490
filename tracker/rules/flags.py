"""Evidence, trajectory and flags beside the headline, each with the events that caused it (DOMAIN §6)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from tracker.comparison import compare, may_exceed
from tracker.facts import (
    EventCorrected,
    EventVoided,
    Fact,
    MemberReported,
    PledgeExceeded,
    PledgeMet,
    PledgeMissed,
    PledgeRevised,
    StatementRetracted,
    TallyReported,
)
from tracker.quantity import EXACT, Interval, Quantity
from tracker.rules.candidates import PLEDGE_FIGURES, day_of
from tracker.rules.evaluation import Evaluation
from tracker.rules.figures import Actual
from tracker.rules.outcome import Outcome
from tracker.rules.pledge_history import FactInForce
from tracker.rules.rates import convert
from tracker.values import Trajectory

Evidence = Literal["none", "single_source", "corroborated", "disputed", "retracted"]

FLAGS = (
    "disputed",
    "suspected_unit_error",
    "falling_total",
    "overlap",
    "assertion_conflict",
    "unproven_claim",
    "tally_mismatch",
    "converted",
    "late",
    "revised_target",
    "provisional",
    "stale",
    "single_source",
)
"""Every flag, in the order in which they are listed."""

STALE_AFTER = timedelta(days=180)
"""An open pledge of which nothing was said for so long is stale."""

TRAJECTORY_BAND = Decimal("0.10")
"""On track is within this share of what was expected, either way."""

Caused = tuple[str, frozenset[str]]
"""A flag and the ids of the events that raised it."""


def evidence(evaluation: Evaluation) -> tuple[Evidence, frozenset[str]]:
    """How well the actual, the members or the milestones are attested, and by which events."""
    choice, view = evaluation.choice, evaluation.view
    causes = choice.causes | evaluation.terms.causes | view.acting_on(*PLEDGE_FIGURES)
    if choice.disputed or choice.falls:
        return "disputed", frozenset(causes | choice.disputed | choice.falls)
    if choice.actual is not None:
        two = choice.corroborating[:2]
        extra = {id_ for r in choice.candidates if r.item.id in two for id_ in r.item.causes}
        return "corroborated" if len(two) == 2 else "single_source", frozenset(causes | extra)
    causes |= view.acting_on(MemberReported, TallyReported)
    if evaluation.group_result is not None and evaluation.group_result.is_reported:
        supporting = _origins_of_members(evaluation)
        causes |= evaluation.group_result.causes | {id_ for item in supporting for id_ in item.causes}
        return "corroborated" if len(supporting) > 1 else "single_source", frozenset(causes)
    causes |= evaluation.milestone_causes
    decided = [step for step in evaluation.steps if step.decided_on is not None]
    if decided:
        origins = [len({item.origin for item in step.items if _decides(item)}) for step in decided]
        return "corroborated" if min(origins) > 1 else "single_source", frozenset(causes)
    taken_back = [item for item in view.taken_back if isinstance(item.fact, PLEDGE_FIGURES) and item.figure is not None]
    causes |= {id_ for item in taken_back for id_ in (*item.causes, view.retracted[item.id])}
    return "retracted" if taken_back else "none", frozenset(causes)


def _decides(item: FactInForce[Fact]) -> bool:
    return item.fact.type in ("MilestoneReached", "MilestoneMissed")


def _origins_of_members(evaluation: Evaluation) -> list[FactInForce[Fact]]:
    """One report of each origin that gives the counted result as a whole."""
    result = evaluation.group_result
    assert result is not None
    found: dict[str, FactInForce[Fact]] = {}
    rows = [row.item for row in result.rows if row.item is not None and isinstance(row.item.fact, MemberReported)]
    if result.is_complete and len(rows) == len(result.rows) and len({item.origin for item in rows}) == 1:
        found[rows[0].origin] = rows[0]
    for item in evaluation.view.of(TallyReported):
        if item.fact.nature != "projection" and item.fact.met == result.counts.met:
            found.setdefault(item.origin, item)
    return list(found.values())


def trajectory(evaluation: Evaluation) -> Trajectory:
    """The actual against the linear share of `start`→`end` elapsed at the figure's day, within ±10 %.

    Unknown for levels, ceilings and reductions, without a start and an end, and where the bounds allow two readings.
    """
    actual, terms = evaluation.choice.actual, evaluation.terms
    window, target = terms.window, terms.target
    if actual is None or target is None or window is None or window.start is None or window.end is None:
        return "unknown"
    if actual.is_level or actual.compared is None or terms.direction == "down" or target.op in ("le", "lt"):
        return "unknown"
    elapsed = (min(actual.day, window.end) - window.start).days + 1
    if elapsed <= 0 or target.value <= 0:
        return "unknown"
    expected = EXACT.divide(target.value * elapsed, Decimal((window.end - window.start).days + 1))
    band = Interval(expected * (1 - TRAJECTORY_BAND), expected * (1 + TRAJECTORY_BAND))
    said = actual.compared.interval
    if said.within(band):
        return "on_track"
    if said.meets(band):
        return "unknown"
    return "ahead" if said.low is not None and band.high is not None and said.low >= band.high else "behind"


def flags(evaluation: Evaluation, outcome: Outcome, attested: tuple[Evidence, frozenset[str]]) -> list[Caused]:
    """The flags that are up, in the order of `FLAGS`, each with the events that raised it."""
    found = dict(_raised(evaluation, outcome, attested))
    return [(name, found[name]) for name in FLAGS if name in found]


def _raised(evaluation: Evaluation, outcome: Outcome, attested: tuple[Evidence, frozenset[str]]) -> Iterator[Caused]:
    view, terms, choice = evaluation.view, evaluation.terms, evaluation.choice
    on_figures = terms.causes | view.acting_on(*PLEDGE_FIGURES)
    if choice.disputed or choice.falls:
        yield "disputed", frozenset(choice.disputed | choice.falls | choice.causes | on_figures)
    for name, ids in (
        ("suspected_unit_error", choice.unit_errors),
        ("falling_total", choice.falls),
        ("overlap", choice.overlaps),
    ):
        if ids:
            yield name, frozenset(ids | choice.causes | on_figures)
    if conflicting := _conflicting(evaluation):
        yield "assertion_conflict", frozenset({i for item in conflicting for i in item.causes} | on_figures)
    if unproven := _unproven(evaluation, outcome):
        causes = {i for item in unproven for i in item.causes}
        yield "unproven_claim", frozenset(causes | choice.causes | on_figures | outcome.causes)
    if evaluation.group_result is not None and evaluation.group_result.mismatch:
        yield "tally_mismatch", frozenset(evaluation.group_result.causes | terms.causes)
    if choice.actual is not None and any(p.conversion and p.conversion.rate for p in choice.actual.parts):
        yield "converted", frozenset(choice.causes | on_figures)
    if _is_late(evaluation, outcome):
        yield "late", outcome.causes | frozenset(i for s in evaluation.steps for item in s.items for i in item.causes)
    if revisions := [item for item in view.of(PledgeRevised) if item.fact.target is not None]:
        yield "revised_target", frozenset({i for item in revisions for i in item.causes} | terms.causes)
    if choice.actual is not None and choice.actual.nature == "provisional":
        yield "provisional", frozenset(choice.causes | on_figures)
    last = view.latest
    if outcome.status in ("announced", "in_progress") and evaluation.as_of - last.fact.in_force_on >= STALE_AFTER:
        taking = {item.id for item in view.of(EventVoided, EventCorrected, StatementRetracted)}
        yield "stale", outcome.causes | set(last.causes) | (taking & {id_ for id_, _ in view.acting})
    if attested[0] == "single_source":
        yield "single_source", attested[1]


def _conflicting(evaluation: Evaluation) -> list[FactInForce[Fact]]:
    """Claims that their own figure contradicts, under the target in force when they were made."""
    terms = evaluation.terms
    found = [] if evaluation.group_result is None else list(evaluation.group_result.contradicting)
    for item in evaluation.view.of(PledgeMet, PledgeExceeded, PledgeMissed):
        target = terms.at(item).target
        if item.figure is None or item.figure.attribution != "all" or target is None:
            continue
        actual, _ = convert(item.figure.quantity, target.unit, day_of(item))
        if actual is not None and _contradicts(item, actual, target, evaluation):
            found.append(item)
    return found


def _contradicts(item: FactInForce[Fact], actual: Quantity, target: Quantity, evaluation: Evaluation) -> bool:
    direction = evaluation.terms.direction
    if isinstance(item.fact, PledgeExceeded):
        return not may_exceed(actual, target, direction)
    result = compare(actual, target, direction)
    return result == "below" if isinstance(item.fact, PledgeMet) else result in ("met", "exceeded")


def _unproven(evaluation: Evaluation, outcome: Outcome) -> list[FactInForce[Fact]]:
    """Claims without a figure that neither the chosen figure nor the headline proves."""
    claims = [claim for claim in evaluation.view.of(PledgeMet, PledgeExceeded) if claim.figure is None]
    return [c for c in claims if not (_says(c, outcome) or _proves(evaluation.choice.actual, c, evaluation))]


def _says(claim: FactInForce[Fact], outcome: Outcome) -> bool:
    return outcome.status == "exceeded" or (outcome.status == "met" and isinstance(claim.fact, PledgeMet))


def _proves(actual: Actual | None, claim: FactInForce[Fact], evaluation: Evaluation) -> bool:
    target = evaluation.terms.at(claim).target
    if actual is None or actual.compared is None or target is None or actual.compared.unit != target.unit:
        return False
    result = compare(actual.compared, target, evaluation.terms.direction)
    return result == "exceeded" or (result == "met" and isinstance(claim.fact, PledgeMet))


def _is_late(evaluation: Evaluation, outcome: Outcome) -> bool:
    if any(step.late for step in evaluation.steps):
        return True
    first = evaluation.terms.first_window
    deadline = None if first is None else first.deadline
    met = outcome.status in ("met", "exceeded") and outcome.comparison is not None
    return met and deadline is not None and outcome.settled_on is not None and outcome.settled_on > deadline


def stale_days(said: Collection[date], sure: Collection[date]) -> list[date]:
    """The days on which a pledge may become stale: 180 days after a statement that none is sure to follow till then."""
    following = [*sorted(sure), date.max]
    return [day + STALE_AFTER for day in said if following[bisect_right(following, day)] - day > STALE_AFTER]
