"""The calendar of what is due: which pledges it has, and that any calendar can read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.formats.icalendar import escaped, folded
from tests.support.api import Api, made, problem, progress, running
from tests.support.calendars import read_calendar

FEED = "/v1/deadlines.ics"


def window(end: str, **more: str) -> dict[str, str]:
    return {"start": "2024-01-01", "end": end, **more}


def test_what_falls_due_within_thirty_days_is_told_and_what_is_kept_or_settled_is_not(api: Api) -> None:
    api.open("soon", title="Due soon", window=window("2024-12-31"), tags=["aid", "winter"])
    api.open("today", title="Due today", window=window("2024-12-10"))
    api.open("later", title="Due later", window=window("2025-03-31"))
    api.open("past", title="Overdue", window=window("2024-12-09"))
    api.open("kept", title="Kept", window=window("2024-12-31"))
    api.add(progress("over 50bn EUR"), "kept")
    api.open("gone", title="Withdrawn", window=window("2024-12-31"))
    source = made()["source"]
    api.add({"type": "PledgeWithdrawn", "stated_on": "2024-08-01", "source": source, "reason": "No money."}, "gone")
    api.open("never", title="No deadline", window={"start": "2024-01-01"})
    answer = api.get(f"{FEED}?as_of=2024-12-10")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    calendar = read_calendar(answer.content)
    log = api.get("/v1/log").json()["log"]
    assert [event["UID"] for event in calendar.events] == [
        f"{pledge}@{log}.commitments-tracker.invalid" for pledge in ("today", "soon")
    ]
    soon = calendar.events[1]
    assert (soon["DTSTART"], soon["DTEND"], soon["SUMMARY"]) == ("20241231", "20250101", "Due: Due soon")
    assert soon["DESCRIPTION"] == "Alliance: announced. Target: at least €40bn. Last said on 10 Jan 2024."
    assert soon["CATEGORIES"] == "aid,winter"
    assert "URL" not in soon
    ahead = read_calendar(api.get(f"{FEED}?as_of=2024-12-10&days=366").content)
    assert [event["SUMMARY"] for event in ahead.events][-1] == "Due: Due later"
    assert read_calendar(api.get(f"{FEED}?as_of=2024-12-10&tag=winter").content).events == [soon]
    assert read_calendar(api.get(f"{FEED}?as_of=2024-12-10&due_before=2024-12-31").content).events == [
        calendar.events[0]
    ]
    assert read_calendar(api.get(f"{FEED}?as_of=2024-12-10&status=met").content).events == []
    assert read_calendar(api.get(f"{FEED}?as_of=2024-12-10&at_position=0").content).events == []


def test_the_calendar_is_polled_as_every_read_is(api: Api) -> None:
    api.open(window=window("2024-12-31"))
    first = api.get(f"{FEED}?as_of=2024-12-10")
    again = api.get(f"{FEED}?as_of=2024-12-10", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert first.headers["tracker-log"] == api.get("/v1/log").json()["log"]
    recorded_at = api.get("/v1/events").json()["items"][-1]["recorded_at"]
    (event,) = read_calendar(first.content).events
    assert event["DTSTAMP"] == recorded_at[:19].replace("-", "").replace(":", "") + "Z"
    for wrong in ("days=0", "days=367", "days=soon", "until=2025-01-01"):
        problem(
            api.get(f"{FEED}?{wrong}"), 400, "unknown_parameter" if wrong.startswith("until") else "invalid_parameter"
        )


def test_a_title_of_any_script_and_mark_stays_what_it_is(sqlite_url: str) -> None:
    title = "40 бригад; “über”, 40\\60 — " + "援助🇺🇦" * 20
    with running(sqlite_url, public_url="https://pledges.example.org") as api:
        api.open(title=title, window=window("2024-12-31"))
        (event,) = read_calendar(api.get(f"{FEED}?as_of=2024-12-10").content).events
        assert event["SUMMARY"] == f"Due: {title}"
        assert event["URL"] == "https://pledges.example.org/pledges/aid-2024"


@given(st.text())
def test_any_text_is_a_line_that_any_reader_unfolds_and_reads_as_it_was(text: str) -> None:
    line = f"SUMMARY:{escaped(text)}"
    body = b"".join(map(folded, ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", f"X-WR-CALNAME:{escaped(text)}"]))
    seen = read_calendar(body + folded("END:VCALENDAR")).properties["X-WR-CALNAME"]
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert seen == "".join(ch for ch in lines if ch == "\n" or (ch >= " " and ch != "\x7f"))
    assert folded(line).decode().replace("\r\n ", "").removesuffix("\r\n") == line


@pytest.mark.parametrize("length", [67, 68, 74, 75, 150])
def test_a_line_is_folded_at_75_bytes(length: int) -> None:
    assert len(folded("x" * length).partition(b"\r\n")[0]) == min(length, 75)
