"""The drawings of charts: pure functions from what is known to shapes, marks and tables."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from api import wording
from api.pages.chart import ChartBaseline, ChartData, ChartDue, ChartPoint, ChartStep, ChartTerms
from api.pages.chart_drawing import draw_days
from api.pages.chart_kinds import draw_members, draw_periods, draw_steps
from api.pages.charts import charts_of, picture_drawings
from api.pages.drawing import NARROW, WIDE, Box, Drawing, Shape
from tracker.quantity import Interval, Quantity
from tracker.values import Window, end_of

AS_OF = date(2025, 3, 1)
BOXES = [WIDE, NARROW]


def amount(op: str, value: str, **more: str) -> dict[str, str]:
    return {"op": op, "value": value, "unit": "EUR", **more}


def point(said: date, value: str, **more: Any) -> ChartPoint:
    exact = Decimal(value)
    given: dict[str, Any] = {
        "counts": True,
        "interval": Interval(exact, exact, False, False),
        "when": wording.day(said),
    } | more
    return ChartPoint("id", said, None, exact, label=f"€{value}", exact=f"{value} EUR", **given)


def step(since: date, until: date, value: str, high: str | None) -> ChartStep:
    interval = Interval(Decimal(value), None if high is None else Decimal(high), False, False)
    return ChartStep(since, until, interval, Decimal(value), f"€{value}")


def chart(**fields: Any) -> ChartData:
    window = Window(start=date(2024, 1, 1), end=date(2024, 12, 31))
    terms = ChartTerms(
        date(2024, 1, 1), date.max, Quantity(op="ge", value=Decimal(40), unit="EUR"), "at least €40", "40 EUR"
    )
    given: dict[str, Any] = {
        "unit": "EUR", "points": (), "steps": (), "terms": (terms,), "window": window, "original": window,
        "as_of": AS_OF, "cumulative": True,
    }  # fmt: skip
    return ChartData(**given | fields)


def kinds(drawing: Drawing) -> list[str]:
    return [shape.kind for shape in drawing.shapes]


def of_kind(drawing: Drawing, kind: str) -> list[dict[str, Any]]:
    return [dict(shape.attributes) for shape in drawing.shapes if shape.kind == kind]


def inside(shape: Shape, box: Box) -> bool:
    place = dict(shape.attributes)
    across = [place[name] for name in ("x", "x1", "x2", "cx") if name in place]
    return all(0 <= float(x) <= box.width for x in across)


# --- amounts over time


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize(("high", "kind", "fades"), [(None, "c-open", "rise"), ("60", "c-range", None)])
def test_a_bound_is_drawn_as_a_bound(box: Box, high: str | None, kind: str, fades: str | None) -> None:
    drawn = draw_days(chart(steps=(step(date(2024, 7, 1), AS_OF, "50", high),)), box)
    extents = [shape for shape in drawn.shapes if shape.kind == kind]
    assert [shape.fades for shape in extents] == [fades]
    exact = draw_days(chart(steps=(step(date(2024, 7, 1), AS_OF, "50", "50"),)), box)
    assert not {"c-open", "c-range"} & set(kinds(exact))


@pytest.mark.parametrize("box", BOXES)
def test_the_even_pace_goes_from_nothing_to_the_target_at_the_deadline(box: Box) -> None:
    drawn = draw_days(chart(), box)
    (pace,), (target,) = of_kind(drawn, "c-pace"), of_kind(drawn, "c-target")
    assert pace["y1"] == box.ground
    assert pace["y2"] == target["y1"]
    assert not of_kind(draw_days(chart(cumulative=False), box), "c-pace")


@pytest.mark.parametrize("box", BOXES)
def test_instalments_are_a_stair_of_what_is_due_in_place_of_the_pace(box: Box) -> None:
    dues = tuple(
        ChartDue(date(2024, month, 1), Decimal(owed), f"€{owed}") for month, owed in ((3, 6), (6, 20), (12, 40))
    )
    drawn = draw_days(chart(dues=dues), box)
    stair = of_kind(drawn, "c-due")
    assert len(stair) == 6
    assert [line["y2"] for line in stair[::2]] == sorted((line["y2"] for line in stair[::2]), reverse=True)
    assert "c-pace" not in kinds(drawn)
    assert [mark.words[0] for mark in drawn.marks] == ["due by 1\xa0Mar\xa02024: €6", "due by 1\xa0Jun\xa02024: €20",
                                                     "due by 1\xa0Dec\xa02024: €40"]  # fmt: skip


@pytest.mark.parametrize("box", BOXES)
def test_the_way_from_a_baseline_begins_there(box: Box) -> None:
    baseline = ChartBaseline(date(2020, 12, 31), Decimal(100), "€100")
    drawn = draw_days(chart(baseline=baseline, cumulative=False), box)
    (pace,), (place,), (target,) = (of_kind(drawn, kind) for kind in ("c-pace", "c-baseline", "c-target"))
    assert pace["x1"] == place["x"] + 4
    assert pace["y1"] == place["y"] + 4
    assert pace["y2"] == target["y1"]
    assert pace["y1"] < pace["y2"]


@pytest.mark.parametrize("box", BOXES)
def test_a_figure_that_counted_looks_otherwise_than_one_that_never_did(box: Box) -> None:
    points = (point(date(2024, 3, 1), "10", counts=False, counted_until=date(2024, 6, 1)),
              point(date(2024, 6, 1), "20"), point(date(2024, 6, 2), "30", counts=False))  # fmt: skip
    drawn = draw_days(chart(points=points), box)
    assert [kind for kind in kinds(drawn) if kind.startswith("c-point")] == [
        "c-point c-earlier", "c-point", "c-point c-aside",
    ]  # fmt: skip
    assert [mark.words[-1] for mark in drawn.marks] == ["counted until 1\xa0Jun\xa02024", "counts", "does not count"]


@pytest.mark.parametrize("box", BOXES)
def test_only_the_days_that_were_chosen_are_drawn(box: Box) -> None:
    points = (point(date(2024, 3, 1), "10"), point(date(2024, 6, 1), "20"))
    drawn = draw_days(replace(chart(points=points), since=date(2024, 5, 1), until=date(2024, 8, 1)), box)
    assert drawn.days is not None
    assert (drawn.days.first, drawn.days.last) == (date(2024, 5, 1), date(2024, 8, 1))
    assert [mark.words[0] for mark in drawn.marks] == ["€20"]
    assert all(inside(shape, box) for shape in drawn.shapes)


@pytest.mark.parametrize("top", ["40", "150000000000"])
@pytest.mark.parametrize("until", [date(2024, 12, 31), date(2025, 1, 4)])
@pytest.mark.parametrize("box", BOXES)
def test_the_words_at_the_axes_are_not_cut(box: Box, until: date, top: str) -> None:
    shown = replace(chart(points=(point(date(2024, 3, 1), top),)), since=date(2024, 1, 1), until=until)
    ticks = [shape for shape in draw_days(shown, box).shapes if shape.kind == "c-tick"]
    assert len(ticks) > 4
    for shape in ticks:
        place, width = dict(shape.attributes), 7 * len(shape.text or "")
        before = {"end": 1.0, "middle": 0.5}[str(place["text-anchor"])]
        left = float(place["x"]) - before * width
        assert left >= 0, shape
        assert left + width <= box.width, shape


# --- members, steps and periods


def member(name: str, verdict: str, op: str = "", value: str = "", **more: str) -> dict[str, Any]:
    quantity = {"op": op, "value": value, "unit": "percent:gdp", **more}
    return {"name": name, "member": name, "verdict": verdict, "stated_on": None,
            "figure": {"quantity": quantity} if op else None}  # fmt: skip


AIM = {"op": "ge", "value": "2", "unit": "percent:gdp"}


@pytest.mark.parametrize("box", BOXES)
def test_members_are_bars_from_the_highest_to_the_lowest(box: Box) -> None:
    rows = [member("Belgium", "not_met", "eq", "1.3"), member("Norway", "met", "gt", "2.5"),
            member("Spain", "not_met", "le", "1.2"), member("Italy", "not_reported")]  # fmt: skip
    drawn = draw_members(rows, AIM, box, {})
    assert drawn is not None
    assert [shape.text for shape in drawn.shapes if shape.kind == "c-name"] == ["Norway", "Belgium", "Spain"]
    maybe = [(shape.kind, shape.fades) for shape in drawn.shapes if "c-maybe" in shape.kind]
    assert maybe == [("c-member v-met c-maybe", "fade"), ("c-member v-not_met c-maybe", None)]
    assert len(of_kind(drawn, "c-target")) == 1
    assert all(inside(shape, box) for shape in drawn.shapes)


def test_many_members_are_two_columns_with_one_scale_in_a_picture() -> None:
    rows = [member(f"Member {n:02}", "met", "eq", str(n)) for n in range(1, 14)]
    document = {"target": AIM, "members": {"met": 12}}
    charts = charts_of(document, None, rows, date(2025, 1, 1), "", {})
    columns = picture_drawings(charts, document, rows, {})
    names = [[shape.text for shape in drawing.shapes if shape.kind == "c-name"] for drawing in columns]
    assert names == [[f"Member {n:02}" for n in range(13, 6, -1)], [f"Member {n:02}" for n in range(6, 0, -1)]]
    assert len({aim["x1"] for drawing in columns for aim in of_kind(drawing, "c-target")}) == 1
    few = charts_of(document, None, rows[:11], date(2025, 1, 1), "", {})
    assert picture_drawings(few, document, rows[:11], {}) == (few[0].wide,)
    assert picture_drawings((), document, [], {}) == ()


def test_members_without_values_are_no_bars() -> None:
    assert draw_members([member("Belgium", "met", "eq", "2"), member("Italy", "met")], AIM, WIDE, {}) is None
    assert draw_members([], None, WIDE, {}) is None


def milestone(name: str, state: str, stated_on: str, due: str | None, first_due: str | None = None) -> dict[str, Any]:
    return {"milestone": name, "due": due, "first_due": first_due or due, "state": state, "late": due is None,
            "stated_on": stated_on}  # fmt: skip


STEPS = [
    milestone("agreed", "reached", "2024-06-01", "2024-Q2", "2024-Q1"),
    milestone("built", "partly_reached", "2025-01-01", "2025"),
    milestone("paid", "missed", "2025-02-01", None),
    milestone("opened", "scheduled", "2024-02-01", "2026"),
]


@pytest.mark.parametrize("box", BOXES)
def test_steps_stand_on_a_line_with_their_due_and_where_they_were_reached(box: Box) -> None:
    drawn = draw_steps(STEPS, AS_OF, box)
    found = kinds(drawn)
    assert found.count("c-duemark") == 3
    assert found.count("c-duemark c-past") == 1
    assert [kind for kind in found if kind.startswith("c-reached")] == [
        "c-reached m-reached",
        "c-reached m-partly_reached",
    ]
    assert found.count("c-missedmark") == 1
    assert [mark.words[0] for mark in drawn.marks] == ["agreed", "built", "paid", "opened"]
    assert drawn.marks[2].words == ("paid", "Missed, said 1\xa0Feb\xa02025", "no date given (late)")
    assert all(inside(shape, box) for shape in drawn.shapes)


def period(year: int, status: str, ratio: dict[str, str] | None) -> dict[str, Any]:
    return {"start": f"{year}-01-01", "end": f"{year}-12-31", "status": status, "ratio": ratio,
            "actual": None if ratio is None else amount(ratio["op"], "80")}  # fmt: skip


@pytest.mark.parametrize("box", BOXES)
def test_each_period_is_a_column_against_the_target_of_one(box: Box) -> None:
    some, more = {"op": "eq", "value": "0.8"}, {"op": "gt", "value": "1.2"}
    periods = [period(2020, "partly_met", some), period(2021, "exceeded", more), period(2022, "overdue", None)]
    drawn = draw_periods(periods, box, {})
    (low,), (high,) = of_kind(drawn, "c-column s-partly_met"), of_kind(drawn, "c-column s-exceeded")
    (target,) = of_kind(drawn, "c-target")
    assert low["y"] > target["y1"] > high["y"]
    assert [s.fades for s in drawn.shapes if "c-maybe" in s.kind] == ["rise"]
    assert len(of_kind(drawn, "c-none")) == 1
    assert drawn.marks[2].words == ("2022", "Overdue", "nothing reported")


def test_every_chart_has_a_table_with_the_same_figures() -> None:
    status = {"target": AIM, "members": {"met": 1}, "milestones": STEPS, "actual": None}
    rows = [member("Belgium", "not_met", "eq", "1.3"), member("Norway", "met", "gt", "2.5")]
    found = charts_of(status, chart(points=(point(date(2024, 3, 1), "10"),)), rows, AS_OF, "so far", {})
    assert [c.key for c in found] == ["members", "milestones", "days"]
    for one in found:
        assert one.tables
        assert all(len(row) == len(table.head) for table in one.tables for row in table.rows)
        assert one.wide.width == WIDE.width
        assert one.narrow.width == NARROW.width


# --- what is drawn as it is


@pytest.mark.parametrize("box", BOXES)
def test_what_was_given_back_is_drawn_below_nothing(box: Box) -> None:
    drawn = draw_days(
        chart(points=(point(date(2024, 3, 1), "-12"),), steps=(step(date(2024, 3, 1), AS_OF, "-2", "-2"),)), box
    )
    (line,), (place,) = of_kind(drawn, "c-step"), of_kind(drawn, "c-point")
    ticks = {shape.text: dict(shape.attributes)["y"] for shape in drawn.shapes if shape.kind == "c-tick"}
    assert ticks["€0"] < line["y1"] + 4 < place["cy"] + 4 <= box.ground + 4
    assert "−€10" in ticks


@pytest.mark.parametrize("value", ["0.0000011", "30", "98765432109876543210987654321"])
def test_a_value_of_any_size_has_a_place_between_nothing_and_the_top(value: str) -> None:
    drawn = draw_days(chart(points=(point(date(2024, 3, 1), value),), terms=()), WIDE)
    (place,) = of_kind(drawn, "c-point")
    assert WIDE.top < place["cy"] < WIDE.height / 2


def test_a_net_of_nothing_is_drawn() -> None:
    drawn = draw_days(chart(points=(point(date(2024, 3, 1), "0"),), terms=()), WIDE)
    assert [place["cy"] for place in of_kind(drawn, "c-point")] == [WIDE.ground]


@pytest.mark.parametrize("box", BOXES)
def test_the_value_of_a_member_stands_whole_and_inside_the_drawing(box: Box) -> None:
    rows = [member("Norway", "met", "gt", "4"), member("Portugal", "not_met", "between", "1.5", upper="1.6"),
            member("Italy", "met", "eq", "4.1")]  # fmt: skip
    drawn = draw_members(rows, AIM, box, {})
    assert drawn is not None
    labels = {shape.text: float(dict(shape.attributes)["x"]) for shape in drawn.shapes if shape.kind == "c-value"}
    assert set(labels) == {"over 4\xa0%", "between 1.5\xa0% and 1.6\xa0%", "4.1\xa0%"}
    (fade,) = [dict(shape.attributes) for shape in drawn.shapes if shape.fades == "fade"]
    assert labels["over 4\xa0%"] >= fade["x"] + fade["width"]
    assert labels["4.1\xa0%"] + 7 * len("4.1 %") <= box.width


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("count", [2, 24, 120])
def test_the_names_of_periods_are_never_printed_over_each_other(box: Box, count: int) -> None:
    found = [(date(2015 + n // 12, n % 12 + 1, 1)) for n in range(count)]
    periods = [{"start": on.isoformat(), "end": end_of(f"{on:%Y-%m}").isoformat(), "status": "overdue", "ratio": None,
                "actual": None} for on in found]  # fmt: skip
    names = [shape for shape in draw_periods(periods, box, {}).shapes if shape.kind == "c-tick"]
    assert names[0].text == "Jan\xa02015"
    places = [float(dict(shape.attributes)["x"]) for shape in names]
    assert all(later - earlier >= 7 * len("Jan 2015") for earlier, later in pairwise(places))


def test_a_step_stands_on_the_day_on_which_it_was_reached_and_not_on_that_of_its_report() -> None:
    steps = [milestone("agreed", "reached", "2024-09-12", "2024-06-30") | {"event": "e", "late": False}]
    status = {"target": None, "members": None, "milestones": steps, "actual": None}
    events = {"e": {"fact": {"on": "2024-06-29"}, "said": "12\xa0Sep\xa02024"}}
    (drawn,) = charts_of(status, None, [], AS_OF, "so far", {}, events)
    assert drawn.wide.marks[0].words[1] == "Reached on 29\xa0Jun\xa02024, said 12\xa0Sep\xa02024"
    (place,), due = of_kind(drawn.wide, "c-reached m-reached"), drawn.wide.shapes
    marks = [shape for shape in due if shape.kind == "c-duemark"]
    assert float(place["cx"]) < float(str(dict(marks[0].attributes)["d"]).partition(" ")[0][1:])
    assert drawn.tables[0].rows[0] == (
        "agreed",
        "Reached on 29\xa0Jun\xa02024",
        "30\xa0Jun\xa02024",
        "12\xa0Sep\xa02024",
    )


def test_a_single_step_without_a_date_is_no_chart() -> None:
    status = {"target": None, "members": None, "actual": None,
              "milestones": [milestone("agreed", "scheduled", "2024-09-12", None) | {"stated_on": None}]}  # fmt: skip
    assert charts_of(status, None, [], AS_OF, "so far", {}) == ()
