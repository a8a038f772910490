"""Reports over many pledges: the summary, what changed between two points, and everything as a stream."""

from __future__ import annotations

from datetime import date
from typing import cast

from litestar import Controller
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic_core import to_json

from api.formats import summary_table
from api.formats.csv_table import write_table
from api.formats.table import write_statuses
from api.http.clocks import clocks_json
from api.http.contract import AnyRequest, read
from api.http.parameters import choice, day, invalid
from api.http.responses import BytesResponse
from api.http.streams import StreamedResponse
from api.resources import contracts
from api.resources.differences import Differences, compared_clocks
from api.resources.grounds import beside_statuses
from api.resources.list_filters import filters, given_filters
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks
from tracker.promises import MONTHS, Every
from tracker.rules.days import ends_between
from tracker.units import CURRENCIES

MAX_HELD_DIFF_BYTES = 8 * 1024
"""Bytes of a difference that are made before any is sent, of some ten pledges: each is folded up to four times."""


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

        A short one is a response like any other and cached; a longer one is a stream.
        """
        read = ReadRequest(request, services)
        before, after = compared_clocks(read.query, read.at, services.tracker.log)
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
        differences = Differences(services.timeline, services.tracker.log, narrowed, earlier, later)
        if read.format == "json":
            pieces = differences.json(footer, counted=counted)
        else:
            pieces = read.rows("Diff", differences.items())
        begun = b""
        for piece in pieces:
            begun += piece
            if len(begun) > MAX_HELD_DIFF_BYTES:
                head = read.about_all(
                    later.position, b"", etag=read.tag_of("diff", footer, given_filters(read.query, "by"))
                )
                return StreamedResponse(head, pieces, begun)
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
