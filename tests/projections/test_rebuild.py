"""A rebuild stands beside what answers until it is whole; whatever cuts it short, nothing has changed."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

import pytest
from sqlalchemy.exc import DatabaseError

from projections import rebuild, table_writer
from projections.queries import TIMELINE, Filters
from projections.runner import PROJECTION_VERSION, Busy, ProjectionRunner
from projections.tables import open_engine, prepare
from tests.support.timelines import World, assert_equals_log, made, progress, reach, world
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.log.open import open_recorder


@pytest.fixture
def it(database_url: str) -> Iterator[World]:
    with world(database_url) as made_world:
        yield made_world


def test_a_rebuild_switches_and_leaves_nothing_behind(it: World) -> None:
    it.seed()
    it.runner.catch_up()
    before = list(it.timeline.export(it.clocks()))
    seen: list[tuple[int, int]] = []
    assert it.runner.rebuild(lambda done, of: seen.append((done, of))) == it.log.head()
    assert seen[-1] == (it.log.head(), it.log.head())
    assert list(it.timeline.export(it.clocks())) == before
    with it.engine.connect() as conn:
        assert [(s.number, s.active) for s in table_writer.states(conn, TIMELINE)] == [(2, True)]
        assert not it.engine.dialect.has_table(conn, "timeline_1")
    it.record("aid", made())
    assert it.runner.run_once() == 1
    assert_equals_log(it, it.log.head())


def test_a_rebuild_in_buckets_is_the_same(it: World) -> None:
    it.seed()
    it.runner.catch_up()
    before = list(it.timeline.export(it.clocks()))
    with patch.object(rebuild, "BUCKET_EVENTS", 7), patch.object(rebuild, "CHUNK_EVENTS", 5):
        it.runner.rebuild()
    assert list(it.timeline.export(it.clocks())) == before
    assert_equals_log(it, it.log.head())


@pytest.mark.slow
def test_a_rebuild_in_several_processes_is_the_same(sqlite_url: str) -> None:
    with world(sqlite_url) as it, patch.object(rebuild, "CHUNK_EVENTS", 20):
        it.seed()
        it.runner.rebuild(processes=2)
        assert_equals_log(it, it.log.head())


def test_what_is_recorded_during_a_rebuild_is_in_it_and_no_read_sees_it_half_built(it: World) -> None:
    it.seed()
    it.runner.catch_up()
    whole = it.timeline.page(Filters(), it.clocks()).total

    def meanwhile(done: int, of: int) -> None:
        assert it.timeline.page(Filters(status=("overdue", "met")), it.clocks(), limit=1).total > 0
        assert it.timeline.page(Filters(), it.clocks()).total == whole + (done == of)
        if done < of:
            it.record("aid", made())
            it.runner.run_once()

    with patch.object(rebuild, "CHUNK_EVENTS", 60):
        assert it.runner.rebuild(meanwhile) == it.log.head()
    assert it.one("aid") is not None
    assert_equals_log(it, it.log.head())


def test_a_rebuild_that_was_cut_short_changes_nothing(it: World) -> None:
    it.seed()
    it.runner.catch_up()

    def dies(done: int, of: int) -> None:
        raise MemoryError("killed")

    with pytest.raises(MemoryError):
        it.runner.rebuild(dies)
    assert_equals_log(it, it.log.head())
    assert it.timeline.progress().set == 1
    it.runner.rebuild()
    with it.engine.connect() as conn:
        assert [(s.number, s.active) for s in table_writer.states(conn, TIMELINE)] == [(2, True)]
    assert_equals_log(it, it.log.head())


def test_one_rebuild_at_a_time(it: World) -> None:
    it.record("aid", made())
    other = it.another_runner()

    def meanwhile(done: int, of: int) -> None:
        with pytest.raises(Busy):
            other.rebuild()

    it.runner.rebuild(meanwhile)


def test_rows_made_by_other_rules_are_rebuilt_while_they_answer(it: World) -> None:
    it.record("aid", made())
    it.runner.catch_up()
    it.runner.stop()
    newer = it.another_runner(version="2")
    newer.start()
    it.record("aid", progress(10, "2024-02-01"))
    reach(newer, 2)
    assert newer._rebuild_thread is not None
    newer._rebuild_thread.join(HANG_SECONDS)
    assert (it.timeline.progress().version, it.timeline.progress().set) == ("2", 2)
    assert_equals_log(it, 2)


def test_after_a_rollback_the_older_release_builds_its_own_rows_beside_the_newer_ones(it: World) -> None:
    it.record("aid", made())
    newer = it.another_runner(version="99")
    newer.rebuild()
    newer.stop()
    assert it.timeline.progress().version == "99"
    it.runner.start()
    it.record("aid", progress(10, "2024-02-01"))
    reach(it.runner, 2)
    assert it.one("aid") is not None
    assert it.runner._rebuild_thread is not None
    it.runner._rebuild_thread.join(HANG_SECONDS)
    assert it.timeline.progress().version == PROJECTION_VERSION
    assert_equals_log(it, 2)


def test_an_empty_projection_far_behind_is_built_in_bulk(it: World) -> None:
    it.seed()
    with patch("projections.runner.BULK_EVENTS", 10):
        it.runner.catch_up()
    assert it.timeline.progress().set == 2
    assert_equals_log(it, it.log.head())


def test_no_set_answers_twice(it: World) -> None:
    it.runner.run_once()
    with it.engine.begin() as conn, pytest.raises(DatabaseError):
        conn.execute(table_writer.STATE.insert().values(name=TIMELINE, set=9, version="1", position=0, active=True))


def test_the_projectors_role_may_make_tables_in_its_own_schema_and_nowhere_else(postgres_url: str) -> None:
    role, password = f"app_{uuid.uuid4().hex}", uuid.uuid4().hex
    url = urlsplit(postgres_url)
    host = url.netloc.rpartition("@")[2]
    theirs = urlunsplit(url._replace(netloc=f"{role}:{password}@{host}"))
    with world(postgres_url) as owner:
        owner.record("aid", made())
        with owner.engine.begin() as conn:
            conn.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
            conn.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        owner.log.grant_append_only(role)  # type: ignore[attr-defined]
        prepare(owner.engine, app_role=role)
        prepare(owner.engine, app_role=role)
        log, engine = open_recorder(theirs, create_table=False), open_engine(theirs)
        runner = ProjectionRunner(theirs, log, lambda: owner.now, engine=engine)
        try:
            runner.catch_up()
            runner.rebuild()
            assert runner.run_once() == 0
            assert_equals_log(owner, 1)
            with engine.connect() as conn, pytest.raises(DatabaseError, match="permission denied for schema public"):
                conn.exec_driver_sql("CREATE TABLE public.mine (a int)")
        finally:
            runner.stop()
            engine.dispose()
            log.close()
            with owner.engine.begin() as conn:
                conn.exec_driver_sql(f"DROP OWNED BY {role}")
                conn.exec_driver_sql(f"DROP ROLE {role}")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_the_process_it_works_for(how: signal.Signals) -> None:
    script = (
        "import os, time; from tracker.in_processes import each_in_processes\n"
        "if __name__ == '__main__': list(each_in_processes(time.sleep, [3600.0, 3600.0], 2))"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not tasks.exists():
            process.kill()
            pytest.skip("only Linux tells the children of a process")
        wait_until(lambda: len(_workers(tasks)) == 2, process)
        workers = _workers(tasks)
        process.send_signal(how)
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def _workers(tasks: Path) -> list[str]:
    """The children that work: one more keeps count of what they share."""
    found = []
    for child in tasks.read_text().split():
        with contextlib.suppress(FileNotFoundError):
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                found.append(child)
    return found
