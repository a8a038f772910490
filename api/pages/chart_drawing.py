"""The chart of a pledge over time, drawn: what the reports added up to, against the target and the pace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from api import amounts, wording
from api.pages.chart import ChartData, ChartPoint, ChartTerms
from api.pages.chart_labels import LETTER_WIDTH, ChartLabel, label_beside, place_labels
from api.pages.drawing import Box, DaysShown, Drawing, Mark, Shape, circle, line, rect, words
from tracker.quantity import Interval

_QUIET_DAYS = timedelta(days=120)
"""Days drawn after the last word, at most: years in which nothing happened would press everything into a corner."""

_FEWEST_DAYS = timedelta(days=60)
_MARGIN_DAYS = timedelta(days=12)
_HEADROOM = Decimal("1.22")
"""Height of the drawing as a multiple of the highest value."""

_TICK_WIDTH = 8
"""The width of a letter of a number at an axis."""

_OPEN_HEIGHT = 56
"""Height of a bound without an end above, in units of the view box."""


@dataclass(frozen=True, slots=True)
class ChartScale:
    """From dates and values to places in the box."""

    box: Box
    first: date
    last: date
    top: Decimal
    bottom: Decimal = Decimal(0)
    """The lowest value of the drawing: 0, or below it where something was given back."""

    def x(self, day: date) -> float:
        """The place of a day; of one that is not shown the edge next to it."""
        share = (day - self.first).days / max((self.last - self.first).days, 1)
        return round(self.box.left + min(max(share, 0.0), 1.0) * (self.box.end - self.box.left), 2)

    def y(self, value: Decimal | None) -> float:
        """The place of a value; None, which has no end, is the top."""
        height = self.top - self.bottom
        share = 1.0 if value is None else min(max(float((value - self.bottom) / height), 0.0), 1.0)
        return round(self.box.ground - share * (self.box.ground - self.box.top), 2)

    def shows(self, day: date) -> bool:
        """Whether a day lies in the drawing."""
        return self.first <= day <= self.last


def draw_days(chart: ChartData, box: Box) -> Drawing:
    """The chart in the box. The margin at the left is as wide as the longest number there."""
    longest = max(len(_tick(chart, value)) for value in _y_ticks(_scale(chart, box)))
    scale = _scale(chart, replace(box, left=max(box.left, longest * _TICK_WIDTH + 8)))
    box = scale.box
    shapes = [
        *_window(chart, scale),
        *_grid(chart, scale),
        *_expected(chart, scale),
        *_targets(chart, scale),
        *_reported(chart, scale),
        *_points(chart, scale),
        *(
            words(label.kind, label.text, label.x, label.y, "end" if label.ends else "start")
            for label in place_labels(_labels(chart, scale), box)
        ),
    ]
    if chart.as_of < scale.last:
        shapes.append(line("c-today", scale.x(chart.as_of), box.top, scale.x(chart.as_of), box.ground))
    shown = DaysShown(scale.first, scale.last, box.left, box.end)
    return Drawing(box.width, box.height, tuple(shapes), _marks(chart, scale), shown)


def _window(chart: ChartData, scale: ChartScale) -> Iterator[Shape]:
    box, end = scale.box, chart.window.earliest_deadline
    if end is not None:
        since, until = scale.x(chart.window.start or scale.first), scale.x(end)
        yield rect("c-window", since, box.top, until - since, box.ground - box.top)
        if chart.window.deadline is not None and chart.window.deadline != end:
            yield rect("c-latest", until, box.top, scale.x(chart.window.deadline) - until, box.ground - box.top)


def _grid(chart: ChartData, scale: ChartScale) -> Iterator[Shape]:
    box = scale.box
    for value in _y_ticks(scale):
        y = scale.y(value)
        yield line("c-grid", box.left, y, box.end, y)
        yield words("c-tick", _tick(chart, value), box.left - 6, y + 4, "end")
    for day, label in _x_ticks(scale):
        x = scale.x(day)
        yield line("c-grid", x, box.ground, x, box.ground + 5)
        # The words of a day at the edge end there, and are not cut.
        is_last = x + len(label) * _TICK_WIDTH / 2 > box.width
        yield words("c-tick", label, box.width if is_last else x, box.ground + 20, "end" if is_last else "middle")


def _tick(chart: ChartData, value: Decimal) -> str:
    sign = "−" if value < 0 else ""
    return f"{sign}{chart.prefix}{amounts.short_number(abs(value))}{chart.suffix}"


def _expected(chart: ChartData, scale: ChartScale) -> Iterator[Shape]:
    """What was to be reached by when: instalments, the way from the baseline or the even pace; the first deadline."""
    if chart.first_deadline is not None and scale.shows(chart.first_deadline):
        x = scale.x(chart.first_deadline)
        yield line("c-moved", x, scale.box.top, x, scale.box.ground)
    if chart.dues:
        before = scale.y(Decimal(0))
        for due, until in zip(chart.dues, [*(d.on for d in chart.dues[1:]), scale.last], strict=True):
            x, y = scale.x(due.on), scale.y(due.owed)
            yield line("c-due", x, before, x, y)
            yield line("c-due", x, y, scale.x(until), y)
            before = y
    elif chart.pace is not None:
        (since, low), (until, high) = chart.pace
        yield line("c-pace", scale.x(since), scale.y(low), scale.x(until), scale.y(high))
    if chart.baseline is not None:
        x, y = scale.x(chart.baseline.on), scale.y(chart.baseline.value)
        yield rect("c-baseline", x - 4, y - 4, 8, 8)


def _targets(chart: ChartData, scale: ChartScale) -> Iterator[Shape]:
    for terms in chart.terms:
        x1, x2 = _reach(terms, scale)
        y = scale.y(terms.target.value)
        if terms.target.upper is not None:
            top = scale.y(terms.target.upper)
            yield rect("c-target-range", x1, top, x2 - x1, y - top)
        yield line("c-target" if terms.is_now else "c-target c-past", x1, y, x2, y)


def _reach(terms: ChartTerms, scale: ChartScale) -> tuple[float, float]:
    """From where to where a target is drawn."""
    is_first = terms.is_now and terms.since <= scale.first
    return (
        scale.box.left if is_first else scale.x(terms.since),
        scale.box.end if terms.is_now else scale.x(terms.until),
    )


def _reported(chart: ChartData, scale: ChartScale) -> Iterator[Shape]:
    for step in chart.steps:
        x1, x2, y = scale.x(step.since), scale.x(step.until), scale.y(step.value)
        yield from _extent(step.interval, step.value, x1, x2, scale)
        yield line("c-step", x1, y, x2, y)
    yield from _risers(chart, scale)


def _extent(interval: Interval, value: Decimal, x1: float, x2: float, scale: ChartScale) -> Iterator[Shape]:
    """Where the value may lie: it fades upwards where it has no end above."""
    y = scale.y(value)
    if interval.high is None:
        top = max(scale.box.top, y - _OPEN_HEIGHT)
        yield rect("c-open", x1, top, x2 - x1, y - top, "rise")
    elif interval.high != (interval.low or Decimal(0)):
        top = scale.y(interval.high)
        yield rect("c-range", x1, top, x2 - x1, scale.y(interval.low or Decimal(0)) - top)


def _risers(chart: ChartData, scale: ChartScale) -> Iterator[Shape]:
    steps = chart.steps
    if steps and scale.shows(steps[0].since) and chart.baseline is None:
        yield line(
            "c-riser", scale.x(steps[0].since), scale.y(Decimal(0)), scale.x(steps[0].since), scale.y(steps[0].value)
        )
    for before, after in pairwise(steps):
        if before.until == after.since:
            x = scale.x(after.since)
            yield line("c-riser", x, scale.y(before.value), x, scale.y(after.value))


def _points(chart: ChartData, scale: ChartScale) -> Iterator[Shape]:
    for point in chart.points:
        if not scale.shows(point.said):
            continue
        x, y = scale.x(point.said), scale.y(point.value)
        if point.covers is not None:
            yield line("c-covers", scale.x(point.covers), y, x, y)
            if scale.shows(point.covers):
                yield circle("c-period", scale.x(point.covers), y, 3.5)
        yield circle(_kind(point), x, y, 5)


def _kind(point: ChartPoint) -> str:
    return "c-point" if point.counts else "c-point c-earlier" if point.counted else "c-point c-aside"


def _marks(chart: ChartData, scale: ChartScale) -> tuple[Mark, ...]:
    found = []
    for point in chart.points:
        if scale.shows(point.said):
            on = "on" if point.when == wording.day(point.said) else "in"
            said = [point.label, f"said {on} {point.when}"]
            if point.covers is not None:
                said.append(f"covers up to {wording.day(point.covers)}")
            said.append(
                "counts" if point.counts else f"counted {point.counting}" if point.counted else "does not count"
            )
            found.append(Mark(scale.x(point.said), scale.y(point.value), tuple(said)))
    for due in chart.dues:
        if scale.shows(due.on):
            lines = (f"due by {wording.day(due.on)}: {due.label}", "in all by then")
            found.append(Mark(scale.x(due.on), scale.y(due.owed), lines))
    return tuple(sorted(found, key=lambda mark: (mark.x, mark.y)))


def _labels(chart: ChartData, scale: ChartScale) -> Iterator[ChartLabel]:
    """The labels of the drawing, the most important first."""
    box = scale.box
    for terms in reversed(chart.terms):
        x, y = _reach(terms, scale)[0], scale.y(terms.target.value)
        told = (f"target: {terms.label}", terms.label, "target")
        text = next((t for t in told if len(t) * LETTER_WIDTH <= box.end - box.left), "target")
        yield label_beside(box, "c-label", text, x, y - 6, 6, ends=False)
    end, latest = chart.window.earliest_deadline, chart.window.deadline
    if end is not None and chart.is_due and scale.shows(end):
        yield label_beside(box, "c-note", "due", scale.x(end), box.ground - 8, 5, ends=True)
        if latest is not None and latest != end and scale.shows(latest):
            late = "late" if box.is_narrow else "or, read late, here"
            yield label_beside(box, "c-note", late, scale.x(latest), box.ground - 8, 5, ends=True)
    if chart.baseline is not None:
        place = scale.x(chart.baseline.on), scale.y(chart.baseline.value) - 6
        yield label_beside(box, "c-note", f"baseline: {chart.baseline.label}", *place, 6, ends=False)
    if chart.first_deadline is not None and scale.shows(chart.first_deadline):
        yield label_beside(box, "c-note", "first deadline", scale.x(chart.first_deadline), box.top + 12, 5, ends=False)


def _scale(chart: ChartData, box: Box) -> ChartScale:
    days = [chart.as_of, *chart.window_days.values(), *chart.original_days.values()]
    days += [p.said for p in chart.points] + [p.covers for p in chart.points if p.covers is not None]
    days += [s.since for s in chart.steps] + [d.on for d in chart.dues]
    days += [] if chart.baseline is None else [chart.baseline.on]
    last_word = max(d for d in days if d != chart.as_of) if len(set(days)) > 1 else chart.as_of
    last = min(chart.as_of, last_word + _QUIET_DAYS) if chart.as_of > last_word else last_word
    first = min(*days, last - _FEWEST_DAYS)
    first, last = chart.since or first, chart.until or last + _MARGIN_DAYS
    values = [p.value for p in chart.points] + [s.value for s in chart.steps] + [d.owed for d in chart.dues]
    values += [t.target.upper or t.target.value for t in chart.terms]
    values += [] if chart.baseline is None else [chart.baseline.value]
    values += [i.high for i in (p.interval for p in chart.points) if i.high is not None]
    top, low = max([*values, Decimal(0)]) * _HEADROOM, min([*values, Decimal(0)]) * _HEADROOM
    top = _nice(top) if top > 0 else Decimal(1) if low == 0 else Decimal(0)
    bottom = Decimal(0) if low == 0 else -_nice(-low)
    return ChartScale(box, first, max(last, first + timedelta(days=1)), top, bottom)


def _nice(value: Decimal) -> Decimal:
    """The next round number: 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten."""
    power = Decimal(10) ** value.adjusted()
    return next(power * n for n in map(Decimal, ("1", "1.5", "2", "3", "4", "5", "6", "8", "10")) if power * n >= value)


def _y_ticks(scale: ChartScale) -> list[Decimal]:
    """Round values from the bottom to the top, 0 among them."""
    larger = max(scale.top, -scale.bottom)
    lead = int(larger.scaleb(-larger.adjusted()) * 10)
    step = larger / {10: 5, 15: 3, 20: 4, 30: 3, 40: 4, 50: 5, 60: 3, 80: 4}.get(lead, 4)
    return [step * i for i in range(int(scale.bottom / step), int(scale.top / step) + 1)]


def _x_ticks(scale: ChartScale) -> list[tuple[date, str]]:
    months = (scale.last.year - scale.first.year) * 12 + scale.last.month - scale.first.month
    most = 4 if scale.box.is_narrow else 8
    every = next((n for n in (1, 2, 3, 6, 12, 24, 60) if months <= n * most), 120)
    ticks: list[tuple[date, str]] = []
    at = date(scale.first.year, 1, 1)
    while at <= scale.last:
        if at >= scale.first:
            is_year = at.month == 1 or not ticks
            ticks.append(
                (at, f"{at:%b} {at.year}" if is_year and every < 12 else f"{at:%b}" if every < 12 else str(at.year))
            )
        month = at.month - 1 + every
        at = date(at.year + month // 12, month % 12 + 1, 1)
    return ticks
