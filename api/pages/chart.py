"""The chart of a pledge as it works without JavaScript: what could be said on each day against target and pace.

The geometry is in a box of fixed size; the page's module draws the same data, from the table beside it, with Plot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from api import wording as words
from api.pages.chart_labels import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, ChartLabel, inside, placed
from tracker.facts import FACTS_WITH_FIGURE, FigureRestated
from tracker.quantity import Interval, Quantity
from tracker.rules.pledge_history import PledgeHistory, ResolvedFact
from tracker.rules.status import StatusSegment


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A reported figure: said on a day, about a period that ends on another, with the values it may have."""

    event: str
    said: date
    covers: date | None
    value: Decimal
    interval: Interval
    label: str
    exact: str
    counts: bool


@dataclass(frozen=True, slots=True)
class ChartStep:
    """What the actual was from one day to another."""

    since: date
    until: date
    interval: Interval
    value: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class ChartTerms:
    """The target and the window as they were from one day to another."""

    since: date
    until: date
    target: Quantity | None


@dataclass(frozen=True, slots=True)
class ChartData:
    """All that the chart shows, in dates and values."""

    unit: str
    points: tuple[ChartPoint, ...]
    steps: tuple[ChartStep, ...]
    terms: tuple[ChartTerms, ...]
    window: Mapping[str, date]
    original: Mapping[str, date]
    as_of: date
    near: words.Near
    cumulative: bool

    @property
    def prefix(self) -> str:
        """What stands before a number on the axis."""
        return "" if ":" in self.unit else words.with_unit("\0", self.unit).partition("\0")[0]

    @property
    def suffix(self) -> str:
        """What stands after it; the target's label says the rest."""
        return f"{words.NBSP}%" if self.unit.startswith("percent:") else ""


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
        """The place of a value; None is the top."""
        share = 1.0 if value is None else min(max(float(value / self.top), 0.0), 1.0)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 2)


def data(
    status: Mapping[str, Any],
    figures: Sequence[Mapping[str, Any]],
    ledger: PledgeHistory,
    segments: Sequence[StatusSegment],
    as_of: date,
    near: words.Near,
) -> ChartData | None:
    """The chart of a status, its amounts abbreviated by what is ``near``; None when nothing is measured over time."""
    unit = (status["target"] or status["actual"] or {}).get("unit")
    if unit is None:
        return None
    said = _statements(ledger, as_of)
    points = tuple(p for f in figures for p in _points(f, said, unit, near) if p.said <= as_of)
    steps, terms = _steps(segments, unit, as_of, near), _terms(status, segments, unit, as_of)
    if not points and not steps and (status["target"] is None or "members" in status):
        return None
    original = status.get("original", {}).get("window") or status["window"]
    return ChartData(
        unit, points, steps, terms, _days(status["window"]), _days(original), as_of, near,
        cumulative=all(f["basis"] != "level" for f in figures) and status["direction"] == "up",
    )  # fmt: skip


_ASIDE = ("voided", "retracted", "restatement", "member")


def _points(
    figure: Mapping[str, Any], statements: Mapping[str, Sequence[ResolvedFact]], unit: str, near: words.Near
) -> Iterator[ChartPoint]:
    """A figure on the day it was said and, restated, on each day on which it was: only the last may count."""
    if figure["outcome"] in _ASIDE:
        return
    said = statements.get(figure["event"], ())
    for earlier in said[:-1]:
        if isinstance(earlier.fact, FACTS_WITH_FIGURE) and (own := earlier.fact.figure) and own.quantity.unit == unit:
            end = None if own.period is None else own.period.end
            shown = words.amount(own.quantity.model_dump(mode="json", exclude_none=True), near)
            yield _point(earlier, own.quantity, shown, end, counts=False)
    last = figure["quantity"] if figure["quantity"]["unit"] == unit else figure["converted"]
    if said and last is not None and last["unit"] == unit:
        end = date.fromisoformat(figure["period"]["end"]) if (figure["period"] or {}).get("end") else None
        shown = words.amount(figure["quantity"], near)
        yield _point(said[-1], _quantity(last), shown, end, counts=figure["chosen"])


def _point(
    said: ResolvedFact, value: Quantity, shown: words.AmountText | None, covers: date | None, *, counts: bool
) -> ChartPoint:
    assert shown is not None
    return ChartPoint(
        said.event.id, said.fact.stated_on, covers, value.value, value.interval, shown.short, shown.exact, counts
    )


def _statements(ledger: PledgeHistory, as_of: date) -> dict[str, list[ResolvedFact]]:
    """For each figure its statement and those that restated it; last the one by which it stands."""
    standing, retracted = ledger.resolve(as_of)
    view = ledger.view(as_of)
    versions = {} if view is None else {item.id: item.version for item in view.items}
    roots: dict[str, str] = {}
    found: dict[str, list[ResolvedFact]] = {}
    for s in standing:
        if s.in_force_on <= as_of and s.event.id not in retracted:
            of = s.fact.event if isinstance(s.fact, FigureRestated) else s.event.id
            roots[s.event.id] = root = roots.get(of, of)
            found.setdefault(root, []).append(s)
    return {id_: sorted(said, key=lambda s: s.event.version == versions.get(id_)) for id_, said in found.items()}


def _steps(segments: Sequence[StatusSegment], unit: str, as_of: date, near: words.Near) -> tuple[ChartStep, ...]:
    found: list[ChartStep] = []
    for segment in segments:
        since, until = _bounds(segment, as_of)
        # A target's unit, where there is one: what was said in another currency is drawn converted.
        quantity = segment.status.converted or segment.status.actual
        if since > as_of or quantity is None or quantity.unit != unit or segment.status.actual is None:
            continue
        shown = words.amount(segment.status.document["actual"], near)
        assert shown is not None
        if found and found[-1].label == shown.short and found[-1].until == since:
            since = found.pop().since
        found.append(ChartStep(since, until, quantity.interval, quantity.value, shown.short))
    return tuple(found)


