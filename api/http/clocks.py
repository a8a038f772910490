"""The two clocks of a read: `as_of`, and `known_at` or `at_position` (DOMAIN §2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.http.contract import Parameter
from api.http.parameters import Query, day, integer, invalid
from api.http.system_clock import now, today
from tracker.event import stamp
from tracker.log.recorder import LogRecorder
from tracker.log.rows import MAX_POSITION
from tracker.points_in_time import read_instant

AS_OF = Parameter(
    "as_of",
    "What had been said in the world by this day; today (UTC) by default. A later day answers what will be overdue.",
    {"type": "string", "format": "date", "pattern": "^(1[89]|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$"},
)
KNOWN_AT = Parameter(
    "known_at",
    "What we had recorded by this instant, RFC 3339 with an offset, not in the future; now by default."
    " Not together with `at_position`.",
    {"type": "string", "format": "date-time"},
)
AT_POSITION = Parameter(
    "at_position",
    "What we had recorded up to this place in the log, which the log must have reached; not together with `known_at`.",
    {"type": "integer", "minimum": 0},
)
CLOCKS = (AS_OF, KNOWN_AT, AT_POSITION)
KNOWN_ON = Parameter("known_on", "What we had recorded by the end of this day (UTC).", AS_OF.schema)
"""The clock that pages take beside the others."""

PAGE_CLOCKS = (*CLOCKS, KNOWN_ON)


@dataclass(frozen=True, slots=True)
class ReadClocks:
    """A point on both clocks, as a request names it.

    `position` is the last position that is known, None for the newest; `known_at` is None if it is now.
    """

    as_of: date
    position: int | None
    known_at: datetime | None
    dated: bool
    """True if the request has `as_of`, so that the response does not change at midnight."""

    numbered: bool = False
    """True if the request has `at_position`."""


def point(query: Query, log: LogRecorder, known_head: int = 0) -> ReadClocks:
    """The clocks that a query names. `known_head` is a position that the log is known to have reached.

    The log is asked only if the query has `known_at` or `at_position`.

    Raises: InvalidParameter if a clock cannot be read, or lies beyond the log.
    """
    as_of, dated = day(query, "as_of", today()), "as_of" in query
    position = integer(query, "at_position", 0, MAX_POSITION)
    known_at = instant(query, "known_at")
    if position is not None and known_at is not None:
        raise invalid("known_at", "and 'at_position' say the same thing: give one of them")
    if position is not None:
        if position > known_head and position > (head := log.head()):
            raise invalid("at_position", f"is beyond the log, which has reached {head}")
        return ReadClocks(as_of, position, log.recorded_at(position), dated, numbered=True)
    if known_at is not None:
        must_be_past(known_at, log)
        return ReadClocks(as_of, log.position_at(known_at), known_at, dated)
    return ReadClocks(as_of, None, None, dated)


def end_of(day_: date) -> datetime:
    """The last instant of a day, in UTC."""
    return datetime(day_.year, day_.month, day_.day, tzinfo=UTC) + timedelta(days=1) - timedelta(microseconds=1)


def with_known_on(query: Query) -> Query:
    """The query of a page with the end of the day `known_on` as `known_at`; today's end is now.

    Raises: InvalidParameter if it is no day, or the query has another clock of what was known.
    """
    known_on = day(query, "known_on")
    if known_on is None:
        return query
    if "known_at" in query or "at_position" in query:
        raise invalid("known_at", "and 'at_position' say the same thing as 'known_on': give one of them")
    return query if known_on == today() else {**query, "known_at": stamp(end_of(known_on))}


def instant(query: Query, name: str) -> datetime | None:
    """An instant, RFC 3339 with its offset; a space stands for the `+` that it was before it was decoded.

    Raises: InvalidParameter if it is none.
    """
    if (text := query.get(name)) is None:
        return None
    try:
        return read_instant(text)
    except ValueError as wrong:
        raise invalid(name, str(wrong)) from None


def must_be_past(known_at: datetime, log: LogRecorder, name: str = "known_at") -> None:
    """The log's last instant counts as past even if the clock was set back since.

    Raises: InvalidParameter if `known_at`, the parameter of this name, lies in the future.
    """
    if known_at > now() and ((last := log.last_recorded_at()) is None or known_at > last):
        raise invalid(name, "lies in the future")


def clocks_json(as_of: date, known_at: datetime | None, position: int) -> dict[str, Any]:
    """The clocks that every response names, so that it can be asked for again; `known_at` is null if it was now."""
    return {
        "as_of": as_of.isoformat(),
        "known_at": None if known_at is None else stamp(known_at),
        "position": position,
    }
