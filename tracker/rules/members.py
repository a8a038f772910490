"""Group pledges: who met it, from member rows or a tally, so that the sum reconciles (DOMAIN §6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from tracker.comparison import compare
from tracker.facts import Fact, MemberReported, TallyReported
from tracker.quantity import Quantity
from tracker.rules.candidates import figure_of
from tracker.rules.pledge_history import FactInForce, View
from tracker.rules.terms import Terms
from tracker.values import MemberVerdict

MemberCount = int | Quantity


@dataclass(frozen=True, slots=True)
class MemberCounts:
    """How many met it. `eligible` = `total` - not applicable - opted out; None where nobody said."""

    eligible: int | None
    met: MemberCount | None
    not_met: MemberCount | None
    not_applicable: int
    opted_out: int
    not_reported: int | None
    total: int | None
    projected: MemberCount | None = None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member's result and the event that gave it; None where the group itself sets the member aside."""

    member: str
    verdict: MemberVerdict
    item: FactInForce[Fact] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The group's result on a day: the counts, the rows, and what the headline asks of them."""

    counts: MemberCounts
    rows: tuple[MemberRow, ...]
    is_complete: bool
    some_met: bool
    is_reported: bool
    mismatch: bool
    causes: frozenset[str]
    items: tuple[FactInForce[Fact], ...]
    """The reports that count, for evidence."""

    contradicting: tuple[FactInForce[Fact], ...]
    """Member reports whose own figure contradicts their verdict."""


def group_result(view: View, terms: Terms) -> GroupResult | None:
    """The result of the pledge's group on the view's days; None without a group and without a tally."""
    tallies = view.of(TallyReported)
    group = terms.group
    if group is None and not tallies:
        return None
    by_date = sorted(view.of(MemberReported), key=lambda item: item.last_said)
    reported = {item.fact.member: item for item in by_date if not _is_projected(item)}
    rows = _rows(terms, reported)
    tally = _latest(item for item in tallies if not _is_projected(item))
    outlook = _latest(item for item in tallies if _is_projected(item))
    if outlook is not None and tally is not None and tally.last_said > outlook.last_said:
        outlook = None
    verdicts = [row.verdict for row in rows]
    is_complete = bool(rows) and "not_reported" not in verdicts
    counts = _member_counts(rows, None if is_complete else tally)
    mismatch = tally is not None and _disagrees(rows, is_complete, tally, counts)
    met = counts.met
    if not is_complete and tally is not None and not isinstance(met, Quantity):
        counted = None if isinstance(counts.not_met, Quantity) else (met or 0) + (counts.not_met or 0)
        is_complete = counted is not None and counted == counts.eligible
    items = [*reported.values(), *([tally] if tally is not None else [])]
    causes = {id_ for item in [*items, *([outlook] if outlook else [])] for id_ in item.causes}
    return GroupResult(
        counts=_with_outlook(counts, outlook),
        rows=rows if tally is None else _with_names(rows, tally),
        is_complete=is_complete,
        some_met=_is_some(met) or "met" in verdicts,
        is_reported=bool(items),
        mismatch=mismatch,
        causes=frozenset(causes | view.acting_on(MemberReported, TallyReported)),
        items=tuple(items),
        contradicting=tuple(item for item in reported.values() if _contradicts_itself(item, terms)),
    )


def _is_some(count: MemberCount | None) -> bool:
    return (count.interval.low or 0) > 0 if isinstance(count, Quantity) else bool(count)


def _is_projected(item: FactInForce[MemberReported | TallyReported]) -> bool:
    return item.fact.nature == "projection" or (item.figure is not None and item.figure.nature == "projection")


def _latest(tallies: Iterable[FactInForce[TallyReported]]) -> FactInForce[TallyReported] | None:
    return max(tallies, key=lambda tally: tally.last_said, default=None)


def _rows(terms: Terms, reported: dict[str, FactInForce[MemberReported]]) -> tuple[MemberRow, ...]:
    group = terms.group
    if group is None:
        return ()
    aside = {n.member: n.reason for n in group.not_applicable}
    rows = []
    for member in group.members:
        item = reported.get(member)
        if item is not None:
            rows.append(MemberRow(member, item.fact.verdict, item, item.fact.reason))
        elif member in aside:
            rows.append(MemberRow(member, "not_applicable", reason=aside[member]))
        else:
            rows.append(MemberRow(member, "opted_out" if member in group.opted_out else "not_reported"))
    return tuple(rows)


