"""Group pledges: who met it, from member rows or a tally, so that the sum reconciles (DOMAIN §6; POINTS, Members)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, NamedTuple

from tracker.comparison import compare
from tracker.facts import MemberReported, TallyReported
from tracker.promise_facts import Fact
from tracker.quantity import EXACT, Interval, Quantity
from tracker.rules.candidates import figure_of
from tracker.rules.days import counted_day
from tracker.rules.terms import Promise
from tracker.rules.views import FactInForce, View
from tracker.values import Group, MemberVerdict, Nature, Window

MemberCount = int | Quantity


class Bounds(NamedTuple):
    """How many members it certainly is (`low`) and may be (`high`)."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member's result and the event that gave it; None where the group itself sets the member aside."""

    member: str
    verdict: MemberVerdict
    item: FactInForce[Fact] | None = None
    reason: str | None = None
    reports: tuple[FactInForce[MemberReported], ...] = ()
    """All of its reports that count, oldest first; the last is `item`."""

    @property
    def unbroken(self) -> Sequence[FactInForce[MemberReported]]:
        """Its last reports that all say the same."""
        count = 0
        for item in reversed(self.reports):
            if item.fact.verdict != self.verdict:
                break
            count += 1
        return self.reports[len(self.reports) - count :]


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The group's result on a day: the counts, the rows, and what the headline asks of them."""

    group: Group | None
    rows: tuple[MemberRow, ...]
    tallies: tuple[FactInForce[TallyReported], ...]
    """Those that count, oldest first."""

    outlook: FactInForce[TallyReported] | None
    """The latest projected tally, unless one that counts is later."""

    eligible: int | None
    """`total` - not applicable - opted out; None where nobody said."""

    total: int | None
    not_applicable: int
    opted_out: int
    causes: frozenset[str]

    @property
    def tally(self) -> FactInForce[TallyReported] | None:
        """The latest tally that counts."""
        return self.tallies[-1] if self.tallies else None

    @property
    def has_all_rows(self) -> bool:
        """Whether each member has a row."""
        return bool(self.rows) and all(row.verdict != "not_reported" for row in self.rows)

    @property
    def uses_rows(self) -> bool:
        """A complete set of rows beats a tally, partial rows never override one."""
        return self.tally is None or self.has_all_rows

    @property
    def met(self) -> Bounds:
        """How many met it."""
        rows = self.number_of("met")
        if self.tally is None or self.has_all_rows:
            return Bounds(rows, rows)
        said = self.said_of("met", self.tally)
        if said is None:
            others = self.said_of("not_met", self.tally)
            most = max(0, (self.eligible or 0) - (others.low if others else 0))
            return Bounds(min(rows, most), most)
        later = len(self.met_later)
        return Bounds(later, later) if said.high == 0 and later else said

    @property
    def met_later(self) -> list[MemberRow]:
        """Rows that say `met` and are later than the tally."""
        if self.tally is None:
            return []
        mark = self.tally.last_said
        return [row for row in self.rows if row.verdict == "met" and row.reports and _said(row.reports[-1]) > mark]

    def number_of(self, verdict: MemberVerdict) -> int:
        """How many rows have a verdict."""
        return sum(1 for row in self.rows if row.verdict == verdict)

    def said_of(self, verdict: Literal["met", "not_met"], tally: FactInForce[TallyReported]) -> Bounds | None:
        """How many a tally says met it, or did not; None where it says nothing of it."""
        said = _said_count(tally.fact, verdict)
        return None if said is None else _bounds(said, self.eligible_by(tally))

    def eligible_by(self, tally: FactInForce[TallyReported]) -> int:
        """The denominator of a tally: what it sets aside lowers it."""
        if self.total is None:
            return 10**6
        said = tally.fact.not_applicable
        own = self.number_of("not_applicable")
        aside = own if self.has_all_rows or not isinstance(said, int) else max(own, said)
        return self.total - aside - self.opted_out

    def count(self, verdict: Literal["met", "not_met"]) -> MemberCount | None:
        """The number as it is shown: that of the rows, or what the tally says in its own words."""
        if self.tally is None or self.has_all_rows:
            return self.number_of(verdict)
        if verdict == "met" and self._counts_later_rows() and self.met_later:
            return len(self.met_later)
        return _said_count(self.tally.fact, verdict)

    @property
    def projected(self) -> MemberCount | None:
        """How many somebody expects to meet it."""
        return None if self.outlook is None else _said_count(self.outlook.fact, "met")

    @property
    def not_reported(self) -> int | None:
        """How many nobody has reported on; None where that cannot be told."""
        met, not_met = self.count("met"), self.count("not_met")
        if self.uses_rows:
            return self.number_of("not_reported")
        if self.eligible is None or not isinstance(met, int) or isinstance(not_met, Quantity):
            return None
        return max(0, self.eligible - met - (not_met or 0))

    @property
    def need(self) -> int:
        """How many have to meet it."""
        if self.group is not None and self.group.count is not None:
            return self.group.count
        return self.eligible or 0

    @property
    def kept(self) -> Literal["met", "exceeded"] | None:
        """Whether as many as needed certainly met it; of `count_at_least` more is `exceeded`."""
        if not self.eligible or self.eligible < 0 or self.met.low < self.need:
            return None
        counts = self.group is not None and self.group.rule == "count_at_least"
        return "exceeded" if counts and self.met.low > self.need else "met"

    @property
    def is_none_of_all(self) -> bool:
        """Whether a complete report says that none met it."""
        if not self.eligible or self.eligible < 0 or self.met.high > 0:
            return False
        if self.tally is None or self.has_all_rows:
            return self.has_all_rows
        others = self.said_of("not_met", self.tally)
        if others is not None:
            return others.low >= self.eligible
        return self.said_of("met", self.tally) is not None

    @property
    def is_reported(self) -> bool:
        """Whether there is a report that counts."""
        reported = any(item.fact.verdict != "not_reported" for row in self.rows for item in row.reports)
        return reported or self.tally is not None

    @property
    def counting(self) -> list[FactInForce[MemberReported | TallyReported]]:
        """The reports that decide: the tally, or the last of each row."""
        if not self.uses_rows and self.tally is not None:
            return [self.tally]
        return [row.reports[-1] for row in self.rows if row.reports]

    @property
    def natures(self) -> set[Nature]:
        """The natures of the reports that decide."""
        return {_nature(item) for item in self.counting}

    @property
    def mismatch(self) -> bool:
        """Whether the rows and the tally cannot both be right."""
        return self.tally is not None and (self._names_differ(self.tally.fact) or self._numbers_differ(self.tally))

    def _names_differ(self, tally: TallyReported) -> bool:
        verdicts = {row.member: row.verdict for row in self.rows if row.reports}
        wrong_met = any(verdicts.get(member, "met") != "met" for member in tally.members_met or ())
        return wrong_met or any(verdicts.get(m, "not_met") != "not_met" for m in tally.members_not_met or ())

    def _numbers_differ(self, tally: FactInForce[TallyReported]) -> bool:
        fact, eligible = tally.fact, self.eligible_by(tally)
        met, not_met = self.said_of("met", tally), self.said_of("not_met", tally)
        verdicts: tuple[tuple[MemberVerdict, Bounds | None, Bounds | None], ...]
        verdicts = (("met", met, not_met), ("not_met", not_met, met))
        for verdict, own, others in verdicts:
            rows = self.number_of(verdict)
            most = own.high if own is not None else eligible - (others.low if others is not None else 0)
            if rows > most or (self.has_all_rows and own is not None and rows < own.low):
                return True
        if self.rows and isinstance(fact.total, int) and fact.total != len(self.rows):
            return True
        if self.has_all_rows and isinstance(fact.not_applicable, int) and fact.not_applicable != self.not_applicable:
            return True
        return sum(count.low for count in (met, not_met) if count is not None) > eligible

    def kept_since(self, window: Window | None) -> date | None:
        """The day of the last member that was needed, or of the first of the unbroken tallies that are enough."""
        if self.kept is None:
            return None
        if not self.uses_rows and self.tally is not None and not self._counts_later_rows():
            first = self.tally
            for tally in reversed(self.tallies):
                said = self.said_of("met", tally)
                need = self.need if self.group is not None and self.group.count else self.eligible_by(tally)
                if said is None or said.low < need:
                    break
                first = tally
            return _day(first, window)
        days = sorted(_day(row.unbroken[0], window) for row in self.rows if row.verdict == "met" and row.unbroken)
        return days[min(self.need, len(days)) - 1] if days else None

    def _counts_later_rows(self) -> bool:
        assert self.tally is not None
        said = self.said_of("met", self.tally)
        return said is not None and said.high == 0

    @property
    def attesting(self) -> list[tuple[FactInForce[Fact], ...]]:
        """For each report that decides, one of each origin that says the same, its own first."""
        if not self.uses_rows and self.tally is not None:
            met = _said_count(self.tally.fact, "met")
            return [_of_each_origin([t for t in reversed(self.tallies) if _said_count(t.fact, "met") == met])]
        alike = [t for t in self.tallies if self.has_all_rows and _said_count(t.fact, "met") == self.met.low]
        return [_of_each_origin([*reversed(row.unbroken), *alike]) for row in self.rows if row.reports]

    def contradicting(self, promise: Promise) -> list[FactInForce[MemberReported]]:
        """Member reports whose own figure contradicts their verdict."""
        last = [row.reports[-1] for row in self.rows if row.reports]
        return [item for item in last if _contradicts_itself(item, promise)]


