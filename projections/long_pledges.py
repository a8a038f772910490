"""A pledge whose events take long is folded in a thread of its own, a slice at a time: the other pledges go on.

Its events wait beside the set meanwhile, as parked ones do, with `WAITS` in the place of a reason: its answers have
the flag `stale_projection`, and the position of the last event that is in them. Where folding them at once is much
sooner done, that is done, and the gap that it leaves is filled when no events wait (`projections.gaps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from threading import Thread
from time import monotonic
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from projections import gaps, table_writer
from projections.fold import ClosedRectangles, OpenRectangles
from projections.folded_pledge import FoldedPledge, refusal_of, set_aside, tell_parked
from projections.gaps import Gap
from projections.table_writer import WAITS, ParkedEvent, PledgeChange
from projections.tables import TableSet, is_missing_table

SHARE_SECONDS = 0.2
"""Seconds of CPU time of one batch that one pledge may take; then the rest of its events wait."""

SLICE_SECONDS = 1.0
"""Seconds after which what is folded of a long pledge is written; a single event, or a leap, may take longer."""

LOOK_SECONDS = 0.05
"""Seconds that the projector waits for a slice when it has nothing else to do."""


def waits(parked: Sequence[ParkedEvent]) -> bool:
    """Whether the events of a pledge wait for their turn, the first and so all of them."""
    return bool(parked) and parked[0].error == WAITS


class LongSlice:
    """Some waiting events of one pledge, folded in a thread: all at once where that is worth a leap, else one after the
    other until SLICE_SECONDS have passed, at least one of them.

    The pledge belongs to the thread until `is_done`. `taken` is how many events were folded; `error` is why the next
    one could not be, empty if it could.
    """

    def __init__(
        self,
        name: str,
        pledge: FoldedPledge,
        events: Sequence[ParkedEvent],
        *,
        gap: Gap | None = None,
        may_leap: bool = False,
    ) -> None:
        self.name, self.pledge, self.gap, self._may_leap = name, pledge, gap, may_leap
        self.taken, self.error, self.has_leapt = 0, "", False
        self._events = tuple(events)
        self._thread = Thread(target=self._fold, name="long-pledge", daemon=True)
        self._thread.start()

    def is_done(self, seconds: float) -> bool:
        """Whether the slice is folded, after waiting for it so many seconds at most."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def change(self) -> PledgeChange:
        """What the folded events change."""
        return PledgeChange(self.pledge.closed, self.pledge.open)

    def _fold(self) -> None:
        if self._may_leap and self.pledge.is_worth_leaping(self._events) and self.pledge.leap(self._events):
            self.taken, self.has_leapt = len(self._events), True
            return
        until = monotonic() + SLICE_SECONDS
        for event in self._events:
            if left := self.pledge.take([event]):
                self.error = left[0].error
                return
            self.taken += 1
            if monotonic() > until:
                return


class Pledges(Protocol):
    """The pledges of one table set, as its projector has them."""

    tables: TableSet
    parked: dict[str, list[ParkedEvent]]
    """The events of each pledge that wait or could not be folded, in their order."""

    def here(self) -> AbstractContextManager[Connection]:
        """A transaction that writes to the set, where the projector left it."""

    def take_out(self, name: str) -> FoldedPledge:
        """A pledge as it stands."""

    def before(self, name: str, gap: Gap) -> FoldedPledge:
        """A pledge as it stands before what is missing in a gap."""

    def put_back(self, name: str, pledge: FoldedPledge) -> None:
        """Keep a pledge of which all is written."""

    def give_up(self, name: str, gap: Gap, reason: str) -> None:
        """Let a pledge stand as before a gap; what is missing in it is parked, and with it all that stands behind."""


