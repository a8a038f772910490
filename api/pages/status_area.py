"""The statuses of many pledges over time, as areas on top of each other: each day that was counted can be chosen.

The areas are drawn in a box that is stretched to the width of the page; their height is in px.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from api import wording
from projections.queries import Clocks, Filters
from projections.timeline import Timeline
from tracker.promises import MONTHS
from tracker.rules.days import ends_between

AREA_WIDTH, AREA_HEIGHT = 1_000, 150
"""The box in which the areas are drawn; the height is in px."""

MAX_COUNTED_DAYS = 72
"""Days that are counted, at most: six years of months."""

_LABEL_HEIGHT = 16
"""Height in px of an area at its end from which on its name stands in it."""

_YEAR_APART = 7.0
"""Percent of the width that two years at the axis are apart, at least."""

DayLink = Callable[[date], str]
"""The address of the page as of a day."""


@dataclass(frozen=True, slots=True)
class AreaBand:
    """The area of one status. `label_y` is the middle of its end in px; None where it is too thin for its name."""

    status: str
    path: str
    label_y: float | None
    count: int


@dataclass(frozen=True, slots=True)
class AreaDay:
    """A day that was counted: the stretch that stands for it (`x` and `width` in the box), and its counts."""

    on: date
    x: float
    width: float
    link: str
    is_chosen: bool
    counts: Mapping[str, int]

    @property
    def words(self) -> str:
        """The day and its counts in a line."""
        said = ", ".join(f"{wording.STATUS[s].lower()} {n}" for s, n in self.counts.items())
        return f"{wording.day(self.on)}: {said or 'no pledge'}"


@dataclass(frozen=True, slots=True)
class StatusArea:
    """The areas from the bottom to the top, the days from the first to the last, and the years below them.

    `years` are (percent of the width, year), `chosen` is where the page's own day stands in the box.
    """

    bands: tuple[AreaBand, ...]
    days: tuple[AreaDay, ...]
    years: tuple[tuple[str, int], ...]
    chosen: float
    most: int

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that occur, in the order of the legend: from the top down."""
        return tuple(band.status for band in reversed(self.bands))


def counted_days(first: date, as_of: date, today: date) -> list[date]:
    """The ends of the months up to today and today itself, MAX_COUNTED_DAYS at most.

    They end later where the page's day does, and earlier where it lies before all of them: half as many after it.
    """
    days = ends_between(min(first, as_of), max(as_of, today), MONTHS["month"])
    shown = days[-MAX_COUNTED_DAYS:]
    if as_of >= shown[0]:
        return shown
    place = bisect_left(days, as_of) + MAX_COUNTED_DAYS // 2
    return days[max(0, place - MAX_COUNTED_DAYS) : place]


def status_area(timeline: Timeline, filters: Filters, at: Clocks, today: date, link: DayLink) -> StatusArea | None:
    """The statuses of the pledges that pass the filters on each day; None where there are fewer than two days."""
    first = timeline.first_day(at)
    if first is None or first >= max(at.as_of, today):
        return None
    days = counted_days(first, at.as_of, today)
    counts = list(timeline.statuses_of_found(filters, days, at))
    begins = next((place for place, found in enumerate(counts) if found), len(days))
    days, counts = days[max(0, begins - 1) :], counts[max(0, begins - 1) :]
    if len(days) < 2:
        return None
    return _drawn(days, counts, at.as_of, link)


def _drawn(days: Sequence[date], counts: Sequence[Mapping[str, int]], as_of: date, link: DayLink) -> StatusArea:
    first, span = days[0], (days[-1] - days[0]).days
    places = [round(AREA_WIDTH * (day - first).days / span, 1) for day in days]
    most = max(sum(found.values()) for found in counts) or 1

    def y(value: int) -> float:
        return round(AREA_HEIGHT * (1 - value / most), 1)

    lower, bands = [0] * len(days), list[AreaBand]()
    for status in reversed(wording.STATUS):
        if not any(status in found for found in counts):
            continue
        upper = [base + found.get(status, 0) for base, found in zip(lower, counts, strict=True)]
        there = " ".join(f"{x:g} {y(value):g}" for x, value in zip(places, upper, strict=True))
        back = " ".join(f"{x:g} {y(value):g}" for x, value in reversed(list(zip(places, lower, strict=True))))
        height = y(lower[-1]) - y(upper[-1])
        middle = round(y(upper[-1]) + height / 2 + 4, 1) if height >= _LABEL_HEIGHT else None
        bands.append(AreaBand(status, f"M{there} {back}Z", middle, upper[-1] - lower[-1]))
        lower = upper
    edges = [0.0, *(round((one + two) / 2, 1) for one, two in pairwise(places)), float(AREA_WIDTH)]
    ordered = [{status: found[status] for status in wording.STATUS if found.get(status)} for found in counts]
    shown = tuple(
        AreaDay(day, edges[i], round(edges[i + 1] - edges[i], 1), link(day), day == as_of, ordered[i])
        for i, day in enumerate(days)
    )
    chosen = min(max((as_of - first).days / span, 0.0), 1.0)
    return StatusArea(tuple(bands), shown, _years(first, days[-1]), round(AREA_WIDTH * chosen, 1), most)


def _years(first: date, last: date) -> tuple[tuple[str, int], ...]:
    span, found, before = (last - first).days, list[tuple[str, int]](), -_YEAR_APART
    for year in range(first.year + 1, last.year + 1):
        place = 100 * (date(year, 1, 1) - first).days / span
        if place - before >= _YEAR_APART and place < 97:
            found.append((f"{place:.2f}%", year))
            before = place
    return tuple(found)
