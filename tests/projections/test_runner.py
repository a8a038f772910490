"""The projector goes on whatever happens: crashes, events it cannot fold, a store that is away, others beside it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from projections import projector, table_writer
from projections.queries import SORTS, Filters
from projections.runner import ProjectionRunner
from tests.support.long_way import long_way
from tests.support.timelines import World, assert_equals_log, kept, made, progress, reach, world
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.errors import Unavailable
from tracker.event import Event
from tracker.log.rows import NewLogRow
from tracker.rules.replayed import STALE_FLAG


@pytest.fixture
def it(database_url: str) -> Iterator[World]:
    with world(database_url) as made_world:
        yield made_world


def reported(it: World, pledge: str = "aid") -> str | None:
    actual = (it.one(pledge) or {"actual": None})["actual"]
    return None if actual is None else actual["value"]


def nonsense(it: World, pledge: str, version: int) -> int:
    """Record bytes that are no event; their position."""
    it.now += timedelta(minutes=1)
    line = NewLogRow(pledge, version, "ProgressReported", f"nonsense-{pledge}-{version}", b"not\njson", it.now)
    it.tracker.writer.pledges.forget([pledge])
    return it.log.append([line], restamp=lambda state, _: state)[0].position


# Batches


def test_the_log_is_followed_in_batches(it: World) -> None:
    runner = it.another_runner(batch=2)
    it.record("aid", made())
    for value in (10, 20, 30):
        it.record("aid", progress(value, f"2024-0{value // 10 + 1}-01"))
    assert [runner.run_once() for _ in range(3)] == [2, 2, 0]
    assert it.timeline.position() == 4
    assert reported(it) == "30"


def test_a_costly_batch_is_written_as_far_as_it_got(it: World) -> None:
    it.record("aid", made())
    it.record("aid", progress(20, "2024-06-01"))
    with patch.object(projector, "FOLD_SECONDS", 0.0):
        assert (it.runner.run_once(), it.timeline.position()) == (1, 1)
        assert (it.runner.run_once(), it.timeline.position()) == (1, 2)
    assert_equals_log(it, 2)


def test_several_new_events_of_one_pledge_in_one_batch_each_have_their_time(it: World) -> None:
    it.record("aid", made())
    wrong = it.record("aid", progress(209, "2024-02-01"))
    it.record("aid", kept("EventCorrected", "2024-02-02", wrong, changes={"figure": {"quantity": {"value": "20.9"}}}))
    it.record("aid", progress(30, "2024-01-20", publisher="Archive"))
    assert it.runner.run_once() == 4
    values = [(it.one("aid", "2024-02-05", position) or {})["actual"] for position in (1, 2, 3, 4)]
    assert [value and value["value"] for value in values] == [None, "209", "20.9", "20.9"]
    assert_equals_log(it, 4)


def test_rows_and_position_are_written_together_or_not_at_all(it: World) -> None:
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))

    def dies(*_: Any) -> None:
        raise MemoryError("killed")

    with long_way(), patch.object(table_writer, "write_parked", dies), pytest.raises(MemoryError):
        it.runner.run_once()
    assert it.timeline.position() == 1
    assert reported(it) is None
    assert it.runner.run_once() == 1
    assert reported(it) == "20"
    assert_equals_log(it, 2)


def test_a_projector_that_was_overtaken_begins_where_the_set_stands(it: World) -> None:
    it.record("aid", made())
    it.runner.run_once()
    slow = projector.Projector(it.engine, it.log, 1, lambda: "now", active=True)
    it.record("aid", progress(20, "2024-06-01"))
    it.runner.run_once()
    with pytest.raises(table_writer.Superseded):
        slow.step(10)
    slow.refresh()
    assert (slow.position, slow.step(10)) == (2, 0)
    assert_equals_log(it, 2)


def test_pledges_that_left_the_memory_are_read_again(it: World) -> None:
    with patch.object(projector, "CACHED_EVENTS", 1):
        for pledge in ("aid", "shells"):
            it.record(pledge, made())
        for value in (10, 20):
            for pledge in ("aid", "shells"):
                it.record(pledge, progress(value, f"2024-0{value // 10}-01"))
            it.runner.run_once()
    assert (reported(it), reported(it, "shells")) == ("20", "20")
    assert_equals_log(it, 6)


# Events that cannot be folded


def test_an_event_that_cannot_be_read_is_parked_and_the_rest_goes_on(
    it: World, caplog: pytest.LogCaptureFixture
) -> None:
    it.record("aid", made())
    bad = nonsense(it, "aid", 2)
    it.record("shells", made())
    it.runner.catch_up()
    (parked,) = it.timeline.parked()
    assert (parked.position, parked.pledge, parked.line) == (bad, "aid", b"not\njson")
    assert "the stored line is broken" in parked.error
    assert it.timeline.progress().parked == 1
    clocks = it.clocks()
    documents = [json.loads(item) for item in it.timeline.page(Filters(), clocks).items]
    assert [(d["pledge"], STALE_FLAG in d["flags"]) for d in documents] == [("aid", True), ("shells", False)]
    flagged = it.timeline.page(Filters(flag=(STALE_FLAG,)), clocks)
    assert [json.loads(item)["pledge"] for item in flagged.items] == ["aid"]
    assert it.timeline.summary(Filters(), clocks)["flags"] == {STALE_FLAG: 1}
    assert STALE_FLAG not in (it.one("aid", position=1) or {})["flags"]
    for sort in SORTS:
        for order in ("", "-"):
            sorted_ = [json.loads(item) for item in it.timeline.page(Filters(), clocks, order + sort).items]
            assert [d["pledge"] for d in sorted_ if STALE_FLAG in d["flags"]] == ["aid"], sort
    assert all(STALE_FLAG in r["flags"] for r in it.timeline.rectangles("aid"))
    assert not any(
        STALE_FLAG in r["flags"] for r in it.timeline.rectangles("aid", 1) + it.timeline.rectangles("shells")
    )
    assert "event 2 of aid is parked, its pledge stays as it was: the stored line is broken" in caplog.text


def broken(position: int) -> Callable[..., Any]:
    """`Event.read`, unless it is the event at that position."""
    read = Event.read

    def reads(line: bytes, at: int, pledge: str = "") -> Event:
        if at == position:
            raise KeyError("an upcast is missing")
        return read(line, at, pledge)

    return reads


def test_a_parked_event_is_tried_again_when_the_next_one_of_its_pledge_arrives(it: World) -> None:
    it.record("aid", made())
    it.record("aid", progress(10, "2024-02-01"))
    with patch.object(Event, "read", broken(2)):
        it.runner.catch_up()
        it.record("aid", progress(20, "2024-03-01"))
        it.runner.catch_up()
    assert [p.position for p in it.timeline.parked()] == [2, 3]
    assert reported(it) is None
    it.record("aid", progress(30, "2024-04-01"))
    it.runner.catch_up()
    assert it.timeline.parked() == []
    assert STALE_FLAG not in (it.one("aid") or {})["flags"]
    assert_equals_log(it, 4)


def test_a_projector_that_starts_anew_knows_what_is_parked(it: World) -> None:
    it.record("aid", made())
    it.record("aid", progress(10, "2024-02-01"))
    with patch.object(Event, "read", broken(2)):
        it.runner.catch_up()
    it.runner.stop()
    it.record("aid", progress(20, "2024-03-01"))
    it.another_runner().catch_up()
    assert it.timeline.parked() == []
    assert_equals_log(it, 3)


def test_a_rebuild_tries_what_is_parked_and_parks_what_it_must(it: World) -> None:
    it.record("aid", made())
    it.record("aid", progress(10, "2024-02-01"))
    bad = nonsense(it, "shells", 1)
    with patch.object(Event, "read", broken(2)):
        it.runner.catch_up()
    assert [p.position for p in it.timeline.parked()] == [2, bad]
    it.runner.rebuild()
    assert [p.position for p in it.timeline.parked()] == [bad]
    assert reported(it) == "10"


def refusing(pledge: str) -> Callable[..., None]:
    """`table_writer.write`, unless it writes that pledge."""
    write = table_writer.write

    def writes(conn: Any, tables: Any, changes: Any) -> None:
        if any(c.open.timeline[1:] for name, c in changes.items() if name == pledge):
            raise DatabaseError("INSERT", None, ValueError("too long"))
        write(conn, tables, changes)

    return writes


@pytest.mark.parametrize("anew", [False, True])
def test_rows_that_the_store_refuses_park_their_event_alone(it: World, anew: bool) -> None:
    for pledge in ("one", "two", "three", "four"):
        it.record(pledge, made(window={"text": "some day"}, target=None, kind="qualitative", measurable=False))
    it.record("two", withdrawn())
    it.record("three", withdrawn())
    with long_way(), patch.object(table_writer, "write", refusing("two")):
        if anew:
            it.runner.rebuild()
        else:
            it.runner.catch_up()
    assert [(p.position, p.pledge) for p in it.timeline.parked()] == [(5, "two")]
    assert [json.loads(d)["status"] for d in it.timeline.export(it.clocks())] == [
        "not_measurable", "not_measurable", "withdrawn", "not_measurable",
    ]  # fmt: skip


def withdrawn() -> dict[str, Any]:
    return {
        "type": "PledgeWithdrawn", "stated_on": "2024-03-01", "reason": "no money",
        "source": {"publisher": "News", "tier": "media"},
    }  # fmt: skip


# One at a time


def test_one_works_and_the_others_stand_by_until_it_stops(it: World) -> None:
    standby = it.another_runner()
    it.record("aid", made())
    assert it.runner.run_once() == 1
    it.record("aid", progress(10, "2024-02-01"))
    assert standby.run_once() == 0
    assert (it.runner.is_active, standby.is_active, standby.position) == (True, False, 1)
    it.runner.stop()
    assert standby.run_once() == 1
    assert standby.is_active
    assert_equals_log(it, 2)


def test_a_standby_takes_over_by_itself(it: World) -> None:
    it.runner.start()
    it.record("aid", made())
    reach(it.runner, 1)
    standby = it.another_runner(poll=0.02)
    standby.start()
    it.record("aid", progress(10, "2024-02-01"))
    reach(standby, 2)
    it.runner.stop()
    it.record("aid", progress(20, "2024-03-01"))
    reach(standby, 3)
    assert standby.is_active
    assert_equals_log(it, 3)


def test_a_lost_session_gives_the_lease_up(postgres_url: str) -> None:
    with world(postgres_url) as it:
        it.record("aid", made())
        it.runner.run_once()
        with it.engine.connect() as conn:
            conn.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        other = it.another_runner()
        it.record("aid", progress(10, "2024-02-01"))
        assert other.run_once() + it.runner.run_once() == 1
        assert_equals_log(it, 2)


# In the background


def test_whoever_waits_is_told_and_needs_no_poll(it: World) -> None:
    runner = it.another_runner(poll=3600)
    runner.start()
    for version in range(1, 6):
        it.record("aid", made() if version == 1 else progress(version, f"2024-0{version}-01"))
        reach(runner, version)
        assert reported(it) == (None if version == 1 else str(version))
    assert runner.position == 5


def is_listened_to(it: World) -> bool:
    """Whether a session of the database waits for notifications: one sent before is lost."""
    with it.engine.connect() as conn:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %%'"
        return conn.exec_driver_sql(waiting).first() is not None


def test_postgres_wakes_the_projector_of_another_process(postgres_url: str) -> None:
    with world(postgres_url) as it:
        runner = it.another_runner(poll=3600)
        runner.start()
        it.record("aid", made())
        reach(runner, 1)
        wait_until(lambda: is_listened_to(it))
        seen = threading.Event()
        watcher = runner.watcher
        wake = watcher.wake
        with patch.object(watcher, "wake", side_effect=lambda: (seen.set(), wake())):
            it.record("aid", progress(10, "2024-02-01"))
            assert seen.wait(HANG_SECONDS)
        reach(runner, 2)


def test_a_process_without_a_projector_waits_for_the_others(it: World) -> None:
    bystander = it.another_runner()
    it.runner.run_once()
    it.runner.start()
    it.record("aid", made())
    it.runner.wake()
    assert bystander.catch_up() == 1
    assert not bystander.is_active


class Away:
    """A log whose store does not answer for a while."""

    def __init__(self, log: Any) -> None:
        self.log = log
        self.gone = threading.Event()
        self.asked = threading.Semaphore(0)

    def __getattr__(self, name: str) -> Any:
        if self.gone.is_set():
            self.asked.release()
            raise Unavailable("the store does not answer")
        return getattr(self.log, name)


def test_a_store_that_is_away_is_waited_for(it: World, caplog: pytest.LogCaptureFixture) -> None:
    log = Away(it.log)
    runner = ProjectionRunner(it.url, log, lambda: it.now, engine=it.engine, poll=0.01)  # type: ignore[arg-type]
    it.runners.append(runner)
    runner.start()
    it.record("aid", made())
    reach(runner, 1)
    with caplog.at_level(logging.WARNING):
        log.gone.set()
        for _ in range(3):
            assert log.asked.acquire(timeout=HANG_SECONDS)
        it.record("aid", progress(10, "2024-02-01"))
        log.gone.clear()
        reach(runner, 2)
    assert len([r for r in caplog.records if "cannot go on" in r.message]) == 1


def test_reads_say_that_the_store_is_away(it: World) -> None:
    it.record("aid", made())
    it.runner.run_once()

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT", None, Exception("server closed the connection"))

    with patch.object(type(it.timeline._engine), "connect", away), pytest.raises(Unavailable):
        it.timeline.position()


def test_the_heartbeat_goes_on_when_nothing_happens(it: World) -> None:
    it.runner.run_once()
    first = it.timeline.progress().heartbeat
    it.now += timedelta(seconds=2)
    it.runner.run_once()
    assert it.timeline.progress().heartbeat == first
    it.now += timedelta(seconds=2)
    it.runner.run_once()
    assert it.timeline.progress().heartbeat == "2026-01-01T00:00:04.000000Z"
    it.record("aid", made())
    assert (it.timeline.progress().lag, it.timeline.progress().head) == (1, 1)
