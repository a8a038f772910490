"""The day from which each of a pledge's events may be known: lists of events are cut there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tracker.acting import REPAIRS
from tracker.event import Event
from tracker.rules.pledge_history import PledgeHistory


def days(events: Sequence[Event]) -> dict[str, date]:
    """Event ids to the day from which a replay may know the event, as corrected; a repair acts from what it repairs."""
    return days_of(PledgeHistory(events), date.max)


def days_of(history: PledgeHistory, as_of: date) -> dict[str, date]:
    """The `days` of a history's events, with the corrections that are not taken back by `as_of`."""
    resolved = {s.event.id: s.in_force_on for s in history.resolve(as_of)[0]}
    return {
        event.id: history.acts_from(event)
        if isinstance(event.fact, REPAIRS)
        else resolved.get(event.id, event.in_force_on)
        for event in history.events
    }


def said_by(events: Sequence[Event], as_of: date) -> list[Event]:
    """The events that had been said by a day, in order."""
    on = days(events)
    return [event for event in events if on[event.id] <= as_of]


def said_between(events: Sequence[Event], after: date, upto: date) -> list[Event]:
    """The events that were said after one day and by another, in order."""
    on = days(events)
    return [event for event in events if after < on[event.id] <= upto]
