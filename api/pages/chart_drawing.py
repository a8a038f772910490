"""The chart of a pledge as an SVG drawing, for who has no JavaScript: lines, bands, marks and ticks in a fixed box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from api import amounts
from api.pages.chart import ChartData, ChartPoint, ChartStep, ChartTerms
from api.pages.chart_labels import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, ChartLabel, label_beside, place_labels
from tracker.quantity import Interval
from tracker.values import Window

_QUIET_DAYS = timedelta(days=120)
"""Days drawn after the last word, at most: years in which nothing happened would press everything into a corner."""

_FEWEST_DAYS = timedelta(days=60)
_MARGIN_DAYS = timedelta(days=12)
_HEADROOM = Decimal("1.22")
"""Height of the drawing as a multiple of the highest value."""

_OPEN_HEIGHT = 56
"""Height of a bound without an end above, in units of the view box."""


@dataclass(frozen=True, slots=True)
class ChartScale:
    """From dates and values to places in the box."""

    first: date
    last: date
    top: Decimal

    def x(self, day: date) -> float:
        """The place of a day."""
        share = (day - self.first).days / max((self.last - self.first).days, 1)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 2)

    def y(self, value: Decimal | None) -> float:
        """The place of a value; None, which has no end, is the top."""
        share = 1.0 if value is None else min(max(float(value / self.top), 0.0), 1.0)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 2)


def draw_chart(chart: ChartData) -> dict[str, Any]:
    """The chart in the box: lines, bands, marks and ticks for the template."""
    scale = _scale(chart)
    ground = scale.y(Decimal(0))
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "ground": ground,
        "x_ticks": [(scale.x(day), label) for day, label in _x_ticks(scale)],
        "y_ticks": [
            (scale.y(value), f"{chart.prefix}{amounts.short_number(value)}{chart.suffix}")
            for value in _y_ticks(scale.top)
        ],
        "window": _window(chart.window, scale),
        "moved": _moved(chart, scale),
        "pace": _pace(chart, scale),
        "targets": [_target(terms, scale, chart.digits) for terms in chart.terms],
        "steps": [_stretch(step, scale) for step in chart.steps],
        "risers": _risers(chart.steps, scale),
        "points": [_mark(point, scale) for point in chart.points],
        "as_of": scale.x(chart.as_of) if chart.as_of < scale.last else None,
        "labels": place_labels(_labels(chart, scale, ground)),
    }


def _labels(chart: ChartData, scale: ChartScale, ground: float) -> Iterator[ChartLabel]:
    """The labels of the drawing, the most important first."""
    for terms in reversed(chart.terms):
        target = _target(terms, scale, chart.digits)
        yield label_beside("c-label", f"target: {target['label']}", target["x1"], target["y"] - 6, 6, ends=False)
    if (window := _window(chart.window, scale)) is not None:
        yield label_beside("c-note", "due", window["end"], ground - 8, 5, ends=True)
        if "latest" in window:
            yield label_beside("c-note", "or, read late, here", window["latest"], ground - 8, 5, ends=True)
    if (moved := _moved(chart, scale)) is not None:
        yield label_beside("c-note", "first deadline", moved, TOP + 12, 5, ends=False)


def _scale(chart: ChartData) -> ChartScale:
    days = [chart.as_of, *chart.window_days.values(), *chart.original_days.values()]
    days += [p.said for p in chart.points] + [p.covers for p in chart.points if p.covers is not None]
    days += [s.since for s in chart.steps]
    last_word = max(d for d in days if d != chart.as_of) if len(set(days)) > 1 else chart.as_of
    last = min(chart.as_of, last_word + _QUIET_DAYS) if chart.as_of > last_word else last_word
    first = min(*days, last - _FEWEST_DAYS)
    values = [p.value for p in chart.points] + [s.value for s in chart.steps]
    values += [t.target.upper or t.target.value for t in chart.terms]
    values += [i.high for i in (p.interval for p in chart.points) if i.high is not None]
    return ChartScale(first, last + _MARGIN_DAYS, _nice(max([*values, Decimal(1)]) * _HEADROOM))


def _nice(value: Decimal) -> Decimal:
    """The next round number: 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten."""
    power = Decimal(10) ** value.adjusted()
    return next(power * n for n in map(Decimal, ("1", "1.5", "2", "3", "4", "5", "6", "8", "10")) if power * n >= value)


def _y_ticks(top: Decimal) -> list[Decimal]:
    lead = int(top.scaleb(-top.adjusted()) * 10)
    parts = {10: 5, 15: 3, 20: 4, 30: 3, 40: 4, 50: 5, 60: 3, 80: 4}.get(lead, 4)
    return [top * i / parts for i in range(parts + 1)]


def _x_ticks(scale: ChartScale) -> list[tuple[date, str]]:
    months = (scale.last.year - scale.first.year) * 12 + scale.last.month - scale.first.month
    every = next((n for n in (1, 2, 3, 6, 12, 24, 60) if months <= n * 8), 120)
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


def _window(window: Window, scale: ChartScale) -> dict[str, float] | None:
    end = window.earliest_deadline
    if end is None:
        return None
    found = {"from": scale.x(window.start or scale.first), "end": scale.x(end)}
    if window.deadline is not None and window.deadline != end:
        found["latest"] = scale.x(window.deadline)
    return found


def _moved(chart: ChartData, scale: ChartScale) -> float | None:
    """The place of the first deadline; None if it was never moved."""
    first = chart.original.deadline
    return None if first is None or first == chart.window.deadline else scale.x(first)


def _pace(chart: ChartData, scale: ChartScale) -> tuple[float, float, float, float] | None:
    start, end = chart.window.start, chart.window.earliest_deadline
    target = chart.terms[-1].target if chart.terms else None
    if start is None or end is None or target is None or not chart.cumulative:
        return None
    return scale.x(start), scale.y(Decimal(0)), scale.x(end), scale.y(target.value)


def _target(terms: ChartTerms, scale: ChartScale, digits: amounts.Digits) -> dict[str, Any]:
    shown = amounts.amount_text(terms.target.model_dump(mode="json", exclude_none=True), digits)
    is_now = terms.until == date.max
    x1 = LEFT if is_now and terms.since <= scale.first else scale.x(terms.since)
    return {
        "x1": x1,
        "x2": WIDTH - RIGHT if is_now else scale.x(terms.until),
        "y": scale.y(terms.target.value),
        "upper": None if terms.target.upper is None else scale.y(terms.target.upper),
        "label": shown.short,
        "exact": shown.exact,
        "is_now": is_now,
    }


def _stretch(step: ChartStep, scale: ChartScale) -> dict[str, Any]:
    return {
        "x1": scale.x(step.since),
        "x2": scale.x(step.until),
        "y": scale.y(step.value),
        **_extent(step.interval, step.value, scale),
    }


def _extent(interval: Interval, value: Decimal, scale: ChartScale) -> dict[str, Any]:
    """Where the value may lie: from `y1` to `y2`; `open` is True if it has no end above."""
    high = scale.y(interval.high)
    if interval.high is None:
        high = max(TOP, scale.y(value) - _OPEN_HEIGHT)
    return {"y1": high, "y2": scale.y(interval.low), "open": interval.high is None}


def _risers(steps: Sequence[ChartStep], scale: ChartScale) -> list[tuple[float, float, float]]:
    found = [(scale.x(steps[0].since), scale.y(Decimal(0)), scale.y(steps[0].value))] if steps else []
    for before, after in pairwise(steps):
        if before.until == after.since:
            found.append((scale.x(after.since), scale.y(before.value), scale.y(after.value)))
    return found


def _mark(point: ChartPoint, scale: ChartScale) -> dict[str, Any]:
    return {
        "event": point.event,
        "x": scale.x(point.said),
        "y": scale.y(point.value),
        "covers": None if point.covers is None else scale.x(point.covers),
        "label": point.label,
        "counts": point.counts,
        "counted": point.counted,
        **_extent(point.interval, point.value, scale),
    }
