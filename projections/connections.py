"""What happens to the connections of an engine: how long each transaction waits, and which ones are not used again."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any, cast

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import DatabaseError, DBAPIError, DisconnectionError, InterfaceError, OperationalError

from tracker.log.sqlite_file import file_stamp, is_broken_file
from tracker.log.sqlstates import IDLE_IN_TRANSACTION_TIMEOUT, READ_ONLY_TRANSACTION, has_sqlstate

SQLITE_STEPS = 5_000_000
"""Steps of SQLite's machine, about 0.2 s, after which it is asked whether a statement has had its time."""

SQLITE_WRITER_KILOBYTES = 16_000
"""Pages of the file that a connection which writes keeps: rows of a long log stand far apart in a dozen indexes."""

SQLITE_BUSY_SECONDS = 30
"""Seconds that a transaction that writes waits for the one before it on a SQLite file."""


def keep_sqlite_connections_right(engine: Engine, path: str, read_seconds: float) -> None:
    """Let transactions begin as they say (`tables.writing`), and no connection be used again whose file is another.

    A statement of one that only reads is interrupted after `read_seconds` of the processor.
    """
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", partial(_sqlite_begun, read_seconds))
    event.listen(engine, "before_cursor_execute", _sqlite_asked)
    event.listen(engine, "handle_error", reconnect_where_bad, retval=True)
    _reopen_replaced_files(engine, path)


def _reopen_replaced_files(engine: Engine, path: str) -> None:
    """Let no connection be used again whose file was replaced or changed from outside (`tracker.log.sqlite_file`)."""

    def connected(_connection: Any, record: Any) -> None:
        record.info["opened"], record.info["is_new"] = file_stamp(path), True

    def checked_out(_connection: Any, record: Any, _proxy: Any) -> None:
        if not record.info.pop("is_new", False) and record.info["opened"] != file_stamp(path):
            raise DisconnectionError("the file was replaced")

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", checked_out)


class _Time:
    """What one connection's statements may take of the processor, and until when the one that runs has it.

    By the clock of the thread that runs it: a statement that waits for a busy machine costs nobody anything.
    """

    def __init__(self) -> None:
        self.seconds = self._until = inf

    def begin(self) -> None:
        """A statement begins."""
        self._until = time.thread_time() + self.seconds

    def is_over(self) -> bool:
        """Whether the statement has had its time, and is to be interrupted."""
        return time.thread_time() > self._until


def _sqlite_connected(connection: Any, record: Any) -> None:
    record.info["time"] = allowed = _Time()
    connection.set_progress_handler(allowed.is_over, SQLITE_STEPS)
    connection.isolation_level = None  # BEGIN is ours, below
    connection.execute("PRAGMA journal_mode=WAL")
    # A read model that loses its last commits with the power reads them from the log again.
    connection.execute("PRAGMA synchronous=NORMAL")


def _sqlite_begun(read_seconds: float, conn: Connection) -> None:
    if conn.get_execution_options().get("sqlite_begin", "DEFERRED") != "DEFERRED":
        _begin_writing(conn.info, conn.exec_driver_sql)
        return
    conn.info["time"].seconds = read_seconds
    conn.exec_driver_sql(f"PRAGMA busy_timeout = {round(1000 * read_seconds)}")
    conn.exec_driver_sql("BEGIN")


def _begin_writing(info: dict[Any, Any], execute: Callable[[str], object]) -> None:
    info["time"].seconds = inf
    info["time"].begin()
    execute(f"PRAGMA busy_timeout = {1000 * SQLITE_BUSY_SECONDS}")
    execute(f"PRAGMA cache_size = -{SQLITE_WRITER_KILOBYTES}")
    execute("BEGIN IMMEDIATE")


@contextmanager
def sqlite_transaction(engine: Engine) -> Iterator[sqlite3.Connection]:
    """A transaction that writes, as those of `tables.writing`, on a connection of SQLite's own module.

    Raises: OperationalError or InterfaceError if the file cannot be used; DatabaseError if it refuses what is written.
    """
    with engine.connect() as connection:  # what is not committed is rolled back
        conn = cast(sqlite3.Connection, connection.connection.driver_connection)
        try:
            _begin_writing(connection.info, conn.execute)
            yield conn
            conn.execute("COMMIT")
        except (sqlite3.Error, ValueError, OverflowError) as error:
            connection.invalidate(error)
            if _is_bad(error):
                engine.dispose()
            raise _raised(error) from error


def _raised(error: Exception) -> DBAPIError:
    """What SQLAlchemy makes of an error of SQLite's module, with a broken file as one that is away."""
    if isinstance(error, sqlite3.OperationalError) or is_broken_file(error):
        return OperationalError("a turn", None, error)
    if isinstance(error, sqlite3.InterfaceError):
        return InterfaceError("a turn", None, error)
    return DatabaseError("a turn", None, error)


def _sqlite_asked(conn: Connection, *_: Any) -> None:
    conn.info["time"].begin()


def reconnect_where_bad(context: ExceptionContext) -> BaseException | None:
    """A connection that opened a store that took no writes, or a file that is broken, is not used again, nor its like.

    It counts as a store that is away, and so does one that ended a transaction for standing still.
    """
    error = context.original_exception
    if not _is_bad(error):
        return None
    context.is_disconnect = True
    return OperationalError(context.statement, None, error, connection_invalidated=True)


def _is_bad(error: BaseException) -> bool:
    is_bad = has_sqlstate(error, READ_ONLY_TRANSACTION, IDLE_IN_TRANSACTION_TIMEOUT)
    return is_bad or "readonly database" in str(error) or is_broken_file(error)
