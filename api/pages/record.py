"""The page that records a fact: a form for its type, with the events that such a fact may act on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from api import wording
from api.http.contract import Parameter
from api.http.parameters import choice, matching
from api.http.problems import pledge_not_found
from api.http.responses import BytesResponse
from api.pages.form_fields import COMMON, RECORD_KEEPING, form_sections
from api.pages.frame import PageRequest, page_contract
from api.resources.names import TYPE_NAMES
from tracker.acting import may_act_on_type
from tracker.event import Event
from tracker.pledge_events import PledgeEvents
from tracker.rules.pledge_history import PledgeHistory, ResolvedFact
from tracker.units import SLUG
from tracker.values import is_slug

RECORD_CONTRACT = page_contract(
    "A form to record a fact.",
    Parameter("pledge", "The pledge that the fact is about.", {"type": "string", "pattern": f"^{SLUG}$"}),
    Parameter("type", "The type of the fact.", {"enum": list(TYPE_NAMES)}),
    Parameter("event", "The event that the fact acts on.", {"type": "string", "pattern": "^[0-9a-f-]{1,36}$"}),
    problems=("pledge_not_found",),
)

_SUMMARY_LETTERS = 70
"""Letters of an event's summary in the list of events."""


def draw_record(page: PageRequest) -> BytesResponse:
    """The page at `/record`."""
    query, log = page.query, page.services.tracker.log
    pledge = matching(query, "pledge", "slug", SLUG)
    fact_type = choice(query, "type", TYPE_NAMES) or ("ProgressReported" if pledge is not None else "PledgeMade")
    if fact_type == "PledgeMade":
        pledge = None
    at = page.projected()
    recorded = PledgeEvents() if pledge is None or not is_slug(pledge) else page.taken_in(pledge, None)
    if pledge is not None and not recorded.rows:
        raise pledge_not_found(pledge)
    targets, known = recorded.fold(lambda events: targets_of(fact_type, events))
    events = known.events
    html = page.render(
        "record.html",
        at,
        pledge=pledge,
        title=getattr(events[0].fact, "title", pledge) if events else None,
        fact_type=fact_type,
        types=_grouped_types(),
        sections=form_sections(fact_type),
        targets=[_target_choice(target) for target in reversed(targets)],
        event=query.get("event", ""),
        members=_members(events),
        milestones=list(dict.fromkeys(m for e in events if (m := getattr(e.fact, "milestone", None)))),
    )
    return page.about_log(log.head() if page.at.position is None else at.position, html)


def targets_of(fact_type: str, events: Sequence[Event]) -> list[ResolvedFact]:
    """The facts of a pledge, by version, that a fact of the type may act on: as corrected, and not voided."""
    standing, _ = PledgeHistory(events).resolve(date.max)
    return [resolved for resolved in standing if may_act_on_type(fact_type, resolved.fact)]


def _grouped_types() -> list[tuple[str, list[tuple[str, str]]]]:
    """The types of facts in groups: (name of the group, its types with their words)."""
    rest = [name for name in wording.TYPE if name not in (*COMMON, *RECORD_KEEPING, "PledgeMade")]
    groups: tuple[tuple[str, Sequence[str]], ...] = (
        ("A new pledge", ["PledgeMade"]),
        ("Said most often", COMMON),
        ("Said in the world", rest),
        ("Keeping our record", RECORD_KEEPING),
    )
    return [(label, [(name, wording.TYPE[name]) for name in names]) for label, names in groups]


def _target_choice(target: ResolvedFact) -> tuple[str, str]:
    """An event as a choice of the form: (id, words)."""
    event, fact = target.event, target.fact
    summary = (fact.summary or getattr(fact, "title", None) or "")[:_SUMMARY_LETTERS]
    words = f"{event.version}. {wording.TYPE[event.type]}, {fact.stated_on.isoformat()}"
    return event.id, f"{words}: {summary}" if summary else words


def _members(events: Sequence[Event]) -> list[tuple[str, str]]:
    """The members of the group that was named last: (code, name)."""
    group = next((g for event in reversed(events) if (g := getattr(event.fact, "group", None)) is not None), None)
    return [] if group is None else [(code, wording.member(code)) for code in group.members]