def _terms(
    status: Mapping[str, Any], segments: Sequence[StatusSegment], unit: str, as_of: date
) -> tuple[ChartTerms, ...]:
    """The target now, and the earlier ones on the days on which they were in force."""
    if status["target"] is None or status["target"]["unit"] != unit:
        return ()
    first = min((_bounds(s, as_of)[0] for s in segments), default=as_of)
    found, since = [], first
    for past in status["past_targets"]:
        until = date.fromisoformat(past["until"])
        if past["target"]["unit"] == unit:
            found.append(ChartTerms(since, until, _quantity(past["target"])))
        since = until
    return (*found, ChartTerms(since, date.max, _quantity(status["target"])))


def _bounds(segment: StatusSegment, as_of: date) -> tuple[date, date]:
    last = as_of + timedelta(days=1)
    return segment.valid_from, last if segment.valid_to is None else min(segment.valid_to, last)


def _quantity(said: Mapping[str, str]) -> Quantity:
    return Quantity.model_validate({name: said[name] for name in ("op", "value", "upper", "unit") if name in said})


def _days(window: Mapping[str, str] | None) -> dict[str, date]:
    return {n: date.fromisoformat(v) for n, v in (window or {}).items() if n in ("start", "end", "latest")}


def drawing(chart: ChartData) -> dict[str, Any]:
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
            (scale.y(value), f"{chart.prefix}{words.short_number(value)}{chart.suffix}")
            for value in _y_ticks(scale.top)
        ],
        "window": _window(chart.window, scale),
        "moved": _moved(chart, scale),
        "pace": _pace(chart, scale),
        "targets": [_target(terms, scale, chart.near) for terms in chart.terms],
        "steps": [_stretch(step, scale) for step in chart.steps],
        "risers": _risers(chart.steps, scale),
        "points": [_mark(point, scale) for point in chart.points],
        "as_of": scale.x(chart.as_of) if chart.as_of < scale.last else None,
        "labels": placed(_labels(chart, scale, ground)),
    }


def _labels(chart: ChartData, scale: ChartScale, ground: float) -> Iterator[ChartLabel]:
    """What is named in the drawing, the most important first."""
    for terms in reversed(chart.terms):
        target = _target(terms, scale, chart.near)
        yield inside("c-label", f"target: {target['label']}", target["x1"], target["y"] - 6, 6, ends=False)
    if (window := _window(chart.window, scale)) is not None:
        yield inside("c-note", "due", window["end"], ground - 8, 5, ends=True)
        if "latest" in window:
            yield inside("c-note", "or, read late, here", window["latest"], ground - 8, 5, ends=True)
    if (moved := _moved(chart, scale)) is not None:
        yield inside("c-note", "first deadline", moved, TOP + 12, 5, ends=False)


def _scale(chart: ChartData) -> ChartScale:
    days = [chart.as_of, *chart.window.values(), *chart.original.values()]
    days += [p.said for p in chart.points] + [p.covers for p in chart.points if p.covers is not None]
    days += [s.since for s in chart.steps]
    last_word = max(d for d in days if d != chart.as_of) if len(set(days)) > 1 else chart.as_of
    # Years in which nothing happened would press everything into a corner.
    last = min(chart.as_of, last_word + timedelta(days=120)) if chart.as_of > last_word else last_word
    first = min(*days, last - timedelta(days=60))
    values = [p.value for p in chart.points] + [s.value for s in chart.steps]
    values += [t.target.upper or t.target.value for t in chart.terms if t.target is not None]
    values += [i.high for i in (p.interval for p in chart.points) if i.high is not None]
    return ChartScale(first, last + timedelta(days=12), _nice(max([*values, Decimal(1)]) * Decimal("1.22")))


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


def _window(window: Mapping[str, date], scale: ChartScale) -> dict[str, float] | None:
    end = window.get("end") or window.get("latest")
    if end is None:
        return None
    found = {"from": scale.x(window.get("start", scale.first)), "end": scale.x(end)}
    if "latest" in window and window["latest"] != end:
        found["latest"] = scale.x(window["latest"])
    return found


def _moved(chart: ChartData, scale: ChartScale) -> float | None:
    """Where the deadline stood first, if it was moved."""
    ends = [w.get("latest") or w.get("end") for w in (chart.original, chart.window)]
    return scale.x(ends[0]) if ends[0] is not None and ends[0] != ends[1] else None


def _pace(chart: ChartData, scale: ChartScale) -> tuple[float, float, float, float] | None:
    start, end = chart.window.get("start"), chart.window.get("end") or chart.window.get("latest")
    target = chart.terms[-1].target if chart.terms else None
    if start is None or end is None or target is None or not chart.cumulative:
        return None
    return scale.x(start), scale.y(Decimal(0)), scale.x(end), scale.y(target.value)


def _target(terms: ChartTerms, scale: ChartScale, near: words.Near) -> dict[str, Any]:
    assert terms.target is not None
    shown = words.amount(
        {"op": terms.target.op, "value": str(terms.target.value), "unit": terms.target.unit}
        | ({} if terms.target.upper is None else {"upper": str(terms.target.upper)}),
        near,
    )
    assert shown is not None
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
    """Where else the value may lie: ``y1`` to ``y2``, ``open`` when it has no end above."""
    high = scale.y(interval.high)
    if interval.high is None:
        high = max(TOP, scale.y(value) - 56)
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
        **_extent(point.interval, point.value, scale),
    }
