"""Puts an older copy of a log back, as an operator does: a SQLite file by `cp`, by `mv` or by SQLite's own restore,
PostgreSQL's record by a dump."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg

TABLES = ("tracker_events", "tracker_events_log", "tracker_events_log_identity")
"""The tables of the record in PostgreSQL."""

PutBack = Callable[[], None]
"""Puts the copy back."""


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def sqlite_copy(url: str, how: str) -> PutBack:
    """Take a copy of the file; it is put back by `how`: cp, mv or restore."""
    live, copy = path_of(url), path_of(url).with_suffix(".copy")
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def put_back() -> None:
        if how == "restore":
            with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(live)) as target:
                source.backup(target)
            return
        # What stands in the WAL would be laid over the older file: it is written into the file that goes.
        with closing(sqlite3.connect(live)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if how == "cp":
            shutil.copyfile(copy, live)
        else:
            copy.rename(live)

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


def copied(url: str, how: str) -> PutBack:
    """Take a copy of a store of either kind."""
    return sqlite_copy(url, how) if url.startswith("sqlite") else postgres_copy(url)
