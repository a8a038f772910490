"""The audit page: the log with both dates of each event, and a replay of it against the projection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic_core import from_json

from api import wording
from api.http import system_clock
from api.http.addresses import encoded
from api.http.auth import must_allow
from api.http.clocks import AS_OF, end_of
from api.http.contract import Parameter
from api.http.parameters import choice, day, flag, integer, invalid, matching
from api.http.problems import Forbidden, Unauthorized
from api.http.responses import BytesResponse
from api.pages.frame import HEADERS, HTML, PageRequest, page_contract
from api.resources.contracts import MAX_PAGE_EVENTS
from api.resources.names import TYPE_NAMES
from projections import verify
from projections.queries import Clocks
from tracker.event import raw_event, stamp
from tracker.log.rows import LogRow
from tracker.pledge_events import raw_fact, raw_in_force_on
from tracker.rules.days import ONE_DAY
from tracker.signed_note import encode_base64
from tracker.units import SLUG

FAR_POSITION = 10**15
"""A position that no log reaches."""

AUDIT_CONTRACT = page_contract(
    "The log, and its replay against the projection.",
    Parameter("from", "Only what was recorded on this day (UTC) or later.", AS_OF.schema),
    Parameter("to", "Only what was recorded on this day (UTC) or before.", AS_OF.schema),
    Parameter("by", "Only what this key recorded.", {"type": "string", "pattern": "^[ -~]{1,64}$"}),
    Parameter("pledge", "Only this pledge's events.", {"type": "string", "pattern": f"^{SLUG}$"}),
    Parameter("type", "Only facts of this type.", {"enum": list(TYPE_NAMES)}),
    Parameter(
        "before", "The position before which the page ends.", {"type": "integer", "minimum": 1, "maximum": FAR_POSITION}
    ),
    Parameter("replay", "Fold the log again and compare.", {"type": "boolean"}),
)

AUDIT_PAGE_ROWS = 50
"""Events on a page."""

_READ_ROWS = 1_000
_MAX_READS = 10
"""Reads of `_READ_ROWS` rows in which the events of a filtered list are looked for; then the reader may go on."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the log, newest first.

    `searched_from` is the lowest position that was looked at; `has_more` is True if there are positions below it.
    """

    events: list[dict[str, Any]]
    searched_from: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What a replay found: the number of pledges folded, and those that the projection has otherwise.

    `pledge` is the slug of the only pledge that was replayed, None after a replay of all. `events` counts its events
    where they add up to no pledge.
    """

    pledges: int
    differences: list[dict[str, Any]]
    pledge: str | None
    events: int = 0


def draw_audit(page: PageRequest) -> BytesResponse:
    """The page at `/audit`."""
    query, mark = page.query, page.services.heads.checkpoint  # the mark from before anything is read
    at = page.projected()
    pledge = matching(query, "pledge", "slug", SLUG)
    fact_type, by = choice(query, "type", TYPE_NAMES), query.get("by")
    head = page.services.tracker.log.head() if page.at.position is None else at.position
    bottom, last = _recorded_between(page, head)
    top = min(integer(query, "before", 1, FAR_POSITION, FAR_POSITION) - 1, last)
    listed = _list_events(page, bottom, top, pledge, fact_type, by)
    is_replay = flag(query, "replay")
    is_refused = is_replay and pledge is None and not _may_replay_all(page)
    outcome = None
    if is_replay and not is_refused:
        outcome = _replay_all(page, at) if pledge is None else _replay_one(page, pledge, at)
    names = sorted({event["pledge"] for event in listed.events})
    held = page.services.timeline.stored_rows(
        names, Clocks(system_clock.today(), page.services.timeline.position(), None)
    )
    is_full = len(listed.events) == AUDIT_PAGE_ROWS
    oldest = listed.events[-1]["position"] if is_full else listed.searched_from
    ledger = page.services.ledger
    signed = ledger.checkpoint() if page.at.position is None else ledger.checkpoint_covering(page.at.position)
    html = page.render(
        "audit.html",
        at,
        signed=signed,
        signed_root=None if signed is None else encode_base64(signed.root),
        ledger=ledger.state(),
        listed=listed,
        pledges={name for name, (rows, *_) in held.items() if rows},
        head=head,
        types=[(name, wording.TYPE[name]) for name in TYPE_NAMES],
        older=page.link(before=str(oldest), replay=None) if listed.has_more else None,
        newest=page.link(before=None) if "before" in query else None,
        outcome=outcome,
        is_refused=is_refused,
        is_filtered=any(name in query for name in ("from", "to", "by", "pledge", "type")),
        csv=_csv(page),
    )
    if is_replay:  # what an auditor may see is kept in no cache
        return BytesResponse(html, media_type=HTML, headers=HEADERS)
    return page.about_log(head, html, checkpoint=mark)


