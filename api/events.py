"""Reading the log, a page at a time."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from litestar import Controller, Request
from litestar.di import NamedDependency

from api import exporting, vocabulary
from api.contract import read
from api.parts import Parts
from api.polling import Answer
from api.query import choice, integer, matching
from api.reading import Reading
from tracker.event import Event, served
from tracker.quantity import SLUG
from tracker.recorder import EVER, LogRow


class EventController(Controller):
    """Everything that was ever recorded, in one gapless order."""

    path = "/v1"

    @read("/events", vocabulary.LOG)
    def log(self, request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Answer:
        """The log, oldest first; `next_after` is null on its last page, `position` is where to go on later."""
        reading = Reading(request, parts)
        query, journal = reading.query, parts.tracker.journal
        after = integer(query, "after", 0, EVER, 0)
        limit = integer(query, "limit", 1, vocabulary.MAX_EVENTS, 100)
        pledge = matching(query, "pledge", "slug", SLUG)
        type_ = choice(query, "type", vocabulary.TYPES)
        head = journal.head()
        upto = head if reading.at.position is None else reading.at.position
        rows = journal.read(after, limit + 1, upto=upto, pledge=pledge, type=type_)
        more, rows = len(rows) > limit, rows[:limit]
        following = rows[-1].position if more else None
        if reading.at.dated:
            rows = [row for row in rows if _event(row).in_force_on <= reading.at.as_of]
        footer = {"next_after": following, **reading.footer(upto)}
        lines = (served(row.state, row.position) for row in rows)
        body = b"".join(
            exporting.events(lines, cast(exporting.Format, reading.format), footer, parts.settings.data_license)
        )
        headers = {}
        if following is not None:
            headers["Link"] = f'</v1/events?{urlencode({**query, "after": following})}>; rel="next"'
        return reading.about_log(head, body, headers)


def _event(row: LogRow) -> Event:
    return Event.read(row.state, row.position)
