"""What goes wrong around a tracker, and is put right again: each is a context in which it is wrong."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

BLOCK_BYTES = 4096
"""Bytes that are written at a time to fill a disk to the brim."""

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
"""Ends every connection to the database but the one that says so."""


def terminate(url: str) -> None:
    """End every connection to a PostgreSQL database but our own."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(TERMINATE)


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """A PostgreSQL database that takes no writes from anybody who connects; who is connected has to do it again."""
    with psycopg.connect(url, autocommit=True) as admin:
        name = Identifier(admin.info.dbname)
        admin.execute(SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        admin.execute(TERMINATE)
        try:
            yield
        finally:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute(SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))


@contextmanager
def locked(url: str) -> Iterator[None]:
    """A log that another process has locked: PostgreSQL's table for everybody, a SQLite file for writers."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.rollback()
        return
    with psycopg.connect(url) as server:
        server.execute("LOCK TABLE tracker_events_log IN ACCESS EXCLUSIVE MODE")
        yield
        server.rollback()


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """A PostgreSQL server whose processes all stand still (SIGSTOP); the kernel goes on taking what is sent to them."""
    with psycopg.connect(url) as conn:
        stat = Path(f"/proc/{conn.info.backend_pid}/stat").read_text()
    postmaster = stat.rpartition(")")[2].split()[1]
    os.kill(int(postmaster), signal.SIGSTOP)  # it starts no others from here on
    pids = [postmaster, *Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    try:
        _send(signal.SIGSTOP, pids)
        yield
    finally:
        _send(signal.SIGCONT, pids)


def _send(number: signal.Signals, pids: Iterable[str]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(int(pid), number)


def can_mount(directory: Path) -> bool:
    """Whether this process may mount a file system."""
    if os.geteuid():
        return False
    with suppress(subprocess.CalledProcessError), small_disk(directory / "tried", megabytes=1):
        return True
    return False


@contextmanager
def small_disk(directory: Path, *, megabytes: int) -> Iterator[Path]:
    """A file system of this size, mounted on a directory that is made.

    Raises: CalledProcessError if this process may not.
    """
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


def fill(disk: Path) -> Path:
    """Write a file that takes all that is left of a file system."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * BLOCK_BYTES)
    return filler
