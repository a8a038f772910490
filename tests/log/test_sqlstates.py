"""The states by which PostgreSQL's errors are known are those of psycopg's classes."""

import sqlite3

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError

from tracker.log import sqlstates
from tracker.log.postgres_connection import NoAnswer

CLASSES = {
    sqlstates.UNDEFINED_TABLE: errors.UndefinedTable,
    sqlstates.UNDEFINED_COLUMN: errors.UndefinedColumn,
    sqlstates.INSUFFICIENT_PRIVILEGE: errors.InsufficientPrivilege,
    sqlstates.DISK_FULL: errors.DiskFull,
    sqlstates.READ_ONLY_TRANSACTION: errors.ReadOnlySqlTransaction,
    sqlstates.IDLE_IN_TRANSACTION_TIMEOUT: errors.IdleInTransactionSessionTimeout,
}


@pytest.mark.parametrize("state", CLASSES)
def test_a_state_is_one_class_of_psycopg_and_no_other(state: str) -> None:
    assert CLASSES[state].sqlstate == state
    assert CLASSES[state].__subclasses__() == []
    assert errors.lookup(state) is CLASSES[state]
    assert [other for other in CLASSES if sqlstates.has_sqlstate(CLASSES[state](), other)] == [state]


@pytest.mark.parametrize("error", [psycopg.OperationalError(), errors.DiskFull(), PoolTimeout(), NoAnswer()])
def test_every_error_of_psycopg_is_known_as_one(error: Exception) -> None:
    assert sqlstates.is_from_postgres(error)


@pytest.mark.parametrize("error", [sqlite3.OperationalError(), DBAPIError("", None, ValueError()), ValueError(), None])
def test_no_other_error_is(error: Exception | None) -> None:
    assert not sqlstates.is_from_postgres(error)
    assert not any(sqlstates.has_sqlstate(error, state) for state in CLASSES)
