"""The page of one pledge: its headline and why, its figures over time, and everything that was said about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from pydantic_core import from_json

from api import amounts, wording
from api.http.contract import Parameter
from api.http.problems import pledge_not_found
from api.http.responses import BytesResponse
from api.pages.chart import chart_data
from api.pages.chart_drawing import draw_chart
from api.pages.comparison import Repaired, differences, without_repairs
from api.pages.frame import PageRequest, page_contract
from api.pages.overview import pledge_row
from api.resources.read_request import must_be_slug
from projections.queries import Clocks
from tracker.acting import ACTING, REPAIRS
from tracker.errors import PledgeNotFound
from tracker.event import Event, fact_json, stamp
from tracker.facts import FACTS_WITH_FIGURE
from tracker.rules import explanations
from tracker.rules.counted import CountedSpan, counted_spans
from tracker.rules.event_days import said_by
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusFold, StatusSegment
from tracker.rules.status_history import Axis, HistoryStep, history

PLEDGE_CONTRACT = page_contract(
    "One pledge.",
    Parameter("axis", "How its status came to be: as it was said, or as we recorded it.", {"enum": ["as_of", "known"]}),
    problems=("pledge_not_found",),
)

_EVENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNLISTED = ("schedule", "deadline", "rules_version")
"""Members of a status document whose change is not told among the steps: what changed them is."""


def draw_pledge(page: PageRequest, name: str) -> BytesResponse:
    """The page at `/pledges/{id}`."""
    at = page.projected()
    body = page.services.timeline.one(must_be_slug(name), at)
    recorded_later = None
    if body is None and (recorded_later := page.first_recorded_after(name)) is not None:
        # Before it was recorded the page shows what is known today of what had been said by then.
        page.at = replace(page.at, position=None, known_at=None, numbered=False)
        at = page.projected()
        body = page.services.timeline.one(name, at)
    if body is None:
        raise _not_there(page, name, at)
    status = from_json(body)
    axis: Axis = "known" if page.query.get("axis") == "known" else "as_of"
    recorded = page.taken_in(name, at.position)
    told, known = recorded.fold(lambda events: _tell(events, at.as_of, axis))
    events = told.events
    comparison = _comparison(page, at, status, told, name)
    digits = amounts.distinct_digits(
        status,
        told.figures,
        comparison,
        [e["fact"] for e in events],
        [s.status.document["actual"] for s in told.segments],
    )
    data = (
        chart_data(status, told.figures, told.history, told.segments, told.counted, at.as_of, digits)
        if known.events
        else None
    )
    by_id = {event["id"]: event for event in events}
    html = page.render(
        "pledge.html",
        at,
        status=status,
        recorded_later=None if recorded_later is None else stamp(recorded_later),
        row=pledge_row(status, digits),
        digits=digits,
        reasons=[by_id[id_] for id_ in status["because"]["status"] if id_ in by_id],
        flags=_flags(status, by_id, told.attested),
        unread=[event.json for event in known.unread],
        attesting=[by_id[id_] for id_ in told.attested.events if id_ in by_id],
        events=events,
        by_id=by_id,
        figures=told.figures,
        members=_members(told.members),
        steps=_steps(told.steps),
        axis=axis,
        data=data,
        chart=None if data is None else draw_chart(data),
        comparison=comparison,
        measurable_note=getattr(known.events[0].fact, "measurable_note", None) if known.events else None,
    )
    last = page.services.tracker.log.heads([name], at.position)[name]
    return page.about_pledge(name, last[0], html)


def _not_there(page: PageRequest, name: str, at: Clocks) -> PledgeNotFound:
    """The refusal of a pledge that is not there; it names the day on which it was first spoken of, if that is later."""
    rectangles = page.services.timeline.rectangles(name)
    later = [r["valid_from"] for r in rectangles if r["known_to"] is None and r["valid_from"] > at.as_of.isoformat()]
    if not later:
        return pledge_not_found(name, page.services.timeline.unread(name, at.position))
    return PledgeNotFound(
        f"there is no pledge {name!r} by {at.as_of}", first_said_on=min(later), as_of=at.as_of.isoformat()
    )


class _Told(NamedTuple):
    """What the page tells of a pledge's events."""

    figures: list[dict[str, Any]]
    counted: Mapping[str, CountedSpan]
    history: PledgeHistory
    segments: list[StatusSegment]
    events: list[dict[str, Any]]
    attested: explanations.Attestation
    members: list[dict[str, Any]]
    steps: list[HistoryStep]
    repaired: Repaired | None


def _tell(known: Sequence[Event], as_of: date, axis: Axis) -> _Told:
    fold = StatusFold(known)
    counted = counted_spans(fold)
    return _Told(
        figures=_figures(known, as_of, counted),
        counted=counted,
        history=fold.history,
        segments=fold.segments() if known else [],
        events=_events(known, as_of),
        attested=explanations.attestation(known, as_of),
        members=explanations.members(known, as_of) or [],
        steps=history(known, axis, as_of) if known else [],
        repaired=without_repairs(known, as_of),
    )


