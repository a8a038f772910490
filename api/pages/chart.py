"""The data of the chart of a pledge over time: what could be said on each day, against the target and the window.

`chart_drawing` draws them, `charts` puts the same figures into tables beside the drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from api import amounts, wording
from tracker.fact_decoding import decode
from tracker.facts import FACTS_WITH_FIGURE, FigureRestated
from tracker.quantity import EXACT, Interval, Quantity, plain
from tracker.rules.counted import CountedSpan
from tracker.rules.epochs import ResolvedFact
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusSegment
from tracker.values import Window, end_of


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A reported figure: the day it was said, the last day it covers, and the values it may have."""

    event: str
    said: date
    covers: date | None
    value: Decimal
    interval: Interval
    label: str
    exact: str
    counts: bool
    when: str
    """The day it was said in words, no more precisely than its source has it."""

    counted_until: date | None = None
    """The day on which a figure that had counted was replaced; None for one that counts, or never did."""

    @property
    def counted(self) -> bool:
        """Whether it counted once, and no longer does."""
        return self.counted_until is not None

    @property
    def counting(self) -> str:
        """Whether it counts, in words: yes, no, or until when."""
        if self.counts:
            return "yes"
        return "no" if self.counted_until is None else f"until {wording.day(self.counted_until)}"


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
    target: Quantity
    label: str
    exact: str

    @property
    def is_now(self) -> bool:
        """Whether the target is in force."""
        return self.until == date.max


@dataclass(frozen=True, slots=True)
class ChartDue:
    """The sum of the instalments that were promised for the days up to one."""

    on: date
    owed: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class ChartBaseline:
    """The value from which the way to the target begins, and its day."""

    on: date
    value: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class ChartData:
    """All that the chart shows, in dates and values."""

    unit: str
    points: tuple[ChartPoint, ...]
    steps: tuple[ChartStep, ...]
    terms: tuple[ChartTerms, ...]
    window: Window
    original: Window
    """The first window; the same as `window` if it never changed."""

    as_of: date
    cumulative: bool
    dues: tuple[ChartDue, ...] = ()
    baseline: ChartBaseline | None = None
    since: date | None = None
    """The first day to be drawn; None for all that there are."""

    until: date | None = None
    """The last day to be drawn."""

    is_due: bool = True
    """Whether anything falls due: nothing does while the pledge hangs on a condition."""

    @property
    def first_deadline(self) -> date | None:
        """The first deadline; None if it was never moved."""
        first = self.original.deadline
        return None if first == self.window.deadline else first

    @property
    def pace(self) -> tuple[tuple[date, Decimal], tuple[date, Decimal]] | None:
        """The even way to the target in force, from nothing or from the baseline: two days with their values."""
        end = self.window.earliest_deadline
        if end is None or not self.terms or not self.is_due:
            return None
        target = self.terms[-1].target.value
        if self.baseline is not None:
            return (self.baseline.on, self.baseline.value), (end, target)
        if self.window.start is None or not self.cumulative:
            return None
        return (self.window.start, Decimal(0)), (end, target)

    @property
    def window_days(self) -> dict[str, date]:
        """`start`, `end` and `latest` of the window, without what is not given."""
        return _days(self.window)

    @property
    def original_days(self) -> dict[str, date]:
        """`start`, `end` and `latest` of the first window, without what is not given."""
        return _days(self.original)

    @property
    def prefix(self) -> str:
        """What stands before a number on the axis: a currency."""
        return "" if ":" in self.unit else amounts.with_unit("\0", self.unit).partition("\0")[0]

    @property
    def suffix(self) -> str:
        """What stands after a number on the axis; the label of the target names the unit in full."""
        return f"{wording.NBSP}%" if self.unit.startswith("percent:") else ""


