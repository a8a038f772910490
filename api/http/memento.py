"""Mementos (RFC 7089): the status of a pledge on a day, as a client of web archives asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime

from litestar.types import Scope

from api.http.addresses import encoded
from api.http.clocks import ReadClocks
from api.http.headers import header
from api.http.parameters import Query, invalid
from api.http.responses import Redirect
from api.http.system_clock import today
from tracker.values import FIRST_YEAR, LAST_YEAR

VARY = "Accept, Accept-Datetime"


def redirect_to_day(own: str, query: Query, day: date, first: date) -> Redirect:
    """The redirect that answers Accept-Datetime: the pledge whose address is `own`, at the address of `day`.

    A day before `first`, the first day with a status, or after today, leads to the nearest (RFC 7089 §4.5.3).
    """
    nearest = max(first, min(day, today()))
    location = f"{own}?{encoded({**query, 'as_of': nearest.isoformat()})}"
    return Redirect(location, {"vary": VARY, "link": links(own)})


def wanted_day(scope: Scope, query: Query) -> date | None:
    """The day that Accept-Datetime names; None without it, or if the query has `as_of`.

    Raises: InvalidParameter if the header is no HTTP date.
    """
    given = header(scope, b"accept-datetime")
    if given is None or "as_of" in query:
        return None
    try:
        moment = parsedate_to_datetime(given.decode("latin-1"))
        day = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()
    except (ValueError, OverflowError):
        day = date.min
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise invalid("Accept-Datetime", "is an HTTP date, such as Wed, 12 Feb 2025 00:00:00 GMT")
    return day


def headers_of(own: str, at: ReadClocks) -> dict[str, str]:
    """The memento headers of a response about the pledge at `own`: a memento if its day is named and has begun."""
    headers = {"Link": links(own), "Vary": VARY}
    if at.dated and at.as_of <= today():
        headers["Memento-Datetime"] = http_date(at.as_of)
    elif at.known_at is not None:
        headers["Memento-Datetime"] = format_datetime(at.known_at, usegmt=True)
    return headers


def http_date(day: date) -> str:
    """The beginning of a day (UTC) as an HTTP date."""
    return format_datetime(datetime.combine(day, time(), UTC), usegmt=True)


def links(own: str) -> str:
    """The `Link` header from every memento of the pledge at `own` to the pledge, and to the list of its mementos."""
    return f'<{own}>; rel="original timegate", <{own}/timemap>; rel="timemap"; type="application/link-format"'


def timemap(own: str, days: Iterable[date]) -> bytes:
    """The list of the mementos of the pledge at `own`, in the link format (RFC 6690, RFC 7089 §5)."""
    lines = [f'<{own}>;rel="original timegate"', f'<{own}/timemap>;rel="self";type="application/link-format"']
    lines += [f'<{own}?as_of={day}>;rel="memento";datetime="{http_date(day)}"' for day in days]
    return ",\n".join(lines).encode() + b"\n"