def _events(known: Sequence[Event], as_of: date) -> list[dict[str, Any]]:
    """What was said by the day, in the order of recording, each with what acts on it."""
    said = said_by(known, as_of)
    acting: dict[str, list[dict[str, Any]]] = {}
    for event in said:
        if isinstance(event.fact, ACTING):
            act = {"id": event.id, "version": event.version, "type": event.type}
            acting.setdefault(event.fact.event, []).append({**act, "what": wording.ACTED_ON[event.type]})
    found = []
    for event in said:
        fact = fact_json(event.fact)
        figure = event.fact.figure if isinstance(event.fact, FACTS_WITH_FIGURE) else None
        found.append(
            {
                "id": event.id,
                "version": event.version,
                "position": event.position,
                "type": event.type,
                "fact": fact,
                "recorded_at": stamp(event.recorded_at),
                "recorded_by": event.recorded_by,
                "is_kept": isinstance(event.fact, REPAIRS),
                "said": wording.stated(fact),
                "quantity": None if figure is None else fact["figure"].get("quantity"),
                "acted": acting.get(event.id, []),
                "is_void": any(act["type"] == "EventVoided" for act in acting.get(event.id, ())),
                "target_of": event.fact.event if isinstance(event.fact, ACTING) else None,
            }
        )
    return found


def _figures(known: Sequence[Event], as_of: date, counted: Mapping[str, CountedSpan]) -> list[dict[str, Any]]:
    """Every figure and why it counts or not; the reason names events by their version, as the page does.

    `counted_until` is the day on which a figure that counted was replaced; None for one that counts, or never did.
    """
    numbers = {event.id: f"event {event.version}" for event in known}
    found = []
    for figure in explanations.figures(known, as_of) or []:
        why = _EVENT_ID.sub(lambda match: numbers.get(match[0], match[0]), figure["why"])
        span = None if figure["chosen"] else counted.get(figure["event"])
        until = None if span is None or span.until is None or span.until > as_of else span.until.isoformat()
        found.append({**figure, "why": why, "counted_until": until})
    return found


def _flags(
    status: Mapping[str, Any], by_id: Mapping[str, Any], attested: explanations.Attestation
) -> list[dict[str, Any]]:
    """The flags in words, each with the events that raised it."""
    found = []
    for flag in status["flags"]:
        name, means = wording.FLAG.get(flag, (wording.in_words(flag), ""))
        ids = status["because"].get(flag, ())
        if flag == "single_source":
            ids = attested.events
            means = means if attested.share_origin else "each of these goes back to one origin only"
        causes = [by_id[id_] for id_ in ids if id_ in by_id]
        found.append({"flag": flag, "name": name, "means": means, "events": causes})
    return found


def _members(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The members by their verdict, in the order of `wording.VERDICT`, then by name."""
    order = list(wording.VERDICT)
    named = [{**r, "name": wording.member(r["member"])} for r in rows]
    return sorted(named, key=lambda r: (order.index(str(r["verdict"])), str(r["name"]).casefold()))


def _steps(steps: Sequence[HistoryStep]) -> list[dict[str, Any]]:
    """How the status came to be: only what changed something that is shown."""
    found = []
    for step in steps:
        changed = [name for name in step.changed if name not in _UNLISTED]
        if not changed and step.status_before == step.status_after:
            continue
        event = step.event
        found.append(
            {
                "on": step.as_of.isoformat(),
                "recorded_at": None if event is None else stamp(event.recorded_at),
                "before": step.status_before,
                "after": step.status_after,
                "changed": [wording.in_words(name) for name in changed if name != "status"]
                if step.status_before
                else [],
                "event": None
                if event is None
                else {"id": event.id, "version": event.version, "type": event.type, "fact": fact_json(event.fact)},
            }
        )
    return found


def _comparison(
    page: PageRequest, at: Clocks, status: Mapping[str, Any], told: _Told, name: str
) -> dict[str, Any] | None:
    """The same day twice, side by side.

    A page without a position is compared with the record as it would be without our repairs, and only if they change
    what is shown; a page with one is compared with what is known now.
    """
    if page.at.position is None:
        repaired = told.repaired
        if repaired is None:
            return None
        then, now = repaired.without, status
        at_then = Clocks(at.as_of, repaired.position, None)
        repairs = repaired.repairs
    else:
        body = page.services.timeline.one(name, Clocks(at.as_of, page.services.timeline.position(), None))
        then, now = status, {} if body is None else from_json(body)
        at_then, repairs = at, ()
    return {
        "then": then or None,
        "now": now or None,
        "at": None if at_then.known_at is None else stamp(at_then.known_at),
        "repairs": repairs,
        "link": page.link(known_on=None, known_at=None, at_position=str(at_then.position)),
        "now_link": page.link(known_on=None, known_at=None, at_position=None),
        "is_then": page.at.position is not None,
        "differs": differences(then, now),
    }
