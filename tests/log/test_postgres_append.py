"""An append to PostgreSQL: one round trip, whatever happened on its connection before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from unittest.mock import patch

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError

from tests.support.log_lines import NOON, SECOND, append, line
from tests.support.round_trips import round_trips
from tests.support.waiting import wait_until
from tracker.log.open import KEPT_CONNECTIONS, open_recorder
from tracker.log.postgres import PostgresLog
from tracker.log.rows import LogRow
from tracker.log.statements import FORK

BEFORE = 2 * KEPT_CONNECTIONS
"""Appends after which the statement is prepared on each connection of the pool."""


@pytest.fixture
def log(postgres_url: str) -> Iterator[PostgresLog]:
    with closing(open_recorder(postgres_url)) as log:
        assert isinstance(log, PostgresLog)
        yield log


def never(*_: object) -> list[LogRow]:
    raise AssertionError("it is to be one round trip")


def test_an_append_is_one_round_trip(log: PostgresLog) -> None:
    log.datastore.pool.wait()
    for version in range(1, BEFORE + 1):
        append(log, line("p", version))
    own = line("p", BEFORE + 1, state=b"\x00'\\\xff")
    other = line("q", 1, key="it's", key_index=0, payload_hash=b"\\")
    with round_trips() as made, patch.object(log, "_append_locked", never):
        rows = append(log, own, other)
    assert len(made) == 1
    assert log.read(after=BEFORE) == rows
    assert [row.position for row in rows] == [BEFORE + 1, BEFORE + 2]


def test_what_was_prepared_may_be_forgotten(log: PostgresLog) -> None:
    """psycopg lets the server forget all that it prepared when a transaction is rolled back."""
    append(log, line("p", 1))
    append(log, line("p", 2, recorded_at=NOON - SECOND))
    with pytest.raises(IntegrityError):
        append(log, line("p", 2))
    with patch.object(log, "_append_locked", never):
        assert [row.position for row in append(log, line("p", 3))] == [3]
        with log.datastore.get_connection() as conn:
            conn.execute("DEALLOCATE ALL")
        assert [row.position for row in append(log, line("p", 4))] == [4]
    assert [row.version for row in log.read()] == [1, 2, 3, 4]


def test_who_waits_for_the_lock_sees_what_was_written_meanwhile(log: PostgresLog, postgres_url: str) -> None:
    """What is checked is looked at once the lock is held: here a fork comes first, which takes no position."""
    append(log, line("p", 1))
    log.look()
    basis = log.guard.basis()
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    fork = FORK.format(**log.names).replace(":log", "'another'").replace(":reason", "'put back'")
    with psycopg.connect(postgres_url) as other, ThreadPoolExecutor(1) as threads:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (log._lock_key,))
        appended = threads.submit(log._append_at_once, [line("p", 2)], lambda state, _: state, basis)
        wait_until(lambda: other.execute(waiting).fetchone() == (1,))
        other.execute(fork.encode())
        other.commit()
        assert appended.result() == []
    assert log.head() == 1
