"""What is used of the eventsourcing library beyond its documented interface, for PostgreSQL.

A new version of the library may change it, as what `sqlite_library` has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from psycopg.conninfo import conninfo_to_dict

from tracker.log.postgres_connection import GRACE_SECONDS, TimedConnection, connection_timeouts

if TYPE_CHECKING:
    import psycopg
    from eventsourcing.postgres import PostgresDatastore
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
