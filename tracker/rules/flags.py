"""What rides beside the headline: evidence, trajectory and flags, each with the events that caused it (DOMAIN §6)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from tracker.facts import (
    EventCorrected,
    EventVoided,
    MemberReported,
    PledgeExceeded,
    PledgeMet,
    PledgeRevised,
    StatementRetracted,
    TallyReported,
)
from tracker.quantity import EXACT, Interval, Quantity, compare, may_exceed
from tracker.rules.candidates import CLAIMS, PLEDGE_FIGURES, day_of
from tracker.rules.figures import Actual
from tracker.rules.outcome import Evaluation, Outcome, step_causes
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
BAND = Decimal("0.10")
"""On track is within this share of what was expected, either way."""

Caused = tuple[str, frozenset[str]]


def evidence(facts: Evaluation) -> tuple[Evidence, frozenset[str]]:
    """How well the actual, the members or the milestones are attested, and by which events."""
    choice, view = facts.choice, facts.view
    causes = choice.causes | facts.terms.causes | view.acting_on(*PLEDGE_FIGURES)
    if choice.disputed or choice.falls:
        return "disputed", frozenset(causes | choice.disputed | choice.falls)
    if choice.answer is not None:
        two = choice.corroborating[:2]
        extra = {id_ for r in choice.readings if r.item.id in two for id_ in r.item.causes}
        return "corroborated" if len(two) == 2 else "single_source", frozenset(causes | extra)
    causes |= view.acting_on(MemberReported, TallyReported)
    if facts.result is not None and facts.result.is_reported:
        supporting = _origins_of_members(facts)
        causes |= facts.result.causes | {id_ for item in supporting for id_ in item.causes}
        return "corroborated" if len(supporting) > 1 else "single_source", frozenset(causes)
    causes |= step_causes(facts)
    decided = [step for step in facts.steps if step.decided_on is not None]
    if decided:
        origins = [len({_origin(item) for item in step.items if _decides(item)}) for step in decided]
        return "corroborated" if min(origins) > 1 else "single_source", frozenset(causes)
    taken_back = [item for item in view.taken_back if isinstance(item.fact, PLEDGE_FIGURES) and item.figure is not None]
    causes |= {id_ for item in taken_back for id_ in (*item.causes, view.retracted[item.id])}
    return "retracted" if taken_back else "none", frozenset(causes)


def _origin(item: FactInForce) -> str:
    source = item.fact.source
    return "" if source is None else source.quoted_origin


def _decides(item: FactInForce) -> bool:
    return item.fact.type in ("MilestoneReached", "MilestoneMissed")


def _origins_of_members(facts: Evaluation) -> list[FactInForce]:
    """One report of each origin that gives the counted result as a whole."""
    result = facts.result
    assert result is not None
    found: dict[str, FactInForce] = {}
    rows = [row.item for row in result.rows if row.item is not None and isinstance(row.item.fact, MemberReported)]
    if result.is_complete and len(rows) == len(result.rows) and len({_origin(item) for item in rows}) == 1:
        found[_origin(rows[0])] = rows[0]
    for item in facts.view.of(TallyReported):
        tally = item.fact
        if isinstance(tally, TallyReported) and tally.nature != "projection" and tally.met == result.members.met:
            found.setdefault(_origin(item), item)
    return list(found.values())


def trajectory(facts: Evaluation) -> Trajectory:
    """The actual against the linear share of ``start``→``end`` elapsed at the figure's day, within ±10 %.

    Unknown for levels, ceilings and reductions, without a start and an end, and where the bounds allow two readings.
    """
    answer, terms = facts.choice.answer, facts.terms
    window, target = terms.window, terms.target
    if answer is None or target is None or window is None or window.start is None or window.end is None:
        return "unknown"
    if answer.is_level or answer.compared is None or terms.direction == "down" or target.op in ("le", "lt"):
        return "unknown"
    elapsed = (min(answer.day, window.end) - window.start).days + 1
    if elapsed <= 0 or target.value <= 0:
        return "unknown"
    expected = EXACT.divide(target.value * elapsed, Decimal((window.end - window.start).days + 1))
    band = Interval(expected * (1 - BAND), expected * (1 + BAND))
    said = answer.compared.interval
    if said.within(band):
        return "on_track"
    if said.meets(band):
        return "unknown"
    return "ahead" if said.low is not None and band.high is not None and said.low >= band.high else "behind"


def flags(facts: Evaluation, outcome: Outcome, attested: tuple[Evidence, frozenset[str]]) -> list[Caused]:
    """The flags that are up, in the order of ``FLAGS``, each with the events that raised it."""
    found = dict(_raised(facts, outcome, attested))
    return [(name, found[name]) for name in FLAGS if name in found]


def _raised(facts: Evaluation, outcome: Outcome, attested: tuple[Evidence, frozenset[str]]) -> Iterator[Caused]:
    view, terms, choice = facts.view, facts.terms, facts.choice
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
    if conflicting := _conflicting(facts):
        yield "assertion_conflict", frozenset({i for item in conflicting for i in item.causes} | on_figures)
    if unproven := _unproven(facts, outcome):
        causes = {i for item in unproven for i in item.causes}
        yield "unproven_claim", frozenset(causes | choice.causes | on_figures | outcome.causes)
    if facts.result is not None and facts.result.mismatch:
        yield "tally_mismatch", frozenset(facts.result.causes | terms.causes)
    if choice.answer is not None and any(p.conversion and p.conversion.rate for p in choice.answer.parts):
        yield "converted", frozenset(choice.causes | on_figures)
    if _is_late(facts, outcome):
        yield "late", outcome.causes | frozenset(i for s in facts.steps for item in s.items for i in item.causes)
    if revisions := [item for item in view.of(PledgeRevised) if getattr(item.fact, "target", None) is not None]:
        yield "revised_target", frozenset({i for item in revisions for i in item.causes} | terms.causes)
    if choice.answer is not None and choice.answer.nature == "provisional":
        yield "provisional", frozenset(choice.causes | on_figures)
    last = view.latest
    if outcome.status in ("announced", "in_progress") and facts.as_of - last.fact.in_force_on >= STALE_AFTER:
        taking = {item.id for item in view.of(EventVoided, EventCorrected, StatementRetracted)}
        yield "stale", outcome.causes | set(last.causes) | (taking & {id_ for id_, _ in view.acting})
    if attested[0] == "single_source":
        yield "single_source", attested[1]


def _conflicting(facts: Evaluation) -> list[FactInForce]:
    """Claims that their own figure contradicts, under the target in force when they were made."""
    terms = facts.terms
    found = [] if facts.result is None else list(facts.result.contradicting)
    for item in facts.view.of(*CLAIMS):
        target = terms.at(item).target
        if item.figure is None or item.figure.attribution != "all" or target is None:
            continue
        actual, _ = convert(item.figure.quantity, target.unit, day_of(item))
        if actual is not None and _contradicts(item, actual, target, facts):
            found.append(item)
    return found


def _contradicts(item: FactInForce, actual: Quantity, target: Quantity, facts: Evaluation) -> bool:
    direction = facts.terms.direction
    if isinstance(item.fact, PledgeExceeded):
        return not may_exceed(actual, target, direction)
    result = compare(actual, target, direction)
    return result == "below" if isinstance(item.fact, PledgeMet) else result in ("met", "exceeded")


def _unproven(facts: Evaluation, outcome: Outcome) -> list[FactInForce]:
    """Claims without a figure that neither the chosen figure nor the headline proves."""
    claims = [claim for claim in facts.view.of(PledgeMet, PledgeExceeded) if claim.figure is None]
    return [c for c in claims if not (_says(c, outcome) or _proves(facts.choice.answer, c, facts))]


def _says(claim: FactInForce, outcome: Outcome) -> bool:
    return outcome.status == "exceeded" or (outcome.status == "met" and isinstance(claim.fact, PledgeMet))


def _proves(answer: Actual | None, claim: FactInForce, facts: Evaluation) -> bool:
    target = facts.terms.at(claim).target
    if answer is None or answer.compared is None or target is None or answer.compared.unit != target.unit:
        return False
    result = compare(answer.compared, target, facts.terms.direction)
    return result == "exceeded" or (result == "met" and isinstance(claim.fact, PledgeMet))


def _is_late(facts: Evaluation, outcome: Outcome) -> bool:
    if any(step.late for step in facts.steps):
        return True
    first = facts.terms.first_window
    deadline = None if first is None else first.deadline
    met = outcome.status in ("met", "exceeded") and outcome.comparison is not None
    return met and deadline is not None and outcome.settled_on is not None and outcome.settled_on > deadline


def stale_days(said: Collection[date], sure: Collection[date]) -> list[date]:
    """The days on which a pledge may become stale: 180 days after a statement that none is sure to follow till then."""
    following = [*sorted(sure), date.max]
    return [day + STALE_AFTER for day in said if following[bisect_right(following, day)] - day > STALE_AFTER]
