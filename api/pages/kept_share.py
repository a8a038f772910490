"""How many pledges were kept of those that were due, now and over time: a line below which a table has its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from api import amounts
from api.pages.status_area import DayLink, counted_days
from projections.queries import Clocks, Filters
from projections.timeline import Timeline
from tracker.rules.outcome import DUE, KEPT

LINE_WIDTH, LINE_HEIGHT = 1_000, 100
"""The box in which the line is drawn, stretched to the width of the page; the height is in px."""


@dataclass(frozen=True, slots=True)
class KeptCount:
    """Pledges that were kept, of those that were due; and those that are overdue among them."""

    kept: int
    due: int
    overdue: int

    @classmethod
    def of(cls, by_status: Mapping[str, int]) -> KeptCount:
        """The counts of some pledges by their status."""
        return cls(
            sum(by_status.get(status, 0) for status in KEPT),
            sum(by_status.get(status, 0) for status in DUE),
            by_status.get("overdue", 0),
        )

    @property
    def share(self) -> Decimal | None:
        """The share that was kept; None while none is due."""
        return Decimal(self.kept) / self.due if self.due else None

    @property
    def percent(self) -> str:
        """The share in words; empty while none is due."""
        return "" if self.share is None else amounts.percent(self.share)


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A day that was counted: where it stands in the box, the stretch that stands for it, and its counts."""

    on: date
    x: float
    left: float
    width: float
    count: KeptCount
    link: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class KeptLine:
    """The share over time: a path in the box, and the days from the first to the last."""

    path: str
    days: tuple[KeptDay, ...]
    chosen: float


def kept_over_time(timeline: Timeline, filters: Filters, at: Clocks, today: date, link: DayLink) -> KeptLine | None:
    """The share kept of what was due on each day; None where fewer than two days have any that is due."""
    first = timeline.first_day(at)
    if first is None or first >= max(at.as_of, today):
        return None
    days = counted_days(first, at.as_of, today)
    counts = [KeptCount.of(found) for found in timeline.statuses_of_found(filters, days, at)]
    begins = next((place for place, count in enumerate(counts) if count.due), len(days))
    days, counts = days[begins:], counts[begins:]
    return _drawn(days, counts, at.as_of, link) if len(days) > 1 else None


def _drawn(days: Sequence[date], counts: Sequence[KeptCount], as_of: date, link: DayLink) -> KeptLine:
    first, span = days[0], (days[-1] - days[0]).days
    places = [round(LINE_WIDTH * (day - first).days / span, 1) for day in days]
    steps, before = list[str](), None
    for x, count in zip(places, counts, strict=True):
        if count.share is not None:
            y = round(LINE_HEIGHT * (1 - float(count.share)), 1)
            steps.append(f"{'M' if before is None else 'L'}{x:g} {y:g}")
        before = count.share
    edges = [0.0, *(round((one + two) / 2, 1) for one, two in pairwise(places)), float(LINE_WIDTH)]
    shown = tuple(
        KeptDay(day, places[i], edges[i], round(edges[i + 1] - edges[i], 1), counts[i], link(day), day == as_of)
        for i, day in enumerate(days)
    )
    chosen = min(max((as_of - first).days / span, 0.0), 1.0)
    return KeptLine("".join(steps), shown, round(LINE_WIDTH * chosen, 1))
