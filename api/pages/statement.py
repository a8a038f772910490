"""The statement of one pledge for auditors, on one page of paper: what was said, recorded and signed.

Both clocks are in its address, so it is the same page for ever under one version of the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from api import amounts, wording
from api.http.responses import BytesResponse, Redirect
from api.pages.frame import PageRequest, page_contract
from api.pages.pledge import not_said_yet
from api.pages.pledge_rows import pledge_row
from api.resources.ledger import NoCheckpoint
from api.resources.read_request import must_be_slug
from projections.ledger.reader import PublishedCheckpoint
from tracker.errors import UnreadableEvent
from tracker.event import Event, raw_event, stamp
from tracker.log.rows import LogRow
from tracker.pledge_events import is_said, raw_fact
from tracker.signed_note import encode_base64

STATEMENT_CONTRACT = page_contract(
    "The statement of one pledge, to be printed.", problems=("pledge_not_found", "no_checkpoint")
)


def draw_statement(page: PageRequest, name: str) -> BytesResponse | Redirect:
    """The page at `/pledges/{id}/statement`; without both clocks the address that has those of now."""
    at = page.projected()
    if not (page.at.dated and page.at.numbered):
        return Redirect(page.pinned(at))
    body = page.services.timeline.one(must_be_slug(name), at)
    if body is None:
        raise not_said_yet(page, name, at)
    checkpoint = page.services.ledger.checkpoint_covering(at.position)
    if checkpoint is None:
        raise NoCheckpoint("no checkpoint covers this position yet; an event is signed within a second")
    page.services.ledger.intact(checkpoint)
    status = from_json(body)
    rows = [row for row in page.services.tracker.log.pledge_rows(name, at.position) if is_said(row.state, at.as_of)]
    events = [_event_row(row) for row in rows]
    digits = amounts.distinct_digits(status, [event["fact"] for event in events])
    causes = set(status["because"]["status"])
    html = page.render(
        "statement.html",
        at,
        status=status,
        row=pledge_row(status, digits),
        digits=digits,
        events=events,
        causes=causes,
        flags=[wording.FLAG.get(flag, (wording.in_words(flag), ""))[0] for flag in status["flags"]],
        signed=_signed(checkpoint),
    )
    return page.about_pledge(name, status["version"], html)


def _event_row(row: LogRow) -> dict[str, Any]:
    """An event as the statement lists it, without its fact if that cannot be read; `leaf` is its hash in the tree."""
    event = raw_event(row.state, row.position)
    try:
        Event.read(row.state, row.position, row.pledge)
        fact = raw_fact(event)
    except UnreadableEvent:
        fact = {}
    figure = fact.get("figure")
    return {
        "id": row.event_id,
        "version": row.version,
        "position": row.position,
        "type": wording.TYPE.get(row.type, row.type),
        "fact": fact,
        "said": wording.stated(fact) if fact else "",
        "quantity": figure.get("quantity") if isinstance(figure, dict) else fact.get("target"),
        "recorded_at": stamp(row.recorded_at),
        "recorded_by": str(event.get("recorded_by", "")),
        "leaf": encode_base64(row.leaf),
        "is_withheld": bool(row.withheld),
    }


def _signed(checkpoint: PublishedCheckpoint) -> Sequence[str]:
    """The lines of the signed checkpoint."""
    return checkpoint.note.decode().splitlines()
