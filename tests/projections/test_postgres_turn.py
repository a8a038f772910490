"""A turn of the projector on PostgreSQL: one script, which does all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import psycopg
import pytest

from projections import postgres_turn, session_lock, table_writer
from tests.support.replicas import Standby
from tests.support.round_trips import round_trips
from tests.support.stores import own_postgres_server, postgres_database
from tests.support.timelines import World, assert_equals_log, made, progress, world
from tests.support.waiting import wait_until


@pytest.fixture
def it(postgres_url: str) -> Iterator[World]:
    with world(postgres_url) as made_world:
        yield made_world


def never(*_: object) -> None:
    raise AssertionError("the script is the way of few rows")


def test_few_rows_are_two_round_trips(it: World) -> None:
    """A look at the log and its new events, and the script."""
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))
    still = patch.object(session_lock, "SESSION_SECONDS", 3600.0)
    with still, round_trips() as made_trips, patch.object(table_writer, "write", never):
        assert it.runner.run_once() == 1
    assert len(made_trips) == 2
    assert_equals_log(it, 2)


def test_a_script_that_is_cut_off_has_written_nothing(it: World) -> None:
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))
    ended = postgres_turn._SCRIPT.replace("COMMIT", "SELECT pg_terminate_backend(pg_backend_pid()); COMMIT")
    with (
        patch.object(postgres_turn, "_SCRIPT", ended),
        patch.object(table_writer, "write", side_effect=MemoryError),
        pytest.raises(MemoryError),
    ):
        it.runner.run_once()
    assert it.timeline.position() == 1
    assert it.runner.run_once() == 1
    assert_equals_log(it, 2)


def test_a_turn_whose_answer_was_lost_is_not_written_twice(it: World) -> None:
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))
    lost = f"{postgres_turn._SCRIPT}; SELECT pg_terminate_backend(pg_backend_pid())"
    with patch.object(postgres_turn, "_SCRIPT", lost):
        it.runner.run_once()
    assert it.timeline.position() == 2
    it.record("aid", progress(30, "2024-07-01"))
    assert it.runner.run_once() == 1
    assert_equals_log(it, 3)


def test_rows_that_the_server_refuses_in_the_script_park_their_event_alone(it: World) -> None:
    for pledge in ("one", "two", "three"):
        it.record(pledge, made())
    it.runner.run_once()
    with psycopg.connect(it.url, autocommit=True) as conn:
        conn.execute("ALTER TABLE projections.timeline_1 ADD CHECK (pledge <> 'two' OR known_from < 4)")
    for pledge in ("one", "two", "three"):
        it.record(pledge, progress(20, "2024-06-01"))
    it.runner.catch_up()
    assert [(p.position, p.pledge) for p in it.timeline.parked()] == [(5, "two")]
    assert it.timeline.position() == 6


def test_what_a_crash_of_the_server_takes_is_read_from_the_log_again() -> None:
    """The projector's commits do not wait for the disk, those of the log do."""
    with TemporaryDirectory(prefix="tracker-crash-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with own_postgres_server(folder) as first, postgres_database(first) as url:
            server = Standby(url, folder / "crashing")
            server.make()
            server.promote()
            with psycopg.connect(server.url, autocommit=True) as conn:
                conn.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
                conn.execute("SELECT pg_reload_conf()")
            try:
                _crash_and_go_on(server)
            finally:
                server.stop()


def _crash_and_go_on(server: Standby) -> None:
    with world(server.url) as it:
        it.record("aid", made())
        it.runner.run_once()
        it.record("aid", progress(20, "2024-06-01"))
        assert it.runner.run_once() == 1
        server.stop()
        server.start()
        wait_until(lambda: answers(server.url))
    with world(server.url) as it:
        assert (it.log.head(), it.timeline.position()) == (2, 1)
        it.runner.catch_up()
        assert_equals_log(it, 2)


def answers(url: str) -> bool:
    try:
        with closing(psycopg.connect(url)) as conn:
            return conn.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,)
    except psycopg.OperationalError:
        return False
