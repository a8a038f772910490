"""Whether the versions of every pledge run from 1 without a gap, where events whose lines are withheld may stand.

A withheld event shows its leaf alone: neither its pledge nor its version. So a version that is missing between two
events of a pledge is doubted unless a withheld event lies between them that no other gap needs.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from heapq import heappop, heappush

from tracker.verification.recorded_events import IllFormed

MAX_PLEDGES = 2_000_000
"""The most pledges that are counted: a stranger's log may not take all memory."""

MAX_WITHHELD = 1_000_000
"""The most withheld events that are believed."""


@dataclass(frozen=True, slots=True)
class VersionGap:
    """Versions of a pledge that are missing: `missing` events between two positions, both excluded."""

    pledge: str
    after: int
    before: int
    missing: int


class PledgeVersions:
    """Counts the versions of every pledge while the log is walked in order: memory grows with the pledges."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}
        self._withheld = array("Q")
        self._gaps: list[VersionGap] = []
        self._missing = 0

    @property
    def pledges(self) -> int:
        """The number of pledges that have an event whose line is shown."""
        return len(self._last)

    @property
    def withheld(self) -> int:
        """The number of withheld events."""
        return len(self._withheld)

    @property
    def unplaced(self) -> int:
        """The number of withheld events that fill no gap: each may be the last event of any pledge."""
        return self.withheld - self._missing

    @property
    def incomplete(self) -> frozenset[str]:
        """The pledges that surely have a withheld event."""
        return frozenset(gap.pledge for gap in self._gaps)

    def take(self, pledge: str, version: int, position: int) -> None:
        """The next event whose line is shown.

        Raises: IllFormed if its version does not follow, and too few events are withheld to explain it; or if there are
        more pledges than are counted.
        """
        last, at = self._last.get(pledge, (0, 0))
        if version == last + 1 and last:
            self._last[pledge] = version, position
            return
        if version <= last:
            raise IllFormed(f"version {version} of {pledge} comes after its version {last}")
        missing = version - last - 1
        if missing:
            self._missing += missing
            if self._missing > len(self._withheld):
                raise IllFormed(f"version {version} of {pledge} comes after its version {last}")
            self._gaps.append(VersionGap(pledge, at, position, missing))
        self._last[pledge] = version, position
        if len(self._last) > MAX_PLEDGES:
            raise IllFormed(f"the log has more than {MAX_PLEDGES} pledges, more than are counted here")

    def take_withheld(self, position: int) -> None:
        """The next event, of which the leaf alone is shown.

        Raises: IllFormed if there are more than are believed.
        """
        if len(self._withheld) == MAX_WITHHELD:
            raise IllFormed(f"more than {MAX_WITHHELD} events are withheld")
        self._withheld.append(position)

    def first_unexplained(self) -> VersionGap | None:
        """The first gap that the withheld events cannot fill, once all were taken; None if every gap can be."""
        waiting: list[tuple[int, int]] = []  # the end of a gap, and which gap: the one that ends first is filled first
        gaps = sorted(range(len(self._gaps)), key=lambda index: self._gaps[index].after)
        left = [gap.missing for gap in self._gaps]
        opened = 0
        for position in self._withheld:
            while opened < len(gaps) and self._gaps[gaps[opened]].after < position:
                heappush(waiting, (self._gaps[gaps[opened]].before, gaps[opened]))
                opened += 1
            if not waiting:
                continue
            before, index = waiting[0]
            if before < position:
                return self._gaps[index]
            left[index] -= 1
            if not left[index]:
                heappop(waiting)
        return next((gap for gap, missing in zip(self._gaps, left, strict=True) if missing), None)
