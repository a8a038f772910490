"""The sessions of PostgreSQL in which the read models are read and written: what they see, and how long they wait."""

from __future__ import annotations

from functools import partial
from typing import cast

from sqlalchemy import Connection, Engine, create_engine, event

from projections.connections import reconnect_where_bad
from tracker.log.away import READ_SECONDS
from tracker.log.postgres_connection import GRACE_SECONDS, TimedConnection, connect

SCHEMA = "projections"
"""PostgreSQL's schema of the read models: the projector's role may create tables here and nowhere else."""

IDLE_TRANSACTION_SECONDS = 8
"""Seconds after which PostgreSQL ends a transaction whose process does nothing: a frozen one would keep its locks."""

KEPT_CONNECTIONS = 8
"""Connections to PostgreSQL that are kept, at most; further ones are opened while all are in use."""


def open_postgres_engine(database_url: str, *, read_seconds: float, connections: int) -> Engine:
    """The engine for any `postgresql://` URL that libpq takes, with `connections` at most.

    Its transactions wait as long as they say (`tables.writing`), and no connection that is bad is used again.
    """
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect_postgres(database_url, read_seconds=read_seconds),
        pool_size=(kept := min(KEPT_CONNECTIONS, connections)),
        max_overflow=connections - kept,
        pool_timeout=read_seconds,
    )
    event.listen(engine, "begin", partial(_begun, read_seconds))
    event.listen(engine, "handle_error", reconnect_where_bad, retval=True)
    return engine


def connect_postgres(
    database_url: str, *, autocommit: bool = False, read_seconds: float = READ_SECONDS
) -> TimedConnection:
    """A connection on which unqualified names are those of the read models first.

    Raises: psycopg's errors if the server does not answer.
    """
    conn = connect(database_url, read_seconds)
    conn.execute(
        f"SET search_path TO {SCHEMA}, public; SET statement_timeout = {round(1000 * read_seconds)};"
        f" SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_SECONDS}s'"
    )
    conn.autocommit = autocommit
    return conn


def _begun(read_seconds: float, conn: Connection) -> None:
    options = conn.get_execution_options()
    bounded = cast(TimedConnection, conn.connection.driver_connection)
    bounded.answer_seconds = options.get("answer_seconds", read_seconds + GRACE_SECONDS)
    if "answer_seconds" in options:
        waits = "" if options.get("synchronous_commit") != "off" else ", set_config('synchronous_commit', 'off', true)"
        conn.exec_driver_sql(f"SELECT set_config('statement_timeout', '0', true){waits}")
