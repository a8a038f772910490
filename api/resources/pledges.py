"""Pledges: the list, one of them, and the events, figures and members behind its status."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from pydantic_core import from_json, to_json

from api.formats.provenance import Provenance
from api.formats.table import write_events, write_statuses
from api.http import memento
from api.http.contract import AnyRequest, read
from api.http.headers import next_link
from api.http.parameters import choice, integer
from api.http.problems import pledge_not_found
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.list_filters import Cursor, filters, given_filters
from api.resources.read_request import ReadRequest, must_be_slug
from api.services import Services
from tracker.event import Event, served
from tracker.rules import explanations
from tracker.rules.event_days import said_by
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusFold
from tracker.rules.status_history import Axis, history, step_json


class PledgeController(Controller):
    """The statuses of pledges, and what they follow from."""

    path = "/v1"

    @read("/pledges", contracts.LIST_PLEDGES)
    def some(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The statuses of many pledges: filtered, sorted, page by page."""
        read = ReadRequest(request, services)
        query = read.query
        sort = choice(query, "sort", contracts.SORT_NAMES, "pledge")
        limit = integer(query, "limit", 1, contracts.MAX_PAGE_PLEDGES, 100)
        narrowed, question = filters(query), given_filters(query) | {"sort": sort}
        cursor = Cursor.read(query, question, read.log, services.tracker.log)
        if cursor is not None:
            cursor.must_be_at(read.at, query)
            read.at = cursor.at
        clocks = read.projected()
        page = services.timeline.page(narrowed, clocks, sort, limit, None if cursor is None else cursor.after)
        following = None
        if page.next is not None:
            frozen = replace(read.at, position=clocks.position)
            following = Cursor(frozen, clocks.position, page.next, read.log).write(question)
        footer = {"next_cursor": following, **read.footer(clocks.position), "total": page.total}
        provenance = Provenance(footer, services.settings.data_license)
        body = b"".join(write_statuses(read.format, page.items, provenance))
        headers = {}
        if following is not None:
            headers["Link"] = next_link("/v1/pledges", {**query, "cursor": following})
        return read.about_all(clocks.position, body, headers)

    @read("/pledges/{pledge:str}", contracts.ONE_PLEDGE)
    def one(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """The status of one pledge at a point on both clocks."""
        read = ReadRequest(request, services)
        day = memento.wanted_day(request.scope, read.query)
        if day is not None:
            return memento.redirect_to_day(pledge, read.query, day, _days(read.events(pledge))[0])
        body = read.status(pledge)
        headers = memento.headers_of(pledge, read.at)
        return read.about_pledge(pledge, from_json(body)["version"], body, headers)

    @read("/pledges/{pledge:str}/timemap", contracts.TIMEMAP)
    def timemap(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The days on which its status changed, up to `as_of`, as mementos (RFC 7089)."""
        read = ReadRequest(request, services)
        known = _events_of_a_known_pledge(read, pledge)
        days = [day for day in _days(known) if day <= read.at.as_of]
        if read.format == "link":
            return read.about_pledge(pledge, known[-1].version, memento.timemap(pledge, days))
        items = [
            {"as_of": day, "datetime": memento.http_date(day), "url": f"{memento.address(pledge)}?as_of={day}"}
            for day in days
        ]
        return read.items(pledge, known[-1], items)

    @read("/pledges/{pledge:str}/events", contracts.PLEDGE_EVENTS)
    def events(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The pledge's events in order, as far as they had been said and recorded."""
        read = ReadRequest(request, services)
        known = _events_of_a_known_pledge(read, pledge)
        lines = [served(event.line, event.position) for event in said_by(known, read.at.as_of)]
        provenance = Provenance(read.footer(known[-1].position), services.settings.data_license)
        body = b"".join(write_events(read.format, lines, provenance))
        return read.about_pledge(pledge, known[-1].version, body)

    @read("/pledges/{pledge:str}/history", contracts.HISTORY)
    def history(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """How its status came to be, along what was said or along what we recorded."""
        read = ReadRequest(request, services)
        axis = cast(Axis, choice(read.query, "axis", ("as_of", "known"), "as_of"))
        known = _events_of_a_known_pledge(read, pledge)
        items = [step_json(step) for step in history(known, axis, read.at.as_of)]
        return read.items(pledge, known[-1], items, axis=axis)

    @read("/pledges/{pledge:str}/timeline", contracts.TIMELINE)
    def timeline(
        self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]
    ) -> BytesResponse:
        """The rectangles of its status on both clocks, deadlines ahead included."""
        read = ReadRequest(request, services)
        clocks = read.projected()
        items = services.timeline.rectangles(must_be_slug(pledge), clocks.position)
        last = services.tracker.log.heads([pledge], clocks.position).get(pledge)
        if not items or last is None:
            raise pledge_not_found(pledge)
        version, position = last
        return read.about_pledge(pledge, version, to_json({"items": items, **read.footer(position)}))

    @read("/pledges/{pledge:str}/figures", contracts.FIGURES)
    def figures(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """Every figure, chosen or not, with why, its rank and what it conflicts with."""
        read = ReadRequest(request, services)
        known = read.events(pledge)
        items = explanations.figures(known, read.at.as_of)
        if items is None:
            raise pledge_not_found(pledge)
        return read.items(pledge, known[-1], items)

    @read("/pledges/{pledge:str}/members", contracts.MEMBERS)
    def members(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """Every member's result."""
        read = ReadRequest(request, services)
        known = read.events(pledge)
        items = explanations.members(known, read.at.as_of)
        if items is None:
            raise pledge_not_found(pledge)
        return read.items(pledge, known[-1], items)


def _events_of_a_known_pledge(read: ReadRequest, pledge: str) -> list[Event]:
    """The events of a pledge that are known at the clocks.

    Raises: PledgeNotFound if the pledge did not exist yet on the day.
    """
    events = read.events(pledge)
    if PledgeHistory(events).view(read.at.as_of) is None:
        raise pledge_not_found(pledge)
    return events


def _days(known: list[Event]) -> list[date]:
    """The days on which the status changes.

    Raises: PledgeNotFound if there is none.
    """
    days = [segment.valid_from for segment in StatusFold(known).segments()]
    if not days:
        raise pledge_not_found(known[0].pledge)
    return days
