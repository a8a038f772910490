"""Contradictions between the figures of one series: disputes, unit errors, totals that fall (DOMAIN §5).

Two figures of one currency are compared as they are said; figures of two currencies in the target's, else in euros.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter

from tracker.quantity import Interval, plain
from tracker.rules.candidates import RANKS, Candidate
from tracker.values import Rank


@dataclass(slots=True)
class Contradictions:
    """The contradictions between the figures of one series, as the ids of the events that show them."""

    unit: str
    """The currency in which figures of two currencies are compared."""

    disputed: set[str] = field(default_factory=set)
    unit_errors: set[str] = field(default_factory=set)
    falls: set[str] = field(default_factory=set)
    conflicts: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Event id to the ids of the events that contradict it."""

    def look_at(self, pool: Sequence[Candidate]) -> None:
        """Find disputes, unit errors and falls in a pool of candidates.

        Figures of two ranks never contradict each other: a reviewer has settled which one counts.
        """
        if len(pool) < 2:
            return
        occasions: dict[tuple[object, ...], list[Candidate]] = {}
        for candidate in pool:
            occasions.setdefault(candidate.occasion, []).append(candidate)
        running: dict[Rank, list[Candidate]] = {}
        for together in occasions.values():
            for candidate in together if len(together) == 1 else self._settle(together):
                if candidate.figure.basis == "cumulative":
                    running.setdefault(candidate.item.rank, []).append(candidate)
        for totals in running.values():
            if len(totals) > 1:
                self._fall(totals)

    def _settle(self, together: Sequence[Candidate]) -> Sequence[Candidate]:
        """Find disputes and unit errors among the figures of one occasion; gives those of the best rank."""
        together = sorted(together, key=_as_said)
        best = min((candidate.item.rank for candidate in together), key=RANKS.__getitem__)
        equals = [candidate for candidate in together if candidate.item.rank == best]
        for side_by_side in _sides(equals, self.unit):
            self._dispute(side_by_side)
        self._unit_error(equals)
        return equals

    def _dispute(self, together: Sequence[_Stand]) -> None:
        """Intervals on a line meet pairwise when the highest low end and the lowest high end do."""
        lows = sorted((stand for stand in together if stand.low is not None), key=_Stand.by_low, reverse=True)
        highs = sorted((stand for stand in together if stand.high is not None), key=_Stand.by_high)
        for upper in _of_different_references(lows):
            for lower in _of_different_references(highs):
                if upper.may_contradict(lower) and lower.lies_below(upper):
                    self.disputed |= {*upper.candidate.item.causes, *lower.candidate.item.causes}
                    self._name_conflicts(together, upper, lower)
                    return

    def _name_conflicts(self, together: Iterable[_Stand], upper: _Stand, lower: _Stand) -> None:
        """Each figure conflicts with the lowest that lies below it and the highest that lies above it."""
        for stand in together:
            if stand.may_contradict(lower) and lower.lies_below(stand):
                self.conflicts[stand.candidate.item.id].add(lower.candidate.item.id)
            if stand.may_contradict(upper) and stand.lies_below(upper):
                self.conflicts[stand.candidate.item.id].add(upper.candidate.item.id)

    def _unit_error(self, together: Sequence[Candidate]) -> None:
        seen: dict[str, Candidate] = {}
        for candidate in together:
            digits = plain(candidate.quantity.value)
            other = seen.setdefault(digits, candidate)
            if other.quantity.unit != candidate.quantity.unit and digits != "0":
                if candidate.reference is not None and candidate.reference == other.reference:
                    continue
                self.unit_errors |= {*other.item.causes, *candidate.item.causes}
                self._contradict(other, candidate)

    def _fall(self, running: Sequence[Candidate]) -> None:
        """Find each running total that is certainly lower than one which ends earlier and whose period it covers."""
        if only_rise(running):
            return
        for side_by_side in _sides(running, self.unit):
            earlier, of_the_day = defaultdict[str, _Highest](_Highest), list[_Stand]()
            for stand in sorted(side_by_side, key=lambda stand: (stand.end, _as_said(stand.candidate))):
                if of_the_day and of_the_day[0].end != stand.end:
                    for other in of_the_day:
                        earlier[other.candidate.quantity.unit].add(other)
                    of_the_day = []
                for totals in earlier.values():
                    highest = totals.since(stand.start)
                    if highest is not None and highest.may_contradict(stand) and stand.lies_below(highest):
                        self.falls |= {*highest.candidate.item.causes, *stand.candidate.item.causes}
                        self._contradict(highest.candidate, stand.candidate)
                of_the_day.append(stand)

    def _contradict(self, one: Candidate, other: Candidate) -> None:
        self.conflicts[one.item.id].add(other.item.id)
        self.conflicts[other.item.id].add(one.item.id)


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where a candidate stands among others: its possible values with slack, in the unit they are compared in."""

    candidate: Candidate
    interval: Interval
    is_converted: bool
    """Only compared with figures of another currency."""

    @property
    def low(self) -> Decimal | None:
        return self.interval.low

    @property
    def high(self) -> Decimal | None:
        return self.interval.high

    @property
    def start(self) -> date:
        return self.candidate.span[0]

    @property
    def end(self) -> date:
        return self.candidate.span[1]

    def by_low(self) -> tuple[Decimal, bool]:
        """What has the higher low end comes later."""
        assert self.interval.low is not None
        return self.interval.low, self.interval.low_open

    def by_high(self) -> tuple[Decimal, bool]:
        """What has the lower high end comes first."""
        assert self.interval.high is not None
        return self.interval.high, not self.interval.high_open

    def may_contradict(self, other: _Stand) -> bool:
        """Figures with one reference report one transaction; those of one currency are not converted."""
        own, theirs = self.candidate, other.candidate
        if own.reference is not None and own.reference == theirs.reference:
            return False
        return not self.is_converted or own.quantity.unit != theirs.quantity.unit

    def lies_below(self, other: _Stand) -> bool:
        """Whether every value is less than every value of the other."""
        low, high = other.interval.low, self.interval.high
        if low is None or high is None:
            return False
        return high < low or (high == low and (self.interval.high_open or other.interval.low_open))


def _as_said(candidate: Candidate) -> tuple[object, ...]:
    """The order in which equal ends are looked at: that of DOMAIN §5 without the version, then what was said.

    The order of recording makes no difference (it decides only between reports that are equal in all of this).
    """
    quantity = candidate.figure.quantity
    return *candidate.order[:-1], candidate.origin, quantity.unit, quantity.op, quantity.value, quantity.upper or 0


def _sides(candidates: Sequence[Candidate], unit: str) -> Iterator[list[_Stand]]:
    """The candidates of each unit as they are said, and those of two currencies converted."""
    by_unit: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_unit.setdefault(candidate.quantity.unit, []).append(candidate)
    for alike in by_unit.values():
        if len(alike) > 1:
            yield [_Stand(candidate, candidate.slack, is_converted=False) for candidate in alike]
    if len(by_unit) > 1:
        converted = [(candidate, candidate.slack_in(unit)) for candidate in candidates]
        yield [_Stand(candidate, slack, is_converted=True) for candidate, slack in converted if slack is not None]


def _of_different_references(ordered: Sequence[_Stand]) -> list[_Stand]:
    """The first two of different references: one of them may contradict any other. Of each unit, where that matters."""
    found: list[_Stand] = []
    seen: defaultdict[str | None, set[str]] = defaultdict(set)
    for stand in ordered:
        own = stand.candidate
        references = seen[own.quantity.unit if stand.is_converted else None]
        transaction = own.reference or own.item.id
        if len(references) < 2 and transaction not in references:
            references.add(transaction)
            found.append(stand)
    return found


def only_rise(running: Sequence[Candidate]) -> bool:
    """Whether the totals, in one unit, rise from each to the next: nothing can fall then."""
    unit, last = running[0].quantity.unit, None
    for candidate in sorted(running, key=attrgetter("day")):
        low, high = candidate.slack.low, candidate.slack.high
        if candidate.quantity.unit != unit or low is None or (last is not None and high is not None and high <= last):
            return False
        last = low if last is None or low > last else last
    return True


class _Highest:
    """The running totals so far: of those that begin on a day or later the one with the highest low end."""

    def __init__(self) -> None:
        self._starts: list[date] = []
        self._stands: list[_Stand] = []
        """By start; each has a lower low end than those that begin earlier."""

    def since(self, start: date) -> _Stand | None:
        """The highest that begins on a day or later."""
        place = bisect_left(self._starts, start)
        return self._stands[place] if place < len(self._stands) else None

    def add(self, stand: _Stand) -> None:
        """Take in one more."""
        if stand.low is None:
            return
        known = self.since(stand.start)
        if known is not None and known.by_low() >= stand.by_low():
            return
        place = bisect_left(self._starts, stand.start)
        if place < len(self._starts) and self._starts[place] == stand.start:
            del self._starts[place], self._stands[place]
        while place and self._stands[place - 1].by_low() <= stand.by_low():
            place -= 1
            del self._starts[place], self._stands[place]
        self._starts.insert(place, stand.start)
        self._stands.insert(place, stand)
