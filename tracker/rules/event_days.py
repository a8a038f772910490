"""Events as they are served, and when each of a pledge's was said: what a list of them shows on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tracker.acting import REPAIRS
from tracker.event import Event, fact_json, stamp
from tracker.rules.pledge_history import PledgeHistory


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


def event_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object, as it is served."""
    return {
        "id": event.id,
        "pledge": event.pledge,
        "version": event.version,
        "recorded_at": stamp(event.recorded_at),
        "recorded_by": event.recorded_by,
        "fact": fact_json(event.fact),
        "position": event.position,
    }