def _may_replay_all(page: PageRequest) -> bool:
    try:
        must_allow(page.caller, "auditor", public_read=False)
    except (Unauthorized, Forbidden):
        return False
    return True


def _recorded_between(page: PageRequest, head: int) -> tuple[int, int]:
    """The position before the first event of the days that a query names, and that of the last one.

    Raises: InvalidParameter if the last day is before the first.
    """
    log, since, until = page.services.tracker.log, day(page.query, "from"), day(page.query, "to")
    if since is not None and until is not None and until < since:
        raise invalid("to", "is not before 'from'")
    bottom = 0 if since is None else log.position_at(end_of(since - ONE_DAY))
    return bottom, head if until is None else min(head, log.position_at(end_of(until)))


def _csv(page: PageRequest) -> str:
    """The same events as CSV, oldest first, as many as the API gives at once."""
    query = page.query
    asked = {"recorded_by": query.get("by"), "pledge": query.get("pledge"), "type": query.get("type")}
    if "from" in query:
        asked["recorded_from"] = f"{query['from']}T00:00:00Z"
    if "to" in query:
        asked["recorded_to"] = stamp(end_of(date.fromisoformat(query["to"])))
    if page.at.position is not None:
        asked["at_position"] = str(page.at.position)
    asked |= {"limit": str(MAX_PAGE_EVENTS), "format": "csv"}
    given = {name: value for name, value in asked.items() if value is not None}
    return page.address(f"/v1/events?{encoded(given, safe=':,')}")


def _list_events(
    page: PageRequest, bottom: int, top: int, pledge: str | None, fact_type: str | None, by: str | None
) -> AuditPage:
    """The newest events between two positions that pass the filters."""
    log = page.services.tracker.log
    found: list[dict[str, Any]] = []
    for _ in range(_MAX_READS):
        after = max(bottom, top - _READ_ROWS)
        for row in reversed(log.read(after, _READ_ROWS, upto=top, pledge=pledge, type=fact_type)):
            event = raw_event(row.state, row.position)
            if by is None or event.get("recorded_by") == by:
                found.append(_event_row(row, event))
                if len(found) == AUDIT_PAGE_ROWS:
                    return AuditPage(found, row.position, has_more=row.position > bottom + 1)
        top = min(top, after)
        if top <= bottom:
            break
    return AuditPage(found, top + 1, has_more=top > bottom)


def _event_row(row: LogRow, event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as the template lists it, as far as its stored line can be read; `said` is its day in words."""
    fact, on = raw_fact(event), raw_in_force_on(event)
    summary = fact.get("summary") or fact.get("reason") or fact.get("title") or ""
    source = fact.get("source")
    return {
        "id": row.event_id,
        "pledge": row.pledge,
        "version": row.version,
        "position": row.position,
        "type": wording.TYPE.get(row.type, row.type),
        "said": "" if on is None else wording.stated(fact),
        "stated_on": "" if on is None else fact["stated_on"],
        "recorded_at": stamp(row.recorded_at),
        "recorded_by": str(event.get("recorded_by", "")),
        "summary": str(summary),
        "source": source.get("publisher") if isinstance(source, Mapping) else None,
    }


def _replay_one(page: PageRequest, pledge: str, at: Clocks) -> ReplayOutcome:
    """One pledge folded from the log, beside what the projection has."""
    log, stalled = page.services.tracker.log, page.services.timeline.stalled(at).get(pledge)
    found = verify.replay_one(log, pledge, at) if stalled is None else verify.replay_stalled(log, pledge, at, stalled)
    folded = found.document
    projected = page.services.timeline.one(pledge, at)
    if folded is None and projected is None:
        events, _ = page.services.tracker.log.heads([pledge], at.position).get(pledge, (0, 0))
        return ReplayOutcome(0, [], pledge, events)
    if folded == projected:
        return ReplayOutcome(1, [], pledge)
    return ReplayOutcome(1, [_mismatch_row(verify.Mismatch(pledge, folded, projected))], pledge)


def _replay_all(page: PageRequest, at: Clocks) -> ReplayOutcome:
    """All pledges folded from the log, beside what the projection has."""
    found = list(verify.compare(page.services.tracker.log, page.services.timeline, at))
    return ReplayOutcome(len(found), [_mismatch_row(mismatch) for mismatch in found if mismatch is not None], None)


def _mismatch_row(mismatch: verify.Mismatch) -> dict[str, Any]:
    """A difference as the template lists it: the headline on either side, None for no pledge."""
    documents = (mismatch.replayed, mismatch.projected)
    replayed, projected = (None if body is None else from_json(body)["status"] for body in documents)
    return {
        "pledge": mismatch.pledge,
        "replayed": replayed,
        "projected": projected,
        "members": [wording.in_words(name) for name in mismatch.members],
    }
