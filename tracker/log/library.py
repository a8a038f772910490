"""What is used of the eventsourcing library beyond its documented interface.

A new version of the library may change any of these; the library's own recorder test cases run on both stores against
what stands here (tests/log/test_library_cases.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from eventsourcing.persistence import OperationalError
from psycopg.conninfo import conninfo_to_dict

from tracker.log.postgres_connection import GRACE_SECONDS, TimedConnection, connection_timeouts
from tracker.log.sqlite_file import FileStamp, file_stamp

if TYPE_CHECKING:
    import psycopg
    from eventsourcing.postgres import PostgresDatastore
    from eventsourcing.sqlite import SQLiteConnection, SQLiteDatastore
    from psycopg.sql import Composed

POSTGRES_RECONNECT_SECONDS = 2.0
"""Seconds after which the pool gives up one series of attempts to connect; the next request begins another."""


def table_statements(statements: Sequence[Composed]) -> list[Composed]:
    """Of the library's statements for PostgreSQL the events table and its index.

    The insert function among them takes no lock, so that a follower could skip events; it is not made.
    """
    return [s for s in statements if s.as_string().startswith(("CREATE TABLE", "CREATE UNIQUE"))]


def connect_with(datastore: PostgresDatastore, conninfo: str, read_seconds: float) -> None:
    """Let the pool connect with everything a libpq URI can say, and give up early.

    The pool doubles its pause between attempts; a request that comes after it gave up tries at once. A statement on its
    connections ends after `read_seconds`, unless its transaction says otherwise, and a moment later if the server says
    nothing at all.
    """
    pool = datastore.pool
    pool.connection_class = TimedConnection
    kwargs = cast("dict[str, Any]", pool.kwargs)
    given = {name: value for name, value in kwargs.items() if value != ""} | conninfo_to_dict(conninfo)
    pool.kwargs = connection_timeouts(read_seconds) | given
    pool.timeout = read_seconds
    pool.reconnect_timeout = POSTGRES_RECONNECT_SECONDS
    configure = cast("Callable[[psycopg.Connection[Any]], None]", pool._configure)

    def configured(conn: psycopg.Connection[Any]) -> None:
        configure(conn)
        conn.execute(f"SET statement_timeout = {round(1000 * read_seconds)}")
        cast(TimedConnection, conn).answer_seconds = read_seconds + GRACE_SECONDS

    pool._configure = cast("Any", configured)


def remember_failures(datastore: PostgresDatastore) -> Callable[[], str | None]:
    """A function that tells why the pool could not connect when it last tried; None if it could.

    The pool itself tells those who wait for a connection only that there is none.
    """
    pool = datastore.pool
    connect = pool._connect
    last: str | None = None

    def remembering(timeout: float | None = None) -> Any:
        nonlocal last
        try:
            conn = connect(timeout)
        except Exception as error:
            last = str(error)
            raise
        last = None
        return conn

    pool._connect = cast("Any", remembering)  # type: ignore[method-assign]
    return lambda: last


def drop_dead_connections(datastore: PostgresDatastore) -> None:
    """Throw away the pool's connections that are dead."""
    datastore.pool.check()


def pool_use(datastore: PostgresDatastore) -> tuple[int, int]:
    """The pool's connections that are in use, and those that are idle."""
    stats = datastore.pool.get_stats()
    idle = stats.get("pool_available", 0)
    return max(0, stats.get("pool_size", 0) - idle), idle


def drop_all_connections(datastore: PostgresDatastore) -> None:
    """Throw away the pool's connections, those in use once they are given back."""
    datastore.pool.drain()


def drop_idle_files(datastore: SQLiteDatastore) -> None:
    """Close the pool's connections that nobody uses: the next ones open the file anew."""
    pool = datastore.pool
    with pool._put_condition:
        while pool._pool:
            pool._pool.popleft().close()


_stamps: WeakKeyDictionary[SQLiteConnection, FileStamp] = WeakKeyDictionary()
"""The file that each connection opened, as it was then."""


@contextmanager
def sqlite_connection(datastore: SQLiteDatastore) -> Iterator[tuple[SQLiteConnection, sqlite3.Connection]]:
    """A connection of the pool: the library's, which commits, and SQLite's own beneath it.

    A connection whose file was replaced or changed from outside since is closed instead.

    Raises: OperationalError if the file that was there is gone: a new one would be another log.
    """
    connection = _current_connection(datastore)
    try:
        yield connection, connection.cursor().sqlite_cursor.connection
    finally:
        datastore.pool.put_connection(connection)


def _current_connection(datastore: SQLiteDatastore) -> SQLiteConnection:
    path = datastore.pool.db_name
    while True:
        before = file_stamp(path)
        connection = datastore.pool.get_connection()
        opened = _stamps.get(connection)
        if opened is None:  # it is new
            if (now := before or file_stamp(path)) is not None:
                _stamps[connection] = now
            return connection
        if opened == before:
            return connection
        if before is None:
            datastore.pool.put_connection(connection)
            raise OperationalError(f"the file {path} is gone")
        connection.close()
        datastore.pool.put_connection(connection)


def connections_in_use(datastore: SQLiteDatastore) -> int:
    """Connections of the pool that a thread has now."""
    return datastore.pool.num_in_use


def idle_files(datastore: SQLiteDatastore) -> int:
    """Connections of the pool that nobody uses now."""
    return len(datastore.pool._pool)


def wait_for_locks(datastore: SQLiteDatastore, seconds: float) -> None:
    """Let connections that are opened from now on wait so long for a lock, unless they are told otherwise."""
    datastore.pool.lock_timeout = cast("int", seconds)
    datastore.pool.pool_timeout = seconds
