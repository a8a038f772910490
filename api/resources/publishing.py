"""What other sites and feed readers show: a feed of status changes, and a badge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from api.resources.list_filters import filters, given_filters, types
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.changes import StatusChange
from projections.queries import Clocks, Filters
from projections.timeline import Timeline
from tracker.log.recorder import LogRecorder

MAX_TOLD_CHANGES = 20
"""Changes that one entry of the feed tells, at most."""


class _Moments:
    """Changes by the moment at which they came to be known; those that a day made known each have their own."""

    def __init__(self, log: LogRecorder, types: tuple[str, ...], wanted: int) -> None:
        self._log, self._types, self._wanted = log, types, wanted
        self._found: dict[tuple[datetime, StatusChange | None], list[StatusChange]] = {}
        self._seen: set[StatusChange] = set()
        self._first = log.recorded_at(1) or _NOT_THERE[0]

    def walk(self, timeline: Timeline, filters: Filters, clocks: Clocks) -> None:
        """Add changes along either axis until no other one can be among the latest moments that are wanted.

        One that an event made known of which that is still folded is added once it is: its moment is not known yet.
        """
        missing = timeline.waiting(clocks.position)
        for by_position in (True, False):
            for some in timeline.changes(filters, clocks, by_position=by_position):
                found = [c for c in some.found if c.position < missing.get(c.pledge, c.position + 1)]
                recorded = self._log.recorded({some.known_from, *(change.position for change in found)})
                self._take(found, recorded)
                midnight = datetime.combine(some.on, time(), UTC)
                if by_position:
                    upto, _ = recorded.get(some.known_from, _NOT_THERE)
                elif midnight <= self._first:  # no day before the first record made anything known
                    break
                else:
                    upto = midnight
                if sum(updated > upto for updated, _ in self._found) >= self._wanted:
                    break

    def newest_first(self) -> list[tuple[tuple[datetime, StatusChange | None], list[StatusChange]]]:
        """The latest moments with their changes, the latest first, as many as are wanted."""
        for changes in self._found.values():
            changes.sort(key=_order, reverse=True)
        ordered = sorted(self._found.items(), key=lambda moment: (moment[0][0], _order(moment[1][0])), reverse=True)
        return ordered[: self._wanted]

    def _take(self, changes: Iterable[StatusChange], recorded: Mapping[int, tuple[datetime, str]]) -> None:
        """Add the changes that are not here yet; with types only those that such a fact made known."""
        for change in changes:
            if change in self._seen:
                continue
            self._seen.add(change)
            made_known, type_ = recorded.get(change.position, _NOT_THERE)
            updated = atom.known_from(change, made_known)
            is_of_request = updated == made_known
            if not self._types or (is_of_request and type_ in self._types):
                self._found.setdefault((updated, None if is_of_request else change), []).append(change)


_NOT_THERE = (datetime.min.replace(tzinfo=UTC), "")
"""What stands for an event that the log does not have, which may have gone back."""


def _order(change: StatusChange) -> tuple[date, int, str]:
    """The order of changes that came to be known at one moment: by when they were in the world."""
    return change.on, change.position, change.pledge


class PublishController(Controller):
    """What other sites show of the record."""

    @read("/v1/feed.atom", contracts.FEED)
    def feed(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The changes of status that came to be known last, newest first, as Atom."""
        read = ReadRequest(request, services)
        query, wanted = read.query, types(read.query)
        limit = integer(query, "limit", 1, contracts.MAX_FEED_ENTRIES, 50)
        narrowed, clocks = filters(query), read.projected()
        moments = _Moments(services.tracker.log, wanted, limit)
        moments.walk(services.timeline, narrowed, clocks)
        entries = []
        for (updated, passed), changes in moments.newest_first():
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
        narrowing, public_url = given_filters(query, "type"), read.absolute(read.base)
        asked = given_filters(query, "type", *clock_names)
        body = atom.feed(entries, asked, narrowing, start, read.log, settings.data_license, public_url)
        return read.about_all(clocks.position, body)

    @read("/v1/pledges/{pledge:str}/badge.svg", contracts.BADGE)
    def badge(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The status as a small picture, light and dark."""
        read = ReadRequest(request, services)
        status = from_json(read.status(pledge))
        policy = style_only_policy(badge.style(status["status"]))
        return read.about_pledge(pledge, status["version"], badge.badge(status), policy)
