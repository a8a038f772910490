"""What the messages of a webhook are: which events and changes of status concern it, and the body of each.

An event's message has the event's id. A change of status has that of the event which made it known with `.status`
behind it, or the log's id, the pledge and the day on which it came with the time. So an id is the same however often,
and by whomever, a message is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any

from pydantic_core import from_json, to_json

from api.formats.cloudevents import TYPE_PREFIX
from api.outgoing.webhooks import Delivery, Webhook
from api.settings import Settings
from projections.passing import Spans, concerns
from projections.queries import Clocks, Filters
from projections.timeline import Timeline
from tracker.event import served, stamp
from tracker.log.identity import LogIdentity
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow

STATUS_TYPE = f"{TYPE_PREFIX}StatusChanged"
"""The type of a message that tells of a change of status."""

READ_EVENTS = 200
"""Events of the log that are read for a webhook at a time."""

MAX_DAYS = 366
"""Days of changes that are caught up with, at most; those before them are left out."""


def begun(webhook: Webhook, identities: Sequence[LogIdentity]) -> int:
    """The position behind which the log is read for a webhook, also where the log was forked since."""
    forks = [one.position for one in identities if one.number > 1]
    was = next((one.number for one in identities if one.log == webhook.log), 0)
    since = [position for one, position in zip(identities[1:], forks, strict=True) if one.number > was]
    return min([webhook.position, *since])


def folded(webhook: Webhook, rows: Sequence[LogRow], timeline: Timeline) -> Sequence[LogRow]:
    """The rows before the first one that concerns a webhook and of which the change of status is not known yet.

    Events of a pledge with thousands of facts are folded beside the others; until then its status is the one before.
    An event that cannot be read is told as it stands, since nobody knows when it will be.
    """
    if not rows or (webhook.what == "events" and webhook.filters == Filters()):
        return rows
    waiting = {pledge: first for pledge, first in timeline.waiting(rows[-1].position).items()
               if not webhook.filters.pledge or pledge in webhook.filters.pledge}  # fmt: skip
    return [*takewhile(lambda row: row.position < waiting.get(row.pledge, row.position + 1), rows)]


def of_events(
    webhook: Webhook, rows: Sequence[LogRow], timeline: Timeline, as_of: date, now: datetime
) -> Iterator[dict[str, Any]]:
    """The messages of some events, which follow each other in the log and are projected."""
    if not rows:
        return
    spans: Spans = {}
    if webhook.filters != Filters():
        pledges = {row.pledge for row in rows}
        spans = timeline.passing(webhook.filters, pledges, as_of, rows[0].position - 1, rows[-1].position)
    for row in rows:
        if webhook.types and row.type not in webhook.types:
            continue
        if webhook.filters != Filters() and not concerns(spans, row.pledge, row.position):
            continue
        if webhook.what != "statuses":
            yield _message(webhook, row.event_id, row.position, row.pledge, now, event_id=row.event_id)
        if webhook.what == "events":
            continue
        before, after = (
            _status(timeline.one(row.pledge, Clocks(as_of, at))) for at in (row.position - 1, row.position)
        )
        if after is not None and before != after:
            told = {"as_of": str(as_of), "status_before": before, "status_after": after, "event_id": row.event_id}
            yield _message(webhook, f"{row.event_id}.status", row.position, row.pledge, now, **told)


def next_day(webhook: Webhook, today: date) -> date:
    """The first day whose changes are not read for a webhook yet, of those that are caught up with."""
    return max(webhook.day, today - timedelta(days=MAX_DAYS)) + timedelta(days=1)


def of_day(webhook: Webhook, position: int, timeline: Timeline, day: date, now: datetime) -> Iterator[dict[str, Any]]:
    """The messages of statuses that changed with a day, as known at a position."""
    earlier, later = (Clocks(at, position) for at in (day - timedelta(days=1), day))
    for differences in timeline.diff(earlier, later, webhook.filters):
        for one in differences:
            before, after = _status(one.before), _status(one.after)
            if before is not None and after is not None and before != after:
                told = {"as_of": str(day), "status_before": before, "status_after": after}
                yield _message(webhook, f"{webhook.log}.{one.pledge}.{day}", position, one.pledge, now, **told)


def body_of(delivery: Delivery, log: LogRecorder, settings: Settings) -> bytes | None:
    """The body of a message, as it is told now; None if the log has its event no more."""
    if delivery.status_after is None:
        rows = log.by_event_ids([delivery.event_id or ""])
        if not rows:
            return None
        (row,) = rows
        opening = {"type": f"{TYPE_PREFIX}{row.type}", "timestamp": stamp(row.recorded_at)}
        return b'%s,"data":%s}' % (to_json(opening)[:-1], served(row.state, row.position))
    data = {
        "pledge": delivery.pledge,
        "url": settings.public_address(f"/v1/pledges/{delivery.pledge}?as_of={delivery.as_of}"),
        "as_of": delivery.as_of,
        "status_before": delivery.status_before,
        "status_after": delivery.status_after,
        "position": delivery.position,
        **({} if delivery.event_id is None else {"event": delivery.event_id}),
    }
    return to_json({"type": STATUS_TYPE, "timestamp": delivery.created_at, "data": data})


def _status(document: bytes | None) -> str | None:
    return None if document is None else str(from_json(document)["status"])


def _message(webhook: Webhook, id_: str, position: int, pledge: str, now: datetime, **told: Any) -> dict[str, Any]:
    nothing = {"event_id": None, "as_of": None, "status_before": None, "status_after": None, "ended_at": None}
    made = {
        "webhook": webhook.id, "id": id_, "position": position, "pledge": pledge, "state": "pending", "attempts": 0,
        "next_at": stamp(now), "answer": "", "created_at": stamp(now),
    }  # fmt: skip
    return nothing | made | told
