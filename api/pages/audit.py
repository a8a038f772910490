"""The audit page: the log with both dates of each event, and a replay of it against the projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from api import wording as words
from api.http import clocks
from api.http.auth import must_allow
from api.http.contract import Parameter
from api.http.parameters import choice, flag, integer, matching
from api.http.problems import Forbidden, Unauthorized
from api.http.responses import BytesResponse
from api.pages.frame import HEADERS, HTML, PageRequest, page_contract
from api.resources.contracts import TYPE_NAMES
from projections import verify
from projections.timeline import Clocks
from tracker.event import Event, fact_json, stamp
from tracker.units import SLUG

FAR_POSITION = 10**15
"""A position that no log reaches."""

CONTRACT = page_contract(
    "The log, and its replay against the projection.",
    Parameter("by", "Only what this key recorded.", {"type": "string", "pattern": "^[ -~]{1,64}$"}),
    Parameter("pledge", "Only this pledge's events.", {"type": "string", "pattern": f"^{SLUG}$"}),
    Parameter("type", "Only facts of this type.", {"enum": list(TYPE_NAMES)}),
    Parameter(
        "before", "The position before which the page ends.", {"type": "integer", "minimum": 1, "maximum": FAR_POSITION}
    ),
    Parameter("replay", "Fold the log again and compare.", {"type": "boolean"}),
)

AUDIT_PAGE_ROWS = 50
_WINDOW = 1_000
_WINDOWS = 10
"""So many stretches of the log are searched for a page of a filtered list; then the reader is asked to go on."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the log, newest first. ``searched`` is the first position looked at; ``more``: others are before it."""

    events: list[dict[str, Any]]
    searched: int
    more: bool


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """The outcome of a replay: how many pledges were folded, and those that the projection has otherwise.

    ``name`` is that of a pledge asked for alone, which has so many ``events``.
    """

    pledges: int
    differences: list[dict[str, Any]]
    name: str | None
    events: int = 0


def audit(page: PageRequest) -> BytesResponse:
    """The page at `/audit`."""
    query = page.query
    at = page.projected()
    pledge = matching(query, "pledge", "slug", SLUG)
    kind, by = choice(query, "type", TYPE_NAMES), query.get("by")
    head = page.services.tracker.journal.head() if page.at.position is None else at.position
    top = min(integer(query, "before", 1, FAR_POSITION, FAR_POSITION) - 1, head)
    listed = _listed(page, top, pledge, kind, by)
    verdict, refused = None, False
    if flag(query, "replay"):
        refused = pledge is None and not _may_replay_all(page)
        verdict = None if refused else _one(page, pledge, at) if pledge is not None else _all(page, at)
    names = sorted({event["pledge"] for event in listed.events})
    held = page.services.timeline.held(names, Clocks(clocks.today(), page.services.timeline.position(), None))
    oldest = listed.events[-1]["position"] if len(listed.events) == AUDIT_PAGE_ROWS else listed.searched
    html = page.render(
        "audit.html",
        at,
        listed=listed,
        pledges={name for name, (sheets, _) in held.items() if sheets},
        head=head,
        types=[(name, words.TYPE[name]) for name in TYPE_NAMES],
        older=page.link(before=str(oldest), replay=None) if listed.more else None,
        newest=page.link(before=None) if "before" in query else None,
        verdict=verdict,
        refused=refused,
        is_filtered=any(name in query for name in ("by", "pledge", "type")),
    )
    if flag(query, "replay"):  # what an auditor may see is kept for nobody
        return BytesResponse(html, media_type=HTML, headers=HEADERS)
    return page.sent("about_log", head, html)


def _may_replay_all(page: PageRequest) -> bool:
    try:
        must_allow(page.caller, "auditor", public_read=False)
    except (Unauthorized, Forbidden):
        return False
    return True


def _listed(page: PageRequest, top: int, pledge: str | None, kind: str | None, by: str | None) -> AuditPage:
    """The newest events up to a position that pass the filters."""
    journal = page.services.tracker.journal
    found: list[dict[str, Any]] = []
    for _ in range(_WINDOWS):
        after = max(0, top - _WINDOW)
        for row in reversed(journal.read(after, _WINDOW, upto=top, pledge=pledge, type=kind)):
            event = Event.read(row.state, row.position)
            if by is None or event.recorded_by == by:
                found.append(_listing(event))
                if len(found) == AUDIT_PAGE_ROWS:
                    return AuditPage(found, row.position, more=row.position > 1)
        top = after
        if not top:
            break
    return AuditPage(found, top + 1, more=top > 0)


def _listing(event: Event) -> dict[str, Any]:
    fact = fact_json(event.fact)
    return {
        "id": event.id,
        "pledge": event.pledge,
        "version": event.version,
        "position": event.position,
        "type": event.type,
        "said": words.stated(fact),
        "stated_on": fact["stated_on"],
        "recorded_at": stamp(event.recorded_at),
        "recorded_by": event.recorded_by,
        "summary": fact.get("summary") or fact.get("reason") or fact.get("title") or "",
        "source": (fact.get("source") or {}).get("publisher"),
    }


def _one(page: PageRequest, pledge: str, at: Clocks) -> ReplayOutcome:
    """One pledge folded from the log, beside what the projection has."""
    folded = verify.replay_one(page.services.tracker.journal, pledge, at)
    projected = page.services.timeline.one(pledge, at)
    if folded is None and projected is None:
        events, _ = page.services.tracker.journal.heads([pledge], at.position).get(pledge, (0, 0))
        return ReplayOutcome(0, [], pledge, events)
    if folded == projected:
        return ReplayOutcome(1, [], pledge)
    return ReplayOutcome(1, [_shown(verify.Mismatch(pledge, folded, projected))], pledge)


def _all(page: PageRequest, at: Clocks) -> ReplayOutcome:
    found = list(verify.compare(page.services.tracker.journal, page.services.timeline, at))
    return ReplayOutcome(len(found), [_shown(d) for d in found if d is not None], None)


def _shown(difference: verify.Mismatch) -> dict[str, Any]:
    sides = [None if d is None else from_json(d)["status"] for d in (difference.replayed, difference.projected)]
    return {
        "pledge": difference.pledge,
        "replayed": sides[0],
        "projected": sides[1],
        "members": [words.humane(name) for name in difference.members],
    }
