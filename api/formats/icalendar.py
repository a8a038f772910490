"""Deadlines as an iCalendar feed (RFC 5545): an all-day event for each, on the day on which its time is up.

Ids never change: they are made of the log's id and the pledge. Addresses are absolute or left out, as `URL` has no
relative ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api import wording
from api.formats.atom import figures_in_words
from api.http.media import MediaFormat

ICS_FORMAT = MediaFormat("ics", "text/calendar; charset=utf-8")

FOLDED_AT_BYTES = 75
"""Bytes of a line without its end, at most (RFC 5545 §3.1)."""

_PRODUCT = "-//Commitments Tracker//Deadlines//EN"
_REFRESH = "P1D"
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")


def calendar(statuses: Iterable[Mapping[str, Any]], log: str, recorded_at: datetime, public_url: str) -> bytes:
    """The calendar of the deadlines of these status documents.

    `log` is the log's id and `recorded_at` the moment of the last event that the documents know: the calendar is the
    same bytes as long as they are. `public_url` is what addresses begin with, empty where they would be relative.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "CALSCALE:GREGORIAN",
        "NAME:Deadlines of public pledges",
        "X-WR-CALNAME:Deadlines of public pledges",
        f"REFRESH-INTERVAL;VALUE=DURATION:{_REFRESH}",
        f"X-PUBLISHED-TTL:{_REFRESH}",
        *(line for status in statuses for line in _event(status, log, recorded_at, public_url)),
        "END:VCALENDAR",
    ]
    return b"".join(folded(line) for line in lines)


def _event(status: Mapping[str, Any], log: str, recorded_at: datetime, public_url: str) -> Iterator[str]:
    due = date.fromisoformat(status["deadline"])
    parties = [wording.party(status["pledgor"]), wording.party(status["beneficiary"])]
    said = [f"{' to '.join(filter(None, parties))}: {wording.STATUS[status['status']].lower()}."]
    said += [f"{words}." for words in (figures_in_words(status),) if words]
    said.append(f"Last said on {wording.day(status['last_stated_on'])}.".replace(wording.NBSP, " "))
    yield "BEGIN:VEVENT"
    yield f"UID:{status['pledge']}@{log}.commitments-tracker.invalid"
    yield f"DTSTAMP:{recorded_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{_day(due)}"
    yield f"DTEND;VALUE=DATE:{_day(due + timedelta(days=1))}"
    yield f"SUMMARY:{escaped('Due: ' + status['title'])}"
    yield f"DESCRIPTION:{escaped(' '.join(said))}"
    if status["tags"]:
        yield f"CATEGORIES:{','.join(escaped(tag) for tag in status['tags'])}"
    if public_url:
        yield f"URL:{public_url}/pledges/{status['pledge']}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _day(on: date) -> str:
    return on.isoformat().replace("-", "")


def escaped(text: str) -> str:
    """A value of type TEXT (RFC 5545 §3.3.11); controls, which it cannot have, are left out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for mark in "\\;,":
        plain = plain.replace(mark, f"\\{mark}")
    return _CONTROLS.sub("", plain.replace("\n", "\\n"))


def folded(line: str) -> bytes:
    """A content line with its end, folded where it is long and never within a character (RFC 5545 §3.1)."""
    pieces, piece = [], b""
    for character in line:
        encoded = character.encode()
        if len(piece) + len(encoded) > FOLDED_AT_BYTES:
            pieces.append(piece)
            piece = b" "
        piece += encoded
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