def group_result(view: View, promise: Promise) -> GroupResult | None:
    """The result of the pledge's group on the view's days; None without a group and without a tally."""
    tallies = sorted(view.of(TallyReported), key=lambda item: item.last_said)
    group = promise.group
    if group is None and not tallies:
        return None
    reported = sorted((item for item in view.of(MemberReported) if not _is_projected(item)), key=_said)
    rows = () if group is None else _rows(group, reported)
    counting = tuple(item for item in tallies if not _is_projected(item))
    tally = counting[-1] if counting else None
    outlook = next((item for item in reversed(tallies) if _is_projected(item)), None)
    if outlook is not None and tally is not None and tally.last_said > outlook.last_said:
        outlook = None
    total, aside = len(rows) or None, sum(1 for row in rows if row.verdict == "not_applicable")
    opted_out = sum(1 for row in rows if row.verdict == "opted_out")
    is_complete = bool(rows) and all(row.verdict != "not_reported" for row in rows)
    if tally is not None and not is_complete:
        if isinstance(tally.fact.not_applicable, int):
            aside = max(aside, tally.fact.not_applicable)
        if total is None and isinstance(tally.fact.total, int):
            total = tally.fact.total
    items = [*reported, *counting, *([outlook] if outlook is not None else [])]
    return GroupResult(
        group=group,
        rows=rows,
        tallies=counting,
        outlook=outlook,
        eligible=None if total is None else total - aside - opted_out,
        total=total,
        not_applicable=aside,
        opted_out=opted_out,
        causes=frozenset(view.acting_on(MemberReported, TallyReported) | {id_ for i in items for id_ in i.causes}),
    )


