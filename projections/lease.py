"""The right of one process to project, or to rebuild: a lock that ends with the process that holds it."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Any, Protocol

import psycopg

from projections.tables import connect_postgres


class Lease(Protocol):
    """The right to do one thing alone."""

    def acquire(self) -> bool:
        """Whether this process holds the lease now; takes it if it is free. Never waits."""
        ...

    def release(self) -> None:
        """Give the lease back, if this process holds it."""
        ...


class FileLease:
    """A lock file beside the SQLite file; the operating system frees it when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class SessionLease:
    """An advisory lock of a PostgreSQL session of its own; the server frees it when the session ends."""

    def __init__(self, database_url: str, name: str) -> None:
        self._url = database_url
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._session: psycopg.Connection[Any] | None = None

    def acquire(self) -> bool:
        if self._session is not None:
            try:
                self._session.execute("SELECT 1")
                return True
            except psycopg.Error:
                self.release()
        session = connect_postgres(self._url, autocommit=True)
        row = session.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        if row is None or not row[0]:
            session.close()
            return False
        self._session = session
        return True

    def release(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def lease(database_url: str, name: str) -> Lease:
    """The lease `name` on a database."""
    if database_url.startswith("sqlite"):
        path = database_url.partition("://")[2].removeprefix("/").partition("?")[0]
        return FileLease(Path(f"{path}.{name}.lock"))
    return SessionLease(database_url, f"commitments-tracker {name}")
