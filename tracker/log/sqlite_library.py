"""What is used of the eventsourcing library beyond its documented interface, for SQLite.

A new version of the library may change any of these; the library's own recorder test cases run on both stores against
what stands here (tests/log/test_library_cases.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from eventsourcing.persistence import InterfaceError, OperationalError

from tracker.log.sqlite_file import FileStamp, file_stamp

if TYPE_CHECKING:
    from eventsourcing.sqlite import SQLiteConnection, SQLiteDatastore


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


def keep_statements(datastore: SQLiteDatastore) -> None:
    """Let connections that are opened from now on keep what SQLite has prepared.

    The library lets each keep one statement, so that SQLite prepares the others anew each time: longer than it takes to
    answer most of them.
    """
    pool = datastore.pool
    create = pool._create_connection

    def created() -> SQLiteConnection:
        connection = create()
        connection._sqlite_conn.close()
        try:
            connection._sqlite_conn = conn = sqlite3.connect(
                pool.db_name, uri=True, check_same_thread=False, isolation_level=None, timeout=pool.lock_timeout or 0
            )
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        conn.row_factory = sqlite3.Row
        return connection

    pool._create_connection = created  # type: ignore[method-assign]


def wait_for_locks(datastore: SQLiteDatastore, seconds: float) -> None:
    """Let connections that are opened from now on wait so long for a lock, unless they are told otherwise."""
    datastore.pool.lock_timeout = cast("int", seconds)
    datastore.pool.pool_timeout = seconds
