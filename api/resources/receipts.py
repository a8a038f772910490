"""What a write is answered: receipts, and what a dry run would have recorded."""

from __future__ import annotations

from collections.abc import Callable

from pydantic_core import to_json

from api.http.clocks import clocks_json
from tracker.application import Tracker
from tracker.event import Event, served
from tracker.pledge_events import PledgeEvents
from tracker.requests import Recorded, Request
from tracker.rules.status import StatusFold, complete
from tracker.writer import MAX_WARNINGS


def receipt(recorded: Recorded, place: str) -> bytes:
    """The receipt of one fact, as JSON; `place` is the pointer to the fact in the body."""
    event = recorded.events[0]
    return b'{"event":%s,"position":%d,"version":%d,"replayed":%s,"warnings":%s}' % (
        served(event.state, event.position),
        event.position,
        event.version,
        b"true" if recorded.replayed else b"false",
        to_json([warning.json(place) for warning in recorded.warnings]),
    )


def batch_receipt(recorded: Recorded) -> bytes:
    """The receipt of a batch, as JSON."""
    return to_json(
        {
            "recorded": len(recorded.events),
            "first_position": recorded.events[0].position,
            "last_position": recorded.events[-1].position,
            "replayed": recorded.replayed,
        }
    )


def dry_run(tracker: Tracker, request: Request, place: Callable[[int], str]) -> bytes:
    """The events that would be recorded, what is odd about them, and the status of each pledge after them, today.

    `place` gives the pointer to the fact of each draft in the body.

    Raises: BatchRefused, UnreadableEvent and Unavailable, as `Tracker.preview` does.
    """
    events, warnings = tracker.preview(request, max_warnings=MAX_WARNINGS)
    as_of = request.now.date()
    by_pledge: dict[str, list[Event]] = {}
    for event in events:
        by_pledge.setdefault(event.pledge, []).append(event)
    statuses = []
    for pledge, new in by_pledge.items():
        known = tracker.events_of(pledge)
        status, folded = PledgeEvents(known.rows, (*known.events, *new)).fold(lambda e: StatusFold(e).status(as_of))
        if status is not None and not folded.reason:
            last = new[-1]
            statuses.append(
                complete(status.body, as_of=as_of, known_at=None, position=last.position, version=last.version)
            )
    return b'{"dry_run":true,"events":[%s],"statuses":[%s],"warnings":%s,%s' % (
        b",".join(served(event.line, event.position) for event in events),
        b",".join(statuses),
        to_json([warning.json(place(index)) for index, warning in warnings]),
        to_json(clocks_json(as_of, None, events[-1].position))[1:],
    )
