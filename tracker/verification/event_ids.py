"""Whether every event has an id of its own: corrections and voids name events by it."""

from __future__ import annotations

from array import array
from itertools import pairwise

_HALF = 64
_LOW = (1 << _HALF) - 1


class EventIds:
    """The ids of a log's events while it is walked in order: memory grows by 24 bytes an event."""

    def __init__(self) -> None:
        self._highs, self._lows, self._positions = array("Q"), array("Q"), array("Q")

    def take(self, id_: str, position: int) -> None:
        """Note the id, a UUID in its written form, of the event at a position; positions go up."""
        number = int(id_.replace("-", ""), 16)
        self._highs.append(number >> _HALF)
        self._lows.append(number & _LOW)
        self._positions.append(position)

    def twice(self) -> tuple[int, int] | None:
        """The first position whose id an earlier event has, after the position of that one; None if there is none."""
        order = sorted(range(len(self._lows)), key=self._lows.__getitem__)
        found = [
            (other, one)
            for one, other in pairwise(order)
            if self._lows[one] == self._lows[other] and self._highs[one] == self._highs[other]
        ]
        if not found:
            return None
        again, first = min(found)
        return self._positions[first], self._positions[again]
