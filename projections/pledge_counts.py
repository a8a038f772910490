"""How many pledges there are at any point on both clocks, without looking at each of them.

Every rectangle of the catalogue adds one pledge at its corner (known_from, valid_from) and takes one away where it
ends; a corner counts for all points beyond it on both axes. The corners come in the order of the known axis, so those
known at a position are a prefix of them; a prefix is a few blocks of a power of two corners each, and in each block the
days are sorted. So a count is some bisections, whatever the number of pledges.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from threading import Lock
from typing import Any

from projections.tables import OPEN_DATE

_OPEN_END = OPEN_DATE.toordinal()

SMALLEST_BLOCK_CORNERS = 64
"""Corners of the smallest block; fewer are looked at one by one."""


class _Corners:
    """Days in the order in which they became known."""

    def __init__(self) -> None:
        self._positions = array("q")
        self._days = array("i")
        self._blocks: list[list[array[int]]] = []

    def extend(self, corners: Iterable[tuple[int, int]]) -> None:
        """Take in `(position, day)` in the order of positions."""
        for position, day in corners:
            self._positions.append(position)
            self._days.append(day)
        size, level = SMALLEST_BLOCK_CORNERS, 0
        while size <= len(self._days):
            if level == len(self._blocks):
                self._blocks.append([])
            blocks = self._blocks[level]
            while (end := (len(blocks) + 1) * size) <= len(self._days):
                # Two sorted halves are merged in linear time.
                pair = self._blocks[level - 1][2 * len(blocks) : 2 * len(blocks) + 2] if level else ()
                days = pair[0] + pair[1] if pair else self._days[end - size : end]
                blocks.append(array("i", sorted(days)))
            size, level = size * 2, level + 1

    def count(self, position: int, day: date) -> int:
        """The number of corners at or before a position and a day."""
        left = bisect_right(self._positions, position)
        last = day.toordinal()
        start = total = 0
        for level in reversed(range(len(self._blocks))):
            size = SMALLEST_BLOCK_CORNERS << level
            if left - start >= size:
                total += bisect_right(self._blocks[level][start // size], last)
                start += size
        return total + sum(1 for other in self._days[start:left] if other <= last)


class PledgeCounts:
    """The corners of all rectangles of one table set up to a position."""

    def __init__(self) -> None:
        self.position = 0
        self._added, self._taken = _Corners(), _Corners()
        self._lock = Lock()

    def extend(self, rectangles: Iterable[Sequence[Any]], upto: int) -> None:
        """Take in `(valid_from, valid_to, known_from, known_to)` of all that begin or end after `position`."""
        added: list[tuple[int, int]] = []
        taken: list[tuple[int, int]] = []
        with self._lock:
            for valid_from, valid_to, known_from, known_to, *_ in rectangles:
                first, last = valid_from.toordinal(), valid_to.toordinal()
                if self.position < known_from <= upto:
                    added.append((known_from, first))
                    if last != _OPEN_END:
                        taken.append((known_from, last))
                if self.position < known_to <= upto:
                    taken.append((known_to, first))
                    if last != _OPEN_END:
                        added.append((known_to, last))
            self._added.extend(sorted(added))
            self._taken.extend(sorted(taken))
            self.position = max(self.position, upto)

    def count(self, position: int, day: date) -> int:
        """The number of pledges that exist at a point; the position is at most `self.position`."""
        with self._lock:
            return self._added.count(position, day) - self._taken.count(position, day)
