"""The log, a page at a time."""

from __future__ import annotations

from litestar import Controller
from litestar.di import NamedDependency

from api.formats.provenance import Provenance
from api.formats.table import write_events
from api.http.contract import AnyRequest, read
from api.http.headers import next_link
from api.http.log_ids import beyond_the_log
from api.http.parameters import choice, integer, matching
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.read_request import ReadRequest
from api.services import Services
from tracker.event import served
from tracker.log.rows import MAX_POSITION
from tracker.pledge_events import is_said
from tracker.units import SLUG


class EventController(Controller):
    """All events that were recorded, in one gapless order."""

    path = "/v1"

    @read("/events", contracts.EVENT_LOG)
    def log(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The log, oldest first; `next_after` is null on its last page, `position` is where to go on later."""
        read = ReadRequest(request, services)
        query, log = read.query, services.tracker.log
        after = integer(query, "after", 0, MAX_POSITION, 0)
        limit = integer(query, "limit", 1, contracts.MAX_PAGE_EVENTS, 100)
        pledge = matching(query, "pledge", "slug", SLUG)
        type_ = choice(query, "type", contracts.TYPE_NAMES)
        head = log.head()
        if after > head:
            raise beyond_the_log("after", head, read.log)
        upto = head if read.at.position is None else read.at.position
        rows = log.read(after, limit + 1, upto=upto, pledge=pledge, type=type_)
        more, rows = len(rows) > limit, rows[:limit]
        following = rows[-1].position if more else None
        if read.at.dated:
            rows = [row for row in rows if is_said(row.state, read.at.as_of)]
        footer = {"next_after": following, **read.footer(upto)}
        lines = (served(row.state, row.position) for row in rows)
        settings = services.settings
        provenance = Provenance(footer, settings.data_license, public_url=settings.public_address(""))
        body = b"".join(write_events(read.format, lines, provenance))
        headers = {}
        if following is not None:
            headers["Link"] = next_link("/v1/events", {**query, "after": following})
        return read.about_log(head, body, headers)
