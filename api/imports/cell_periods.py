"""Days and periods as people write them in cells: months, quarters, halves, years and fiscal years.

2024-03     March 2024          Q3 2024, 2024 Q3, 3Q2024     July to September 2024
H1 2024     January to June     2024/25, FY2024-25, FY25     a fiscal year; its first month stands in the map
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from tracker.values import FIRST_YEAR, LAST_YEAR, Precision

NamedBy = Literal["start", "end"]
"""The calendar year that FY25 is named by: the one in which it begins or the one in which it ends."""

_YEAR = r"\d{4}"
_FISCAL = (
    r"(?:(?:FY|F\.Y\.)\s*(?P<named>\d{4}|\d{2})(?:\s*[/–-]\s*(?P<to>\d{4}|\d{2}))?"
    r"|(?P<from>\d{4})\s*/\s*(?P<till>\d{4}|\d{2}))"
)


def _part_pattern(letter: str, number: str) -> str:
    """The pattern of a quarter or half, its letter before or behind its number, as groups of these names."""
    return rf"(?:(?P<{letter}>[QqHh])(?P<{number}>[1-4])|(?P<{number}2>[1-4])(?P<{letter}2>[QqHh]))"


_BEFORE, _BEHIND = _part_pattern("kind", "number"), _part_pattern("k", "n")
_CALENDAR = re.compile(rf"(?:{_BEFORE}[\s-]*(?:of\s+)?)?(?P<year>{_YEAR})|(?P<year2>{_YEAR})[\s-]*{_BEHIND}")
_FISCAL_PERIOD = re.compile(rf"(?:{_BEFORE}[\s-]*)?{_FISCAL}(?:[\s-]*{_BEHIND})?", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_FIRST_MONTHS_OF_2000 = 50
"""FY49 is 2049, FY50 is 1950."""


@dataclass(frozen=True, slots=True)
class SaidPeriod:
    """A period as it was written: both days included, its precision, and how a partial date says it."""

    first: date
    last: date
    precision: Precision
    partial: str


def read_period(text: str, fiscal_start: int | None = None, named_by: NamedBy = "end") -> SaidPeriod | None:
    """The period that the text names; None if it names none. `fiscal_start` is the first month of fiscal years.

    Raises: ValueError if it names a fiscal year and `fiscal_start` is not given, or two years that do not follow.
    """
    text = text.strip()
    if found := _MONTH.fullmatch(text):
        return _months(int(found[1]), int(found[2]), 1, "month", text)
    if found := _CALENDAR.fullmatch(text):
        year = int(found["year"] or found["year2"])
        return _in_year(year, 1, _part(found), str(year))
    found = _FISCAL_PERIOD.fullmatch(text)
    if found is None:
        return None
    year = _fiscal_begin(found, text, fiscal_start, named_by)
    if fiscal_start is None:
        raise ValueError(
            f'"{text}" is a fiscal year; say in the map in which month it begins, such as fiscal_year_start = 4'
        )
    part = _part(found)
    period = _in_year(year, fiscal_start, part, str(year))
    if period is None or (fiscal_start == 1 and part is None):
        return period
    # No precision and no partial date says "a fiscal year": its last month does, and is not in force too early.
    return SaidPeriod(period.first, period.last, "month", period.last.isoformat()[:7])


def read_dated(text: str, formats: tuple[str, ...]) -> SaidPeriod | None:
    """The day, month or year that the first fitting `strptime` format reads; None if none fits."""
    for pattern in formats:
        try:
            found = datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if re.search(r"%[dejxcD]", pattern):
            return SaidPeriod(found, found, "day", found.isoformat())
        if re.search(r"%[mbB]", pattern):
            return _months(found.year, found.month, 1, "month", found.isoformat()[:7])
        return _months(found.year, 1, 12, "year", str(found.year))
    return None


def _part(found: re.Match[str]) -> tuple[str, int] | None:
    """The quarter or half of a match, as its letter and number; None if it is whole."""
    for kind, number in (("kind", "number"), ("kind2", "number2"), ("k", "n"), ("k2", "n2")):
        if found[kind]:
            return found[kind].upper(), int(found[number])
    return None


def _in_year(year: int, first_month: int, part: tuple[str, int] | None, name: str) -> SaidPeriod | None:
    """A year from a month on, or its quarter or half; None if it has no such part."""
    if part is None:
        return _months(year, first_month, 12, "year", name)
    kind, number = part
    if kind == "Q":
        return _months(year, first_month + 3 * (number - 1), 3, "quarter", f"{year}-Q{number}")
    if number > 2:
        return None
    return _months(year, first_month + 6 * (number - 1), 6, "half", f"{year}-H{number}")


def _fiscal_begin(found: re.Match[str], text: str, start: int | None, named_by: NamedBy) -> int:
    """The calendar year in which the fiscal year begins."""
    first, second = found["from"] or found["named"], found["till"] or found["to"]
    year = _full(first)
    if second is None:
        return year - 1 if named_by == "end" and (start or 1) > 1 else year
    if _full(second) % 100 != (year + 1) % 100 or (len(second) == 4 and int(second) != year + 1):
        raise ValueError(f'"{text}" is no fiscal year: the second year follows the first one')
    return year


def _full(year: str) -> int:
    return int(year) if len(year) == 4 else int(year) + (2000 if int(year) < _FIRST_MONTHS_OF_2000 else 1900)


def _months(year: int, month: int, count: int, precision: Precision, partial: str) -> SaidPeriod | None:
    """So many months from a month on, which may lie beyond December; None beyond the years that dates have."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    last_year, last_month = year + (month + count - 2) // 12, (month + count - 2) % 12 + 1
    if not FIRST_YEAR <= year <= last_year <= LAST_YEAR:
        return None
    last = date(last_year, last_month, calendar.monthrange(last_year, last_month)[1])
    return SaidPeriod(date(year, month, 1), last, precision, partial)
