"""Reports over many pledges: the summary, what changed between two points, and everything as a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any, cast

from litestar import Controller
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic_core import from_json, to_json

from api.formats import summary_table
from api.formats.csv_table import write_table
from api.formats.table import write_statuses
from api.http.clocks import ReadClocks, clocks_json, instant, must_be_past, today
from api.http.contract import AnyRequest, read
from api.http.parameters import choice, day, invalid
from api.http.responses import BytesResponse
from api.http.streams import PIECE_BYTES, StreamedResponse
from api.resources import contracts
from api.resources.grounds import beside_statuses
from api.resources.list_filters import filters, given_filters
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks, Filters
from projections.timeline import PledgeDifference
from tracker.event import Event, event_json
from tracker.pledge_events import PledgeEvents, unread_json
from tracker.promises import MONTHS, Every
from tracker.rules.causes import Cause, Point, between, cause_of
from tracker.rules.days import ends_between
from tracker.units import CURRENCIES


class ReportController(Controller):
    """Reports over all pledges."""

    path = "/v1"

    @read("/summary", contracts.SUMMARY)
    def summary(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """How many pledges have which status, and what they sum up to."""
        read = ReadRequest(request, services)
        query = read.query
        by = choice(query, "by", contracts.GROUPINGS)
        currency = choice(query, "currency", tuple(CURRENCIES))
        narrowed, clocks = filters(query), read.projected()
        report = services.timeline.summary(narrowed, clocks, by, currency)
        if read.format == "csv":
            rows = summary_table.rows(report)
            body = b"".join(write_table(summary_table.COLUMNS, rows, services.settings.data_license))
        else:
            body = to_json({**report, **read.footer(clocks.position)})
        return read.about_all(clocks.position, body)

    @read("/statuses", contracts.STATUSES_OVER_TIME)
    def statuses(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """How many pledges had which status at the end of each month, quarter or year, and on the last day."""
        read = ReadRequest(request, services)
        query, narrowed = read.query, filters(read.query)
        every = MONTHS[cast(Every, choice(query, "every", contracts.EVERY, "month"))]
        until, clocks = day(query, "to", read.at.as_of), read.projected()
        since = day(query, "from") or services.timeline.first_day(clocks)
        days: list[date] = []
        if since is not None:
            if "from" in query and since > until:
                raise invalid("from", "is not after 'to'")
            days = ends_between(since, until, every)
            if "from" in query and len(days) > contracts.MAX_STATUS_DAYS:
                raise invalid("from", f"lies more than {contracts.MAX_STATUS_DAYS} items before 'to'")
        days = days[-contracts.MAX_STATUS_DAYS :]
        counts = services.timeline.statuses(narrowed, days, clocks)
        items = [{"as_of": on.isoformat(), "by_status": found} for on, found in zip(days, counts, strict=True)]
        body = read.written("StatusesOverTime", items, read.footer(clocks.position))
        return read.about_all(clocks.position, body)

    @read("/diff", contracts.DIFF)
    def diff(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """The pledges whose status differs between two days, or between two moments of our knowledge.

        What fits one piece is a response like any other and cached; more is a stream.
        """
        read = ReadRequest(request, services)
        before, after = _compared_clocks(read, services)
        later = read.projected(after)
        position = later.position if before.position is None else before.position
        earlier = Clocks(before.as_of, position, before.known_at)
        footer = {
            "from": clocks_json(earlier.as_of, earlier.known_at, earlier.position),
            "to": clocks_json(later.as_of, later.known_at, later.position),
            **read.footer(later.position),
            "as_of": later.as_of.isoformat(),
        }
        narrowed = filters(read.query)
        counted = choice(read.query, "by", contracts.DIFF_GROUPINGS) is not None
        differences = _Differences(read, narrowed, earlier, later)
        if read.format == "json":
            pieces = differences.json(footer, counted=counted)
        else:
            pieces = read.rows("Diff", differences.items())
        begun = b""
        for piece in pieces:
            begun += piece
            if len(begun) > PIECE_BYTES:
                head = read.about_all(
                    later.position, b"", etag=read.tag_of("diff", footer, given_filters(read.query, "by"))
                )
                return StreamedResponse(head, chain([begun], pieces))
        return read.about_all(later.position, begun)

    @read("/export", contracts.EXPORT)
    def export(self, request: AnyRequest, services: NamedDependency[Services]) -> StreamedResponse:
        """All statuses at the clocks, as a stream."""
        read = ReadRequest(request, services)
        narrowed, clocks = filters(read.query), read.projected()
        footer = read.footer(clocks.position)
        if services.settings.data_license is not None:
            footer["license"] = services.settings.data_license
        etag = read.tag_of("export", footer, given_filters(read.query))
        head = read.about_all(clocks.position, b"", etag=etag)
        documents = services.timeline.export(clocks, narrowed)
        more = beside_statuses(services.tracker.log, services.timeline, clocks, narrowed)
        return StreamedResponse(head, write_statuses(read.format, documents, read.provenance(footer, **more)))


def _compared_clocks(read: ReadRequest, services: Services) -> tuple[ReadClocks, ReadClocks]:
    """The earlier and the later clocks of a diff: they differ on one of the two.

    Raises: InvalidParameter if the query does not name exactly one pair.
    """
    query, at, known_from = read.query, read.at, instant(read.query, "known_from")
    if ("from" in query) == (known_from is not None):
        raise invalid("from", "or 'known_from' says where to begin: give one of them")
    if known_from is None:
        if "known_to" in query or "as_of" in query:
            raise invalid("to", "goes with 'from'; 'known_to' and 'as_of' go with 'known_from'")
        since, until = day(query, "from", today()), day(query, "to", today())
        if until < since:
            raise invalid("to", "is not before 'from'")
        return replace(at, as_of=since, dated=True), replace(at, as_of=until, dated="to" in query)
    if "to" in query or at.position is not None:
        raise invalid("known_to", "goes with 'known_from'; 'to', 'known_at' and 'at_position' do not")
    log = services.tracker.log
    known_to = instant(query, "known_to")
    must_be_past(known_from, log, "known_from")
    before = replace(at, position=log.position_at(known_from), known_at=known_from)
    if known_to is None:
        return before, at
    must_be_past(known_to, log, "known_to")
    if known_to < known_from:
        raise invalid("known_to", "is not before 'known_from'")
    return before, replace(at, position=log.position_at(known_to), known_at=known_to)


class _Differences:
    """The differences between two points, written a piece at a time, and how many there are of each sort."""

    def __init__(self, read: ReadRequest, filters: Filters, earlier: Clocks, later: Clocks) -> None:
        self._services = read.services
        self._differing = read.services.timeline.diff(earlier, later, filters)
        self._earlier, self._later = Point(earlier.as_of, earlier.position), Point(later.as_of, later.position)
        self._counts: Counter[tuple[str | None, str | None, str]] = Counter()

    def items(self) -> Iterator[dict[str, Any]]:
        """The pledges that differ, in order."""
        for some in self._differing:
            rows = self._services.tracker.log.rows_of([found.pledge for found in some], self._later.position)
            for found in some:
                item = self._item(found, PledgeEvents.read(rows[found.pledge]))
                self._counts[item["status_before"], item["status_after"], item["cause"]] += 1
                yield item

    def json(self, footer: Mapping[str, Any], *, counted: bool) -> Iterator[bytes]:
        """The answer as JSON; `counted` if it has the counts."""
        separator = b'{"items":['
        for item in self.items():
            yield separator + to_json(item)
            separator = b","
        more = {"counts": self._matrix(), **footer} if counted else footer
        yield (b'{"items":[' if separator != b"," else b"") + b"]," + to_json(more)[1:]

    def _matrix(self) -> list[dict[str, Any]]:
        names = ("status_before", "status_after", "cause")
        ordered = sorted(self._counts.items(), key=lambda pair: tuple(word or "" for word in pair[0]))
        return [{**dict(zip(names, key, strict=True)), "pledges": pledges} for key, pledges in ordered]

    def _item(self, found: PledgeDifference, recorded: PledgeEvents) -> dict[str, Any]:
        old: dict[str, Any] = {} if found.before is None else from_json(found.before)
        new: dict[str, Any] = {} if found.after is None else from_json(found.after)
        (events, cause), known = recorded.fold(self._explained)
        return {
            "pledge": found.pledge,
            "status_before": old.get("status"),
            "status_after": new.get("status"),
            "actual_before": old.get("actual"),
            "actual_after": new.get("actual"),
            "cause": cause,
            "events": [event_json(event) for event in events],
            **unread_json(known.unread),
        }

    def _explained(self, events: Sequence[Event]) -> tuple[list[Event], Cause]:
        return between(events, self._earlier, self._later), cause_of(events, self._earlier, self._later)
