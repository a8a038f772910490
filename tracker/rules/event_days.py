"""The day on which each of a pledge's events was said: what a list of its events shows on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tracker.event import Event
from tracker.rules.pledge_history import REPAIRS, PledgeHistory


def days(events: Sequence[Event]) -> dict[str, date]:
    """Event ids to the day from which a replay may know them, as corrected; a repair acts from what it repairs."""
    ledger = PledgeHistory(events)
    standing = {s.event.id: s.in_force_on for s in ledger.resolve(date.max)[0]}
    return {
        event.id: ledger.acts_from(event)
        if isinstance(event.fact, REPAIRS)
        else standing.get(event.id, event.in_force_on)
        for event in events
    }


def said_by(events: Sequence[Event], as_of: date) -> list[Event]:
    """The events that had been said by a day, in order."""
    on = days(events)
    return [event for event in events if on[event.id] <= as_of]


def said_between(events: Sequence[Event], after: date, upto: date) -> list[Event]:
    """The events that were said after one day and by another, in order."""
    on = days(events)
    return [event for event in events if after < on[event.id] <= upto]
