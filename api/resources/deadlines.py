"""What is due: the pledges whose deadline is near and that are neither kept nor settled, as a calendar feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Controller
from litestar.di import NamedDependency
from pydantic_core import from_json

from api.formats import icalendar
from api.http.contract import AnyRequest, read
from api.http.parameters import integer
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.contracts import DUE_DAYS, MAX_DUE_DAYS
from api.resources.list_filters import filters
from api.resources.names import STATUSES
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks, Filters
from projections.timeline import Timeline
from tracker.rules.outcome import CLOSED, KEPT

MAX_DUE_PLEDGES = 500
"""Deadlines that are told, the nearest, at most."""

_UNSETTLED = tuple(status for status in STATUSES if status not in (*KEPT, *CLOSED))
"""Headlines of a pledge whose deadline is still to be met."""


def due(
    timeline: Timeline, narrowed: Filters, clocks: Clocks, days: int = DUE_DAYS, most: int = MAX_DUE_PLEDGES
) -> list[Mapping[str, Any]]:
    """The status documents of the pledges that fall due from the day of the clocks on within some days, nearest first.

    What is kept, settled or has no deadline yet is not among them.
    """
    beyond = clocks.as_of + timedelta(days=days + 1)
    if narrowed.due_before is not None:
        beyond = min(beyond, narrowed.due_before)
    asked = narrowed.status or _UNSETTLED
    wanted = replace(
        narrowed,
        status=tuple(status for status in asked if status in _UNSETTLED),
        due_from=clocks.as_of,
        due_before=beyond,
    )
    if not wanted.status:
        return []
    found = (from_json(document) for document in timeline.page(wanted, clocks, "due", most).items)
    return [status for status in found if status["schedule"]["current"] in ("open", "due_soon")]


class DeadlineController(Controller):
    """What is due, for calendars."""

    @read("/v1/deadlines.ics", contracts.DEADLINES)
    def deadlines(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The pledges that fall due soon, as an iCalendar feed (RFC 5545)."""
        read = ReadRequest(request, services)
        days = integer(read.query, "days", 1, MAX_DUE_DAYS, DUE_DAYS)
        clocks = read.projected()
        found = due(services.timeline, filters(read.query), clocks, days)
        recorded_at = services.tracker.log.recorded_at(clocks.position) or datetime.fromtimestamp(0, UTC)
        public_url = read.absolute(read.base) if services.settings.public_url else ""
        body = icalendar.calendar(found, read.log, recorded_at, public_url)
        return read.about_all(clocks.position, body)