def _said(item: FactInForce[Fact]) -> tuple[date, int]:
    return (item.first_said_on, item.first_version)


def _nature(item: FactInForce[MemberReported | TallyReported]) -> Nature:
    fact = item.fact
    if item.figure is not None and fact.nature == "actual":
        return item.figure.nature
    return fact.nature


def _is_projected(item: FactInForce[MemberReported | TallyReported]) -> bool:
    return _nature(item) == "projection"


def _rows(group: Group, reported: Iterable[FactInForce[MemberReported]]) -> tuple[MemberRow, ...]:
    by_member: dict[str, list[FactInForce[MemberReported]]] = {}
    for item in reported:
        by_member.setdefault(item.fact.member, []).append(item)
    aside = {n.member: n.reason for n in group.not_applicable}
    rows = []
    for member in group.members:
        reports = by_member.get(member)
        if reports is not None:
            fact = reports[-1].fact
            rows.append(MemberRow(member, fact.verdict, reports[-1], fact.reason, tuple(reports)))
        elif member in aside:
            rows.append(MemberRow(member, "not_applicable", reason=aside[member]))
        else:
            rows.append(MemberRow(member, "opted_out" if member in group.opted_out else "not_reported"))
    return tuple(rows)


def named_rows(result: GroupResult) -> tuple[MemberRow, ...]:
    """The rows with what the tally's lists say of members without a report of their own."""
    tally = result.tally
    if tally is None:
        return result.rows
    named: dict[str, MemberVerdict] = dict.fromkeys(tally.fact.members_met or (), "met")
    named |= dict.fromkeys(tally.fact.members_not_met or (), "not_met")
    return tuple(
        MemberRow(row.member, named[row.member], tally)
        if row.verdict == "not_reported" and row.member in named
        else row
        for row in result.rows
    )


def _said_count(tally: TallyReported, verdict: Literal["met", "not_met"]) -> MemberCount | None:
    said, members = (tally.met, tally.members_met) if verdict == "met" else (tally.not_met, tally.members_not_met)
    return said if said is not None else None if members is None else len(members)


def _bounds(said: MemberCount, eligible: int) -> Bounds:
    """How many members a count says: a quantity is in members or in percent of the eligible, who are whole."""
    if isinstance(said, int):
        return Bounds(said, said)
    interval = said.interval
    if said.unit.startswith("percent:"):
        interval = interval.times(EXACT.divide(Decimal(eligible), Decimal(100)))
    return Bounds(_least(interval, eligible), _most(interval, eligible))


def _least(interval: Interval, eligible: int) -> int:
    if interval.low is None:
        return 0
    low = int(interval.low.to_integral_value(ROUND_CEILING))
    low += 1 if interval.low_open and interval.low == low else 0
    return max(0, min(low, eligible))


def _most(interval: Interval, eligible: int) -> int:
    if interval.high is None:
        return eligible
    high = int(interval.high.to_integral_value(ROUND_FLOOR))
    high -= 1 if interval.high_open and interval.high == high else 0
    return max(0, min(high, eligible))


def _day(item: FactInForce[MemberReported | TallyReported], window: Window | None) -> date:
    """When it was so: by its `on`, its figure's period end, else the day it was said."""
    fact = item.fact
    end = None if item.figure is None or item.figure.period is None else item.figure.period.end
    return counted_day(fact.on, end, item.first_said_on, window)


def _of_each_origin(items: Iterable[FactInForce[Fact]]) -> tuple[FactInForce[Fact], ...]:
    found: dict[str, FactInForce[Fact]] = {}
    for item in items:
        found.setdefault(item.origin, item)
    return tuple(found.values())


def _contradicts_itself(item: FactInForce[MemberReported], promise: Promise) -> bool:
    fact, target = item.fact, promise.absolute
    if item.figure is None or target is None or figure_of(item).quantity.unit != target.unit:
        return False
    result = compare(figure_of(item).quantity, target, promise.direction)
    return (fact.verdict == "met" and result == "below") or (
        fact.verdict == "not_met" and result in ("met", "exceeded")
    )
