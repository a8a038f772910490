"""The log, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from litestar import Controller
from litestar.di import NamedDependency

from api.formats.table import write_events
from api.http.clocks import ReadClocks, instant
from api.http.contract import AnyRequest, read
from api.http.headers import next_link
from api.http.log_ids import beyond_the_log
from api.http.parameters import Query, day, integer
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.list_filters import filters, types
from api.resources.read_request import ReadRequest
from api.services import Services
from tracker.event import raw_event, served
from tracker.log.recorder import LogRecorder
from tracker.log.rows import MAX_POSITION, LogRow
from tracker.pledge_events import is_said, raw_fact

READ_ROWS = 1_000
"""Rows of the log that are read at a time."""

MAX_LOOKED_AT = 5_000
"""Rows of the log that one request looks at, about, for events that pass its filters."""


class EventController(Controller):
    """All events that were recorded, in one gapless order."""

    path = "/v1"

    @read("/events", contracts.EVENT_LOG)
    def log(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The log, oldest first; `next_after` is how far was read: the log's end once it is `position`."""
        read = ReadRequest(request, services)
        query, log = read.query, services.tracker.log
        after = integer(query, "after", 0, MAX_POSITION, 0)
        limit = integer(query, "limit", 1, contracts.MAX_PAGE_EVENTS, 100)
        wanted = EventFilter.of(query, read.at)
        head = log.head()
        if after > head:
            raise beyond_the_log("after", head, read.log)
        upto = head if read.at.position is None else read.at.position
        rows, reached = wanted.page(log, after, upto, limit)
        footer = {"next_after": reached, **read.footer(upto)}
        lines = (served(row.state, row.position) for row in rows)
        body = b"".join(write_events(read.format, lines, read.provenance(footer)))
        headers = {}
        if reached < upto:
            headers["Link"] = next_link(read.address("/v1/events"), {**query, "after": reached})
        return read.about_log(head, body, headers)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of the log are wanted; what is empty or None is not asked. The ends of both spans are wanted too."""

    pledges: tuple[str, ...]
    types: tuple[str, ...]
    recorded_by: str | None
    recorded_from: datetime | None
    recorded_to: datetime | None
    stated_from: date | None
    stated_to: date | None
    as_of: date | None
    """The day by which it had been said."""

    @classmethod
    def of(cls, query: Query, at: ReadClocks) -> EventFilter:
        """The filter of a query.

        Raises: InvalidParameter if a value cannot be one.
        """
        return cls(
            pledges=filters(query).pledge,
            types=types(query),
            recorded_by=query.get("recorded_by"),
            recorded_from=instant(query, "recorded_from"),
            recorded_to=instant(query, "recorded_to"),
            stated_from=day(query, "stated_from"),
            stated_to=day(query, "stated_to"),
            as_of=at.as_of if at.dated else None,
        )

    def page(self, log: LogRecorder, after: int, upto: int, limit: int) -> tuple[list[LogRow], int]:
        """Up to `limit` wanted events in `(after, upto]`, and the position up to which the log was read for them.

        No more than about MAX_LOOKED_AT rows are looked at, so there may be fewer, or none, before the end.
        """
        if self.recorded_from is not None:
            after = max(after, log.position_at(self.recorded_from - timedelta(microseconds=1)))
        last = upto if self.recorded_to is None else min(upto, log.position_at(self.recorded_to))
        (pledge,) = self.pledges if len(self.pledges) == 1 else (None,)
        (type_,) = self.types if len(self.types) == 1 else (None,)
        found: list[LogRow] = []
        looked_at = 0
        while after < last and looked_at < MAX_LOOKED_AT:
            rows = log.read(after, READ_ROWS, upto=last, pledge=pledge, type=type_)
            for row in rows:
                after = row.position
                if self._is_wanted(row):
                    found.append(row)
                    if len(found) == limit:
                        return found, upto if after == last else after
            looked_at += len(rows)
            if len(rows) < READ_ROWS:
                return found, upto
        return found, after if after < last else upto

    def _is_wanted(self, row: LogRow) -> bool:
        if (self.pledges and row.pledge not in self.pledges) or (self.types and row.type not in self.types):
            return False
        if self.as_of is not None and not is_said(row.state, self.as_of):
            return False
        if self.recorded_by is None and self.stated_from is None and self.stated_to is None:
            return True
        event = raw_event(row.state, row.position)
        if self.recorded_by is not None and event.get("recorded_by") != self.recorded_by:
            return False
        stated_on = str(raw_fact(event).get("stated_on", ""))
        first, last = self.stated_from or date.min, self.stated_to or date.max
        return self.stated_from is self.stated_to is None or first.isoformat() <= stated_on <= last.isoformat()
