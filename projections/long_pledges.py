"""A pledge whose events take long is folded in a thread of its own, a slice at a time: the other pledges go on.

Its events wait beside the set meanwhile, as parked ones do, with `WAITS` in the place of a reason: its answers have
the flag `stale_projection`, and the position of the last event that is in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread
from time import monotonic

from projections.folded_pledge import FoldedPledge
from projections.table_writer import WAITS, ParkedEvent

SHARE_SECONDS = 0.2
"""Seconds of CPU time of one batch that one pledge may take; then the rest of its events wait."""

SLICE_SECONDS = 1.0
"""Seconds after which what is folded of a long pledge is written; a single event may take longer."""

LOOK_SECONDS = 0.05
"""Seconds that the projector waits for a slice when it has nothing else to do."""


def waits(parked: Sequence[ParkedEvent]) -> bool:
    """Whether the events of a pledge wait for their turn, the first and so all of them."""
    return bool(parked) and parked[0].error == WAITS


class LongSlice:
    """Some waiting events of one pledge, folded in a thread until SLICE_SECONDS have passed; at least one of them.

    The pledge belongs to the thread until `is_done`. `taken` is how many events were folded; `error` is why the next
    one could not be, empty if it could.
    """

    def __init__(self, name: str, pledge: FoldedPledge, events: Sequence[ParkedEvent]) -> None:
        self.name, self.pledge, self.taken, self.error = name, pledge, 0, ""
        self._events = tuple(events)
        self._thread = Thread(target=self._fold, name="long-pledge", daemon=True)
        self._thread.start()

    def is_done(self, seconds: float) -> bool:
        """Whether the slice is folded, after waiting for it so many seconds at most."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _fold(self) -> None:
        until = monotonic() + SLICE_SECONDS
        for event in self._events:
            if left := self.pledge.take([event]):
                self.error = left[0].error
                return
            self.taken += 1
            if monotonic() > until:
                return
