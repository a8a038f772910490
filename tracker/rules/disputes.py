"""Contradictions between the figures of one series: disputes, unit errors, totals that fall (DOMAIN §5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from tracker.quantity import plain
from tracker.rules.candidates import RANKS, Candidate
from tracker.values import Rank


@dataclass(slots=True)
class Contradictions:
    """The contradictions between the figures of one series, as the ids of the events that show them."""

    disputed: set[str] = field(default_factory=set)
    unit_errors: set[str] = field(default_factory=set)
    falls: set[str] = field(default_factory=set)
    overlaps: set[str] = field(default_factory=set)
    conflicts: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Event id to the ids of the events that contradict it."""

    def look_at(self, pool: Sequence[Candidate]) -> None:
        """Find disputes, unit errors and falls in a pool of candidates.

        Figures of two ranks never contradict each other: a reviewer has settled which one counts.
        """
        occasions: dict[tuple[object, ...], list[Candidate]] = {}
        for candidate in pool:
            occasions.setdefault(candidate.occasion, []).append(candidate)
        running: dict[Rank, list[Candidate]] = {}
        for together in occasions.values():
            for candidate in together if len(together) == 1 else self._settle(together):
                if candidate.figure.basis == "cumulative":
                    running.setdefault(candidate.item.rank, []).append(candidate)
        for totals in running.values():
            self._fall(totals)

    def _settle(self, together: Sequence[Candidate]) -> Sequence[Candidate]:
        """Find disputes and unit errors among the figures of one occasion; gives those of the best rank."""
        best = min((candidate.item.rank for candidate in together), key=RANKS.__getitem__)
        equals = [candidate for candidate in together if candidate.item.rank == best]
        self._dispute(equals)
        self._unit_error(equals)
        return equals

    def _dispute(self, together: Sequence[Candidate]) -> None:
        """Intervals on a line meet pairwise when the highest low end and the lowest high end do."""
        lows = [(candidate.low, candidate) for candidate in together if candidate.low is not None]
        highs = [(candidate.high, candidate) for candidate in together if candidate.high is not None]
        if not lows or not highs:
            return
        low, upper = max(lows, key=lambda pair: pair[0])
        high, lower = min(highs, key=lambda pair: pair[0])
        if low > high:
            self.disputed |= {*upper.item.causes, *lower.item.causes}
        for candidate in together:
            if candidate.low is not None and candidate.low > high:
                self.conflicts[candidate.item.id].add(lower.item.id)
            if candidate.high is not None and candidate.high < low:
                self.conflicts[candidate.item.id].add(upper.item.id)

    def _unit_error(self, together: Sequence[Candidate]) -> None:
        seen: dict[str, Candidate] = {}
        for candidate in together:
            digits = plain(candidate.figure.quantity.value)
            other = seen.setdefault(digits, candidate)
            if other.figure.quantity.unit != candidate.figure.quantity.unit and digits != "0":
                self.unit_errors |= {*other.item.causes, *candidate.item.causes}
                self._contradict(other, candidate)

    def _fall(self, running: Sequence[Candidate]) -> None:
        """Find each running total that is certainly lower than one of an earlier day."""
        highest: Candidate | None = None
        of_the_day: Candidate | None = None
        for candidate in sorted(running, key=attrgetter("day")):
            if of_the_day is not None and of_the_day.day != candidate.day:
                highest, of_the_day = _higher(highest, of_the_day), None
            if highest is not None and _is_below(candidate, highest):
                self.falls |= {*highest.item.causes, *candidate.item.causes}
                self._contradict(highest, candidate)
            of_the_day = _higher(of_the_day, candidate)

    def _contradict(self, one: Candidate, other: Candidate) -> None:
        self.conflicts[one.item.id].add(other.item.id)
        self.conflicts[other.item.id].add(one.item.id)


def _higher(one: Candidate | None, other: Candidate) -> Candidate | None:
    """The one with the higher low end; the first of two that are equal, None where neither has one."""
    if other.low is None:
        return one
    return other if one is None or one.low is None or other.low > one.low else one


def _is_below(candidate: Candidate, other: Candidate) -> bool:
    return candidate.high is not None and other.low is not None and candidate.high < other.low
