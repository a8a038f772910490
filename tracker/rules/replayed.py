"""A pledge's status document folded from its stored lines, as every replay prints it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic_core import from_json, to_json

from tracker.event import Event
from tracker.pledge_events import PledgeEvents, StoredEvent, UnreadEvent
from tracker.rules.status import StatusFold, complete

STALE_FLAG = "stale_projection"
"""The flag of a pledge of which some event could not be taken in."""


def flagged(body: bytes) -> bytes:
    """The document of a pledge with an event that could not be taken in."""
    document = from_json(body)
    document["flags"] = [*document["flags"], STALE_FLAG]
    return to_json(document)


def answered(body: bytes, known: PledgeEvents, *, as_of: date, known_at: datetime | None) -> bytes:
    """The document that was folded from the events `known`, with the clocks it was asked at."""
    body = flagged(body) if known.unread else body
    return complete(body, as_of=as_of, known_at=known_at, position=known.position, version=known.version)


def replayed(
    rows: Iterable[StoredEvent], *, as_of: date, known_at: datetime | None
) -> tuple[bytes | None, tuple[UnreadEvent, ...]]:
    """The status document of one pledge from its stored lines, and the events that could not be taken in.

    The document is None where the pledge does not exist on the day.
    """

    def fold(events: Sequence[Event]) -> bytes | None:
        status = StatusFold(events).status(as_of)
        return None if status is None else status.body

    body, known = PledgeEvents.read(rows).fold(fold)
    return None if body is None else answered(body, known, as_of=as_of, known_at=known_at), known.unread
