"""Events that are folded at once leave a gap, which says that it is one and is filled: nobody sees a wrong status."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.exc import DatabaseError

from projections import folded_pledge, gaps, rebuild, table_writer
from projections.queries import Clocks, Filters
from tests.support.leaping import (
    FIRST,
    assert_as_if_nobody_had_leapt,
    assert_nothing_is_beside,
    leap_over,
    leaping,
    record_backwards,
    wrong_at,
)
from tests.support.timelines import World, assert_equals_log, kept, made, progress, rows_of, said, world
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.requests import Draft, Request
from tracker.rules.replayed import STALE_FLAG


def test_what_holds_now_is_there_at_once_and_what_held_before_says_that_it_is_not(it: World) -> None:
    record_backwards(it, 6)
    with leaping():
        leap_over(it)
        head = it.log.head()
        assert it.one("long") is not None
        assert it.timeline.progress().waiting == 5
        assert it.timeline.parked() == []
        assert it.timeline.unread("long", head) == []
        assert [event.position for event in it.timeline.unread("long", head - 1)] == [2, 3, 4, 5, 6]
        assert it.timeline.waiting(head) == {"long": 2}
        assert it.timeline.stalled(Clocks(FIRST, head)) == {}
        before = it.one("long", position=4)
        assert before is not None
        assert STALE_FLAG in before["flags"]
        assert before["position"] == 1
        stale = it.timeline.listed(Filters(flag=(STALE_FLAG,)), it.clocks(position=4), "pledge", 10, 0)
        assert len(stale) == 1
        assert it.timeline.listed(Filters(flag=(STALE_FLAG,)), it.clocks(), "pledge", 10, 0) == []
        flagged = {(r["known_from"], STALE_FLAG in r["flags"]) for r in it.timeline.rectangles("long")}
        assert flagged == {(1, True), (head, False)}
        for position in range(1, head + 1):
            assert wrong_at(it, position, FIRST + timedelta(days=40)) == []
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


def test_a_gap_is_filled_from_its_beginning_and_each_of_its_positions_is_right_from_then_on(it: World) -> None:
    record_backwards(it, 6)
    with leaping():
        leap_over(it)
        seen = set()
        while it.timeline.progress().waiting:
            for position in range(1, it.log.head() + 1):
                assert wrong_at(it, position, FIRST + timedelta(days=40)) == []
            document = it.one("long", position=it.log.head() - 1)
            assert document is not None
            seen.add(document["position"])
            it.runner.run_once()
    assert seen >= {2, 3, 4, 5}
    assert_as_if_nobody_had_leapt(it)


def test_events_that_come_while_a_gap_is_filled_are_seen_first(it: World) -> None:
    record_backwards(it, 6)
    with leaping():
        leap_over(it)
        it.record("long", progress(50, "2024-02-01"))
        it.record("short", made())
        it.record("long", progress(51, "2024-01-01"))
        it.record("long", progress(52, "2024-01-02"))
        leap_over(it)
        assert it.timeline.progress().waiting > 0
        for position in range(1, it.log.head() + 1):
            assert wrong_at(it, position, FIRST + timedelta(days=40)) == []
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


def test_a_projector_that_takes_over_fills_the_gap_from_where_it_is(it: World) -> None:
    record_backwards(it, 8)
    with leaping():
        leap_over(it)
        for _ in range(6):
            it.runner.run_once()
        assert 0 < it.timeline.progress().waiting < 7
        it.runner.stop()
        it.another_runner().catch_up()
    assert_nothing_is_beside(it)
    assert_equals_log(it, it.log.head())


def test_what_a_leap_and_its_gap_both_say_is_one_row(it: World) -> None:
    """The end of a gap is a position like others: a later total stands as known from when it was recorded."""
    record_backwards(it, 4)
    with leaping():
        leap_over(it)
        assert {r["known_from"] for r in it.timeline.rectangles("long")} == {1, it.log.head()}
        it.runner.catch_up()
    (last,) = (r for r in it.timeline.rectangles("long") if r["valid_to"] is None and r["known_to"] is None)
    assert last["known_from"] == 2
    assert_as_if_nobody_had_leapt(it)


def test_what_is_so_before_a_gap_and_behind_it_and_not_within_is_three_rows(it: World) -> None:
    it.record("long", made())
    it.record("long", progress(5, "2024-03-01"))
    with leaping():
        it.runner.catch_up()
        it.record("long", progress(5, "2024-03-02"))  # it is folded at once, and the others wait
        wrong = it.record("long", said("PledgeRevised", "2024-04-01", reason="new plan", title="Help"))
        it.record("long", kept("EventVoided", "2024-04-02", wrong))
        it.record("long", progress(4, "2024-02-01"))
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


def test_a_gap_that_is_filled_at_once_has_what_held_for_one_event(it: World) -> None:
    record_backwards(it, 6)
    with leaping(slice_seconds=60.0):
        leap_over(it)
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


def test_a_slice_of_a_gap_that_is_thrown_away_is_folded_anew(it: World) -> None:
    record_backwards(it, 6)
    with leaping():
        leap_over(it)
        while it.timeline.progress().waiting > 3:
            it.runner.run_once()
        projector = it.runner._projector
        assert projector is not None
        projector._forget(["long"])
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


@pytest.mark.parametrize("which", [4, 6])
def test_an_event_of_a_gap_that_cannot_be_folded_is_parked_with_those_behind_it(it: World, which: int) -> None:
    record_backwards(it, 6)
    take = folded_pledge.FoldedPledge._take

    folded = []

    def refuses(pledge, parked):  # type: ignore[no-untyped-def]
        folded.append(parked.position)
        return KeyError("a rule is missing") if parked.position == which else take(pledge, parked)

    with leaping():
        leap_over(it)
        with patch.object(folded_pledge.FoldedPledge, "_take", refuses):
            it.runner.catch_up()
        assert [p.position for p in it.timeline.parked()] == list(range(which, 8))
        assert folded.count(3) == 1, "what is folded already is not folded anew on the projector's thread"
        document = it.one("long")
        assert document is not None
        assert STALE_FLAG in document["flags"]
        with table_writer.writing(it.engine).begin() as conn:
            table_writer.ask_again(conn, it.timeline.head().set)
        it.runner.run_once()
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


def test_a_leap_that_cannot_be_folded_finds_the_event_that_cannot(it: World) -> None:
    record_backwards(it, 6)
    take = folded_pledge.FoldedPledge._take

    def refuses(pledge, parked):  # type: ignore[no-untyped-def]
        return KeyError("a rule is missing") if parked.position == 5 else take(pledge, parked)

    with (
        leaping(),
        patch.object(folded_pledge, "fold_at_once", side_effect=KeyError("a rule is missing")),
        patch.object(folded_pledge.FoldedPledge, "_take", refuses),
    ):
        it.runner.catch_up()
    assert [p.position for p in it.timeline.parked()] == [5, 6, 7]


def test_an_event_that_is_parked_behind_a_gap_hides_no_gap(it: World) -> None:
    record_backwards(it, 6)
    with leaping():
        leap_over(it)
        it.record("long", progress(50, "2024-06-01"))
        with patch.object(folded_pledge.FoldedPledge, "_take", lambda *_: KeyError("a rule is missing")):
            it.runner._projector._apply(it.log.read(7))  # type: ignore[union-attr]
        assert [p.position for p in it.timeline.parked()] == [8]
        assert it.timeline.waiting(8) == {"long": 2}
        assert it.timeline.stalled(it.clocks(position=8))["long"].first == 8
        it.runner.catch_up()
    assert it.timeline.waiting(8) == {}
    assert [p.position for p in it.timeline.parked()] == [8]


def test_a_pledge_of_which_something_is_withheld_is_leapt_over_anew(it: World) -> None:
    it.record("long", made())
    event = it.record("long", progress(1, "2024-02-01", summary="A secret."))
    for day in range(20, 10, -1):
        it.record("long", progress(day, f"2024-01-{day}"))
    with leaping():
        leap_over(it)
        while it.timeline.progress().waiting > 5:
            it.runner.run_once()
        it.log.withhold(event, ["summary"], reason="Ruling.", at=it.now, by="alice")
        take, folded = folded_pledge.FoldedPledge._take, []

        def counted(pledge, parked):  # type: ignore[no-untyped-def]
            folded.append(parked.position)
            return take(pledge, parked)

        with patch.object(folded_pledge.FoldedPledge, "_take", counted):
            it.runner._projector.withhold()  # type: ignore[union-attr]
        assert folded == []
        assert not any("secret" in str(row) for row in rows_of(it))
        assert it.timeline.progress().waiting == it.log.head() - 1
        for position in range(1, it.log.head() + 1):
            assert wrong_at(it, position, FIRST + timedelta(days=40)) == []
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


def test_a_set_that_is_built_answers_once_nothing_is_missing_in_it(it: World) -> None:
    it.record("long", made())
    it.runner.catch_up()
    index = rebuild._index

    def indexed(*given: Any) -> None:
        index(*given)
        for day in range(6, 0, -1):
            it.record("long", progress(day, (FIRST + timedelta(days=day)).isoformat()))
        it.runner.catch_up()

    with leaping(), patch.object(rebuild, "_index", indexed):
        it.runner.rebuild()
        assert it.timeline.progress().waiting == 0
        assert it.timeline.position() == it.log.head()
    assert_as_if_nobody_had_leapt(it)


def test_gaps_are_filled_one_after_the_other_and_one_pledge_is_in_memory(it: World) -> None:
    for pledge in ("one", "two", "three"):
        record_backwards(it, 5, pledge)
    with leaping():
        for pledge in ("one", "two", "three"):
            leap_over(it, pledge)
        held = set()
        while it.timeline.progress().waiting:
            gaps_of_all = it.runner._projector._long.gaps  # type: ignore[union-attr]
            held.add(sum(gap.pledge is not None for some in gaps_of_all.values() for gap in some))
            it.runner.run_once()
    assert max(held) == 1
    assert_as_if_nobody_had_leapt(it)


@pytest.mark.parametrize("at", ["leap", "fill"])
def test_rows_that_the_store_refuses_of_a_leap_or_a_gap_stop_nobody(it: World, at: str) -> None:
    record_backwards(it, 6)
    it.record("short", made())
    real, failures = getattr(gaps, at), [1]

    def refused(*given: Any) -> Any:
        if failures:
            failures.pop()
            raise DatabaseError("INSERT", None, ValueError("a value is out of range"))
        return real(*given)

    with leaping(), patch.object(gaps, at, refused):
        it.runner.catch_up()
        assert it.one("short") is not None
        assert not failures
        assert bool(it.timeline.parked()) == (at == "fill")
        with table_writer.writing(it.engine).begin() as conn:
            table_writer.ask_again(conn, it.timeline.head().set)
        it.runner.run_once()
        it.runner.catch_up()
    assert_as_if_nobody_had_leapt(it)


def test_a_repair_that_names_itself_is_looked_at_once(tmp_path: Path) -> None:
    """Nobody can record one, but a log may be tampered with."""
    with world(f"sqlite:///{tmp_path}/tracker.db") as it:
        it.record("long", made())
        report = it.record("long", progress(1, "2024-02-01"))
        repair = it.record("long", kept("EventVoided", "2024-03-01", report))
        *before, last = [folded_pledge.unfolded(row) for row in it.log.pledge_rows("long", it.log.head())]
    ring = replace(last, line=last.line.replace(report.encode(), repair.encode()))
    assert not folded_pledge.FoldedPledge().is_worth_leaping([*before, ring])


@pytest.mark.parametrize(
    ("count", "order", "is_worth"),
    [(300, "oldest first", False), (300, "newest first", True), (300, "shuffled", True), (20, "newest first", False)],
)
def test_only_what_is_much_sooner_done_at_once_is_leapt_over(
    count: int, order: str, is_worth: bool, tmp_path: Path
) -> None:
    days = [(FIRST + timedelta(days=day)).isoformat() for day in range(1, count + 1)]
    if order == "newest first":
        days.reverse()
    elif order == "shuffled":
        Random(3).shuffle(days)
    with world(f"sqlite:///{tmp_path}/tracker.db") as it:
        facts = [made(), *(progress(number, day) for number, day in enumerate(days))]
        drafts = [Draft("long", read_fact(fact), event_id(it.now, it.random.randbytes(10))) for fact in facts]
        it.tracker.record(Request(tuple(drafts), "tester", it.now))
        waiting = [folded_pledge.unfolded(row) for row in it.log.pledge_rows("long", it.log.head())]
    assert folded_pledge.FoldedPledge().is_worth_leaping(waiting) is is_worth
