"""What SQLite prepares on a connection of the log is kept: to prepare a statement takes longer than to answer it."""

import sqlite3
from collections.abc import Iterator

import pytest

from tests.support.log_lines import append, line
from tracker.log.open import open_recorder
from tracker.log.recorder import LogRecorder
from tracker.log.sqlite import SQLiteLog


@pytest.fixture
def log(sqlite_url: str) -> Iterator[SQLiteLog]:
    opened = open_recorder(sqlite_url)
    assert isinstance(opened, SQLiteLog)
    yield opened
    opened.close()


def work(log: LogRecorder, version: int) -> None:
    append(log, line("aid", version))
    log.look_on(version - 1, 10)
    log.heads(["aid"], version)
    log.version("aid")
    assert log.head() == version


def test_no_statement_is_prepared_twice(log: SQLiteLog) -> None:
    work(log, 1)
    prepared: list[str] = []

    def preparing(action: int, what: str | None, *_: str | None) -> int:
        # Pragmas are prepared each time, and the module prepares a COMMIT of its own.
        if action != sqlite3.SQLITE_PRAGMA and what != "COMMIT":
            prepared.append(str(what))
        return sqlite3.SQLITE_OK

    with log._connection() as (_, conn):
        conn.set_authorizer(preparing)  # with it everything is prepared once more
    work(log, 2)
    assert prepared
    prepared.clear()
    work(log, 3)
    assert prepared == []
