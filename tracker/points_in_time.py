"""Days and instants as a reader of the record names them: strictly spelled."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from tracker.values import FIRST_YEAR, LAST_YEAR

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+ -]\d{2}:\d{2})", re.ASCII)


def read_day(text: str) -> date:
    """A date, YYYY-MM-DD, in the years that facts may have.

    Raises: ValueError if it is none; the message goes on after the name of what was read.
    """
    if _DAY.fullmatch(text):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = date.min
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
    raise ValueError(f"is a date, YYYY-MM-DD, in the years {FIRST_YEAR} to {LAST_YEAR}")


def read_instant(text: str) -> datetime:
    """An instant, RFC 3339 with its offset; a space stands for the `+` that it was before a query was decoded.

    Raises: ValueError if it is none; the message goes on after the name of what was read.
    """
    if _RFC3339.fullmatch(text):
        signed = re.sub(r" (?=\d{2}:\d{2}$)", "+", text.upper())
        try:
            return datetime.fromisoformat(signed).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("is an instant with its offset (RFC 3339), such as 2026-11-21T16:00:00Z")
