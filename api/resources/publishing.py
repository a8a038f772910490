"""What other sites and feed readers show: a feed of status changes, and a badge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

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
from projections.changes import StatusChange

MAX_TOLD_CHANGES = 20
"""Changes that one entry of the feed tells, at most."""


def _order(change: StatusChange) -> tuple[date, int, str]:
    """The order of changes that came to be known at one moment: by when they were in the world."""
    return change.on, change.position, change.pledge


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

        moments: dict[tuple[datetime, StatusChange | None], list[StatusChange]] = {}
        for change in services.timeline.changes(narrowed, clocks, limit):
            made_known = recorded_at(change.position)
            updated = atom.known_from(change, made_known)
            moments.setdefault((updated, None if updated == made_known else change), []).append(change)
        newest_first = sorted(moments.items(), key=lambda moment: (moment[0][0], _order(moment[1][0])), reverse=True)
        entries = []
        for (updated, passed), changes in newest_first[:limit]:
            changes.sort(key=_order, reverse=True)
            told = []
            for change in changes[:MAX_TOLD_CHANGES]:
                body = services.timeline.one(change.pledge, replace(clocks, as_of=change.on))
                if body is not None:
                    told.append(atom.ToldChange(change, from_json(body)))
            if told:
                has_more = len(changes) > MAX_TOLD_CHANGES
                entries.append(atom.FeedEntry(updated, told, is_of_request=passed is None, has_more=has_more))
        settings, clock_names = services.settings, ("as_of", "known_at", "at_position", "limit")
        start = datetime.combine(clocks.as_of, time(), UTC)
        asked, origin = given_filters(query, *clock_names), settings.log_origin(read.log)
        body = atom.feed(
            entries, asked, given_filters(query), start, origin, settings.data_license, settings.public_address("")
        )
        return read.about_all(clocks.position, body)

    @read("/v1/pledges/{pledge:str}/badge.svg", contracts.BADGE)
    def badge(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The status as a small picture, light and dark."""
        read = ReadRequest(request, services)
        status = from_json(read.status(pledge))
        policy = style_only_policy(badge.style(status["status"]))
        return read.about_pledge(pledge, status["version"], badge.badge(status), policy)
