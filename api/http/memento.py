"""Days as moments of the web: RFC 7089, so that an archive's client can ask for a pledge as it stood."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import urlencode

from litestar.types import Scope

from api.http.clocks import ReadClocks, today
from api.http.headers import header
from api.http.parameters import Query, invalid
from api.http.responses import Redirect
from tracker.values import FIRST_YEAR, LAST_YEAR

VARY = "Accept, Accept-Datetime"


def elsewhere(pledge: str, query: Query, day: date, first: date) -> Redirect:
    """The answer to Accept-Datetime: the same pledge, at the address of that day.

    A day before the ``first`` on which there is something, or after today, leads to the nearest (RFC 7089 §4.5.3).
    """
    nearest = max(first, min(day, today()))
    location = f"{address(pledge)}?{urlencode({**query, 'as_of': nearest.isoformat()})}"
    return Redirect(location, {"vary": VARY, "link": links(pledge)})


def wanted_day(scope: Scope, query: Query) -> date | None:
    """The day that Accept-Datetime names; an ``as_of`` in the address says it already.

    Errors: ``InvalidParameter`` if the header is no HTTP date.
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


def headers_of(pledge: str, at: ReadClocks) -> dict[str, str]:
    """What the answer about a pledge says of its moment: that of a day that is named, and not to come, is a memento."""
    said = {"Link": links(pledge), "Vary": VARY}
    if at.dated and at.as_of <= today():
        said["Memento-Datetime"] = moment(at.as_of)
    elif at.known_at is not None:
        said["Memento-Datetime"] = format_datetime(at.known_at, usegmt=True)
    return said


def moment(day: date) -> str:
    """The beginning of a day as an HTTP date."""
    return format_datetime(datetime.combine(day, time(), UTC), usegmt=True)


def address(pledge: str) -> str:
    """Where a pledge is."""
    return f"/v1/pledges/{pledge}"


def links(pledge: str) -> str:
    """The links from every moment of a pledge to the pledge, and to the list of its moments."""
    own = address(pledge)
    return f'<{own}>; rel="original timegate", <{own}/timemap>; rel="timemap"; type="application/link-format"'


def timemap(pledge: str, days: Iterable[date]) -> bytes:
    """The list of moments in the link format (RFC 6690, RFC 7089 §5)."""
    own = address(pledge)
    lines = [f'<{own}>;rel="original timegate"', f'<{own}/timemap>;rel="self";type="application/link-format"']
    lines += [f'<{own}?as_of={day}>;rel="memento";datetime="{moment(day)}"' for day in days]
    return ",\n".join(lines).encode() + b"\n"
