"""A turn of the projector on SQLite: one transaction, whose statements are made once, does all of it or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from projections import table_writer
from projections.connections import sqlite_transaction
from tests.support.long_way import dying_after
from tests.support.timelines import World, assert_equals_log, made, progress, world
from tracker.errors import Unavailable


@pytest.fixture
def it(sqlite_url: str) -> Iterator[World]:
    with world(sqlite_url) as made_world:
        yield made_world


def never(*_: object) -> None:
    raise AssertionError("a turn is written at once")


def test_a_turn_puts_no_statement_together(it: World) -> None:
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))
    asked: list[str] = []
    event.listen(it.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with patch.object(table_writer, "write", never):
        assert it.runner.run_once() == 1
    assert not [statement for statement in asked if not statement.startswith(("SELECT", "BEGIN", "PRAGMA"))]
    assert_equals_log(it, 2)


@pytest.mark.parametrize("tables", [0, 1, 2, 3])
def test_a_turn_that_is_cut_off_has_written_nothing(it: World, tables: int) -> None:
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))
    with dying_after(tables), pytest.raises(MemoryError):
        it.runner.run_once()
    assert it.timeline.position() == 1
    assert_equals_log(it, 1)
    assert it.runner.run_once() == 1
    assert_equals_log(it, 2)


def test_rows_that_the_file_refuses_park_their_event_alone(it: World) -> None:
    for pledge in ("one", "two", "three"):
        it.record(pledge, made())
    it.runner.run_once()
    with it.engine.begin() as conn:
        refused = "WHEN NEW.pledge = 'two' AND NEW.known_from > 3 BEGIN SELECT RAISE(ABORT, 'no'); END"
        conn.execute(text(f"CREATE TRIGGER no_two BEFORE INSERT ON timeline_1 {refused}"))
    for pledge in ("one", "two", "three"):
        it.record(pledge, progress(20, "2024-06-01"))
    it.runner.catch_up()
    assert [(p.position, p.pledge) for p in it.timeline.parked()] == [(5, "two")]
    assert it.timeline.position() == 6


def test_a_connection_that_failed_is_not_used_again_and_one_that_was_only_left_is(it: World) -> None:
    it.runner.run_once()
    with sqlite_transaction(it.engine) as conn:
        used = conn
    with suppress(KeyError), sqlite_transaction(it.engine) as conn:
        conn.execute("DELETE FROM projection_state")
        raise KeyError
    with sqlite_transaction(it.engine) as conn:
        assert conn is used
        assert conn.execute("SELECT count(*) FROM projection_state").fetchone() == (1,)
    wrong = {"SELECT * FROM nothing": OperationalError, "INSERT INTO projection_state DEFAULT VALUES": DatabaseError}
    for statement, raised in wrong.items():
        with pytest.raises(raised), sqlite_transaction(it.engine) as conn:
            conn.execute(statement)
        with sqlite_transaction(it.engine) as conn:
            assert conn is not used
            used = conn


def test_a_turn_of_a_reader_that_had_its_time_is_not_interrupted(it: World) -> None:
    """A connection of the pool remembers what its last statement was allowed."""
    it.runner.run_once()
    with it.engine.connect() as conn:
        conn.execute(text("SELECT 1"))
        conn.info["time"]._until = -1.0
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n"
    with sqlite_transaction(it.engine) as conn:
        assert conn.execute(counted).fetchone() == (1_000_000,)


def test_a_damaged_file_parks_nothing_and_is_read_again_when_it_is_mended(it: World) -> None:
    for pledge in ("one", "two"):
        it.record(pledge, made())
    it.runner.run_once()
    path = Path(it.url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as conn:
        (page,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'timeline_1_ratio'").fetchone()
        (size,) = conn.execute("PRAGMA page_size").fetchone()
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    for pledge in ("one", "two"):
        it.record(pledge, progress(20, "2024-06-01"))
    for _ in range(2):
        with pytest.raises(Unavailable, match="malformed"):
            it.runner._follow()
    assert it.timeline.position() == 2
    assert it.timeline.parked() == []
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(whole[(page - 1) * size : page * size])
    it.runner.catch_up()
    assert it.timeline.parked() == []
    assert_equals_log(it, 4)


@pytest.mark.parametrize(
    "error", [sqlite3.DatabaseError("file is not a database"), sqlite3.OperationalError("unable to open database file")]
)
def test_a_file_that_cannot_be_opened_is_a_store_that_is_away(it: World, error: sqlite3.Error) -> None:
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))
    it.engine.dispose()

    def fails(*_: object) -> None:
        raise error

    event.listen(it.engine, "connect", fails)
    with pytest.raises(Unavailable, match=str(error)):
        it.runner._follow()
    event.remove(it.engine, "connect", fails)
    it.runner.catch_up()
    assert_equals_log(it, 2)


def test_connections_like_one_that_takes_no_writes_are_not_used_again(it: World) -> None:
    it.record("aid", made())
    it.runner.run_once()
    it.record("aid", progress(20, "2024-06-01"))
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(it.engine.connect()).exec_driver_sql("PRAGMA query_only = 1")
    with pytest.raises(OperationalError, match="readonly"):
        it.runner.run_once()
    assert it.runner.run_once() == 1
    assert_equals_log(it, 2)


def test_a_misuse_of_the_module_parks_nothing(it: World) -> None:
    with pytest.raises(InterfaceError), sqlite_transaction(it.engine):
        raise sqlite3.InterfaceError("bad parameter or other API misuse")
