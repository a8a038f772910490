"""The log in a SQLite file: one writer at a time, readers beside it (WAL), every commit on the disk."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any, cast

from eventsourcing.persistence import (
    ApplicationRecorder,
    ConnectionUnavailableError,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteConnection, SQLiteDatastore, SQLiteFactory
from eventsourcing.utils import Environment, EnvType

from tracker.log.away import READ_SECONDS
from tracker.log.guard import Basis, LogGuard
from tracker.log.identity import COLUMNS, FIRST_REASON, new_log_id, standing_of
from tracker.log.proposal_events import ADD as ADD_PROPOSAL_EVENT
from tracker.log.proposal_events import CREATE_SQLITE as CREATE_PROPOSALS
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow, NewLogRow, Restamp, must_follow, numbered
from tracker.log.sqlite_file import is_broken_file
from tracker.log.sqlite_library import (
    connections_in_use,
    drop_idle_files,
    idle_files,
    keep_statements,
    sqlite_connection,
    wait_for_locks,
)
from tracker.log.statements import STANDING
from tracker.log.withheld import CREATE_SQLITE as CREATE_WITHHELD

LOCK_SECONDS = 30
"""Seconds that a writer waits for the one before it, in this process or another."""

LOCKED = "another process has locked the file, and gives no writer its turn"
"""Why a file takes no writes that another process keeps to itself."""

LATE_SECONDS = 0.1
"""Seconds of waiting for a connection that are taken off the time of the read itself."""

CREATE_ATTEMPTS, CREATE_RETRY_SECONDS = 100, 0.05
"""Attempts to make the tables while another process makes them, and the seconds between two of them."""

CLOSE_ATTEMPTS, CLOSE_RETRY_SECONDS = 500, 0.01
"""Looks at whether a connection is still in use before the file is closed, and the seconds between two of them."""

_CREATE_LOG = (
    """CREATE TABLE IF NOT EXISTS log (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    pledge TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 0),
    event_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    recorded_at TEXT NOT NULL CHECK (recorded_at GLOB '????-??-??T??:??:??.??????Z'),
    idempotency_key TEXT,
    idempotency_index INTEGER,
    payload_hash BLOB,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),
    UNIQUE (pledge, version),
    CHECK ((idempotency_key IS NULL) = (idempotency_index IS NULL)),
    CHECK (idempotency_key IS NOT NULL OR payload_hash IS NULL)
)""",
    """CREATE UNIQUE INDEX IF NOT EXISTS log_key ON log (idempotency_key, idempotency_index)
    WHERE idempotency_key IS NOT NULL""",
    "CREATE INDEX IF NOT EXISTS log_pledge_position ON log (pledge, position)",
    "CREATE INDEX IF NOT EXISTS log_type_position ON log (type, position)",
    "CREATE INDEX IF NOT EXISTS log_recorded_at ON log (recorded_at, position)",
    # INSERT OR REPLACE deletes without a DELETE trigger, so the insert itself is looked at.
    """CREATE TRIGGER IF NOT EXISTS log_no_replace BEFORE INSERT ON log
    WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM log)
      OR EXISTS (SELECT 1 FROM log WHERE event_id = NEW.event_id)
      OR EXISTS (SELECT 1 FROM log WHERE pledge = NEW.pledge AND version = NEW.version)
      OR EXISTS (SELECT 1 FROM log WHERE idempotency_key = NEW.idempotency_key
                 AND idempotency_index = NEW.idempotency_index)
    BEGIN SELECT RAISE(ABORT, 'log is append-only and has no gaps'); END""",
)

_NOW = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"

_CREATE_IDS = (
    """CREATE TABLE IF NOT EXISTS log_identity (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    log TEXT NOT NULL UNIQUE,
    forked_from TEXT,
    position INTEGER NOT NULL CHECK (position >= 0),
    event_id TEXT,
    at TEXT NOT NULL,
    reason TEXT NOT NULL
)""",
    """CREATE TRIGGER IF NOT EXISTS log_identity_no_replace BEFORE INSERT ON log_identity
    WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM log_identity)
      OR EXISTS (SELECT 1 FROM log_identity WHERE log = NEW.log)
    BEGIN SELECT RAISE(ABORT, 'log_identity is append-only'); END""",
)

_FIRST_ID = """INSERT INTO log_identity (number, log, position, at, reason)
    SELECT 1, '{id}', 0, {now}, '{reason}' WHERE NOT EXISTS (SELECT 1 FROM log_identity)"""

_INSERT_ID = f"INSERT INTO log_identity ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - columns of ours

_VERSIONS = """SELECT each.value, (SELECT max(l.version) FROM log AS l WHERE l.pledge = each.value)
    FROM json_each(:given) AS each"""

_EVENTS_NO_REPLACE = """CREATE TRIGGER IF NOT EXISTS {events}_no_replace BEFORE INSERT ON {events}
    WHEN EXISTS (SELECT 1 FROM {events} WHERE rowid = NEW.rowid)
      OR EXISTS (SELECT 1 FROM {events} WHERE originator_id = NEW.originator_id
                 AND originator_version = NEW.originator_version)
    BEGIN SELECT RAISE(ABORT, '{events} is append-only'); END"""

_REFUSED = """CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""

