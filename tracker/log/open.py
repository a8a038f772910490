"""Opening a log by its database URL: which recorder, and the library's settings for it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import cast

from eventsourcing.persistence import InfrastructureFactory, InterfaceError, OperationalError
from eventsourcing.utils import Environment

from tracker.log.away import READ_SECONDS, unavailable
from tracker.log.recorder import LogRecorder

APPLICATION_NAME = "Tracker"
"""The library names PostgreSQL's tables after the application: `tracker_events`, `tracker_events_log`."""

PRIVATE_FILE_MODE = 0o600
"""The mode of a SQLite file: the record holds hashes of keys, and what is withheld."""

KEPT_CONNECTIONS = 4
"""Connections to PostgreSQL that are kept, at most; further ones are opened while all are in use."""

MAX_CONNECTIONS = 7
"""Connections of a log to PostgreSQL at most, where nobody says otherwise."""

POSTGRES_LOCK_SECONDS = 10
"""Seconds that a writer waits for PostgreSQL's append lock."""


def open_recorder(database_url: str, *, create_table: bool = True, read_seconds: float = READ_SECONDS) -> LogRecorder:
    """The log at `sqlite:///file.db` or `postgresql://user:password@host:port/db`. Close it when done.

    A read is given up after `read_seconds`; an append has its own bounds.

    Raises: Unavailable if the store does not answer; ValueError if the URL names neither store.
    """
    env = Environment(
        APPLICATION_NAME, recorder_environment(database_url, create_table=create_table, read_seconds=read_seconds)
    )
    try:
        return cast(LogRecorder, InfrastructureFactory.construct(env).application_recorder())
    except (OperationalError, InterfaceError) as lost:
        raise unavailable(lost) from lost


def _make_private(file: str) -> None:
    """Make a SQLite file that its owner alone may read; SQLite gives the files beside it the same mode."""
    with suppress(OSError):  # it is there, or SQLite will say why it cannot be
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE_MODE))


def recorder_environment(
    database_url: str,
    *,
    create_table: bool = True,
    read_seconds: float = READ_SECONDS,
    connections: int = MAX_CONNECTIONS,
) -> dict[str, str]:
    """The library's settings for a database URL. With `create_table` a SQLite file is made, its owner's alone.

    `sqlite:///relative.db`, `sqlite:////absolute.db` (a file: the log must outlive the process), or any URI that libpq
    takes, `postgresql://user@/db?host=/run/postgresql` and `sslmode` too.

    Raises: ValueError if the URL names neither store.
    """
    common = {
        "ORIGINATOR_ID_TYPE": "text",
        "CREATE_TABLE": "y" if create_table else "n",
        "LOG_READ_SECONDS": str(read_seconds),
    }
    scheme, _, rest = database_url.partition("://")
    if scheme == "sqlite":
        path = rest.removeprefix("/")
        if not path or path == rest or "memory" in path.partition("?")[2] or path.startswith((":memory:", "file:")):
            raise ValueError(f"not a SQLite file: {database_url!r}; write sqlite:///tracker.db")
        if create_table:
            _make_private(path)
        return common | {
            "PERSISTENCE_MODULE": "tracker.log.sqlite:SQLiteLogFactory",
            "APPLICATION_RECORDER_TOPIC": "tracker.log.sqlite:SQLiteLog",
            "SQLITE_DBNAME": path,
        }
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        given = conninfo_to_dict(f"postgresql://{rest}")
        known = {name: str(given.pop(name, None) or "") for name in ("dbname", "host", "port", "user", "password")}
        return common | {
            "PERSISTENCE_MODULE": "tracker.log.postgres:PostgresLogFactory",
            "APPLICATION_RECORDER_TOPIC": "tracker.log.postgres:PostgresLog",
            **{f"POSTGRES_{name.upper()}": value for name, value in known.items()},
            "POSTGRES_CONNINFO": make_conninfo("", **{name: str(value) for name, value in given.items()}),
            "POSTGRES_LOCK_TIMEOUT": str(POSTGRES_LOCK_SECONDS),
            "POSTGRES_POOL_SIZE": str(kept := min(KEPT_CONNECTIONS, connections)),
            "POSTGRES_MAX_OVERFLOW": str(connections - kept),
        }
    # The URL is not repeated: it may hold a password.
    raise ValueError("a database URL begins with sqlite:/// or postgresql://")
