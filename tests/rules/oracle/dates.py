"""Days, partial dates and windows (DOMAIN §2, §3)."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

DAY = timedelta(days=1)
MONTHS = {"year": 12, "half": 6, "quarter": 3, "month": 1}


def day_of(text: str | None) -> date | None:
    """The day that a full date says."""
    return None if text is None else date.fromisoformat(text)


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def last_day(day: date, precision: str) -> date:
    """§2: an imprecise day is in force from the last day that it can mean."""
    if precision == "day":
        return day
    months = MONTHS[precision]
    return month_end(day.year, (day.month + months - 1) // months * months)


def end_of(partial: str) -> date:
    """The last day that a partial date can mean: `2025-02` is 2025-02-28, `2025-H1` is 2025-06-30."""
    if len(partial) == 10:
        return date.fromisoformat(partial)
    year, _, part = partial.partition("-")
    if not part:
        return date(int(year), 12, 31)
    if part[0] in "QH":
        return month_end(int(year), int(part[1]) * (3 if part[0] == "Q" else 6))
    return month_end(int(year), int(part))


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return min(date(year, month + 1, min(day.day, 28)) + (day.day - min(day.day, 28)) * DAY, month_end(year, month + 1))


@dataclass(frozen=True)
class Window:
    """§3: `end` is the earliest reading of the deadline, `latest` (default `end`) the latest one."""

    start: date | None = None
    end: date | None = None
    latest: date | None = None

    @classmethod
    def read(cls, raw: dict[str, Any] | None) -> Window | None:
        """The window of a fact; its words play no part."""
        if raw is None:
            return None
        end, latest = day_of(raw.get("end")), day_of(raw.get("latest"))
        return cls(day_of(raw.get("start")), end or latest, latest or end)

    def passed(self, day: date) -> bool:
        """POINTS, Closed: a window is closed on day d if d > `latest`."""
        return self.latest is not None and day > self.latest

    def json(self) -> dict[str, str]:
        """The window as it is answered, `latest` left out where it is `end`."""
        days = {"start": self.start, "end": self.end, "latest": self.latest if self.latest != self.end else None}
        return {name: day.isoformat() for name, day in days.items() if day is not None}


@dataclass(frozen=True)
class Recurrence:
    """§3: the target holds for each period by itself."""

    every: str
    start: date
    end: date | None = None

    @classmethod
    def read(cls, raw: dict[str, Any] | None) -> Recurrence | None:
        """The recurrence of a fact."""
        if raw is None:
            return None
        end = None if raw.get("end") is None else end_of(raw["end"])
        start = raw["start"]
        first = date.fromisoformat(start) if len(start) == 10 else first_of(start)
        return cls(raw["every"], first, end)

    def periods(self, as_of: date) -> list[Window]:
        """POINTS, Recurrence: every period; without `end` those that have begun."""
        found: list[Window] = []
        start = self.start
        while start <= (self.end if self.end is not None else as_of):
            after = add_months(start, MONTHS[self.every])
            found.append(Window(start, after - DAY, after - DAY))
            start = after
        return found

    def passed(self, day: date) -> bool:
        """Whether the last period has closed."""
        return self.end is not None and day > self.end

    def current(self, as_of: date) -> Window:
        """POINTS: the schedule looks at the end of the current period (before the first the first, then the last)."""
        begun = [period for period in self.periods(max(as_of, self.start)) if period.start <= as_of]
        return begun[-1] if begun else self.periods(self.start)[0]


def first_of(partial: str) -> date:
    """The first day that a partial date can mean."""
    year, _, part = partial.partition("-")
    if not part:
        return date(int(year), 1, 1)
    if part[0] in "QH":
        return date(int(year), (int(part[1]) - 1) * (3 if part[0] == "Q" else 6) + 1, 1)
    return date(int(year), int(part), 1)


def is_whole_year(start: date | None, end: date) -> bool:
    """§5: from a day to the eve of its anniversary or beyond; a total without a start is longer."""
    return start is None or end >= add_months(start, 12) - DAY


def is_over_three_years(window: Window | None) -> bool:
    """POINTS, Schedule: start→`latest` over three years; without a start it is not."""
    if window is None or window.start is None or window.latest is None:
        return False
    return window.latest >= add_months(window.start, 36)


def due_soon_days(window: Window) -> Fraction:
    """§6: 30 days, or a quarter of start→`latest`, both days counted, if that is less."""
    if window.start is None or window.latest is None:
        return Fraction(30)
    return min(Fraction(30), Fraction((window.latest - window.start).days + 1, 4))
