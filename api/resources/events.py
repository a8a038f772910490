"""Reading the log, a page at a time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Request
from litestar.di import NamedDependency

from api.formats.provenance import Provenance
from api.formats.table import write_events
from api.http.cache import BytesResponse
from api.http.contract import read
from api.http.parameters import choice, integer, matching
from api.resources import contracts
from api.resources.read_request import ReadRequest
from api.services import Services
from tracker.event import Event, served
from tracker.log.recorder import MAX_POSITION, LogRow
from tracker.quantity import SLUG


class EventController(Controller):
    """Everything that was ever recorded, in one gapless order."""

    path = "/v1"

    @read("/events", contracts.LOG)
    def log(self, request: Request[Any, Any, Any], services: NamedDependency[Services]) -> BytesResponse:
        """The log, oldest first; `next_after` is null on its last page, `position` is where to go on later."""
        reading = ReadRequest(request, services)
        query, journal = reading.query, services.tracker.journal
        after = integer(query, "after", 0, MAX_POSITION, 0)
        limit = integer(query, "limit", 1, contracts.MAX_EVENTS, 100)
        pledge = matching(query, "pledge", "slug", SLUG)
        type_ = choice(query, "type", contracts.TYPES)
        head = journal.head()
        upto = head if reading.at.position is None else reading.at.position
        rows = journal.read(after, limit + 1, upto=upto, pledge=pledge, type=type_)
        more, rows = len(rows) > limit, rows[:limit]
        following = rows[-1].position if more else None
        if reading.at.dated:
            rows = [row for row in rows if _event(row).in_force_on <= reading.at.as_of]
        footer = {"next_after": following, **reading.footer(upto)}
        lines = (served(row.state, row.position) for row in rows)
        body = b"".join(write_events(reading.format, lines, Provenance(footer, services.settings.data_license)))
        headers = {}
        if following is not None:
            headers["Link"] = f'</v1/events?{urlencode({**query, "after": following})}>; rel="next"'
        return reading.about_log(head, body, headers)


def _event(row: LogRow) -> Event:
    return Event.read(row.state, row.position)
