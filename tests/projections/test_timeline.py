"""The timeline answers for any day and any position what the rules make of the log, on both stores."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from projections import list_queries, queries
from projections.document_codec import MAX_STORED_IDS, StoredDocument, needs_ids, pack, pack_outline, unpack
from projections.fold import sortable
from projections.pledge_counts import PledgeCounts
from projections.queries import SORTS, Clocks, Filters
from projections.tables import OPEN_DATE, OPEN_POSITION, table_set
from tests.support.timelines import (
    DAY,
    World,
    assert_equals_log,
    expected,
    kept,
    made,
    many,
    progress,
    said,
    world,
)


def test_the_seeds_have_at_every_point_what_the_rules_say(it: World) -> None:
    it.seed()
    it.runner.catch_up()
    assert assert_equals_log(it, it.log.head()) > 1000


def test_one_document_is_byte_for_byte_what_the_rules_say_of_the_log(it: World) -> None:
    it.seed()
    it.runner.catch_up()
    for pledge in it.pledges():
        for position in (10, 40, it.log.head()):
            clocks = it.clocks("2025-03-01", position)
            assert it.timeline.one(pledge, clocks) == expected(it, pledge, clocks)


def test_a_pledge_does_not_exist_before_it_was_made_or_recorded(it: World) -> None:
    it.record("other", made())
    it.record("aid", made(stated_on="2024-01-10"))
    it.runner.catch_up()
    assert it.one("aid", "2024-01-09") is None
    assert it.one("aid", "2024-01-10", position=1) is None
    assert it.one("aid", "2024-01-10", position=2) is not None
    assert it.one("no-such-pledge") is None


def test_a_late_arrival_changes_the_past_of_one_axis_only(it: World) -> None:
    it.record("aid", made())
    it.record("aid", progress(45, "2024-11-01"))
    it.record("aid", progress(20, "2024-06-01", publisher="Archive", figure={"basis": "cumulative"}))
    it.runner.catch_up()
    before = it.one("aid", "2024-07-01", position=2)
    after = it.one("aid", "2024-07-01", position=3)
    assert before is not None
    assert after is not None
    assert (before["status"], before["actual"], before["version"]) == ("announced", None, 2)
    assert (after["status"], after["actual"]["value"], after["version"]) == ("in_progress", "20", 3)


def test_a_deadline_is_a_row_before_it_has_passed(it: World) -> None:
    it.record("aid", made(window={"end": "2030-12-31"}))
    it.runner.catch_up()
    statuses = [(it.one("aid", day) or {})["status"] for day in ("2030-12-31", "2031-01-01", "9999-12-31")]
    assert statuses == ["announced", "overdue", "overdue"]


def test_a_voided_pledge_is_gone_from_its_voiding_on_the_known_axis(it: World) -> None:
    first = it.record("aid", made())
    it.record("aid", kept("EventVoided", "2024-03-01", first))
    it.runner.catch_up()
    assert it.one("aid", "2024-02-01", position=1) is not None
    assert it.one("aid", "2024-02-01", position=2) is None
    assert it.timeline.page(Filters(), it.clocks()).total == 0


def test_rectangles_tile_the_plane_and_end_openly(it: World) -> None:
    it.record("aid", made())
    it.record("aid", progress(20, "2024-06-01"))
    it.runner.catch_up()
    items = it.timeline.rectangles("aid")
    assert items[0] == {
        "valid_from": "2024-01-10", "valid_to": "2024-07-08", "known_from": 1, "known_to": 2,
        "status": "announced", "actual": None, "ratio": None, "flags": [],
    }  # fmt: skip
    assert [i["known_to"] for i in items if i["valid_to"] is None] == [2, None]
    assert all(i["known_to"] is None for i in it.timeline.rectangles("aid", position=1))
    spots = [
        (
            i["known_from"],
            i["known_to"] or OPEN_POSITION,
            date.fromisoformat(i["valid_from"]),
            date.fromisoformat(i["valid_to"] or OPEN_DATE.isoformat()),
        )
        for i in items
    ]
    for one, other in itertools.combinations(spots, 2):
        assert one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]


@pytest.mark.parametrize("column", ["timeline", "catalogue"])
def test_postgres_refuses_two_rectangles_on_one_spot(postgres_url: str, column: str) -> None:
    with world(postgres_url) as it:
        it.record("aid", made())
        it.runner.catch_up()
        table = getattr(table_set(1), column)
        with it.engine.begin() as conn:
            row = dict(conn.execute(select(table).order_by(table.c.valid_from)).mappings().all()[0])
        with pytest.raises(IntegrityError, match="no_overlap"), it.engine.begin() as conn:
            conn.execute(table.insert().values(row | {"known_from": 5}))
        with it.engine.begin() as conn:
            conn.execute(table.insert().values(row | {"pledge": "other"}))


def test_a_rectangle_has_an_inside(it: World) -> None:
    it.record("aid", made())
    it.runner.catch_up()
    table = table_set(1).timeline
    with it.engine.begin() as conn:
        row = dict(conn.execute(select(table)).mappings().all()[0]) | {"pledge": "other"}
    for wrong in ({"known_to": row["known_from"]}, {"valid_to": row["valid_from"]}, {"known_from": 0}):
        with pytest.raises(IntegrityError), it.engine.begin() as conn:
            conn.execute(table.insert().values(row | wrong))


@given(st.lists(st.decimals(-(10**40), 10**40, places=6), min_size=2))
def test_ratios_sort_as_text_as_they_do_as_decimals(values: list[Decimal]) -> None:
    assert [sortable(v) for v in sorted(values)] == sorted(sortable(v) for v in values)


@given(st.dictionaries(st.text(max_size=9), st.sets(st.integers(1, 200)), max_size=5), st.text())
def test_what_is_packed_is_unpacked(because: dict[str, set[int]], title: str) -> None:
    ids = [f"event-{version}" for version in range(1, 201)]
    named = {name: [ids[version - 1] for version in sorted(versions)] for name, versions in because.items()}
    document = {"title": title, "because": named, "last_stated_on": "2024-01-01"}
    outline = {"title": title, "because": None, "last_stated_on": "2024-01-01"}
    packed = pack(document, outline, {event: version for version, event in enumerate(ids, start=1)})
    stored = StoredDocument(packed.body, pack_outline(packed.outline_json))
    assert needs_ids(stored) == (sum(map(len, because.values())) >= MAX_STORED_IDS)
    assert unpack(stored, ids if needs_ids(stored) else ()) == to_json(document)


def test_a_status_that_many_events_caused_is_small_and_names_them_all(it: World) -> None:
    it.record("aid", made())
    for day in range(1, 61):
        stated = (date(2024, 1, 1) + DAY * day).isoformat()
        figure = {"quantity": "1m EUR", "basis": "increment", "period": {"start": stated, "end": stated}}
        it.record("aid", said("ProgressReported", stated, figure=figure))
    it.runner.catch_up()
    now, before = it.clocks("2024-12-01"), it.clocks("2024-02-15", 40)
    for clocks in (now, before):
        assert it.timeline.one("aid", clocks) == expected(it, "aid", clocks)
        assert it.timeline.page(Filters(), clocks).items == [expected(it, "aid", clocks)]
    assert len(from_json(it.timeline.one("aid", now) or b"")["because"]["actual"]) == 61
    with it.engine.connect() as conn:
        table = table_set(1).timeline
        sizes = [len(body) for (body,) in conn.execute(select(table.c.body))]
    assert max(sizes) < 2500
    last = it.timeline.rectangles("aid")[-1]
    assert last["actual"] == {"op": "eq", "value": "60000000", "unit": "EUR"}
    assert assert_equals_log(it, it.log.head()) > 5_000


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(1, 40), st.integers(1, 40)), max_size=300),
    st.lists(st.integers(0, 45), max_size=4).map(sorted),
)
def test_a_census_counts_what_holds_at_every_point(given_: list[tuple[int, int, int, int]], steps: list[int]) -> None:
    first = date(2024, 1, 1)
    rectangles = [
        (
            first + DAY * a,
            OPEN_DATE if b == 9 else first + DAY * (a + b),
            k,
            OPEN_POSITION if length == 40 else k + length,
        )
        for a, b, k, length in given_
    ]
    census = PledgeCounts()
    for upto in (*steps, 50):
        census.extend(rectangles, upto)
    for position, days in itertools.product((0, 1, 7, 20, 33, 50), (-1, 0, 3, 8, 12, 30)):
        day = first + DAY * days
        holds = [r for r in rectangles if r[0] <= day < r[1] and r[2] <= position < r[3]]
        assert census.count(position, day) == len(holds)


def test_totals_follow_the_projection_and_the_past_stays_counted(it: World) -> None:
    for number in range(5):
        first = it.record(f"pledge-{number}", made(stated_on=f"2024-01-0{number + 1}"))
        it.runner.catch_up()
        assert it.timeline.page(Filters(), it.clocks(), limit=1).total == number + 1
    it.record("pledge-4", kept("EventVoided", "2024-02-01", first))
    it.runner.catch_up()
    totals = [it.timeline.page(Filters(), it.clocks("2024-01-03", position), limit=1).total for position in range(1, 7)]
    assert totals == [1, 2, 3, 3, 3, 3]
    totals = [it.timeline.page(Filters(), it.clocks("2025-01-03", position), limit=1).total for position in range(1, 7)]
    assert totals == [1, 2, 3, 4, 5, 4]
    ahead = it.timeline.page(Filters(), it.clocks("2025-01-03", 99), limit=1)
    it.record("pledge-5", made())
    it.runner.catch_up()
    assert (ahead.total, it.timeline.page(Filters(), it.clocks(), limit=1).total) == (4, 5)


# Sums


def money(value: str, unit: str = "EUR", op: str = "ge") -> dict[str, Any]:
    return {"op": op, "value": value, "unit": unit}


def test_sums_are_exact_and_keep_their_bounds(it: World) -> None:
    it.record("one", made(target=money("0.1")))
    it.record("two", made(target=money("0.2")))
    it.record("three", made(target=money("7", "USD")))
    it.record("one", progress("over 0.1 EUR", "2024-03-01"))
    it.record("two", progress(5, "2024-03-01"))
    it.runner.catch_up()
    summary = it.timeline.summary(Filters(), it.clocks("2024-04-01"))
    assert summary["by_status"] == {"announced": 1, "exceeded": 2}
    assert summary["totals"] == [
        {
            "unit": "EUR", "pledges": 2, "reported": 2,
            "target": {"op": "ge", "value": "0.3", "unit": "EUR"},
            "actual": {"op": "gt", "value": "5.1", "unit": "EUR"},
            "compared": {
                "pledges": 2,
                "target": {"op": "ge", "value": "0.3", "unit": "EUR"},
                "actual": {"op": "gt", "value": "5.1", "unit": "EUR"},
            },
            "unconverted": 0,
        },
        {
            "unit": "USD", "pledges": 1, "reported": 0,
            "target": {"op": "ge", "value": "7", "unit": "USD"}, "actual": None,
            "compared": {"pledges": 0, "target": None, "actual": None}, "unconverted": 0,
        },
    ]  # fmt: skip


def test_a_part_is_not_added_to_its_whole_nor_to_the_whole_of_that(it: World) -> None:
    it.record("whole", made(target=money("100"), tags=["all", "top"]))
    it.record("part", made(target=money("40"), part_of="whole", tags=["all"]))
    it.record("piece", made(target=money("7"), part_of="part", tags=["all", "small"]))
    it.runner.catch_up()
    summary = it.timeline.summary(Filters(), it.clocks(), by="tag")
    assert sum(summary["by_status"].values()) == 3
    assert [t["target"]["value"] for t in summary["totals"]] == ["100"]
    groups = {group["key"]: group["totals"][0]["target"]["value"] for group in summary["groups"]}
    assert groups == {"all": "100", "small": "7", "top": "100"}
    without_the_middle = it.timeline.summary(Filters(q="whole"), it.clocks())
    assert [t["target"]["value"] for t in without_the_middle["totals"]] == ["100"]


def test_money_is_summed_in_one_currency_at_the_rates_of_each_figures_day(it: World) -> None:
    june = {"period": {"end": "2023-06-30"}}
    it.record("dollars", made(stated_on="2023-01-10", target=money("1086600", "USD"), window={"end": "2023-12-31"}))
    it.record("dollars", progress("1086600 USD", "2023-07-01", figure=june))
    it.record("euros", made(stated_on="2023-01-10", target=money("10"), window={"end": "2023-12-31"}))
    it.record("dinars", made(stated_on="2023-01-10", target=money("5", "KWD"), window={"end": "2023-12-31"}))
    it.runner.catch_up()
    converted = it.timeline.summary(Filters(), it.clocks("2023-08-01"), currency="EUR")["converted"]
    assert converted == {
        "unit": "EUR",
        "target": {"op": "ge", "value": "1000010", "unit": "EUR"},
        "actual": {"op": "eq", "value": "1000000", "unit": "EUR"},
        "rates": [{"from": "USD", "to": "EUR", "rate": "1.0866", "date": "2023-06-30", "provider": "ECB"}],
        "unconverted": ["dinars"],
    }


def test_pledges_that_are_part_of_each_other_are_added_all_the_same(it: World) -> None:
    it.record("a", made(target=money("10"), part_of="b"))
    it.record("b", made(target=money("20"), part_of="a"))
    it.record("c", made(target=money("5"), part_of="a"))
    it.runner.catch_up()
    (total,) = it.timeline.summary(Filters(), it.clocks())["totals"]
    assert (total["pledges"], total["target"]["value"]) == (2, "30")


def test_a_sum_of_increments_is_converted_as_its_status_says(it: World) -> None:
    """Each increment at the rates of its own day, and not all of them at those of the last."""
    it.record("aid", made(target=money("200000000")))
    for start, end in (("2024-02-01", "2024-03-28"), ("2024-05-01", "2024-07-12")):
        figure = {"quantity": "100m USD", "basis": "increment", "period": {"start": start, "end": end}}
        it.record("aid", said("ProgressReported", end, figure=figure))
    it.runner.catch_up()
    clocks = it.clocks("2024-08-01")
    summary = it.timeline.summary(Filters(), clocks, currency="EUR")
    assert summary["converted"]["actual"] == summary["totals"][0]["actual"]
    elsewhere = it.timeline.summary(Filters(), clocks, currency="GBP")["converted"]
    assert {rate["date"] for rate in elsewhere["rates"]} == {"2024-07-12"}


def test_groups_are_by_code_or_name(it: World) -> None:
    many(it)
    groups = it.timeline.summary(Filters(), it.clocks(), by="pledgor")["groups"]
    assert [group["key"] for group in groups] == ["BE", "NATO", "Straße"]
    assert sum(sum(group["by_status"].values()) for group in groups) == 45


# How it is asked


def plan(it: World, query: Any) -> str:
    compiled = query.compile(it.engine, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN " if it.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with it.engine.connect() as conn:
        return "\n".join(str(row) for row in conn.execute(text(explain + str(compiled).replace(":", "\\:"))))


def test_no_read_of_a_page_or_of_a_pledge_scans_a_table(it: World) -> None:
    many(it, 60)
    it.runner.rebuild()  # which also brings the statistics up to date
    it.runner.run_once()
    tables = table_set(it.timeline.progress().set)
    clocks = it.clocks("2024-06-01", it.log.head() - 5)
    asked = {"one": queries.one(tables, "pledge-007", clocks)}
    for sort in SORTS:
        asked[sort] = list_queries.page(tables, Filters(), clocks, sort, 5, None, nulls=False)
    for name, query in asked.items():
        shown = plan(it, query)
        for step in shown.splitlines():
            scans = "SCAN" in step and "USING" not in step
            # So few rows fit on so few blocks that PostgreSQL may well read them all for a page.
            scans = scans or (name == "one" and "Seq Scan on timeline" in step)
            assert not scans, (name, shown)


def test_a_projection_that_was_never_made_answers_with_nothing(database_url: str) -> None:
    with World.reading_only(database_url) as timeline:
        assert timeline.position() == 0
        assert timeline.progress().version == ""
        assert timeline.parked() == []
        clocks = Clocks(date(2024, 1, 1), 0)
        assert timeline.one("aid", clocks) is None
        assert timeline.page(Filters(), clocks) == ([], None, 0)
        assert timeline.summary(Filters(), clocks)["totals"] == []
        assert list(timeline.export(clocks)) == []
