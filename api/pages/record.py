"""The page that records a fact: a form for its type, with the events that such a fact may act on.

A fact that corrects or restates another one opens with what stands there, so that one field is changed and not a patch
written. The key is in the memory of the tab, so the page itself has nothing that is not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from litestar.types import ASGIApp
from pydantic_core import from_json

from api import wording
from api.http.contract import Parameter
from api.http.parameters import choice, matching
from api.http.problems import pledge_not_found
from api.http.responses import Redirect
from api.pages.event_lines import event_line
from api.pages.form_fields import COMMON, RECORD_KEEPING, FormField, FormSection, form_sections
from api.pages.frame import PageRequest, page_contract
from api.resources.names import TYPE_NAMES
from projections.queries import Clocks, Filters
from tracker.acting import may_act_on_type
from tracker.event import Event, fact_json
from tracker.pledge_events import PledgeEvents
from tracker.promise_facts import REVISABLE, PledgeMade, PledgeRevised
from tracker.rules.epochs import ResolvedFact
from tracker.rules.pledge_history import PledgeHistory
from tracker.units import SLUG
from tracker.values import is_slug

MAX_FOUND = 20
"""Pledges that a search on the page lists, at most."""

RECORD_CONTRACT = page_contract(
    "A form to record a fact.",
    Parameter("pledge", "The pledge that the fact is about.", {"type": "string", "pattern": f"^{SLUG}$"}),
    Parameter("find", "Words of the title of the pledge, or its slug.", {"type": "string"}),
    Parameter("type", "The type of the fact.", {"enum": list(TYPE_NAMES)}),
    Parameter("event", "The event that the fact acts on.", {"type": "string", "pattern": "^[0-9a-f-]{1,36}$"}),
    Parameter("proposal", "The proposal that is revised.", {"type": "string", "pattern": "^[0-9a-f-]{1,36}$"}),
    problems=("pledge_not_found",),
)

SHOWS_TARGET = ("EventCorrected", "FigureRestated")
"""Types whose form opens with what the event says that they act on."""

_WORDS_LETTERS = 60
"""Letters of an event's words in the list of events."""


def draw_record(page: PageRequest) -> ASGIApp:
    """The page at `/record`."""
    query, log = page.query, page.services.tracker.log
    at = page.projected()
    pledge = matching(query, "pledge", "slug", SLUG)
    found: list[dict[str, Any]] | None = None
    if "find" in query:
        found, pledge = _found(page, query["find"], at), None
        if len(found) == 1:
            return Redirect(page.link(find=None, event=None, proposal=None, pledge=found[0]["pledge"]))
    fact_type = choice(query, "type", TYPE_NAMES) or ("ProgressReported" if pledge is not None else "PledgeMade")
    if fact_type == "PledgeMade":
        pledge = None
    recorded = PledgeEvents() if pledge is None or not is_slug(pledge) else page.taken_in(pledge, None)
    if pledge is not None and not recorded.rows:
        raise pledge_not_found(pledge)
    standing, known = recorded.fold(lambda events: PledgeHistory(events).resolve(date.max)[0])
    events = known.events
    targets = [resolved for resolved in standing if may_act_on_type(fact_type, resolved.fact)]
    target = next((one for one in targets if one.event.id == query.get("event")), None)
    html = page.render(
        "record.html",
        at,
        pledge=pledge,
        found=found,
        title=getattr(events[0].fact, "title", pledge) if events else None,
        version=recorded.version,
        fact_type=fact_type,
        types=_grouped_types(),
        sections=form_sections(fact_type),
        targets=[(one.event.id, event_words(one)) for one in reversed(targets)],
        target=target,
        target_words="" if target is None else event_words(target),
        target_fact=None if target is None or fact_type not in SHOWS_TARGET else fact_json(target.fact),
        corrected=_corrected(fact_type, target),
        members=_members(events),
        terms=_terms(standing) if fact_type == "PledgeRevised" else {},
        milestones=_named(events, "milestone"),
        conditions=[name for e in events for name in _conditions(e)],
    )
    if found is not None:
        return page.about_all(at.position, html)
    return page.about_log(log.head() if page.at.position is None else at.position, html)


def _found(page: PageRequest, words: str, at: Clocks) -> list[dict[str, Any]]:
    """The pledge with this slug alone, or those in which every word occurs."""
    if is_slug(words) and page.services.tracker.version(words):
        return [{"pledge": words}]
    listed = page.services.timeline.page(Filters(q=words), at, limit=MAX_FOUND).items
    return [from_json(document) for document in listed]


def event_words(target: ResolvedFact) -> str:
    """An event as a choice of the form: 5 · 10 Oct 2025 · 65,000 trees · Example Gazette."""
    event, fact = target.event, fact_json(target.fact)
    line = event_line(fact).exact or str(fact.get("summary") or fact.get("title") or "")
    if len(line) > _WORDS_LETTERS:
        line = f"{line[: _WORDS_LETTERS - 1]}…"
    publisher = (fact.get("source") or {}).get("publisher", "")
    parts = (str(event.version), wording.stated(fact), line or wording.TYPE[event.type], publisher)
    return " · ".join(part for part in parts if part)


def _corrected(fact_type: str, target: ResolvedFact | None) -> tuple[FormSection, ...]:
    """The form of the event that is corrected, its pointers below `/changes`."""
    if fact_type != "EventCorrected" or target is None:
        return ()

    def below(fields: Sequence[FormField]) -> tuple[FormField, ...]:
        moved = []
        for f in fields:
            at, rows = f"/changes{f.pointer}", below(f.fields)
            moved.append(replace(f, pointer=at, fields=rows, value="", can_be_none=False))
        return tuple(moved)

    sections = form_sections(target.event.type)
    return tuple(replace(one, fields=below(one.fields), rare=below(one.rare)) for one in sections)


def _terms(standing: Sequence[ResolvedFact]) -> dict[str, Any]:
    """What the promise says by now, as JSON: each term as it was last said."""
    terms: dict[str, Any] = {}
    for one in standing:
        if isinstance(one.fact, PledgeMade | PledgeRevised):
            said = fact_json(one.fact)
            terms |= {name: said[name] for name in REVISABLE if name in said}
    return terms


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


def _members(events: Sequence[Event]) -> list[tuple[str, str]]:
    """The members of the group that was named last: (code, name)."""
    group = next((g for event in reversed(events) if (g := getattr(event.fact, "group", None)) is not None), None)
    return [] if group is None else [(code, wording.member(code)) for code in group.members]


def _named(events: Sequence[Event], member: str) -> list[str]:
    """The names that facts have in a member of theirs, each once."""
    return list(dict.fromkeys(m for e in events if (m := getattr(e.fact, member, None))))


def _conditions(event: Event) -> list[str]:
    fact = event.fact
    return [c.condition for c in fact.conditions or ()] if isinstance(fact, PledgeMade | PledgeRevised) else []
