"""Errors of the tracker and of its stores as sentences for a terminal."""

from __future__ import annotations

import sqlite3

from eventsourcing.persistence import PersistenceError
from sqlalchemy.exc import SQLAlchemyError

from tracker.errors import TrackerError
from tracker.log.away import reason
from tracker.log.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    UNDEFINED_COLUMN,
    UNDEFINED_TABLE,
    has_sqlstate,
    is_from_postgres,
)

STORE_ERRORS = (PersistenceError, SQLAlchemyError, sqlite3.Error)
"""The errors with which a store says that it is away, has no tables, or forbids something, beside psycopg's."""


def failure_sentence(error: Exception) -> str | None:
    """What the operator is told of an error; None if it is a fault of the program, whose trace is needed."""
    if isinstance(error, TrackerError):
        return error.detail
    if isinstance(error, STORE_ERRORS) or is_from_postgres(error):
        return _store_sentence(error)
    return None


def _store_sentence(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if has_sqlstate(cause, UNDEFINED_TABLE) or "no such table" in str(cause):
            return "the tables are not there; run `tracker init` first, as the role that is to own them"
        if has_sqlstate(cause, UNDEFINED_COLUMN):
            return "the tables are of an older release; run `tracker init`, as the role that owns them"
        if has_sqlstate(cause, INSUFFICIENT_PRIVILEGE):
            return f"the database role may not do this: {_first_line(cause)}; run `tracker init` with TRACKER_APP_ROLE"
        cause = cause.__cause__
    return reason(_first_line(getattr(error, "orig", None) or error))


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
