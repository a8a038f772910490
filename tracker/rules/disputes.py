"""What is wrong between the figures of one series: disputes, unit errors, totals that fall (DOMAIN §5)."""

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
    """What is wrong between the figures of one series: the ids of the events that show it."""

    disputed: set[str] = field(default_factory=set)
    unit_errors: set[str] = field(default_factory=set)
    falls: set[str] = field(default_factory=set)
    overlaps: set[str] = field(default_factory=set)
    conflicts: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Event id to the ids of the events that contradict it."""

    def look_at(self, pool: Sequence[Candidate]) -> None:
        """Disputes, unit errors and falls. Between figures of two ranks a reviewer has settled which one counts."""
        occasions: dict[tuple[object, ...], list[Candidate]] = {}
        for reading in pool:
            occasions.setdefault(reading.occasion, []).append(reading)
        running: dict[Rank, list[Candidate]] = {}
        for together in occasions.values():
            for reading in together if len(together) == 1 else self._settle(together):
                if reading.figure.basis == "cumulative":
                    running.setdefault(reading.item.rank, []).append(reading)
        for totals in running.values():
            self._fall(totals)

    def _settle(self, together: Sequence[Candidate]) -> Sequence[Candidate]:
        """Those of the best rank among figures of one occasion, looked at."""
        best = min((reading.item.rank for reading in together), key=RANKS.__getitem__)
        equals = [reading for reading in together if reading.item.rank == best]
        self._dispute(equals)
        self._unit_error(equals)
        return equals

    def _dispute(self, together: Sequence[Candidate]) -> None:
        """Intervals on a line meet pairwise when the highest low end and the lowest high end do."""
        lows = [(reading.low, reading) for reading in together if reading.low is not None]
        highs = [(reading.high, reading) for reading in together if reading.high is not None]
        if not lows or not highs:
            return
        low, upper = max(lows, key=lambda pair: pair[0])
        high, lower = min(highs, key=lambda pair: pair[0])
        if low > high:
            self.disputed |= {*upper.item.causes, *lower.item.causes}
        for reading in together:
            if reading.low is not None and reading.low > high:
                self.conflicts[reading.item.id].add(lower.item.id)
            if reading.high is not None and reading.high < low:
                self.conflicts[reading.item.id].add(upper.item.id)

    def _unit_error(self, together: Sequence[Candidate]) -> None:
        seen: dict[str, Candidate] = {}
        for reading in together:
            digits = plain(reading.figure.quantity.value)
            other = seen.setdefault(digits, reading)
            if other.figure.quantity.unit != reading.figure.quantity.unit and digits != "0":
                self.unit_errors |= {*other.item.causes, *reading.item.causes}
                self._contradict(other, reading)

    def _fall(self, running: Sequence[Candidate]) -> None:
        """A running total that is certainly lower than one of a day before it."""
        highest: Candidate | None = None
        of_the_day: Candidate | None = None
        for reading in sorted(running, key=attrgetter("day")):
            if of_the_day is not None and of_the_day.day != reading.day:
                highest, of_the_day = _higher(highest, of_the_day), None
            if highest is not None and _is_below(reading, highest):
                self.falls |= {*highest.item.causes, *reading.item.causes}
                self._contradict(highest, reading)
            of_the_day = _higher(of_the_day, reading)

    def _contradict(self, one: Candidate, other: Candidate) -> None:
        self.conflicts[one.item.id].add(other.item.id)
        self.conflicts[other.item.id].add(one.item.id)


def _higher(one: Candidate | None, other: Candidate) -> Candidate | None:
    """The one with the higher low end; the first of two that are equal, None where neither has one."""
    if other.low is None:
        return one
    return other if one is None or one.low is None or other.low > one.low else one


def _is_below(reading: Candidate, other: Candidate) -> bool:
    return reading.high is not None and other.low is not None and reading.high < other.low
