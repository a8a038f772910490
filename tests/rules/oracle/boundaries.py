"""The days and instants at which the answer about a stream may change."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from .dates import DAY, MONTHS, add_months, end_of, last_day

Fact = dict[str, Any]
_DATE = re.compile(r"\d{4}(?:-(?:\d{2}(?:-\d{2})?|Q[1-4]|H[12]))?")
STALE, STALE_LONG, DUE_SOON, GRACE = 180, 400, 30, 180


def known_boundaries(events: list[dict[str, Any]]) -> list[str | None]:
    """Every `known_at` at which the record was another one, and None for now."""
    return [*(event["recorded_at"] for event in events), None]


def boundaries(events: list[dict[str, Any]]) -> list[date]:
    """Every day on which anything may change, with the day before and after."""
    days: set[date] = set()
    for event in events:
        fact = event["fact"]
        for text in _DATE.findall(json.dumps(fact)):
            days |= meant_by(text)
        if "stated_on" in fact:
            said = date.fromisoformat(fact["stated_on"])
            days |= {last_day(said, precision) for precision in ("month", "quarter", "half", "year")}
            in_force = last_day(said, fact.get("precision", "day"))
            days |= {in_force + STALE * DAY, in_force + STALE_LONG * DAY}
        for window in windows_in(fact):
            days |= of_window(window)
    around = {day + offset * DAY for day in days for offset in (-1, 0, 1)}
    return sorted(day for day in around if date(2000, 1, 1) <= day <= date(2040, 1, 1))


def meant_by(text: str) -> set[date]:
    """The last day of a partial date, if the text is one."""
    try:
        return {end_of(text)}
    except ValueError:
        return set()


def windows_in(fact: Fact) -> list[Fact]:
    """The windows and periods of recurrence of a fact or a patch."""
    found = []
    for part in (fact, fact.get("changes") or {}):
        if part.get("window"):
            found.append(part["window"])
        every = part.get("recurrence")
        if every:
            start = date.fromisoformat(every["start"])
            for number in range(8):
                first = add_months(start, number * MONTHS[every["every"]])
                last = add_months(first, MONTHS[every["every"]]) - DAY
                found.append({"start": first.isoformat(), "end": last.isoformat()})
    return found


def of_window(window: Fact) -> set[date]:
    """The days on which a window is due soon, passed, or its grace over."""
    latest = window.get("latest") or window.get("end")
    if latest is None:
        return set()
    last = date.fromisoformat(latest)
    days = {last, last - DUE_SOON * DAY, last + GRACE * DAY}
    if window.get("start"):
        quarter = ((last - date.fromisoformat(window["start"])).days + 1) // 4
        days.add(last - quarter * DAY)
    return days
