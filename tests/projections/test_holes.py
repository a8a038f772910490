"""A gap that would take too many rows is left as a hole: nothing waits, it says what it is, and all else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from projections import folded_pledge, rebuild, table_writer
from projections.queries import Clocks, Filters
from projections.tables import HOLE, PARKED
from tests.support.leaping import FIRST, leap_over, leaping, record_backwards, wrong_at
from tests.support.timelines import World, made, progress, rows_of
from tracker.rules.replayed import STALE_FLAG

TODAY = FIRST + timedelta(days=40)


@contextmanager
def leaving_holes() -> Iterator[None]:
    with leaping(), patch.object(folded_pledge, "MAX_FILLED_ROWS", 3):
        yield


def left(it: World) -> None:
    """Record a pledge backwards, and leap over it."""
    record_backwards(it, 8)
    leap_over(it)
    it.runner.catch_up()


def is_stale_at(it: World, position: int) -> bool:
    document = it.one("long", position=position)
    assert document is not None
    return STALE_FLAG in document["flags"]


def assert_right_but_for(it: World, hole: range) -> None:
    """Every position is right, and those of the hole have the flag."""
    for position in range(1, it.log.head() + 1):
        assert wrong_at(it, position, TODAY) == []
        assert is_stale_at(it, position) is (position in hole), position


def assert_both_say_the_same(it: World) -> None:
    """What the projector tells of a commit is what is read of it."""
    projector, head = it.runner._projector, it.timeline.head()
    assert projector is not None
    assert (projector.projected.position, projector.projected.parked) == (head.position, head.parked)


def test_nothing_waits_for_a_hole_and_its_positions_say_that_they_are_in_one(it: World) -> None:
    with leaving_holes():
        left(it)
        head = it.log.head()
        progress_ = it.timeline.progress()
        assert (progress_.waiting, progress_.parked, it.timeline.parked()) == (0, 0, [])
        assert it.timeline.waiting(head) == {}
        assert it.timeline.stalled(it.clocks(position=5))["long"].waits
        flags = {(r["known_from"], STALE_FLAG in r["flags"]) for r in it.timeline.rectangles("long")}
        assert flags == {(1, True), (head, False)}
        stale = Filters(flag=(STALE_FLAG,))
        assert len(it.timeline.listed(stale, it.clocks(position=5), "pledge", 10, 0)) == 1
        assert it.timeline.listed(stale, it.clocks(), "pledge", 10, 0) == []
        with it.engine.connect() as conn:
            assert conn.execute(select(PARKED.c.position, PARKED.c.error)).all() == [(2, f"{HOLE}{head}")]
    assert_right_but_for(it, range(2, head))
    assert_both_say_the_same(it)


def test_what_is_kept_in_memory_answers_behind_a_hole_and_not_in_it(it: World) -> None:
    with leaving_holes():
        left(it)
    head = it.timeline.head()
    assert head.parked > 0
    assert head.knows_all_of(head.position)
    assert not head.knows_all_of(head.position - 1)
    held = it.timeline._held
    assert held.statuses(Filters(), [TODAY], Clocks(TODAY, head.position)) == [{"in_progress": 1}]
    assert it.timeline._kept.is_of_now(head.position)
    assert not it.timeline._kept.is_of_now(head.position - 1)
    it.record("other", made())
    it.runner.catch_up()
    assert it.timeline._kept.is_of_now(head.position)
    assert held.statuses(Filters(), [TODAY], Clocks(TODAY, head.position + 1)) == [{"announced": 1, "in_progress": 1}]
    assert held.statuses(Filters(), [TODAY], Clocks(TODAY, head.position - 1)) is None


def test_events_behind_a_hole_are_folded_as_ever_and_may_leave_another(it: World) -> None:
    with leaving_holes():
        left(it)
        first = it.log.head()
        it.record("long", progress(60, "2024-03-01"))
        it.runner.catch_up()
        for day in range(30, 20, -1):
            it.record("long", progress(day, (FIRST - timedelta(days=day)).isoformat()))
        leap_over(it)
        it.runner.catch_up()
    for position in range(1, it.log.head() + 1):
        assert wrong_at(it, position, TODAY) == []
    assert is_stale_at(it, first - 1)
    assert not is_stale_at(it, first)
    assert not is_stale_at(it, first + 1)
    assert is_stale_at(it, it.log.head() - 1)
    assert not is_stale_at(it, it.log.head())
    assert_both_say_the_same(it)


def test_a_projector_that_takes_over_knows_of_the_hole(it: World) -> None:
    with leaving_holes():
        left(it)
        it.runner.stop()
        it.runner = it.another_runner()
        it.record("other", made())
        it.runner.catch_up()
    assert_both_say_the_same(it)
    assert_right_but_for(it, range(2, 9))


def test_a_rebuild_leaves_a_hole_too_and_fills_it_where_there_is_room(it: World) -> None:
    with leaving_holes():
        left(it)
        it.runner.rebuild()
    assert it.timeline.progress().waiting == 0
    assert_right_but_for(it, range(2, 9))
    it.runner.rebuild()
    it.record("other", made())
    it.runner.catch_up()
    assert it.timeline.head().parked == 0
    assert_right_but_for(it, range(0))
    assert_both_say_the_same(it)


def test_rows_of_a_hole_that_the_store_refuses_when_it_is_built_park_the_pledge(it: World) -> None:
    with leaving_holes():
        left(it)
        it.record("other", made())
        it.runner.catch_up()
        write = table_writer.write

        def refuses(conn: Any, tables: Any, changes: Any) -> None:
            if "long" in changes:
                raise DatabaseError("INSERT", None, ValueError("a value is out of range"))
            write(conn, tables, changes)

        with patch.object(rebuild.table_writer, "write", refuses):
            it.runner.rebuild()
    assert it.one("other") is not None
    assert it.one("long") is None
    assert [parked.position for parked in it.timeline.parked()] == [*range(1, 10)]


def test_a_pledge_of_which_something_is_withheld_leaves_its_hole_anew(it: World) -> None:
    with leaving_holes():
        it.record("long", made())
        event = it.record("long", progress(1, "2024-02-01", summary="A secret."))
        for day in range(20, 10, -1):
            it.record("long", progress(day, f"2024-01-{day}"))
        leap_over(it)
        it.runner.catch_up()
        it.log.withhold(event, ["summary"], reason="Ruling.", at=it.now, by="alice")
        it.runner.catch_up()
        assert not any("secret" in str(row) for row in rows_of(it))
        assert it.timeline.progress().waiting == 0
    for position in range(1, it.log.head() + 1):
        assert wrong_at(it, position, TODAY) == []
    assert is_stale_at(it, 5)
    assert not is_stale_at(it, it.log.head())
    assert_both_say_the_same(it)


@pytest.mark.parametrize("count", [4, 12])
def test_a_gap_that_is_given_up_behind_a_hole_leaves_the_hole(it: World, count: int) -> None:
    with leaving_holes():
        left(it)
    hole = it.log.head()
    take = folded_pledge.FoldedPledge._take

    def refuses(pledge: Any, parked: Any) -> Exception | None:
        return KeyError("a rule is missing") if parked.position == hole + 3 else take(pledge, parked)

    with leaping():
        for day in range(count, 0, -1):
            it.record("long", progress(90 + day, (FIRST + timedelta(days=50 + day)).isoformat()))
        leap_over(it)
        with patch.object(folded_pledge.FoldedPledge, "_take", refuses):
            it.runner.catch_up()
    assert is_stale_at(it, 5)
    assert not is_stale_at(it, hole)
    assert is_stale_at(it, it.log.head())
    assert_both_say_the_same(it)