_INSERT_EVENT = "INSERT INTO {events} (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)"

_INSERT_LOG = """INSERT INTO log (position, pledge, version, event_id, type, recorded_at,
    idempotency_key, idempotency_index, payload_hash, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

ROWS_PER_INSERT = 64
"""Rows that one statement inserts, at most: their values are fewer than the 999 that any SQLite takes."""

_ERRORS = (
    (sqlite3.IntegrityError, IntegrityError),
    (sqlite3.OperationalError, OperationalError),
    (sqlite3.InterfaceError, InterfaceError),
    (sqlite3.ProgrammingError, ProgrammingError),
    (sqlite3.Error, DatabaseError),
)


class SQLiteLog(LogRecorder, SQLiteApplicationRecorder):
    """The log of one SQLite file. The row ids of its events are the positions."""

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name)
        self.names = {
            "log": "log",
            "events": events_table_name,
            "ids": "log_identity",
            "withheld": "withheld",
            "proposals": "proposals",
            "number": "rowid",
            "joined": "group_concat(w.field, char(10))",
            "each": "json_each(:given) AS each",
            "now": _NOW,
            "contains": "instr(e.state, :mark) > 0",
        }
        self.guard = LogGuard()
        self._standing = STANDING.format(ids="log_identity", log="log", withheld="withheld", there=":there")
        self.insert_events_statement = _INSERT_EVENT.format(events=events_table_name)
        # Writers of this process queue here: in the library's pool they would keep the readers behind them waiting too.
        self._writer = Lock()
        self._begun = 0  # transactions that had their turn

    def construct_create_table_statements(self) -> list[str]:
        events = self.events_table_name
        tables = (events, "log", "log_identity", "withheld", "proposals")
        refused = [_REFUSED.format(table=table, verb=verb) for table in tables for verb in ("update", "delete")]
        return [
            *super().construct_create_table_statements(),
            *_CREATE_LOG,
            *CREATE_WITHHELD,
            *CREATE_PROPOSALS,
            _EVENTS_NO_REPLACE.format(events=events),
            *_CREATE_IDS,
            *refused,
            _FIRST_ID.format(id=new_log_id(), now=_NOW, reason=FIRST_REASON),
        ]

    def create_table(self) -> None:
        # Two processes may open a new file at once, and the switch to WAL does not wait for the other one's lock.
        for _ in range(CREATE_ATTEMPTS):
            try:
                return self._create_what_is_missing()
            except (OperationalError, sqlite3.OperationalError) as busy:
                if "locked" not in str(busy):
                    raise
                time.sleep(CREATE_RETRY_SECONDS)
        return self._create_what_is_missing()

    def _create_what_is_missing(self) -> None:
        with self._transaction() as conn:
            for statement in self.create_table_statements:
                conn.execute(statement)

    def close(self) -> None:
        # The library's pool closes connections under the threads that are using them, and SQLite then crashes.
        for _ in range(CLOSE_ATTEMPTS):
            if connections_in_use(self.datastore) == 0:
                return self.datastore.close()
            time.sleep(CLOSE_RETRY_SECONDS)
        return None

    def connections(self) -> tuple[int, int]:
        return connections_in_use(self.datastore), idle_files(self.datastore)

    def _append(self, lines: Sequence[NewLogRow], restamp: Restamp, basis: Basis) -> list[LogRow]:
        with self._transaction() as conn:
            last = conn.execute(self._standing, {"there": basis.known.position}).fetchone()
            found = standing_of(last)
            basis.must_hold(found)
            given = self._to_array(sorted({line.pledge for line in lines}))
            must_follow(lines, dict(conn.execute(_VERSIONS, {"given": given}).fetchall()))
            rows = numbered(lines, found.head.position, self._from_stored(last[6]) if last[6] else None, restamp)
            _insert(
                conn,
                self.insert_events_statement,
                [(row.position, row.pledge, row.version, row.type, row.state) for row in rows],
            )
            _insert(
                conn,
                _INSERT_LOG,
                [
                    (
                        row.position, row.pledge, row.version, row.event_id, row.type,
                        self._to_stored(row.recorded_at), row.key, row.key_index, row.payload_hash, row.leaf,
                    )
                    for row in rows
                ],
            )  # fmt: skip
            for line in lines:
                if line.accepted is not None:
                    conn.execute(ADD_PROPOSAL_EVENT.format(**self.names), line.accepted._asdict())
        return rows

    def _write(self, sql: str, params: dict[str, Any]) -> None:
        with self._transaction() as conn:
            conn.execute(sql, params)

    def _replace_identities(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        with self._transaction() as conn:
            if conn.execute("SELECT EXISTS (SELECT 1 FROM log)").fetchone()[0]:
                return False
            conn.execute("DROP TRIGGER log_identity_no_delete")
            conn.execute("DELETE FROM log_identity")
            conn.execute(_REFUSED.format(table="log_identity", verb="delete"))
            conn.executemany(_INSERT_ID, rows)
        return True

    def _why_read_only(self) -> str | None:
        until, begun = time.monotonic() + self.read_seconds, self._begun
        if not self._writer.acquire(timeout=self.read_seconds):
            return LOCKED if self._begun == begun else None  # or writers of this process are at work
        try:
            with self._connection() as (_, conn):
                _wait_for_locks(conn, max(until - time.monotonic(), 0))
                conn.execute("BEGIN IMMEDIATE")
                # On a file that can only be read the line above begins a transaction that reads.
                conn.execute("DELETE FROM log WHERE position < 0")
                conn.rollback()
        except OperationalError as refused:
            return LOCKED if "locked" in str(refused) else str(refused)
        finally:
            self._writer.release()
        return None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes from its first statement on: it waits for its turn instead of failing half-way."""
        if not self._writer.acquire(timeout=LOCK_SECONDS):
            raise OperationalError("the log is locked by a writer that does not finish")
        try:
            with self._connection() as (connection, conn):
                _wait_for_locks(conn, LOCK_SECONDS)
                conn.execute("PRAGMA synchronous=FULL")
                conn.execute("BEGIN IMMEDIATE")
                self._begun += 1
                try:
                    yield conn
                    connection.commit()
                finally:
                    if conn.in_transaction:
                        conn.rollback()
        finally:
            self._writer.release()

    @contextmanager
    def _connection(self) -> Iterator[tuple[SQLiteConnection, sqlite3.Connection]]:
        """The library's connection and SQLite's own beneath it; SQLite's errors are raised as the library's."""
        try:
            with sqlite_connection(self.datastore) as both:
                try:
                    yield both
                except sqlite3.Error as e:
                    if "readonly" in str(e) or is_broken_file(e):
                        # It was opened while the file could only be read, or was broken, and would stay so.
                        both[0].close()
                        drop_idle_files(self.datastore)
                    raise
        except sqlite3.Error as e:
            if is_broken_file(e):
                raise OperationalError(e) from e
            raise next(ours for theirs, ours in _ERRORS if isinstance(e, theirs))(e) from e

    def _rows(self, sql: str, params: dict[str, Any], until: float) -> list[Any]:
        with self._connection() as (_, conn):
            left = until - time.monotonic()
            # One text in the common case: SQLite prepares it once.
            _wait_for_locks(conn, self.read_seconds if left > self.read_seconds - LATE_SECONDS else max(left, 0))
            return conn.execute(sql, params).fetchall()

    def _may_retry(self, lost: Exception) -> bool:
        # A request that waited for a lock has waited long enough, and a full disk is none the emptier.
        return not re.search("locked|disk is full", str(lost)) and not isinstance(lost, ConnectionUnavailableError)

    def _reconnect(self) -> None:
        """A file has no connection to lose."""

    def _to_stored(self, instant: datetime) -> str:
        return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def _from_stored(self, instant: str) -> datetime:
        return datetime.fromisoformat(instant)

    def _to_array(self, values: Sequence[str]) -> str:
        return json.dumps(list(values))


class SQLiteLogFactory(SQLiteFactory):
    """Opens the file with the time-out of reads; a writer waits longer."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._read_seconds = float(self.env.get("LOG_READ_SECONDS") or READ_SECONDS)
        wait_for_locks(self.datastore, self._read_seconds)
        keep_statements(self.datastore)

    def application_recorder(self) -> ApplicationRecorder:
        """The log of the file."""
        recorder = super().application_recorder()
        cast(SQLiteLog, recorder).read_seconds = self._read_seconds
        return recorder


def _insert(conn: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows by a statement for one of them, `ROWS_PER_INSERT` at a time.

    Row by row, as `executemany` does it, other threads of the process hardly get their turn: between two rows the
    interpreter's lock is free for some microseconds, and each time they begin to wait anew.
    """
    head, values, row = statement.partition("VALUES ")
    for at in range(0, len(rows), ROWS_PER_INSERT):
        some = rows[at : at + ROWS_PER_INSERT]
        conn.execute(head + values + ", ".join([row] * len(some)), [value for given in some for value in given])


def _wait_for_locks(conn: sqlite3.Connection, seconds: float) -> None:
    conn.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
