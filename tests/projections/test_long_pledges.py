"""One pledge with very many facts holds up no other: its events wait, and it says how far it is until then."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from unittest.mock import patch

import pytest

from projections import folded_pledge, long_pledges
from projections.verify import compare
from tests.support.timelines import World, assert_equals_log, made, progress
from tests.support.waiting import wait_until
from tracker.rules.replayed import STALE_FLAG

FIRST = date(2024, 1, 1)


@pytest.fixture
def it(database_url: str) -> Iterator[World]:
    world = World(database_url)
    try:
        yield world
    finally:
        world.close()


def record_long(it: World, count: int, order: str) -> None:
    """A pledge with a running total of each day, and behind it another one with a single fact."""
    it.record("long", made())
    days = [FIRST + timedelta(days=day) for day in range(1, count + 1)]
    ordered = days[::-1] if order == "newest first" else days
    if order == "shuffled":
        Random(5).shuffle(ordered)
    for day in ordered:
        it.record("long", progress(day.toordinal() - FIRST.toordinal(), day.isoformat()))
    it.record("short", made())


@pytest.mark.parametrize("order", ["oldest first", "newest first", "shuffled"])
def test_another_pledge_is_seen_while_a_long_one_waits_and_says_how_far_it_is(it: World, order: str) -> None:
    record_long(it, 12, order)
    with patch.object(long_pledges, "SHARE_SECONDS", -1.0), patch.object(long_pledges, "SLICE_SECONDS", -1.0):
        it.runner.run_once()
        assert it.timeline.position() == it.log.head()
        assert it.one("short") is not None
        waiting = it.timeline.progress().waiting
        assert 0 < waiting <= 13
        assert it.timeline.parked() == []
        assert [mismatch for mismatch in compare(it.log, it.timeline, it.clocks()) if mismatch] == []
        seen = []
        while it.timeline.progress().waiting:
            document = it.one("long")
            if document is not None:
                assert STALE_FLAG in document["flags"]
                assert document["position"] == document["version"] <= 13
                seen.append(document["version"])
                assert [m for m in compare(it.log, it.timeline, it.clocks()) if m] == []
            it.runner.run_once()
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    document = it.one("long")
    assert document is not None
    assert STALE_FLAG not in document["flags"]
    assert document["version"] == 13
    assert_equals_log(it, it.log.head())


def test_a_projector_that_takes_over_goes_on_where_the_long_pledge_stands(it: World) -> None:
    record_long(it, 8, "oldest first")
    with patch.object(long_pledges, "SHARE_SECONDS", -1.0), patch.object(long_pledges, "SLICE_SECONDS", -1.0):
        for _ in range(4):
            it.runner.run_once()
        it.runner.stop()
        assert it.timeline.progress().waiting
        it.record("long", progress(99, "2024-09-01"))
        it.another_runner().catch_up()
    assert it.timeline.progress().waiting == 0
    assert_equals_log(it, it.log.head())


def test_an_event_that_changes_many_days_waits_however_quick_it_may_be(it: World) -> None:
    record_long(it, 8, "oldest first")
    it.runner.catch_up()
    with patch.object(folded_pledge, "SHARE_STEPS", 60):
        it.record("long", progress(50, "2024-02-01"))
        it.runner.run_once()
        assert it.timeline.progress().waiting == 0
        it.record("long", progress(51, "2024-01-02"))
        it.record("long", progress(52, "2024-02-03"))
        it.runner.run_once()
        assert it.timeline.progress().waiting == 2
        it.runner.catch_up()
    assert_equals_log(it, it.log.head())


def test_a_waiting_event_that_cannot_be_folded_is_parked_with_those_behind_it(it: World) -> None:
    record_long(it, 8, "oldest first")
    take = folded_pledge.FoldedPledge._take

    def refuses(pledge, parked):  # type: ignore[no-untyped-def]
        return KeyError("a rule is missing") if parked.position == 6 else take(pledge, parked)

    with patch.object(long_pledges, "SHARE_SECONDS", -1.0), patch.object(folded_pledge.FoldedPledge, "_take", refuses):
        it.runner.catch_up()
    assert [p.position for p in it.timeline.parked()] == [6, 7, 8, 9]
    assert it.timeline.progress().waiting == 0
    document = it.one("long")
    assert document is not None
    assert STALE_FLAG in document["flags"]


def test_a_running_projector_needs_no_new_event_to_go_on(it: World) -> None:
    record_long(it, 8, "newest first")
    with patch.object(long_pledges, "SHARE_SECONDS", -1.0), patch.object(long_pledges, "SLICE_SECONDS", -1.0):
        it.runner.start()
        wait_until(lambda: it.timeline.position() == it.log.head() and it.timeline.progress().waiting == 0)
        it.runner.stop()
    assert_equals_log(it, it.log.head())