def chart_data(
    status: Mapping[str, Any],
    figures: Sequence[Mapping[str, Any]],
    history: PledgeHistory,
    segments: Sequence[StatusSegment],
    counted: Mapping[str, CountedSpan],
    as_of: date,
    digits: amounts.Digits,
) -> ChartData | None:
    """The chart of a status document; None when nothing is measured over time.

    `figures` are those of `explanations.figures`, `digits` the abbreviations of all amounts on the page.
    """
    unit = (status["target"] or status["actual"] or {}).get("unit")
    if unit is None:
        return None
    said = _statements(history, as_of)
    points = tuple(p for f in figures for p in _points(f, said, counted, unit, digits) if p.said <= as_of)
    steps, terms = _steps(segments, unit, as_of, digits), _terms(status, segments, unit, as_of, digits)
    if not points and not steps and (status["target"] is None or "members" in status):
        return None
    original = status.get("original", {}).get("window") or status["window"]
    return ChartData(
        unit, points, steps, terms, _window_of(status["window"]), _window_of(original), as_of,
        cumulative=all(f["basis"] != "level" for f in figures) and status["direction"] == "up",
        dues=_dues(status, unit, digits) if status["status"] != "conditional" else (),
        is_due=status["status"] != "conditional", baseline=_baseline(status, unit, digits),
    )  # fmt: skip


def _dues(status: Mapping[str, Any], unit: str, digits: amounts.Digits) -> tuple[ChartDue, ...]:
    """The sums due, day by day; an instalment with two ends is owed as far as its lower one."""
    found: list[ChartDue] = []
    owed = Decimal(0)
    for one in sorted(status.get("instalments") or (), key=lambda one: end_of(one["due"])):
        if one["quantity"]["unit"] != unit:
            return ()
        owed = EXACT.add(owed, _quantity(one["quantity"]).interval.low or Decimal(0))
        shown = amounts.amount_text({"op": "eq", "value": plain(owed), "unit": unit}, digits)
        found.append(ChartDue(end_of(one["due"]), owed, shown.short))
    return tuple(found)


def _baseline(status: Mapping[str, Any], unit: str, digits: amounts.Digits) -> ChartBaseline | None:
    """The baseline, where its unit is that of the chart and its day, or the window's first, is known."""
    given, start = status.get("baseline"), (status["window"] or {}).get("start")
    if given is None or given["quantity"]["unit"] != unit:
        return None
    if given.get("on"):
        on = end_of(given["on"])
    elif start is not None:
        on = date.fromisoformat(start)
    else:
        return None
    quantity = _quantity(given["quantity"])
    return ChartBaseline(on, quantity.value, amounts.amount_text(given["quantity"], digits).short)


_NOT_DRAWN = ("voided", "restatement", "member")
"""Outcomes of figures that have no point of their own in the chart."""


def _points(
    figure: Mapping[str, Any],
    statements: Mapping[str, Sequence[ResolvedFact]],
    counted: Mapping[str, CountedSpan],
    unit: str,
    digits: amounts.Digits,
) -> Iterator[ChartPoint]:
    """The points of a figure: one for each day on which it was said or restated; only the last may count."""
    if figure["outcome"] in _NOT_DRAWN:
        return
    said = statements.get(figure["event"], ())
    span = counted.get(figure["event"])
    for earlier, later in pairwise(said):
        if isinstance(earlier.fact, FACTS_WITH_FIGURE) and (own := earlier.fact.figure) and own.quantity.unit == unit:
            end = None if own.period is None else own.period.end
            shown = amounts.amount_text(own.quantity.model_dump(mode="json", exclude_none=True), digits)
            replaced = later.in_force_on
            was_counted = span is not None and span.since < replaced
            yield _point(earlier, own.quantity, shown, end, counts=False, until=replaced if was_counted else None)
    last = figure["quantity"] if figure["quantity"]["unit"] == unit else figure["converted"]
    if said and last is not None and last["unit"] == unit:
        end = date.fromisoformat(figure["period"]["end"]) if (figure["period"] or {}).get("end") else None
        shown = amounts.amount_text(figure["quantity"], digits)
        until = figure["counted_until"] and date.fromisoformat(figure["counted_until"])
        yield _point(said[-1], _quantity(last), shown, end, counts=figure["chosen"], until=until)