def _with_names(rows: tuple[MemberRow, ...], tally: FactInForce[TallyReported]) -> tuple[MemberRow, ...]:
    """The rows with what the tally's lists say of members without a report of their own."""
    fact = tally.fact
    named: dict[str, MemberVerdict] = dict.fromkeys(fact.members_met or (), "met")
    named |= dict.fromkeys(fact.members_not_met or (), "not_met")
    return tuple(
        MemberRow(row.member, named[row.member], tally)
        if row.verdict == "not_reported" and row.member in named
        else row
        for row in rows
    )


def _member_counts(rows: tuple[MemberRow, ...], tally: FactInForce[TallyReported] | None) -> MemberCounts:
    verdicts = [row.verdict for row in rows]
    not_applicable, opted_out = verdicts.count("not_applicable"), verdicts.count("opted_out")
    total: int | None = len(rows) or None
    if tally is None:
        eligible = None if total is None else total - not_applicable - opted_out
        return MemberCounts(
            eligible=eligible,
            met=verdicts.count("met"),
            not_met=verdicts.count("not_met"),
            not_applicable=not_applicable,
            opted_out=opted_out,
            not_reported=verdicts.count("not_reported"),
            total=total,
        )
    fact = tally.fact
    if isinstance(fact.not_applicable, int):
        not_applicable = max(not_applicable, fact.not_applicable)
    if total is None and isinstance(fact.total, int):
        total = fact.total
    met = fact.met if fact.met is not None else _length(fact.members_met)
    not_met = fact.not_met if fact.not_met is not None else _length(fact.members_not_met)
    eligible = None if total is None else total - not_applicable - opted_out
    not_reported = None
    if eligible is not None and isinstance(met, int) and (isinstance(not_met, int) or not_met is None):
        not_reported = max(0, eligible - met - (not_met or 0))
    return MemberCounts(eligible, met, not_met, not_applicable, opted_out, not_reported, total)


def _length(members: tuple[str, ...] | None) -> int | None:
    return None if members is None else len(members)


def _with_outlook(counts: MemberCounts, outlook: FactInForce[TallyReported] | None) -> MemberCounts:
    if outlook is None:
        return counts
    fact = outlook.fact
    return replace(counts, projected=fact.met if fact.met is not None else _length(fact.members_met))


def _disagrees(
    rows: tuple[MemberRow, ...], is_complete: bool, tally: FactInForce[TallyReported], counts: MemberCounts
) -> bool:
    """Whether the rows and the tally cannot both be right."""
    fact = tally.fact
    verdicts = {row.member: row.verdict for row in rows if row.item is not None}
    if any(verdicts.get(member, "met") != "met" for member in fact.members_met or ()):
        return True
    if any(verdicts.get(member, "not_met") != "not_met" for member in fact.members_not_met or ()):
        return True
    said: tuple[tuple[MemberCount | None, Literal["met", "not_met"]], ...] = (
        (fact.met if fact.met is not None else _length(fact.members_met), "met"),
        (fact.not_met if fact.not_met is not None else _length(fact.members_not_met), "not_met"),
    )
    for number, verdict in said:
        of_rows = sum(1 for v in verdicts.values() if v == verdict)
        if isinstance(number, int) and (of_rows > number or (is_complete and of_rows != number)):
            return True
    if rows and isinstance(fact.total, int) and fact.total != len(rows):
        return True
    if is_complete and isinstance(fact.not_applicable, int) and fact.not_applicable != counts.not_applicable:
        return True
    both = [number for number, _ in said if isinstance(number, int)]
    return counts.eligible is not None and sum(both) > counts.eligible


def _contradicts_itself(item: FactInForce[MemberReported], terms: Terms) -> bool:
    fact = item.fact
    if item.figure is None or terms.target is None or figure_of(item).quantity.unit != terms.target.unit:
        return False
    result = compare(figure_of(item).quantity, terms.target, terms.direction)
    return (fact.verdict == "met" and result == "below") or (
        fact.verdict == "not_met" and result in ("met", "exceeded")
    )
