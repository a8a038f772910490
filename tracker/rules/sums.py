"""What the figures of one stage come to: a level, running totals that replace or follow each other, increments (§5)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from tracker.promises import add_months
from tracker.quantity import Quantity, at_least, total
from tracker.rules.candidates import BY_ORDER, NATURES, Candidate, Disposition
from tracker.rules.rates import Conversion
from tracker.values import Basis, Nature, Period, Stage

DUPLICATE_WITHIN = timedelta(days=60)
"""Two increments of one amount from two origins, whose days lie no further apart, may be one payment."""

EUR = "EUR"
"""In which a sum over several currencies is given where there is no target."""

Pair = tuple[Candidate, Candidate]


class PartsTogether(NamedTuple):
    """What the parts of an actual have together, as `Actual` has it."""

    last: Candidate
    day: date
    period: Period | None
    natures: frozenset[Nature]
    units: frozenset[str]

    @classmethod
    def of(cls, parts: Sequence[Candidate]) -> PartsTogether:
        """What these parts have together."""
        first, *others = parts
        natures, units = frozenset((first.figure.nature,)), frozenset((first.quantity.unit,))
        found = cls(first, first.day, first.figure.period, natures, units)
        if not others:
            return found
        return PartsTogether(
            last=max(parts, key=lambda part: part.place),
            day=max(part.day for part in parts),
            period=_covered([part.figure.period for part in parts]),
            natures=frozenset(part.figure.nature for part in parts),
            units=frozenset(part.quantity.unit for part in parts),
        )

    def plus(self, part: Candidate) -> PartsTogether:
        """The same with one more part."""
        return PartsTogether(
            last=max(self.last, part, key=lambda one: one.place),
            day=max(self.day, part.day),
            period=_covered([self.period, part.figure.period]),
            natures=self.natures | {part.figure.nature},
            units=self.units | {part.quantity.unit},
        )


@dataclass(frozen=True)
class Actual:
    """The amount that one stage comes to: as said, in the target's unit, and the figures behind it, best first.

    What is asked of all its parts is found once: it is asked on every day of a view.
    """

    quantity: Quantity
    compared: Quantity | None
    """In the target's unit; None without a target and where there is no rate."""

    parts: tuple[Candidate, ...]
    conversions: tuple[Conversion, ...]
    stage: Stage
    is_added: bool = False
    """Totals of several years are added up."""

    left_out: tuple[Candidate, ...] = ()
    """Parts without a rate: the sum is a lower bound because of them."""

    overlaps: tuple[Pair, ...] = ()
    keeping_out: tuple[Candidate, ...] = ()
    """Totals that are not counted and replaced others, which might be counted without them."""

    given: PartsTogether | None = field(default=None, compare=False)
    """What its parts have together, where that is known."""

    @property
    def lead(self) -> Candidate:
        """The first figure in the order of DOMAIN §5."""
        return self.parts[0]

    @cached_property
    def together(self) -> PartsTogether:
        """What its parts have together."""
        return self.given or PartsTogether.of(self.parts)

    @property
    def last(self) -> Candidate:
        """The part with the latest end: a sum is final if it is."""
        return self.together.last

    @property
    def day(self) -> date:
        """The latest day that the actual covers."""
        return self.together.day

    @property
    def period(self) -> Period | None:
        """The time that the actual covers, as far as it is given."""
        return self.together.period

    @property
    def natures(self) -> frozenset[Nature]:
        """The natures of its figures."""
        return self.together.natures

    @property
    def units(self) -> frozenset[str]:
        """The units of its figures, as they are said."""
        return self.together.units

    @property
    def nature(self) -> Nature:
        """The least firm nature among its figures."""
        return max(self.natures, key=NATURES.__getitem__)

    @property
    def basis(self) -> Basis:
        """The basis of its series."""
        return self.lead.figure.basis

    @property
    def is_level(self) -> bool:
        """A rate at a time, which only a final figure proves."""
        return self.basis == "level"

    def with_part(self, part: Candidate) -> Actual:
        """The same sum with one more part, of its unit and said in its way (`quantity.ADDED_AS_SAID`)."""
        quantity, place = total([self.quantity, part.quantity]), bisect_left(self.parts, part.order, key=BY_ORDER)
        parts = (*self.parts[:place], part, *self.parts[place:])
        compared = None if self.compared is None else quantity
        return replace(self, quantity=quantity, compared=compared, parts=parts, given=self.together.plus(part))

    def as_bound(self) -> Actual | None:
        """The same read as "at least that", as a firmer stage says of the ones below it; None without a low end."""
        if any(said is not None and said.interval.low is None for said in (self.quantity, self.compared)):
            return None
        compared = None if self.compared is None else at_least(self.compared)
        return replace(self, quantity=at_least(self.quantity), compared=compared)