class LongPledges:
    """The long pledges of one table set: what waits of them, then what is missing in their gaps."""

    def __init__(self, pledges: Pledges) -> None:
        self._pledges = pledges
        self._slice: LongSlice | None = None
        self._refused_leaps: set[str] = set()
        self.gaps: dict[str, list[Gap]] = {}

    @property
    def has_work(self) -> bool:
        """Whether events wait for their turn, or are missing in a gap."""
        return bool(self.gaps) or any(waits(parked) for parked in self._pledges.parked.values())

    @property
    def missing(self) -> int:
        """The sum of the positions of the events that are missing in gaps."""
        return sum(event.position for some in self.gaps.values() for gap in some for event in gap.missing)

    def begin_with(self, found: dict[str, list[Gap]]) -> None:
        """Forget everything but the gaps that a set has."""
        self._slice, self.gaps = None, found
        self._refused_leaps.clear()

    def forget(self, name: str) -> None:
        """Forget what is being folded of a pledge."""
        if self._slice is not None and self._slice.name == name:
            self._slice = None
        for gap in self.gaps.get(name, ()):
            gap.pledge = None

    def drop(self, name: str) -> None:
        """A pledge has no gaps any more."""
        self.forget(name)
        self.gaps.pop(name, None)
        self._refused_leaps.discard(name)

    def go_on(self, seconds: float, *, may_begin: bool = True) -> int:
        """Write a slice if it is folded in so many seconds, begin another one; how many waiting events it took in.

        While the log has more to be read, none begins: what comes to wait is leapt over together.
        """
        taken = 0
        if self._slice is not None and self._slice.is_done(seconds):
            done, self._slice = self._slice, None
            if done.gap is None:
                taken = self._write(done)
            else:
                self._fill(done, done.gap)
        if self._slice is None and may_begin:
            self._slice = self._next()
        return taken

    def _next(self) -> LongSlice | None:
        parked = self._pledges.parked
        name = next((name for name, events in parked.items() if waits(events)), None)
        if name is not None:
            pledge, may_leap = self._pledges.take_out(name), name not in self._refused_leaps
            return LongSlice(name, pledge, parked[name], may_leap=may_leap)
        name = next(iter(self.gaps), None)
        if name is None:
            return None
        gap = self.gaps[name][0]
        if gap.pledge is None:
            gap.pledge = self._pledges.before(name, gap)
        return LongSlice(name, gap.pledge, gap.missing, gap=gap)

    def _write(self, done: LongSlice) -> int:
        name, pledge, waiting = done.name, done.pledge, self._pledges.parked[done.name]
        taken, error = done.taken, done.error
        try:
            left = self._leap(done) if done.has_leapt else self._write_taken(name, done.change, taken, error)
        except DatabaseError as refused:
            if isinstance(refused, OperationalError) or is_missing_table(refused):
                raise
            if done.has_leapt:  # one after the other, the event that the store refuses is found
                self._refused_leaps.add(name)
                return 0
            taken, error = 0, refusal_of(refused)
            left = self._write_taken(name, PledgeChange(ClosedRectangles(), OpenRectangles()), taken, error)
        else:
            pledge.open, pledge.closed = pledge.open.as_stored, ClosedRectangles()
            self._pledges.put_back(name, pledge)
        del self._pledges.parked[name]
        if left:
            self._pledges.parked[name] = left  # behind the other long ones
        tell_parked(left[:1])
        return len(waiting) - len(left)

    def _leap(self, done: LongSlice) -> list[ParkedEvent]:
        """Write what all events of a slice change; those that came to wait since."""
        waiting = self._pledges.parked[done.name]
        with self._pledges.here() as conn:
            gap = gaps.leap(conn, self._pledges.tables, done.name, waiting[: done.taken], done.change)
        self.gaps.setdefault(done.name, []).append(gap)
        return waiting[done.taken :]

    def _write_taken(self, name: str, change: PledgeChange, taken: int, error: str) -> list[ParkedEvent]:
        """Write what the first waiting events of a pledge change; those that are left, parked if there was an error."""
        waiting = self._pledges.parked[name]
        left = set_aside(waiting[taken:], error) if error else waiting[taken:]
        number = self._pledges.tables.number
        with self._pledges.here() as conn:
            freed = waiting if error else waiting[:taken]
            table_writer.write_parked(conn, number, left if error else [], [p.position for p in freed])
            table_writer.write(conn, self._pledges.tables, {name: change})
        return left

    def _fill(self, done: LongSlice, gap: Gap) -> None:
        """Write what a slice of a gap changed; where nothing of it can be folded or written, the gap is given up."""
        gap.pledge = None
        if not done.taken:
            self._pledges.give_up(done.name, gap, done.error)
            return
        try:
            with self._pledges.here() as conn:
                gaps.fill(conn, self._pledges.tables, done.name, gap, done.taken, done.change)
        except DatabaseError as refused:
            if isinstance(refused, OperationalError) or is_missing_table(refused):
                raise
            self._pledges.give_up(done.name, gap, refusal_of(refused))
            return
        done.pledge.open, done.pledge.closed = done.pledge.open.as_stored, ClosedRectangles()
        gap.pledge, gap.missing = done.pledge, gap.missing[done.taken :]
        if done.error:
            gap.pledge = None  # the next slice begins, and ends, with the event that cannot be folded
        if not gap.missing:
            del self.gaps[done.name][0]
            if not self.gaps[done.name]:
                del self.gaps[done.name]
