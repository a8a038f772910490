"""The charts of a pledge of any kind, each drawn wide and narrow, with its legend and its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from api import amounts, wording
from api.pages.chart import ChartData
from api.pages.chart_drawing import draw_days
from api.pages.chart_kinds import Rows, draw_members, draw_periods, draw_steps
from api.pages.drawing import (
    COLUMN,
    NARROW,
    WIDE,
    ChartTable,
    Drawing,
    LegendItem,
    PledgeChart,
    Shape,
    circle,
    line,
    path,
    rect,
)

_MANY_MEMBERS = 12
"""From so many members with values on, a picture has two columns of them: in one their words would be too small."""


def charts_of(
    status: Mapping[str, Any],
    data: ChartData | None,
    members: Rows,
    as_of: date,
    says: str,
    digits: amounts.Digits,
    events: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> tuple[PledgeChart, ...]:
    """The charts of a status document, the one that answers its question first.

    `data` are the amounts over time, `members` the members by name, `says` the progress in a line. `events` tell by
    their ids when a report was made, and when a step was reached; without them a step stands where the document has it.
    """
    found = [
        *_members_chart(status, members, says, digits, events),
        *_periods_chart(status, says, digits),
        *_steps_chart(status, as_of, says, events),
        *([] if data is None or status.get("periods") else [_days_chart(data, says)]),
    ]
    return tuple(found)


def picture_drawings(
    charts: tuple[PledgeChart, ...], status: Mapping[str, Any], members: Rows, digits: amounts.Digits
) -> tuple[Drawing, ...]:
    """The drawings of the first chart for a picture: one, or of many members two columns with one scale."""
    if not charts:
        return ()
    rows = len(charts[0].wide.marks)
    if charts[0].key != "members" or rows < _MANY_MEMBERS:
        return (charts[0].wide,)
    half = (rows + 1) // 2
    columns = (draw_members(members, status["target"], COLUMN, digits, p) for p in (slice(half), slice(half, None)))
    return tuple(drawing for drawing in columns if drawing is not None)


def _days_chart(data: ChartData, says: str) -> PledgeChart:
    return PledgeChart(
        "days",
        "Reported so far, against the promise" if data.terms else "Reported so far",
        says,
        draw_days(data, WIDE),
        draw_days(data, NARROW),
        tuple(_days_legend(data)),
        tuple(_days_tables(data)),
    )


def _days_legend(data: ChartData) -> Iterator[LegendItem]:
    def item(words_: str, *shapes: Shape) -> LegendItem:
        return LegendItem(shapes, words_)

    if data.steps:
        yield item("what the reports added up to", line("c-step", 0, 6, 26, 6))
    if any(point.counts for point in data.points):
        yield item("the day it was said", circle("c-point", 13, 6, 5))
    if any(point.covers for point in data.points):
        yield item("the last day it covers", circle("c-period", 13, 6, 3.5))
    if any(point.counted for point in data.points):
        yield item("counted until it was replaced or taken back", circle("c-point c-earlier", 13, 6, 5))
    if any(not point.counts and not point.counted for point in data.points):
        yield item("said, but does not count", circle("c-point c-aside", 13, 6, 5))
    if any(step.interval.high is None for step in data.steps):
        yield item("it may be more", rect("c-open", 4, 0, 18, 12, "rise"))
    if data.terms:
        yield item("target", line("c-target", 0, 6, 26, 6))
    if data.dues:
        stair = (line("c-due", 0, 10, 13, 10), line("c-due", 13, 10, 13, 2), line("c-due", 13, 2, 26, 2))
        yield item("due in all by then", *stair)
    elif data.pace is not None:
        yield item("even pace", line("c-pace", 0, 10, 26, 2))
    if data.baseline is not None:
        yield item("baseline", rect("c-baseline", 9, 2, 8, 8))
    if data.window.earliest_deadline is not None:
        yield item("time it is for", rect("c-window c-key", 5, 0, 16, 12))
        if data.window.deadline != data.window.earliest_deadline:
            yield item("latest reading of the deadline", rect("c-latest c-key", 5, 0, 16, 12))


def _days_tables(data: ChartData) -> Iterator[ChartTable]:
    points = sorted(data.points, key=lambda point: point.said)
    yield ChartTable(
        "points",
        ("Said on", "Covers up to", "Figure", "In full", "Counts"),
        tuple((p.when, wording.day(p.covers), p.label, p.exact, p.counting) for p in points),
        right=(2, 3),
        empty="No figure was reported.",
    )
    yield ChartTable(
        "steps",
        ("From", "Until", "The reports added up to"),
        tuple(
            (wording.day(s.since), "and on" if s.until > data.as_of else wording.day(s.until), s.label)
            for s in data.steps
        ),
        right=(2,),
    )
    if data.terms:
        rows = tuple((wording.day(t.since), t.label, t.exact) for t in data.terms)
        yield ChartTable("targets", ("Target from", "Target", "In full"), rows, right=(1, 2))
    if data.dues:
        dues = tuple((wording.day(d.on), d.label) for d in data.dues)
        yield ChartTable("dues", ("Due by", "In all by then"), dues, right=(1,))


def _members_chart(
    status: Mapping[str, Any],
    members: Rows,
    says: str,
    digits: amounts.Digits,
    events: Mapping[str, Mapping[str, Any]],
) -> Iterator[PledgeChart]:
    if not members or status.get("members") is None:
        return
    wide = draw_members(members, status["target"], WIDE, digits)
    narrow = draw_members(members, status["target"], NARROW, digits)
    if wide is None or narrow is None:
        return
    shown = {row["verdict"] for row in members if row["figure"] is not None}
    legend = tuple(
        LegendItem((rect(f"c-member v-{verdict}", 4, 1, 18, 10),), words_.lower())
        for verdict, words_ in wording.VERDICT.items()
        if verdict in shown
    )
    rows = tuple(
        (
            row["name"],
            wording.VERDICT[row["verdict"]],
            "—" if row["figure"] is None else amounts.amount_text(row["figure"]["quantity"], digits).exact,
            _said(row, events),
        )
        for row in members
    )
    table = ChartTable("members", ("Member", "Result", "Value", "Said on"), rows, right=(2,))
    yield PledgeChart("members", "Member by member", says, wide, narrow, legend, (table,))


def _periods_chart(status: Mapping[str, Any], says: str, digits: amounts.Digits) -> Iterator[PledgeChart]:
    periods = status.get("periods")
    if not periods:
        return
    statuses = dict.fromkeys(period["status"] for period in periods)
    legend = [
        LegendItem((rect(f"c-column s-{s}", 4, 1, 18, 10),), wording.STATUS[s].lower())
        for s in statuses
        if any(p["status"] == s and p["ratio"] for p in periods)
    ]
    legend.append(LegendItem((line("c-target", 0, 6, 26, 6),), "target of each period"))
    if any(not period["ratio"] for period in periods):
        legend.append(LegendItem((rect("c-none", 4, 3, 18, 6),), "nothing reported"))
    rows = tuple(
        (
            wording.span(one),
            wording.STATUS[one["status"]],
            "—" if one["actual"] is None else amounts.amount_text(one["actual"], digits).short,
            amounts.ratio(one["ratio"], one["actual"]) or "—",
        )
        for one in periods
    )
    table = ChartTable("periods", ("Period", "Status", "Reported", "Of the target"), rows, right=(2, 3))
    wide, narrow = draw_periods(periods, WIDE, digits), draw_periods(periods, NARROW, digits)
    yield PledgeChart("periods", "Period by period", says, wide, narrow, tuple(legend), (table,))


def _said(row: Mapping[str, Any], events: Mapping[str, Mapping[str, Any]]) -> str:
    """When a row was reported, no more precisely than its source has it."""
    event = events.get(row.get("event") or "")
    return wording.day(row["stated_on"]) if event is None else str(event["said"])


def _steps_chart(
    status: Mapping[str, Any], as_of: date, says: str, events: Mapping[str, Mapping[str, Any]]
) -> Iterator[PledgeChart]:
    steps = [_dated(step, events) for step in status.get("milestones") or ()]
    if len(steps) < 2 and not any(step["due"] or step["stated_on"] for step in steps):
        return
    states = {step["state"] for step in steps}
    legend = [LegendItem((path("c-duemark", "M13 0l6 6l-6 6l-6 -6z"),), "due")] if any(s["due"] for s in steps) else []
    if "reached" in states:
        legend.append(LegendItem((circle("c-reached m-reached", 13, 6, 5.5),), "reached"))
    if "partly_reached" in states:
        half = path("c-half", "M13 0a6 6 0 0 1 0 12z")
        legend.append(LegendItem((circle("c-reached m-partly_reached", 13, 6, 5.5), half), "partly reached"))
    if "missed" in states:
        legend.append(LegendItem((path("c-missedmark", "M8 1l10 10M18 1l-10 10"),), "missed"))
    rows = tuple(
        (
            step["milestone"],
            wording.MILESTONE.get(step["state"], step["state"])
            + (f" on {wording.day(step['on'])}" if step.get("on") else "")
            + (", late" if step["late"] else ""),
            wording.day(step["due"]) if step["due"] else "no date given",
            step.get("said") or wording.day(step["stated_on"]),
        )
        for step in steps
    )
    table = ChartTable("milestones", ("Step", "Where it stands", "Due", "Last said"), rows)
    wide, narrow = draw_steps(steps, as_of, WIDE), draw_steps(steps, as_of, NARROW)
    yield PledgeChart("milestones", "Step by step", says, wide, narrow, tuple(legend), (table,))


def _dated(step: Mapping[str, Any], events: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A step with the day on which it was so (`on`) and the words for when that was said, where its report is known."""
    event = events.get(step.get("event") or "")
    return step if event is None else {**step, "on": event["fact"].get("on"), "said": event["said"]}
