"""Days that the rules count with: when a report counts, how long a window is, when it is due soon (DOMAIN §6)."""

from __future__ import annotations

from datetime import date, timedelta

from tracker.promises import add_months
from tracker.values import Window, end_of

ONE_DAY = timedelta(days=1)

DUE_SOON = timedelta(days=30)
"""A deadline that is no further away is due soon; in a short window, no further than a quarter of it."""

GRACE = timedelta(days=180)
"""A report without a day of its own that is said so soon after the close counts as of the close."""

STALE_AFTER, STALE_AFTER_LONG = timedelta(days=180), timedelta(days=400)
"""An open pledge of which nothing was said for so long is stale; the second where its window is long."""

LONG_WINDOW_MONTHS = 36
"""A window that is longer than three years is long."""


def counted_day(on: str | None, period_end: date | None, said_on: date, window: Window | None) -> date:
    """When a report was so: by its `on`, its period's end, else the day it was said, soon after a close the close."""
    if on is not None:
        return end_of(on)
    if period_end is not None:
        return period_end
    deadline = None if window is None else window.deadline
    if deadline is not None and deadline < said_on <= deadline + GRACE:
        return deadline
    return said_on


def ends_between(since: date, until: date, months: int) -> list[date]:
    """The last days of the calendar's periods of so many months that lie in `[since, until)`, and `until` itself."""
    month = since.month - 1
    start = date(since.year, month - month % months + 1, 1)
    found = []
    while (end := add_months(start, months) - ONE_DAY) < until:
        found.append(end)
        start = end + ONE_DAY
    return [*found, until] if since <= until else []


def due_soon(window: Window) -> timedelta:
    """How long before its deadline a window is due soon: at most 30 days, in a short window a quarter of it."""
    deadline = window.deadline
    if window.start is None or deadline is None:
        return DUE_SOON
    return min(DUE_SOON, timedelta(days=((deadline - window.start).days + 1) // 4))


def stale_after(window: Window | None) -> timedelta:
    """How long nothing may be said of an open pledge before it is stale."""
    if window is None or window.start is None or window.deadline is None:
        return STALE_AFTER
    is_long = window.deadline >= add_months(window.start, LONG_WINDOW_MONTHS)
    return STALE_AFTER_LONG if is_long else STALE_AFTER
