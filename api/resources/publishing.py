"""What other sites and feed readers show: a feed of status changes, and a badge."""

from __future__ import annotations

from datetime import UTC, datetime, time

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic_core import from_json

from api.formats import atom, badge
from api.http.contract import AnyRequest, read
from api.http.headers import style_only_policy
from api.http.parameters import integer
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.list_filters import filters, given_filters
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks


class PublishController(Controller):
    """What other sites show of the record."""

    @read("/v1/feed.atom", contracts.FEED)
    def feed(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The changes of status that came to be known last, newest first, as Atom."""
        read = ReadRequest(request, services)
        query, log = read.query, services.tracker.log
        limit = integer(query, "limit", 1, contracts.MAX_FEED_ENTRIES, 50)
        narrowed, clocks = filters(query), read.projected()
        recorded: dict[int, datetime] = {}

        def recorded_at(position: int) -> datetime:
            if position not in recorded:
                recorded[position] = log.recorded_at(position) or datetime.min.replace(tzinfo=UTC)
            return recorded[position]

        found = [
            (atom.known_from(c, recorded_at(c.position)), c) for c in services.timeline.changes(narrowed, clocks, limit)
        ]
        found.sort(key=lambda pair: (pair[0], pair[1].on, pair[1].position, pair[1].pledge), reverse=True)
        entries = []
        for updated, change in found[:limit]:
            body = services.timeline.one(change.pledge, Clocks(change.on, clocks.position, clocks.known_at))
            if body is not None:
                entries.append(atom.FeedEntry(change, updated, from_json(body)))
        settings, clock_names = services.settings, ("as_of", "known_at", "at_position", "limit")
        start = datetime.combine(clocks.as_of, time(), UTC)
        asked, origin = given_filters(query, *clock_names), settings.log_origin(read.log)
        body = atom.feed(entries, asked, start, origin, settings.data_license, settings.public_address(""))
        return read.about_all(clocks.position, body)

    @read("/v1/pledges/{pledge:str}/badge.svg", contracts.BADGE)
    def badge(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The status as a small picture, light and dark."""
        read = ReadRequest(request, services)
        status = from_json(read.status(pledge))
        policy = style_only_policy(badge.style(status["status"]))
        return read.about_pledge(pledge, status["version"], badge.badge(status), policy)