def _covered(periods: Sequence[Period | None]) -> Period | None:
    """The time that several parts cover, as far as it is given."""
    starts = [None if period is None else period.start for period in periods]
    ends = [period.end for period in periods if period is not None and period.end is not None]
    start = None if None in starts else min(start for start in starts if start is not None)
    return Period(start=start, end=max(ends, default=None)) if start or ends else None


Notes = dict[str, Disposition]
"""What became of each figure that was looked at and not taken, by event id."""


def taken(pool: Sequence[Candidate], stage: Stage, unit: str | None, notes: Notes) -> Actual | None:
    """What the figures of one stage come to; where bases meet (a stage and the unspecified), that of the first."""
    if not pool:
        return None
    lead = min(pool, key=BY_ORDER)
    basis = lead.figure.basis
    if basis == "level" or len(pool) == 1:
        return single(lead, stage)
    same = [candidate for candidate in pool if candidate.figure.basis == basis]
    if basis == "cumulative":
        parts, keeping_out = _totals(sorted(same, key=BY_ORDER))
        one = single(lead, stage) if len(parts) == 1 else replace(_sum(parts, stage, unit, notes), is_added=True)
        return replace(one, keeping_out=keeping_out) if keeping_out else one
    picked = _Increments(notes)
    for candidate in sorted(same, key=BY_ORDER):
        picked.look_at(candidate)
    found = _sum(picked.counted, stage, unit, notes)
    return replace(found, overlaps=tuple(picked.overlaps))


def single(part: Candidate, stage: Stage) -> Actual:
    """What one figure comes to by itself."""
    conversions = () if part.conversion is None else (part.conversion,)
    return Actual(part.quantity, part.compared, (part,), conversions, _stage(part, stage))


def _stage(lead: Candidate, stage: Stage) -> Stage:
    """The stage of the first figure; one that gives none is counted at the stage that it joins."""
    return stage if lead.figure.stage == "unspecified" else lead.figure.stage


class _Spans:
    """Candidates that do not overlap, found by the time that they cover."""

    def __init__(self) -> None:
        self._spans: list[tuple[date, date, int]] = []
        self.found: list[Candidate] = []

    def clash(self, candidate: Candidate) -> Candidate | None:
        """One that covers a day of the candidate's."""
        first, last = candidate.span
        place = bisect_right(self._spans, (last, date.max, 0))
        if place and self._spans[place - 1][1] >= first:
            return self.found[self._spans[place - 1][2]]
        return None

    def add(self, candidate: Candidate) -> None:
        """Take a candidate that clashes with none."""
        entry = (*candidate.span, len(self.found))
        self._spans.insert(bisect_right(self._spans, entry), entry)
        self.found.append(candidate)


def _totals(ordered: Sequence[Candidate]) -> tuple[list[Candidate], tuple[Candidate, ...]]:
    """The totals that are counted, and those that are not and replaced others.

    A total replaces every earlier one it overlaps; whole years add up, of shorter ones the later counts.
    """
    spans, replacing = _Spans(), dict[str, Candidate]()
    for candidate in ordered:
        clash = spans.clash(candidate)
        if clash is None:
            spans.add(candidate)
        else:
            replacing[clash.item.id] = clash
    counted = _added(spans.found)
    if len(counted) == len(spans.found):
        return counted, ()
    ids = {candidate.item.id for candidate in counted}
    return counted, tuple(candidate for id_, candidate in replacing.items() if id_ not in ids)


def _added(apart: list[Candidate]) -> list[Candidate]:
    """Of totals that do not overlap those that add up."""
    if len(apart) == 1:
        return apart
    years = [candidate for candidate in apart if _is_a_year(candidate)]
    shorter = next((candidate for candidate in apart if not _is_a_year(candidate)), None)
    if shorter is None:
        return years
    if any(year.span[1] < shorter.span[0] for year in years):
        return [candidate for candidate in apart if candidate is shorter or _is_a_year(candidate)]
    return [shorter] if apart[0] is shorter or not years else years


def _is_a_year(candidate: Candidate) -> bool:
    """Whether the period is a whole year or longer: one without a start is."""
    start, last = candidate.span
    return start == date.min or last >= add_months(start, 12) - timedelta(days=1)


