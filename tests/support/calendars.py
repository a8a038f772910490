"""A strict reader of iCalendar (RFC 5545), as far as the feed of deadlines has it: a broken rule is an error."""

import re
from typing import NamedTuple

_LINE = re.compile(
    r'(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?:;[A-Za-z0-9-]+=(?:"[^"\x00-\x08\x0a-\x1f\x7f]*"|[^";:,\x00-\x08\x0a-\x1f\x7f]*))*)'
    r":(?P<value>[^\x00-\x08\x0a-\x1f\x7f]*)"
)
_TEXT = {"SUMMARY", "DESCRIPTION", "NAME", "X-WR-CALNAME"}
_ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "URL", "TRANSP"}
_SHAPES = {
    "DTSTAMP": r"\d{8}T\d{6}Z",
    "DTSTART": r"\d{8}",
    "DTEND": r"\d{8}",
    "URL": r"https?://[^\s]+",
    "TRANSP": "OPAQUE|TRANSPARENT",
}


class Calendar(NamedTuple):
    """A calendar: its own properties by name, and those of each of its events."""

    properties: dict[str, str]
    events: list[dict[str, str]]


def read_calendar(body: bytes) -> Calendar:
    """Read a calendar; texts are unescaped."""
    lines = _unfolded(body)
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    properties: dict[str, str] = {}
    events: list[dict[str, str]] = []
    inside: dict[str, str] | None = None
    for line in lines[1:-1]:
        if line == "BEGIN:VEVENT":
            assert inside is None
            inside = {}
        elif line == "END:VEVENT":
            assert inside is not None
            assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= inside.keys()
            assert inside.get("DTEND", "9") > inside["DTSTART"]
            events.append(inside)
            inside = None
        else:
            assert not events or inside is not None, "a property of the calendar behind an event"
            _take(line, properties if inside is None else inside)
    assert inside is None
    assert properties["VERSION"] == "2.0"
    assert properties["PRODID"]
    assert len({event["UID"] for event in events}) == len(events)
    return Calendar(properties, events)


def _unfolded(body: bytes) -> list[str]:
    assert body.endswith(b"\r\n")
    lines: list[bytes] = []
    for line in body[:-2].split(b"\r\n"):
        assert line, "an empty line"
        assert len(line) <= 75, line
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode("utf-8")  # no line is folded within a character
        if line[:1] in (b" ", b"\t"):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return [line.decode("utf-8") for line in lines]


def _take(line: str, into: dict[str, str]) -> None:
    found = _LINE.fullmatch(line)
    assert found, line
    name, value = found["name"], found["value"]
    assert name not in into or name not in _ONCE, f"{name} stands twice"
    assert re.fullmatch(_SHAPES.get(name, ".*"), value), line
    if name in ("DTSTART", "DTEND"):
        assert found["parameters"] == ";VALUE=DATE", line
    into[name] = _text(value) if name in _TEXT else value


def _text(value: str) -> str:
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", value), value
    return re.sub(r"\\(.)", lambda escape: "\n" if escape[1] in "nN" else escape[1], value)
