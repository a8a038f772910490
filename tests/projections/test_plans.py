"""Which index SQLite takes, whatever it has counted of a long log: a turn of the projector looks at its own pledges."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, text

from projections import list_queries
from projections.queries import Clocks, Filters
from projections.tables import table_set
from tests.support.leaping import leaping
from tests.support.timelines import World, made, progress, world

COUNTED = {
    "timeline": {
        "valid_from": "4013100 1701 2 1 1",
        "changed": "4013100 1727 11 3 2 1 1",
        "last_stated_on": "4013100 1701 5 3 2 1 1",
        "ratio": "4013100 9 6 3 3 1 1",
        "status": "4013100 573300 3 2 1 1 1",
        "pledge": "4013100 41 5 3 1 1",
    },
    "catalogue": {
        "known_to": "100000 100000",
        "known_from": "100000 1",
        "valid_to": "100000 100000 100000 1",
        "valid_from": "100000 54 54 1",
        "due": "100000 59 1 1 1 1 1",
        "title": "100000 1 1 1 1 1 1",
        "pledge": "100000 1 1 1 1 1",
    },
    "words": {"pledge": "780499 8 7 1 1 1"},
}
"""What ANALYZE finds in a log of 100,000 pledges: rows of one day, on average, are fewer than those of one pledge; and
those of a day on which most pledges are due are a hundred thousand."""


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[World]:
    with world(sqlite_url) as it:
        it.runner.catch_up()
        yield it


def with_the_counts_of_a_long_log(it: World) -> None:
    it.record("aid", made())
    it.runner.catch_up()
    number = it.timeline.progress().set
    with it.engine.begin() as conn:
        conn.execute(text("ANALYZE"))
        conn.execute(text("DELETE FROM sqlite_stat1"))
        for table, indexes in COUNTED.items():
            for index, counts in indexes.items():
                row = {"of": f"{table}_{number}", "index": f"{table}_{number}_{index}", "counts": counts}
                conn.execute(text("INSERT INTO sqlite_stat1 VALUES (:of, :index, :counts)"), row)
    it.engine.dispose()  # a connection reads the counts when it is opened


def test_every_row_that_a_turn_reads_or_changes_is_found_by_its_pledge(lite: World) -> None:
    with_the_counts_of_a_long_log(lite)
    asked: dict[str, Any] = {}

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        asked.setdefault(statement, parameters[0] if many else parameters)

    event.listen(lite.engine, "before_cursor_execute", note)
    with leaping():
        for day in ("2024-03-01", "2024-02-01", "2024-05-01", "2024-04-01"):
            lite.record("aid", progress(5, day))
        lite.runner.catch_up()
        lite.another_runner().catch_up()
    event.remove(lite.engine, "before_cursor_execute", note)
    plans = []
    with lite.engine.connect() as conn:
        for statement, parameters in asked.items():
            if not statement.startswith("INSERT") and any(f" {name}_" in statement for name in COUNTED):
                steps = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                plans += [(step.detail, statement) for step in steps if step.detail.startswith(("SEARCH", "SCAN"))]
    assert {word for _, statement in plans for word in ("UPDATE", "SELECT", "DELETE") if word in statement} == {
        "UPDATE",
        "SELECT",
        "DELETE",
    }
    few = ("_pledge (pledge=?", "_known_from (known_from=?")  # rows of a pledge, and those that begin at a position
    assert [plan for plan in plans if not any(index in plan[0] for index in few)] == []


@pytest.mark.parametrize("nulls", [False, True])
def test_a_list_by_ratio_of_an_early_day_is_found_by_what_has_begun(lite: World, *, nulls: bool) -> None:
    with_the_counts_of_a_long_log(lite)
    tables, clocks = table_set(lite.timeline.progress().set), Clocks(date(2024, 2, 1), lite.log.head())
    for filters in (Filters(), Filters(kind=("money",))):
        by_key = list_queries.page(tables, filters, clocks, "-ratio", 101, None, nulls=nulls, along_days=True)
        by_number = list_queries.numbered(tables, filters, clocks, "ratio", 100, 0, nulls=nulls, along_days=True)
        for query in (by_key, by_number):
            with lite.engine.connect() as conn:
                asked = str(query.compile(lite.engine, compile_kwargs={"literal_binds": True}))
                steps = [step.detail for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]
            if not filters.kind:  # else the rows of the pledges of that kind may be the fewer
                assert any("_valid_from (valid_from<?)" in step for step in steps), (asked, steps)
            assert not any(index in step for index in ("_ratio", "SCAN timeline") for step in steps), (asked, steps)
