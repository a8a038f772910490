"""One pledge as far as it is folded, and the events that are still to be folded or could not be."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy.exc import DatabaseError

from projections.fold import ClosedRectangles, EventReach, OpenRectangles, fold, fold_at_once
from projections.table_writer import WAITS, ParkedEvent
from tracker.acting import REPAIRS
from tracker.errors import UnreadableEvent
from tracker.event import Event
from tracker.log.rows import LogRow
from tracker.pledge_events import MAX_REASON_CHARACTERS, reason_of, waits_for
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusFold

SHARE_STEPS = 20_000
"""What one event may cost beside those of other pledges: the days that it changes, times the events behind each.

A step takes about 10 µs.
"""

LEAP_STEPS = 100_000
"""What waiting events cost one after the other, at least, where they are folded at once."""

LEAP_GAIN = 4
"""How many times as much they cost one after the other as at once, at least, where they are folded at once."""

TAKEN_AT_ONCE = 100
"""Events of one pledge that are folded while all others wait, at most, once the first of them can be folded."""

FOLD_ATTEMPTS = 2
"""How often an event is tried before it is parked."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class FoldedPledge:
    """One pledge as far as it is folded: its events, what is open, and what was closed since the last write."""

    statuses: StatusFold = field(default_factory=lambda: StatusFold(()))
    open: OpenRectangles = field(default_factory=OpenRectangles)
    closed: ClosedRectangles = field(default_factory=ClosedRectangles)
    blocked: str = ""
    """Why nothing can be folded on what is there: another version folded an event that this one cannot read."""

    def take(self, unfolded: Sequence[ParkedEvent]) -> list[ParkedEvent]:
        """Fold events in their order.

        Returns the first one that cannot be folded, with the reason, and all after it; nothing if all are folded.
        """
        if self.blocked:
            return set_aside(unfolded, self.blocked)
        for index, parked in enumerate(unfolded):
            error = self._take(parked)
            for _ in range(1, FOLD_ATTEMPTS):
                error = error and self._take(parked)
            if error is not None:
                return set_aside(unfolded[index:], reason_of(error))
        return []

    def take_again(self, parked: Sequence[ParkedEvent]) -> list[ParkedEvent]:
        """The same of events of which the first could not be folded before; if it can be, and very many stand behind
        it, these wait for their turn.
        """
        if len(parked) <= TAKEN_AT_ONCE:
            return self.take(parked)
        if left := self.take(parked[:1]):
            return set_aside(parked, left[0].error)
        return [replace(event, error=WAITS) for event in parked[1:]]

    def is_long(self, parked: ParkedEvent) -> bool:
        """Whether folding an event may take more than its share: it changes many days, each with many events behind."""
        history = self.statuses.history
        known = len(history.events)
        if known * known <= SHARE_STEPS or self.blocked:
            return False
        try:
            event = Event.read(parked.line, parked.position, parked.pledge)
        except UnreadableEvent:
            return False  # it is parked at once
        changes = history.changes
        since = _about_since(event, history.recorded)
        return (len(changes) - bisect_left(changes, since)) * known > SHARE_STEPS

    def is_worth_leaping(self, waiting: Sequence[ParkedEvent]) -> bool:
        """Whether folding events at once costs a small part of folding them one after the other."""
        if len(waiting) < 2 or self.blocked:
            return False
        history, steps, first = self.statuses.history, 0, date.max
        days, known = [*history.changes], len(history.events)
        try:
            events = [Event.read(parked.line, parked.position, parked.pledge) for parked in waiting]
        except UnreadableEvent:
            return False
        waiting_ids = {event.id: event for event in events}
        for event in events:
            known += 1
            since = _about_since(event, lambda id_: waiting_ids.get(id_) or history.recorded(id_))
            place = bisect_left(days, since)
            if days[place : place + 1] != [since]:
                days.insert(place, since)
            first, steps = min(first, since), steps + (len(days) - place) * known
        at_once = (len(days) - bisect_left(days, first)) * known
        return steps > max(LEAP_STEPS, LEAP_GAIN * at_once)

    def leap(self, waiting: Sequence[ParkedEvent]) -> bool:
        """Fold events at once: what holds after the last of them, and nothing of what held between them.

        False if they cannot be folded so; the pledge is as it was then.
        """
        events, reaches = [*self.statuses.events], list[EventReach]()
        try:
            for parked in waiting:
                events.append(Event.read(parked.line, parked.position, parked.pledge))
                reaches.append(EventReach.of(events[-1], PledgeHistory([*events])))
            statuses = StatusFold(events)
            now, closed = fold_at_once(self.open, statuses, reaches)
        except Exception:  # one after the other, the event that fails is found
            return False
        statuses.forget_statuses()
        self.statuses, self.open, self.closed = statuses, now, self.closed + closed
        return True

    def _take(self, parked: ParkedEvent) -> Exception | None:
        try:
            event = Event.read(parked.line, parked.position, parked.pledge)
            statuses = self.statuses.followed_by(event)
            now, closed = fold(self.open, statuses, event)
        except Exception as error:  # whatever it is, the other pledges go on
            return error
        statuses.forget_statuses()
        self.statuses, self.open, self.closed = statuses, now, self.closed + closed
        return None


def _about_since(event: Event, recorded: Callable[[str], Event | None]) -> date:
    """About the first day that an event changes: its own, or that of the fact that it repairs."""
    while isinstance(event.fact, REPAIRS):
        repaired = recorded(event.fact.event)
        if repaired is None or repaired.version >= event.version:  # a log that was tampered with has rings
            break
        event = repaired
    return event.in_force_on


def set_aside(events: Sequence[ParkedEvent], reason: str) -> list[ParkedEvent]:
    """The events as parked ones: the first for the reason, the others because they stand behind it."""
    reasons = [reason, *(waits_for(events[0].position) for _ in events[1:])]
    return [replace(event, error=why) for event, why in zip(events, reasons, strict=True)]


def reparked(
    before: Mapping[str, Sequence[ParkedEvent]], after: Mapping[str, Sequence[ParkedEvent]]
) -> tuple[list[ParkedEvent], list[int]]:
    """The events of some pledges that are parked from now on, for a reason, and the positions of those that are parked
    no more, or for another one.
    """
    parked: list[ParkedEvent] = []
    freed: list[int] = []
    for name, left in after.items():
        known = {p.position: p.error for p in before.get(name, ())}
        parked += [p for p in left if known.get(p.position) != p.error]
        kept = {p.position for p in left if known.get(p.position) == p.error}
        freed += known.keys() - kept
    return parked, freed


def unfolded(row: LogRow) -> ParkedEvent:
    """A row of the log that is still to be folded: parked for no reason yet."""
    return ParkedEvent(row.position, row.pledge, row.state, "")


def refusal_of(error: DatabaseError) -> str:
    """Why the store refused the rows of a pledge, in words."""
    return f"{type(error.orig).__name__}: {error.orig}"[:MAX_REASON_CHARACTERS]


def tell_parked(parked: Iterable[ParkedEvent]) -> None:
    """Log which events are parked, and why; those that only wait for their turn are not told."""
    for one in parked:
        if one.error == WAITS:
            continue
        _log.warning("event %d of %s is parked, its pledge stays as it was: %s", one.position, one.pledge, one.error)
