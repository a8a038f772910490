"""Parked events are tried again when an operator asks for it, by whichever process projects."""

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from projections import folded_pledge, table_writer
from projections.parked import try_again
from projections.runner import Busy
from tests.projections.test_runner import broken
from tests.support.shell import Shell
from tests.support.timelines import World, assert_equals_log, made, progress
from tests.support.waiting import HANG_SECONDS
from tracker.errors import UnreadableEvent
from tracker.event import Event
from tracker.rules.replayed import STALE_FLAG


@pytest.fixture
def it(database_url: str) -> Iterator[World]:
    world = World(database_url)
    try:
        yield world
    finally:
        world.close()


def parked_one(it: World) -> None:
    """A pledge whose second event could not be read by the version that projected it, and a third event behind it."""
    it.record("aid", made())
    it.record("aid", progress(10, "2024-02-01"))
    it.record("aid", progress(20, "2024-03-01"))
    it.record("shells", made())
    with patch.object(Event, "read", broken(2)):
        it.runner.catch_up()
    assert [p.position for p in it.timeline.parked()] == [2, 3]


def unreadable_at(position: int) -> Callable[..., Event]:
    """`Event.read` of a version that cannot read the event at that position."""
    read = Event.read

    def reads(_cls: type[Event], line: bytes, at: int, pledge: str = "") -> Event:
        if at == position:
            raise UnreadableEvent(at, pledge, line, "of a newer version")
        return read(line, at, pledge)

    return reads


def test_where_no_process_projects_they_are_tried_by_who_asks(it: World) -> None:
    parked_one(it)
    it.runner.stop()
    freed, left = try_again(it.engine, it.timeline, it.another_runner(), seconds=HANG_SECONDS)
    assert ([p.position for p in freed], left) == ([2, 3], [])
    assert STALE_FLAG not in (it.one("aid") or {})["flags"]
    assert (it.one("aid") or {})["actual"]["value"] == "20"


def test_beside_a_process_that_projects_they_are_tried_by_that_one(it: World) -> None:
    parked_one(it)
    it.runner.start()
    other = it.another_runner()
    freed, left = try_again(it.engine, it.timeline, other, seconds=HANG_SECONDS)
    assert ([p.position for p in freed], left) == ([2, 3], [])
    assert not other.is_active


def test_what_still_cannot_be_read_stays_parked_with_its_reason(it: World) -> None:
    parked_one(it)
    with patch.object(Event, "read", broken(3)):
        freed, left = try_again(it.engine, it.timeline, it.runner, seconds=HANG_SECONDS)
    assert [p.position for p in freed] == [2]
    assert [(p.position, p.error) for p in left] == [(3, "KeyError: 'an upcast is missing'")]
    assert (it.one("aid") or {})["actual"]["value"] == "10"


def test_a_process_that_projects_and_never_tries_is_told(it: World) -> None:
    parked_one(it)
    assert it.runner.is_active
    with pytest.raises(Busy, match="has not tried them again"):
        try_again(it.engine, it.timeline, it.another_runner(), seconds=0.2)


def test_a_pledge_that_another_version_folded_is_blocked_and_the_rest_goes_on(it: World) -> None:
    """After a rollback: the tables have an event that this version cannot read."""
    it.record("aid", made())
    it.record("aid", progress(10, "2024-02-01"))
    it.runner.catch_up()
    it.runner.stop()
    it.record("aid", progress(20, "2024-03-01"))
    it.record("shells", made())
    with patch.object(Event, "read", classmethod(unreadable_at(2))):
        it.another_runner().catch_up()
        (parked,) = it.timeline.parked()
    assert (parked.position, parked.error) == (3, "event 2 before it: of a newer version")
    assert (it.one("aid") or {})["actual"]["value"] == "10"
    assert it.one("shells") is not None


def test_the_command_says_what_is_freed(it: World, tmp_path: Path) -> None:
    parked_one(it)
    it.runner.stop()
    shell = Shell(it.url, tmp_path)
    assert "event 2" in shell.run("parked", code=1).stdout.replace("waits for event 2", "event 2")
    told = shell.run("parked", "--retry")
    assert "Event 2 of aid is folded now." in told.stderr
    assert "No event is parked." in told.stderr
    assert shell.run("parked").stdout == ""


@pytest.mark.parametrize("how", ["asked", "another event"])
def test_very_many_behind_a_parked_event_wait_for_their_turn_once_it_can_be_folded(it: World, how: str) -> None:
    it.record("aid", made())
    for day in range(9, 1, -1):
        it.record("aid", progress(day, f"2024-02-0{day}"))
    with patch.object(Event, "read", broken(2)):
        it.runner.catch_up()
    assert [p.position for p in it.timeline.parked()] == [*range(2, 10)]
    projector = it.runner._projector
    assert projector is not None
    with patch.object(folded_pledge, "TAKEN_AT_ONCE", 3):
        with patch.object(Event, "read", broken(2)):
            it.record("aid", progress(30, "2024-04-01"))
            it.runner.run_once()
        assert [p.error for p in it.timeline.parked()][1:] == ["it waits for event 2 of the same pledge"] * 8
        if how == "asked":
            with table_writer.writing(it.engine).begin() as conn:
                table_writer.ask_again(conn, it.timeline.head().set)
        else:
            it.record("aid", progress(31, "2024-04-02"))
        it.runner.run_once()
        assert it.timeline.parked() == []
        assert it.timeline.progress().waiting > 3
        assert projector.projected.parked == it.timeline.head().parked
        assert STALE_FLAG in (it.one("aid") or {})["flags"]
        it.runner.catch_up()
    assert projector.projected.parked == it.timeline.head().parked == 0
    assert_equals_log(it, it.log.head())
