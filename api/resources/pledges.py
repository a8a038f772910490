"""Reading pledges: the list, one of them, and what is behind its status."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

from litestar import Controller, Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from pydantic_core import from_json, to_json

from api.formats.provenance import Provenance
from api.formats.table import write_events, write_statuses
from api.http import memento
from api.http.cache import BytesResponse
from api.http.contract import read
from api.http.parameters import choice, integer
from api.resources import contracts
from api.resources.list_filters import Cursor, asked, filters
from api.resources.read_request import ReadRequest, slug
from api.resources.recording import not_found
from api.services import Services
from tracker.event import Event, served
from tracker.rules import explanations
from tracker.rules.event_days import event_json, said_by
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusFold
from tracker.rules.status_history import Axis, history

Asking = Request[Any, Any, Any]


class PledgeController(Controller):
    """What the record adds up to, pledge by pledge."""

    path = "/v1"

    @read("/pledges", contracts.LIST_PLEDGES)
    def some(self, request: Asking, services: NamedDependency[Services]) -> BytesResponse:
        """The statuses of many pledges: filtered, sorted, page by page."""
        reading = ReadRequest(request, services)
        query = reading.query
        sort = choice(query, "sort", contracts.SORT_NAMES, "pledge")
        limit = integer(query, "limit", 1, contracts.MAX_PAGE, 100)
        narrowed, question = filters(query), asked(query) | {"sort": sort}
        cursor = Cursor.read(query, question, services.tracker.journal)
        if cursor is not None:
            cursor.must_be_at(reading.at, query)
            reading.at = cursor.at
        clocks = reading.projected()
        page = services.timeline.page(narrowed, clocks, sort, limit, None if cursor is None else cursor.after)
        following = None
        if page.next is not None:
            frozen = replace(reading.at, position=clocks.position)
            following = Cursor(frozen, clocks.position, page.next).write(question)
        footer = {"next_cursor": following, **reading.footer(clocks.position), "total": page.total}
        provenance = Provenance(footer, services.settings.data_license)
        body = b"".join(write_statuses(reading.format, page.items, provenance))
        headers = {}
        if following is not None:
            headers["Link"] = f'</v1/pledges?{urlencode({**query, "cursor": following})}>; rel="next"'
        return reading.about_all(clocks.position, body, headers)

    @read("/pledges/{pledge:str}", contracts.ONE_PLEDGE)
    def one(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """The status of one pledge at a point on both clocks."""
        reading = ReadRequest(request, services)
        day = memento.wanted_day(request.scope, reading.query)
        if day is not None:
            return memento.elsewhere(pledge, reading.query, day, _days(reading.events(pledge))[0])
        body = services.timeline.one(slug(pledge), reading.projected())
        if body is None:
            raise not_found(pledge)
        headers = memento.headers_of(pledge, reading.at)
        return reading.about_pledge(pledge, from_json(body)["version"], body, headers)

    @read("/pledges/{pledge:str}/timemap", contracts.TIMEMAP)
    def timemap(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The days on which its status changed, up to `as_of`, as mementos (RFC 7089)."""
        reading = ReadRequest(request, services)
        known = reading.events(pledge)
        if PledgeHistory(known).view(reading.at.as_of) is None:
            raise not_found(pledge)
        days = [day for day in _days(known) if day <= reading.at.as_of]
        if reading.format == "link":
            return reading.about_pledge(pledge, known[-1].version, memento.timemap(pledge, days))
        items = [
            {"as_of": day, "datetime": memento.moment(day), "url": f"{memento.address(pledge)}?as_of={day}"}
            for day in days
        ]
        return reading.items(pledge, known[-1], items)

    @read("/pledges/{pledge:str}/events", contracts.PLEDGE_EVENTS)
    def events(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The pledge's events in order, as far as they had been said and recorded."""
        reading = ReadRequest(request, services)
        known = reading.events(pledge)
        if PledgeHistory(known).view(reading.at.as_of) is None:
            raise not_found(pledge)
        lines = [served(event.line, event.position) for event in said_by(known, reading.at.as_of)]
        provenance = Provenance(reading.footer(known[-1].position), services.settings.data_license)
        body = b"".join(write_events(reading.format, lines, provenance))
        return reading.about_pledge(pledge, known[-1].version, body)

    @read("/pledges/{pledge:str}/history", contracts.HISTORY)
    def history(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """How its status came to be, along what was said or along what we recorded."""
        reading = ReadRequest(request, services)
        axis = cast(Axis, choice(reading.query, "axis", ("as_of", "known"), "as_of"))
        known = reading.events(pledge)
        if PledgeHistory(known).view(reading.at.as_of) is None:
            raise not_found(pledge)
        items = [
            {
                "event": None if step.event is None else event_json(step.event),
                "as_of": step.as_of.isoformat(),
                "status_before": step.status_before,
                "status_after": step.status_after,
                "changed": step.changed,
            }
            for step in history(known, axis, reading.at.as_of)
        ]
        return reading.items(pledge, known[-1], items, axis=axis)

    @read("/pledges/{pledge:str}/timeline", contracts.TIMELINE)
    def timeline(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The rectangles of its status on both clocks, deadlines ahead included."""
        reading = ReadRequest(request, services)
        clocks = reading.projected()
        items = services.timeline.rectangles(slug(pledge), clocks.position)
        last = services.tracker.journal.heads([pledge], clocks.position).get(pledge)
        if not items or last is None:
            raise not_found(pledge)
        version, position = last
        return reading.about_pledge(pledge, version, to_json({"items": items, **reading.footer(position)}))

    @read("/pledges/{pledge:str}/figures", contracts.FIGURES)
    def figures(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """Every figure, chosen or not, with why, its rank and what it conflicts with."""
        reading = ReadRequest(request, services)
        known = reading.events(pledge)
        items = explanations.figures(known, reading.at.as_of)
        if items is None:
            raise not_found(pledge)
        return reading.items(pledge, known[-1], items)

    @read("/pledges/{pledge:str}/members", contracts.MEMBERS)
    def members(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """Every member's result."""
        reading = ReadRequest(request, services)
        known = reading.events(pledge)
        items = explanations.members(known, reading.at.as_of)
        if items is None:
            raise not_found(pledge)
        return reading.items(pledge, known[-1], items)


def _days(known: list[Event]) -> list[date]:
    """The days on which the status changes.

    Errors: ``PledgeNotFound`` if there is none.
    """
    days = [segment.valid_from for segment in StatusFold(known).segments()]
    if not days:
        raise not_found(known[0].pledge)
    return days
