"""Pledges: the list, one of them, and the events, figures and members behind its status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from pydantic_core import from_json

from api.formats.table import write_events, write_statuses
from api.http import memento
from api.http.contract import AnyRequest, read
from api.http.headers import next_link
from api.http.parameters import choice, flag, integer
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.grounds import said_rows
from api.resources.list_filters import fields, filters, given_filters, page_of, shortened
from api.resources.names import SORT_NAMES
from api.resources.read_request import ReadRequest, must_be_slug
from api.services import Services
from projections.queries import Filters
from tracker.event import Event, served
from tracker.pledge_events import unread_json
from tracker.rules import explanations
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
        sort = choice(query, "sort", SORT_NAMES, "pledge")
        limit = integer(query, "limit", 1, contracts.MAX_PAGE_PLEDGES, 100)
        narrowed, start = filters(query), page_of(read, given_filters(query), sort)
        clocks = read.projected()
        page = services.timeline.page(narrowed, clocks, sort, limit, start.after)
        following = start.following(clocks, page.next)
        footer = {"next_cursor": following, **read.footer(clocks.position), "total": page.total}
        if flag(query, "facets"):
            footer["facets"] = services.timeline.facets(narrowed, clocks)
        kept = fields(query)
        provenance = read.provenance(footer, fields=kept, grounds=read.grounds(page.items, clocks))
        items = (shortened(item, kept) for item in page.items) if kept else page.items
        body = b"".join(write_statuses(read.format, items, provenance))
        headers = {}
        if following is not None:
            headers["Link"] = next_link(read.address("/v1/pledges"), {**query, "cursor": following})
        return read.about_all(clocks.position, body, headers)

    @read("/pledges/{pledge:str}", contracts.ONE_PLEDGE)
    def one(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """The status of one pledge at a point on both clocks."""
        read = ReadRequest(request, services)
        day, own = memento.wanted_day(request.scope, read.query), read.pledge_address(pledge)
        if day is not None:
            return memento.redirect_to_day(own, read.query, day, read.folded(pledge, _days)[0][0])
        body = read.status(pledge)
        headers = memento.headers_of(own, read.at)
        return read.about_pledge(pledge, from_json(body)["version"], body, headers)

    @read("/pledges/{pledge:str}/timemap", contracts.TIMEMAP)
    def timemap(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The days on which its status changed, up to `as_of`, as mementos (RFC 7089)."""
        read = ReadRequest(request, services)
        found, known = read.folded(pledge, lambda events: _days(events) if _exists(events, read.at.as_of) else None)
        days = [day for day in found if day <= read.at.as_of]
        own = read.pledge_address(pledge)
        if read.format == "link":
            return read.about_pledge(pledge, known.version, memento.timemap(own, days))
        items = [{"as_of": day, "datetime": memento.http_date(day), "url": f"{own}?as_of={day}"} for day in days]
        return read.items("Timemap", pledge, known, items)

    @read("/pledges/{pledge:str}/events", contracts.PLEDGE_EVENTS)
    def events(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The pledge's events in order, as far as they had been said and recorded."""
        read = ReadRequest(request, services)
        known = read.events(pledge)
        said = said_rows(known, read.at.as_of)
        if not said:
            raise read.missing(pledge)
        lines = [served(row.state, row.position) for row in said]
        body = b"".join(write_events(read.format, lines, read.provenance(read.footer(known.position))))
        return read.about_pledge(pledge, known.version, body)

    @read("/pledges/{pledge:str}/history", contracts.HISTORY)
    def history(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """How its status came to be, along what was said or along what we recorded."""
        read = ReadRequest(request, services)
        axis = cast(Axis, choice(read.query, "axis", ("as_of", "known"), "as_of"))
        as_of = read.at.as_of
        steps, known = read.folded(
            pledge, lambda events: history(events, axis, as_of) if _exists(events, as_of) else None
        )
        return read.items("History", pledge, known, [step_json(step) for step in steps], axis=axis)

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
            raise read.missing(pledge)
        version, position = last
        unread = unread_json(services.timeline.unread(pledge, clocks.position))
        body = read.written("Timeline", items, {**unread, **read.footer(position)})
        return read.about_pledge(pledge, version, body)

    @read("/pledges/{pledge:str}/figures", contracts.FIGURES)
    def figures(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """Every figure, chosen or not, with why, its rank and what it conflicts with."""
        read = ReadRequest(request, services)
        items, known = read.folded(pledge, lambda events: explanations.figures(events, read.at.as_of))
        return read.items("Figures", pledge, known, items)

    @read("/pledges/{pledge:str}/members", contracts.MEMBERS)
    def members(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """Every member's result."""
        read = ReadRequest(request, services)
        items, known = read.folded(pledge, lambda events: explanations.members(events, read.at.as_of))
        return read.items("Members", pledge, known, items)

    @read("/pledges/{pledge:str}/parts", contracts.PARTS)
    def parts(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The pledges that are part of it, with their statuses, page by page."""
        read = ReadRequest(request, services)
        limit = integer(read.query, "limit", 1, contracts.MAX_PAGE_PLEDGES, 100)
        start = page_of(read, {"part_of": pledge})
        read.status(pledge)
        clocks, of_it = read.projected(), Filters(part_of=(pledge,))
        page = services.timeline.page(of_it, clocks, "pledge", limit, start.after)
        (by_status,) = services.timeline.statuses(of_it, [clocks.as_of], clocks)
        following = start.following(clocks, page.next)
        footer = {"by_status": by_status, "next_cursor": following, **read.footer(clocks.position), "total": page.total}
        provenance = read.provenance(footer, grounds=read.grounds(page.items, clocks))
        headers = {}
        if following is not None:
            headers["Link"] = next_link(read.address(read.path), {**read.query, "cursor": following})
        body = b"".join(write_statuses(read.format, page.items, provenance))
        return read.about_all(clocks.position, body, headers)


def _exists(events: Sequence[Event], as_of: date) -> bool:
    """Whether the pledge exists on a day."""
    return PledgeHistory(events).view(as_of) is not None


def _days(events: Sequence[Event]) -> list[date] | None:
    """The days on which the status changes; None where there is no day on which the pledge exists."""
    return [segment.valid_from for segment in StatusFold(events).segments()] or None
