"""The charts of what is no amount over time: members with their values, steps on a line, the periods of a recurring
pledge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from api import amounts, wording
from api.pages.drawing import Box, Drawing, Mark, Shape, circle, line, path, rect, shortened, words
from tracker.quantity import possible
from tracker.values import end_of

ROW_HEIGHT = 22
"""The height of a row of members, in units of the view box."""

_STEP_HEIGHT = 30
_LETTER_WIDTH = 7
_VALUE_WIDTH = 64
"""The room at the end of a row for its value in words."""

Rows = Sequence[Mapping[str, Any]]


def draw_members(
    rows: Rows, target: Mapping[str, str] | None, box: Box, digits: amounts.Digits, part: slice = slice(None)
) -> Drawing | None:
    """Members with a value as bars, the highest first, against what each has to reach; None if fewer than two have one.

    A bound is drawn as one: its certain part is solid, its possible part is lighter. Of a `part` of the rows only that
    is drawn, by the scale of all.
    """
    valued = [row for row in rows if row["figure"] is not None and (target or row["figure"]["quantity"])["unit"]]
    unit = (target or (valued[0]["figure"]["quantity"] if valued else {})).get("unit")
    valued = [row for row in valued if row["figure"]["quantity"]["unit"] == unit]
    if len(valued) < 2:
        return None
    valued.sort(key=lambda row: (-Decimal(row["figure"]["quantity"]["value"]), row["name"]))
    left = min(max(len(row["name"]) for row in valued) * _LETTER_WIDTH + 8, box.width // 3)
    height = len(valued[part]) * ROW_HEIGHT + box.top + 8
    labels = {row["member"]: _plain_value(row["figure"]["quantity"], digits) for row in valued}
    right = min(max(map(len, labels.values())) * _LETTER_WIDTH + 10, box.width // 3)
    box = replace(box, left=left, height=height, bottom=8, right=max(right, _VALUE_WIDTH))
    aim = None if target is None else Decimal(target["value"])
    top = max([*(_end(row["figure"]["quantity"]) for row in valued), aim or Decimal(0), Decimal("0.000001")])

    def x(value: Decimal) -> float:
        return float(left + min(max(value / top, Decimal(0)), Decimal(1)) * (box.end - left))

    shapes: list[Shape] = []
    values: list[Shape] = []
    marks = []
    for index, row in enumerate(valued[part]):
        y, quantity = box.top + index * ROW_HEIGHT, row["figure"]["quantity"]
        shown = amounts.amount_text(quantity, digits)
        interval = _possible(quantity)
        low = max(interval.low or Decimal(0), Decimal(0))
        kind = f"c-member v-{row['verdict']}"
        shapes.append(words("c-name", shortened(row["name"], (left - 8) // _LETTER_WIDTH), left - 6, y + 13, "end"))
        shapes.append(rect(kind, left, y + 3, x(low) - left, ROW_HEIGHT - 8))
        end = low if interval.high is None else interval.high
        after = x(end)
        if interval.high is None:
            after = min(x(low) + 40.0, box.end)
            shapes.append(rect(f"{kind} c-maybe", x(low), y + 3, after - x(low), ROW_HEIGHT - 8, "fade"))
        elif interval.high > low:
            shapes.append(rect(f"{kind} c-maybe", x(low), y + 3, x(interval.high) - x(low), ROW_HEIGHT - 8))
        values.append(words("c-value", labels[row["member"]], after + 5, y + 13))
        marks.append(Mark(x(end), y + ROW_HEIGHT / 2 - 1, (row["name"], shown.exact, wording.VERDICT[row["verdict"]])))
    if aim is not None:
        shapes.append(line("c-target", x(aim), box.top - 4, x(aim), box.height - 6))
        label = f"each: {amounts.amount_text(target or {}, digits).short}"
        shapes.append(words("c-label", label, x(aim), box.top - 8, "middle" if x(aim) < box.width - 90 else "end"))
    return Drawing(box.width, height, (*shapes, *values), tuple(marks))


def _plain_value(quantity: Mapping[str, str], digits: amounts.Digits) -> str:
    """A quantity in words without what it is a share of, which the label of the target says."""
    short, what = amounts.amount_text(quantity, digits).short, amounts.unit_words(quantity["unit"]).removeprefix("%")
    return short.replace(what, "") if what.startswith(" of ") else short


def _possible(quantity: Mapping[str, str]) -> Any:
    op: Any = quantity["op"]
    return possible(op, Decimal(quantity["value"]), Decimal(quantity["upper"]) if "upper" in quantity else None)


def _end(quantity: Mapping[str, str]) -> Decimal:
    return max(Decimal(quantity["value"]), _possible(quantity).high or Decimal(0))


def draw_steps(steps: Rows, as_of: date, box: Box) -> Drawing:
    """Each step on a row of its own along one line of time: a tick where it is due, a mark where it was reached."""
    days = [as_of]
    for step in steps:
        days += [end_of(step[name]) for name in ("due", "first_due") if step[name]]
        days += [day] if (day := _reached_on(step)) else []
    first, last = min(days) - timedelta(days=20), max(days) + timedelta(days=20)
    height = box.top + len(steps) * _STEP_HEIGHT * 2 // (1 if box.is_narrow else 2) + box.bottom
    row_height = _STEP_HEIGHT * (2 if box.is_narrow else 1)
    left = 14 if box.is_narrow else min(max(len(s["milestone"]) for s in steps) * _LETTER_WIDTH + 16, box.width // 2)
    box = replace(box, height=height, left=left)

    def x(day: date) -> float:
        return left + (day - first).days / max((last - first).days, 1) * (box.end - left)

    shapes: list[Shape] = []
    marks = []
    for year in range(first.year, last.year + 2):
        if first <= date(year, 1, 1) <= last:
            shapes.append(line("c-grid", x(date(year, 1, 1)), box.top - 8, x(date(year, 1, 1)), box.ground))
            shapes.append(words("c-tick", str(year), x(date(year, 1, 1)), box.ground + 18, "middle"))
    shapes.append(line("c-today", x(as_of), box.top - 8, x(as_of), box.ground))
    shapes.append(words("c-tick", "this day", x(as_of), box.top - 10, "end" if x(as_of) > box.width - 60 else "middle"))
    for index, step in enumerate(steps):
        y = box.top + index * row_height + row_height - _STEP_HEIGHT // 2
        letters = (box.width if box.is_narrow else left) // _LETTER_WIDTH - 2
        name = shortened(step["milestone"], letters)
        shapes.append(
            words("c-name", name, left, y - 16) if box.is_narrow else words("c-name", name, left - 10, y + 4, "end")
        )
        shapes.append(line("c-grid", left, y, box.end, y))
        shapes += _step(step, x, y)
        marks.append(Mark(_place(step, x, as_of), y, _step_words(step)))
    return Drawing(box.width, height, tuple(shapes), tuple(marks))


def _step(step: Mapping[str, Any], x: Any, y: float) -> Iterator[Shape]:
    due = end_of(step["due"]) if step["due"] else None
    said = _reached_on(step)
    if due is not None:
        if step["first_due"] and step["first_due"] != step["due"]:
            first = end_of(step["first_due"])
            yield line("c-moved", x(first), y, x(due), y)
            yield path("c-duemark c-past", _diamond(x(first), y, 5))
        yield path("c-duemark", _diamond(x(due), y, 7))
    if said is not None and step["state"] in ("reached", "partly_reached"):
        yield circle(f"c-reached m-{step['state']}", x(said), y, 6)
        if step["state"] == "partly_reached":
            yield path("c-half", f"M{x(said):.2f} {y - 6:g}a6 6 0 0 1 0 12z")
    elif step["state"] == "missed" and said is not None:
        yield path("c-missedmark", f"M{x(said) - 6:.2f} {y - 6:g}l12 12M{x(said) + 6:.2f} {y - 6:g}l-12 12")


def _reached_on(step: Mapping[str, Any]) -> date | None:
    """The day of the last report: the one on which it was so, else the one on which that was said."""
    day = step.get("on") or step["stated_on"]
    return None if day is None else end_of(day)


def _diamond(x: float, y: float, size: float) -> str:
    return f"M{x:.2f} {y - size:g}l{size:g} {size:g}l{-size:g} {size:g}l{-size:g} {-size:g}z"


def _place(step: Mapping[str, Any], x: Any, as_of: date) -> float:
    day = _reached_on(step)
    if day is not None and step["state"] != "scheduled":
        return float(x(day))
    return float(x(end_of(step["due"]) if step["due"] else as_of))


def _step_words(step: Mapping[str, Any]) -> tuple[str, ...]:
    state = wording.MILESTONE.get(step["state"], step["state"])
    said = f", said {step.get('said') or wording.day(step['stated_on'])}" if _is_told(step) else ""
    said = f" on {wording.day(step['on'])}{said}" if _is_told(step) and step.get("on") else said
    due = f"due {wording.day(step['due'])}" if step["due"] else "no date given"
    return (step["milestone"], f"{state}{said}", due + (" (late)" if step["late"] else ""))


def _is_told(step: Mapping[str, Any]) -> bool:
    """Whether anything was reported of a step."""
    return bool(step["stated_on"]) and step["state"] != "scheduled"


def draw_periods(periods: Rows, box: Box, digits: amounts.Digits) -> Drawing:
    """A column for each period against the target of one, with its status in words; a bound fades upwards."""
    box = replace(box, height=box.height - 60)
    shares = [Decimal(p["ratio"]["value"]) for p in periods if p["ratio"]]
    highs = [Decimal(p["ratio"]["upper"]) for p in periods if p["ratio"] and p["ratio"].get("upper")]
    top = max([*shares, *highs, Decimal(1)]) * Decimal("1.15")
    width = (box.end - box.left) / max(len(periods), 1)

    def y(share: Decimal) -> float:
        return round(box.ground - float(max(share, Decimal(0)) / top) * (box.ground - box.top), 2)

    shapes = [line("c-grid", box.left, box.ground, box.end, box.ground)]
    values: list[Shape] = []
    marks = []
    longest = max(len(wording.span(period)) for period in periods) * _LETTER_WIDTH + 6
    every = max(1, -(-longest // max(int(width), 1)))
    for index, period in enumerate(periods):
        x = box.left + index * width
        body = (x + width * 0.15, width * 0.7)
        status, actual = period["status"], amounts.amount(period["actual"], digits)
        kind = f"c-column s-{status}"
        above = box.ground - 6.0
        if period["ratio"]:
            interval = _possible(period["ratio"])
            low = max(interval.low or Decimal(0), Decimal(0))
            shapes.append(rect(kind, body[0], y(low), body[1], box.ground - y(low)))
            above = y(low)
            if interval.high is None:
                above -= min(28.0, y(low) - box.top)
                shapes.append(rect(f"{kind} c-maybe", body[0], above, body[1], y(low) - above, "rise"))
            elif interval.high > low:
                above = y(interval.high)
                shapes.append(rect(f"{kind} c-maybe", body[0], above, body[1], y(low) - above))
        else:
            shapes.append(rect("c-none", body[0], box.ground - 6, body[1], 6))
        if index % every == 0:
            shapes.append(words("c-tick", wording.span(period), x + width / 2, box.ground + 18, "middle"))
        if actual is not None and width > len(actual.short) * _LETTER_WIDTH:
            values.append(words("c-value", actual.short, x + width / 2, above - 6, "middle"))
        said = "nothing reported" if actual is None else actual.exact
        marks.append(Mark(x + width / 2, y((shares and _share(period)) or Decimal(0)),
                          (wording.span(period), wording.STATUS[status], said)))  # fmt: skip
    shapes.append(line("c-target", box.left, y(Decimal(1)), box.end, y(Decimal(1))))
    shapes.append(words("c-label", "target", box.left - 4, y(Decimal(1)) + 4, "end"))
    return Drawing(box.width, box.height, (*shapes, *values), tuple(marks))


def _share(period: Mapping[str, Any]) -> Decimal:
    return Decimal(period["ratio"]["value"]) if period["ratio"] else Decimal(0)
