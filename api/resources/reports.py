"""Reports over many pledges: the summary, what changed between two points, and everything as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from litestar import Controller
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic_core import from_json, to_json

from api.formats.provenance import Provenance, stated_days_in
from api.formats.table import write_statuses
from api.http.clocks import ReadClocks, clocks_json, instant, must_be_past, today
from api.http.contract import AnyRequest, read
from api.http.parameters import choice, day, invalid
from api.http.responses import BytesResponse
from api.http.streams import PIECE_BYTES, StreamedResponse
from api.resources import contracts
from api.resources.list_filters import filters, given_filters
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks
from projections.timeline import PledgeDifference
from tracker.event import Event, event_json
from tracker.pledge_events import PledgeEvents, unread_json
from tracker.rules.event_days import said_between
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
        return read.about_all(clocks.position, to_json({**report, **read.footer(clocks.position)}))

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
        pieces = _diff_json(services, earlier, later, footer)
        begun = b""
        for piece in pieces:
            begun += piece
            if len(begun) > PIECE_BYTES:
                head = read.about_all(later.position, b"", etag=read.tag_of("diff", footer))
                return StreamedResponse(head, chain([begun], pieces))
        return read.about_all(later.position, begun)

    @read("/export", contracts.EXPORT)
    def export(self, request: AnyRequest, services: NamedDependency[Services]) -> StreamedResponse:
        """All statuses at the clocks, as a stream."""
        read = ReadRequest(request, services)
        narrowed, clocks = filters(read.query), read.projected()
        footer = read.footer(clocks.position)
        if (license_ := services.settings.data_license) is not None:
            footer["license"] = license_
        etag = read.tag_of("export", footer, given_filters(read.query))
        head = read.about_all(clocks.position, b"", etag=etag)
        documents = services.timeline.export(clocks, narrowed)
        stated_days = stated_days_in(services.tracker.log)
        provenance = Provenance(footer, license_, services.settings.log_origin(read.log), stated_days)
        return StreamedResponse(head, write_statuses(read.format, documents, provenance))


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
    must_be_past(known_from, log)
    before = replace(at, position=log.position_at(known_from), known_at=known_from)
    if known_to is None:
        return before, at
    must_be_past(known_to, log)
    if known_to < known_from:
        raise invalid("known_to", "is not before 'known_from'")
    return before, replace(at, position=log.position_at(known_to), known_at=known_to)


def _diff_json(services: Services, earlier: Clocks, later: Clocks, footer: dict[str, Any]) -> Iterator[bytes]:
    separator = b'{"items":['
    for some in services.timeline.diff(earlier, later):
        rows = services.tracker.log.rows_of([found.pledge for found in some], later.position)
        for found in some:
            yield separator + to_json(_difference_json(found, PledgeEvents.read(rows[found.pledge]), earlier, later))
            separator = b","
    yield (b'{"items":[' if separator != b"," else b"") + b"]," + to_json(footer)[1:]


def _difference_json(found: PledgeDifference, recorded: PledgeEvents, earlier: Clocks, later: Clocks) -> dict[str, Any]:
    old: dict[str, Any] = {} if found.before is None else from_json(found.before)
    new: dict[str, Any] = {} if found.after is None else from_json(found.after)
    events, known = recorded.fold(lambda events: _between(events, earlier, later))
    return {
        "pledge": found.pledge,
        "status_before": old.get("status"),
        "status_after": new.get("status"),
        "actual_before": old.get("actual"),
        "actual_after": new.get("actual"),
        "events": [event_json(event) for event in events],
        **unread_json(known.unread),
    }


def _between(events: Sequence[Event], earlier: Clocks, later: Clocks) -> list[Event]:
    if earlier.as_of != later.as_of:
        return said_between(events, earlier.as_of, later.as_of)
    return [event for event in events if event.position > earlier.position]
