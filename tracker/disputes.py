"""What is wrong between the figures of one series: disputes, unit errors, totals that fall (DOMAIN §5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from tracker.quantity import plain
from tracker.readings import RANKS, Reading
from tracker.values import Rank


@dataclass(slots=True)
class Problems:
    """What is wrong between the figures of one series: the ids of the events that show it."""

    disputed: set[str] = field(default_factory=set)
    unit_errors: set[str] = field(default_factory=set)
    falls: set[str] = field(default_factory=set)
    overlaps: set[str] = field(default_factory=set)
    conflicts: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Event id to the ids of the events that contradict it."""

    def look_at(self, pool: Sequence[Reading]) -> None:
        """Disputes, unit errors and falls. Between figures of two ranks a reviewer has settled which one counts."""
        occasions: dict[tuple[object, ...], list[Reading]] = {}
        for reading in pool:
            occasions.setdefault(reading.occasion, []).append(reading)
        running: dict[Rank, list[Reading]] = {}
        for together in occasions.values():
            best, equals = together[0].item.rank, together
            if len(together) > 1:
                best = min((reading.item.rank for reading in together), key=RANKS.__getitem__)
                equals = [reading for reading in together if reading.item.rank == best]
                self._dispute(equals)
                self._unit_error(equals)
            running.setdefault(best, []).extend(r for r in equals if r.figure.basis == "cumulative")
        for totals in running.values():
            self._fall(totals)

    def _dispute(self, together: Sequence[Reading]) -> None:
        """Intervals on a line meet pairwise when the highest low end and the lowest high end do."""
        spans = [(r, r.compared.widened) for r in together if r.compared is not None]
        if len(spans) < 2:
            return
        lows = [(span.low, r) for r, span in spans if span.low is not None]
        highs = [(span.high, r) for r, span in spans if span.high is not None]
        if not lows or not highs:
            return
        low, upper = max(lows, key=lambda pair: pair[0])
        high, lower = min(highs, key=lambda pair: pair[0])
        if low > high:
            self.disputed |= {*upper.item.causes, *lower.item.causes}
        for reading, span in spans:
            if span.low is not None and span.low > high:
                self.conflicts[reading.item.id].add(lower.item.id)
            if span.high is not None and span.high < low:
                self.conflicts[reading.item.id].add(upper.item.id)

    def _unit_error(self, together: Sequence[Reading]) -> None:
        seen: dict[str, Reading] = {}
        for reading in together:
            digits = plain(reading.figure.quantity.value)
            other = seen.setdefault(digits, reading)
            if other.figure.quantity.unit != reading.figure.quantity.unit and digits != "0":
                self.unit_errors |= {*other.item.causes, *reading.item.causes}
                self._contradict(other, reading)

    def _fall(self, running: Sequence[Reading]) -> None:
        """A running total that is certainly lower than one before it."""
        highest: tuple[Decimal, Reading] | None = None
        spans = [(reading, reading.compared.widened) for reading in running if reading.compared is not None]
        for _, together in groupby(sorted(spans, key=lambda pair: pair[0].day), key=lambda pair: pair[0].day):
            today = list(together)
            for reading, span in today:
                if highest is not None and span.high is not None and span.high < highest[0]:
                    self.falls |= {*highest[1].item.causes, *reading.item.causes}
                    self._contradict(highest[1], reading)
            for reading, span in today:
                if span.low is not None and (highest is None or span.low > highest[0]):
                    highest = (span.low, reading)

    def _contradict(self, one: Reading, other: Reading) -> None:
        self.conflicts[one.item.id].add(other.item.id)
        self.conflicts[other.item.id].add(one.item.id)