class _Increments:
    """Increments over periods that do not overlap, taken one by one, best first."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.overlaps: list[Pair] = []
        self._spans = _Spans()
        self._by_reference: defaultdict[str, list[Candidate]] = defaultdict(list)
        self._preferred: list[Candidate] = []

    @property
    def counted(self) -> list[Candidate]:
        """Those that are added up."""
        return self._spans.found

    def look_at(self, candidate: Candidate) -> None:
        """Count the candidate unless it says again what is counted."""
        reference = candidate.reference
        if reference is not None:
            twin = next((other for other in self._by_reference[reference] if _is_one(candidate, other)), None)
            if twin is not None:
                self._leave_out(candidate, "corroborates", f"is the transaction of {twin.item.id}")
                return
        clash = self._spans.clash(candidate)
        if clash is not None and clash.span == candidate.span:
            self._leave_out(candidate, "corroborates", f"covers the same period as {clash.item.id}")
            return
        if self._preferred and candidate.item.rank != "preferred":
            twin = next((other for other in self._preferred if may_be_one(candidate, other)), None)
            if twin is not None:
                self._leave_out(candidate, "duplicate", f"a reviewer prefers {twin.item.id}, the same payment")
                return
        if clash is not None:
            self._leave_out(candidate, "overlap", f"its period overlaps that of {clash.item.id}")
            self.overlaps.append((candidate, clash))
            return
        self._spans.add(candidate)
        if reference is not None:
            self._by_reference[reference].append(candidate)
        if candidate.item.rank == "preferred":
            self._preferred.append(candidate)

    def _leave_out(self, candidate: Candidate, outcome: str, why: str) -> None:
        self.notes[candidate.item.id] = outcome, why


def _is_one(one: Candidate, other: Candidate) -> bool:
    """Whether two increments with one reference are one transaction: of two publishers, or of one period."""
    return one.publisher != other.publisher or one.span == other.span


def may_be_one(one: Candidate, other: Candidate) -> bool:
    """Whether two increments may be one payment: one amount, two origins, no common reference, within 60 days."""
    near = abs(one.day - other.day) <= DUPLICATE_WITHIN
    differ = one.reference is None or one.reference != other.reference
    return near and differ and one.origin != other.origin and one.quantity == other.quantity


def duplicates(counted: Sequence[Candidate]) -> Iterator[Pair]:
    """For each increment that is counted the next one that may be the same payment; ranked ones are settled."""
    alike: defaultdict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for candidate in counted:
        if candidate.item.rank == "normal" and candidate.figure.basis == "increment":
            alike[candidate.quantity.key].append(candidate)
    for group in alike.values():
        if len({candidate.origin for candidate in group}) > 1:
            yield from _twins(sorted(group, key=_day))


def _twins(ordered: Sequence[Candidate]) -> Iterator[Pair]:
    """Of increments of one amount, by day: for each the next one that may be the same payment (see `may_be_one`)."""
    for place, one in enumerate(ordered, 1):
        last, origin, reference = one.day + DUPLICATE_WITHIN, one.origin, one.reference
        for later in range(place, len(ordered)):
            other = ordered[later]
            if other.day > last:
                break
            if other.origin != origin and (reference is None or other.reference != reference):
                yield one, other
                break


def _day(candidate: Candidate) -> date:
    return candidate.day


def _sum(parts: Sequence[Candidate], stage: Stage, unit: str | None, notes: Notes) -> Actual:
    """The parts added up in the target's unit; a part without a rate is left out, and the sum is a lower bound."""
    if len(parts) == 1:
        return single(parts[0], stage)
    units = {part.quantity.unit for part in parts}
    into = unit or (units.pop() if len(units) == 1 else EUR)
    rated = [(p, p.compared, p.conversion) if into == unit else (p, *p.in_unit(into)) for p in parts]
    counted = [one for one in rated if one[1] is not None]
    if not counted:
        into = parts[0].quantity.unit
        counted = [(part, part.quantity, None) for part in parts if part.quantity.unit == into]
    kept = [part for part, _, _ in counted]
    ids = {part.item.id for part in kept}
    left_out = [part for part in parts if part.item.id not in ids]
    in_target = total([amount for _, amount, _ in counted if amount is not None])
    is_as_said = all(amount is part.quantity for part, amount, _ in counted)
    is_one_unit = not is_as_said and len({part.quantity.unit for part in kept}) == 1
    quantity = total([part.quantity for part in kept]) if is_one_unit else in_target
    compared = in_target if unit is not None and into == unit else None
    for part in left_out:
        notes[part.item.id] = "unconverted", "no rate is published for its currency and day"
    has_bound = in_target.interval.low is not None and all(part.quantity.value >= 0 for part in left_out)
    if left_out and has_bound:
        quantity, compared = at_least(quantity), None if compared is None else at_least(compared)
    elif left_out:
        compared = None
    converted = [(part.place, how) for part, _, how in counted if how is not None] if unit is not None else []
    conversions = tuple(how for _, how in sorted(converted, key=itemgetter(0), reverse=True))
    return Actual(quantity, compared, tuple(kept), conversions, _stage(kept[0], stage), left_out=tuple(left_out))
