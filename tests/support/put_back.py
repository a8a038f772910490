"""Puts an older copy of a log back, as an operator does: a SQLite file by `cp`, by `mv` or by SQLite's own restore,
PostgreSQL's record by a dump."""

import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from tests.support.waiting import wait_until

TABLES = ("tracker_events", "tracker_events_log", "tracker_events_log_identity")
"""The tables of the record in PostgreSQL."""

PutBack = Callable[[], None]
"""Puts the copy back."""


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def frozen(process: subprocess.Popen[str]) -> Iterator[None]:
    """The process stands still meanwhile."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def sqlite_copy(url: str, how: str, server: subprocess.Popen[str]) -> PutBack:
    """Take a copy of the file; it is put back by `how`: cp, mv or restore.

    SQLite's restore is safe beside a server that writes. Where the file is copied or moved over, the server stands
    still: what it wrote into the WAL after the checkpoint, a heartbeat or rows of a read model, would be laid over the
    older file.
    """
    live, copy = path_of(url), path_of(url).with_suffix(".copy")
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def put_back() -> None:
        if how == "restore":
            with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(live)) as target:
                source.backup(target)
            return
        wait_until(is_replaced, server)

    def is_replaced() -> bool:
        """Whether the copy stands in the file's place; not if the server was stopped within a transaction."""
        with frozen(server):
            with closing(sqlite3.connect(live, timeout=0)) as conn:
                (is_busy, _, _) = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if is_busy:
                return False
            if how == "cp":
                shutil.copyfile(copy, live)
            else:
                for ending in ("-wal", "-shm"):  # what the server still writes for the file that goes, goes with it
                    live.with_name(live.name + ending).unlink(missing_ok=True)
                copy.rename(live)
        return True

    return put_back


def postgres_copy(url: str) -> PutBack:
    """Take a copy of the record's tables, which alone are put back: the read models keep what they had."""
    with psycopg.connect(url, autocommit=True) as conn:
        rows = {table: conn.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}

    def put_back() -> None:
        with psycopg.connect(url) as conn:
            for table in TABLES:
                conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                conn.execute(f"DELETE FROM {table}")
                for row in rows[table]:
                    conn.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)
                conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    return put_back


def copied(url: str, how: str, server: subprocess.Popen[str]) -> PutBack:
    """Take a copy of a store of either kind, which a server has open."""
    return sqlite_copy(url, how, server) if url.startswith("sqlite") else postgres_copy(url)