def _point(
    said: ResolvedFact,
    value: Quantity,
    shown: amounts.AmountText,
    covers: date | None,
    *,
    counts: bool,
    until: date | None,
) -> ChartPoint:
    when = wording.stated({"stated_on": said.fact.stated_on.isoformat(), "precision": said.fact.precision})
    on, label, exact = said.in_force_on, shown.short, shown.exact
    return ChartPoint(said.event.id, on, covers, value.value, value.interval, label, exact, counts, when, until)


def _statements(history: PledgeHistory, as_of: date) -> dict[str, list[ResolvedFact]]:
    """For each figure, by event id, its statement and those that restated it; the one in force comes last.

    A figure that was taken back has its own statement still; a restatement that was taken back is left out.
    """
    standing, retracted = history.resolve(as_of)
    view = history.view(as_of)
    versions = {} if view is None else {item.id: item.version for item in view.items}
    roots: dict[str, str] = {}
    found: dict[str, list[ResolvedFact]] = {}
    for s in standing:
        is_restatement = isinstance(s.fact, FigureRestated)
        if s.in_force_on <= as_of and not (is_restatement and s.event.id in retracted):
            of = s.fact.event if isinstance(s.fact, FigureRestated) else s.event.id
            roots[s.event.id] = root = roots.get(of, of)
            found.setdefault(root, []).append(s)
    return {id_: sorted(said, key=lambda s: s.event.version == versions.get(id_)) for id_, said in found.items()}


def _steps(segments: Sequence[StatusSegment], unit: str, as_of: date, digits: amounts.Digits) -> tuple[ChartStep, ...]:
    """What the actual was up to a day; segments beside each other with the same actual are one step."""
    found: list[ChartStep] = []
    for segment in segments:
        since, until = _bounds(segment, as_of)
        # In the unit of the target, where there is one: what was said in another currency is drawn converted.
        quantity = segment.status.converted or segment.status.actual
        if since > as_of or quantity is None or quantity.unit != unit or segment.status.actual is None:
            continue
        shown = amounts.amount_text(segment.status.document["actual"], digits)
        if found and found[-1].label == shown.short and found[-1].until == since:
            since = found.pop().since
        found.append(ChartStep(since, until, quantity.interval, quantity.value, shown.short))
    return tuple(found)


def _terms(
    status: Mapping[str, Any], segments: Sequence[StatusSegment], unit: str, as_of: date, digits: amounts.Digits
) -> tuple[ChartTerms, ...]:
    """The target now, and the earlier ones on the days on which they were in force."""
    if status["target"] is None or status["target"]["unit"] != unit:
        return ()
    first = min((_bounds(s, as_of)[0] for s in segments), default=as_of)
    found, since = [], first
    for past in status["past_targets"]:
        until = date.fromisoformat(past["until"])
        if past["target"]["unit"] == unit:
            found.append(_terms_of(since, until, past["target"], digits))
        since = until
    return (*found, _terms_of(since, date.max, status["target"], digits))


def _terms_of(since: date, until: date, target: Mapping[str, str], digits: amounts.Digits) -> ChartTerms:
    shown = amounts.amount_text(target, digits)
    return ChartTerms(since, until, _quantity(target), shown.short, shown.exact)


def _bounds(segment: StatusSegment, as_of: date) -> tuple[date, date]:
    last = as_of + timedelta(days=1)
    return segment.valid_from, last if segment.valid_to is None else min(segment.valid_to, last)


def _quantity(said: Mapping[str, str]) -> Quantity:
    return decode(Quantity, {name: said[name] for name in ("op", "value", "upper", "unit") if name in said})


def _window_of(given: Mapping[str, str] | None) -> Window:
    """The window of a document, by its days; what is on record is not checked again."""
    days = {name: date.fromisoformat(given[name]) for name in _WINDOW_DAYS if name in given} if given else {}
    return Window.model_construct(None, **days)


_WINDOW_DAYS = ("start", "end", "latest")


def _days(window: Window) -> dict[str, date]:
    return {name: day for name in _WINDOW_DAYS if (day := getattr(window, name)) is not None}
