"""The log in PostgreSQL: an advisory lock orders the appends, so a role that may only INSERT and SELECT is enough."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from typing import Any, cast

from eventsourcing.persistence import ApplicationRecorder, InternalError, OperationalError
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from eventsourcing.utils import Environment, EnvType
from psycopg import Connection, Cursor
from psycopg.errors import (
    DiskFull,
    IdleInTransactionSessionTimeout,
    LockNotAvailable,
    QueryCanceled,
    ReadOnlySqlTransaction,
)
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Identifier, Literal
from psycopg_pool import PoolTimeout

from tracker.log.away import READ_SECONDS
from tracker.log.guard import Basis, LogGuard
from tracker.log.identity import COLUMNS, FIRST_REASON, new_log_id, standing_of
from tracker.log.postgres_append import OneScript
from tracker.log.postgres_connection import GRACE_SECONDS, NoAnswer, TimedConnection
from tracker.log.postgres_library import (
    connect_with,
    drop_all_connections,
    drop_dead_connections,
    pool_use,
    remember_failures,
    table_statements,
)
from tracker.log.postgres_tables import CREATE_LOG
from tracker.log.proposal_events import ADD as ADD_PROPOSAL_EVENT
from tracker.log.proposal_events import CREATE_POSTGRES as CREATE_PROPOSALS
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow, NewLogRow, Restamp, follow_each_other, must_follow, numbered
from tracker.log.statements import STANDING
from tracker.log.watcher import CHANNEL
from tracker.log.withheld import CREATE_POSTGRES as CREATE_WITHHELD

LATE_SECONDS = 0.1
"""Seconds of waiting for a connection that are taken off the time of the read itself."""

_INSERT = """
WITH given AS (
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %b::timestamptz[],
                         %s::text[], %s::integer[], %b::bytea[], %b::bytea[], %b::bytea[])
    AS row (position, pledge, version, event_id, type, recorded_at, key, key_index, payload_hash, leaf, state)
), recorded AS (
    INSERT INTO {events} (notification_id, originator_id, originator_version, topic, state)
    SELECT position, pledge, version, type, state FROM given
)
INSERT INTO {log} (position, pledge, version, event_id, type, recorded_at,
                   idempotency_key, idempotency_index, payload_hash, leaf)
SELECT position, pledge, version, event_id, type, recorded_at, key, key_index, payload_hash, leaf FROM given
"""

# One script, one round trip. Each statement sees what was committed when it began, so the last row is read after the
# lock is held. A lock on the table itself would need more than INSERT and SELECT.
_BEGIN = """
BEGIN;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = {timeout};
SELECT pg_advisory_xact_lock({key});
NOTIFY {channel}, {told};
"""

_VERSIONS = """
SELECT each.value, (SELECT max(l.version) FROM {log} AS l WHERE l.pledge = each.value)
FROM unnest({pledges}::text[]) AS each(value);
SELECT standing.*, clock_timestamp() FROM (
"""


class PostgresLog(LogRecorder, PostgresApplicationRecorder):
    """The log in one PostgreSQL schema. The notification ids of its events are the positions."""

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self.why_unconnected: Callable[[], str | None] = lambda: None
        """Why the last attempt to connect failed, as far as it is known."""
        schema, log = datastore.schema, f"{events_table_name}_log"
        self.check_identifier_length(f"{log}_recorded_at")
        self.channel_name = CHANNEL
        tables = {
            "events": events_table_name,
            "log": log,
            "ids": f"{log}_identity",
            "withheld": f"{events_table_name}_withheld",
            "proposals": f"{events_table_name}_proposals",
        }
        self._tables = {name: Identifier(schema, table) for name, table in tables.items()}
        self.names = {
            **{name: table.as_string() for name, table in self._tables.items()},
            "number": "notification_id",
            "joined": "string_agg(w.field, chr(10))",
            "each": "unnest(CAST(:given AS text[])) AS each(value)",
            "now": "clock_timestamp()",
            "contains": "position(:mark IN e.state) > 0",
        }
        self.guard = LogGuard()
        parts = {
            **self._tables,
            "first_id": Literal(new_log_id()),
            "first_reason": Literal(FIRST_REASON),
            "refuse": Identifier(schema, f"{log}_refuse"),
            "log_key": Identifier(f"{log}_key"),
            "log_pledge": Identifier(f"{log}_pledge"),
            "log_type": Identifier(f"{log}_type"),
            "log_recorded": Identifier(f"{log}_recorded_at"),
            "proposals_key": Identifier(f"{tables['proposals']}_key"),
            "proposals_first": Identifier(f"{tables['proposals']}_first"),
        }
        self._lock_key = int.from_bytes(hashlib.sha256(self.names["log"].encode()).digest()[:8], signed=True)
        self._insert = SQL(_INSERT).format(**parts)
        self.token = secrets.token_hex(8)
        begin = {
            "timeout": Literal(f"{datastore.lock_timeout}s"),
            "key": Literal(self._lock_key),
            "channel": Identifier(CHANNEL),
        }
        self._begin = SQL(_BEGIN).format(told=Literal(""), **begin)
        self._begin_append = SQL(_BEGIN).format(told=Literal(self.token), **begin)
        self._script = OneScript(self._tables, self._begin_append)
        self._look = SQL(_VERSIONS + STANDING + ") AS standing")
        own = [SQL(statement).format(**parts) for statement in (*CREATE_LOG, *CREATE_WITHHELD, *CREATE_PROPOSALS)]
        self.sql_create_statements = [*table_statements(self.sql_create_statements), *own]

    def create_table(self) -> None:
        with self.datastore.transaction(commit=True) as curs, _bounded(curs.connection).answering_within(inf):
            curs.execute("SET LOCAL statement_timeout = 0")
            curs.execute("SELECT pg_advisory_xact_lock(%s)", (self._lock_key,))
            curs.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only'"
                " AND tgrelid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)",
                ([self.names[name] for name in self._tables],),
            )
            # The triggers are made last: where they are, nothing is missing, and no right to create is needed.
            if cast("dict[str, int]", curs.fetchone())["count"] < len(self._tables):
                for statement in self.sql_create_statements:
                    curs.execute(statement, prepare=False)

    def close(self) -> None:
        self.datastore.close()

    def connections(self) -> tuple[int, int]:
        return pool_use(self.datastore)

    def grant_statements(self, role: str) -> list[Composed]:
        """The statements that give a role what it needs to append and to read, and nothing else."""
        names = {
            "role": Identifier(role),
            "schema": Identifier(self.datastore.schema),
            "tables": SQL(", ").join(self._tables.values()),
        }
        return [
            SQL(statement).format(**names)
            for statement in (
                "GRANT USAGE ON SCHEMA {schema} TO {role}",
                "REVOKE ALL ON {tables} FROM {role}",
                "GRANT SELECT, INSERT ON {tables} TO {role}",
            )
        ]

    def grant_append_only(self, role: str) -> None:
        """Run `grant_statements`, as the owner of the tables."""
        with self.datastore.transaction(commit=True) as curs:
            for statement in self.grant_statements(role):
                curs.execute(statement)

    def _append(self, lines: Sequence[NewLogRow], restamp: Restamp, basis: Basis) -> list[LogRow]:
        if any(line.accepted for line in lines) or not follow_each_other(lines):
            return self._append_locked(lines, restamp, basis)
        return self._append_at_once(lines, restamp, basis) or self._append_locked(lines, restamp, basis)

    def _append_at_once(self, lines: Sequence[NewLogRow], restamp: Restamp, basis: Basis) -> list[LogRow]:
        """One round trip; nothing is written, and there are no rows, if not all of it can be as it is."""
        rows = numbered(lines, 0, None, restamp)
        with self._writing() as conn, conn.cursor(row_factory=tuple_row) as curs:
            first = self._script.append(curs, rows, basis, near_clock=self.clock is not None)
        return [] if first is None else [replace(row, position=first + row.position - 1) for row in rows]

    def _append_locked(self, lines: Sequence[NewLogRow], restamp: Restamp, basis: Basis) -> list[LogRow]:
        """One transaction that says why it cannot be, and stamps anew what was stamped before the last row."""
        with self._writing() as conn, conn.cursor(row_factory=tuple_row) as curs:
            curs.execute(self._begin_append + self._looking(lines, basis))
            *_, versions, (last,) = _row_sets(curs)
            found = standing_of(last)
            basis.must_hold(found)
            must_follow(lines, dict(versions))
            if self.clock is not None:
                self.clock.must_be_near((line.recorded_at for line in lines), last[7])
            rows = numbered(lines, found.head.position, self._from_stored(last[6]) if last[6] else None, restamp)
            # Not in a pipeline: psycopg 3.3 stands still in one when it sends more than the socket takes at once.
            curs.execute(self._insert, _columns(rows), prepare=True)
            for line in lines:
                if line.accepted is not None:
                    curs.execute(_psycopg_style(ADD_PROPOSAL_EVENT.format(**self.names)), line.accepted._asdict())
            conn.commit()
            return rows

    def _looking(self, lines: Sequence[NewLogRow], basis: Basis) -> Composed:
        return self._look.format(
            log=self._tables["log"],
            ids=self._tables["ids"],
            withheld=self._tables["withheld"],
            there=Literal(basis.known.position),
            pledges=Literal(sorted({line.pledge for line in lines})),
        )

    def _write(self, sql: str, params: dict[str, Any]) -> None:
        with self._writing() as conn, conn.cursor() as curs:
            curs.execute(self._begin)
            curs.execute(_psycopg_style(sql), params)
            conn.commit()

    @contextmanager
    def _writing(self) -> Iterator[Connection[Any]]:
        """A connection whose statements wait as long as a writer does for the append lock, and as long as a read.

        Raises: OperationalError, too, if the server takes no writes, or ended a transaction that stood still.
        """
        seconds = self.datastore.lock_timeout + self.read_seconds + GRACE_SECONDS
        try:
            with self.datastore.get_connection() as conn, _bounded(conn).answering_within(seconds):
                yield conn
        except OperationalError as e:
            if isinstance(e.__cause__, DiskFull):
                self.full_at = time.monotonic()
            raise
        except InternalError as e:
            if isinstance(e.__cause__, ReadOnlySqlTransaction):  # this server is a standby now
                drop_all_connections(self.datastore)  # those opened before it takes writes again would stay so
            if isinstance(e.__cause__, ReadOnlySqlTransaction | IdleInTransactionSessionTimeout):
                raise OperationalError(str(e)) from e.__cause__
            raise

    def _rows(self, sql: str, params: dict[str, Any], until: float) -> list[Any]:
        with (
            self.datastore.get_connection() as conn,
            conn.cursor(binary=True, row_factory=tuple_row) as curs,
        ):
            left = until - time.monotonic()
            if left > self.read_seconds - LATE_SECONDS:
                return curs.execute(_psycopg_style(sql), params).fetchall()
            with _bounded(conn).answering_within(max(left, 0) + GRACE_SECONDS), conn.transaction():
                conn.execute(f"SET LOCAL statement_timeout = {max(1, round(1000 * left))}")
                return curs.execute(_psycopg_style(sql), params).fetchall()

    def _replace_identities(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        log, ids = self._tables["log"], self._tables["ids"]
        with self.datastore.get_connection() as conn, conn.cursor(row_factory=tuple_row) as curs:
            curs.execute(self._begin)
            _row_sets(curs)
            if curs.execute(SQL("SELECT 1 FROM {} LIMIT 1").format(log)).fetchone():
                conn.rollback()
                return False
            curs.execute(SQL("ALTER TABLE {} DISABLE TRIGGER append_only").format(ids))
            curs.execute(SQL("DELETE FROM {}").format(ids))
            curs.execute(SQL("ALTER TABLE {} ENABLE TRIGGER append_only").format(ids))
            insert = SQL("INSERT INTO {} ({}) VALUES (%s, %s, %s, %s, %s, %s, %s)").format(ids, SQL(COLUMNS))
            curs.executemany(insert, rows)
            conn.commit()
        return True

    def _why_read_only(self) -> str | None:
        with self.datastore.get_connection() as conn, conn.cursor(row_factory=tuple_row) as curs:
            curs.execute("SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'")
            in_recovery, read_only = cast("tuple[bool, bool]", curs.fetchone())
        if read_only:
            drop_all_connections(self.datastore)
        if in_recovery:
            return "the database server is a standby"
        return "the database takes no writes: its transactions are read-only" if read_only else None

    def _may_retry(self, lost: Exception) -> bool:
        # A request that waited for a lock, for an answer or for a connection has waited long enough.
        return not isinstance(lost.__cause__, LockNotAvailable | QueryCanceled | PoolTimeout | NoAnswer | DiskFull)

    def _reason(self, lost: Exception) -> str:
        if isinstance(lost.__cause__, PoolTimeout):
            return self.why_unconnected() or str(lost)
        return str(lost)

    def _reconnect(self) -> None:
        drop_dead_connections(self.datastore)

    def _to_stored(self, instant: datetime) -> datetime:
        return instant

    def _from_stored(self, instant: datetime) -> datetime:
        return instant.astimezone(UTC)

    def _to_array(self, values: Sequence[str]) -> list[str]:
        return list(values)


def _bounded(conn: Connection[Any]) -> TimedConnection:
    """A connection of the pool, as what `connect_with` made of it."""
    return cast(TimedConnection, conn)


def _row_sets(curs: Cursor[Any]) -> list[list[Any]]:
    """The rows of each statement of a script that has some."""
    found = []
    while True:
        if curs.description is not None:
            found.append(curs.fetchall())
        if not curs.nextset():
            return found


class PostgresLogFactory(PostgresFactory):
    """Connects with everything a libpq URI can say, `sslmode` and `target_session_attrs` too."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._read_seconds = float(self.env.get("LOG_READ_SECONDS") or READ_SECONDS)
        connect_with(self.datastore, self.env.get("POSTGRES_CONNINFO") or "", self._read_seconds)
        self._why_unconnected = remember_failures(self.datastore)

    def application_recorder(self) -> ApplicationRecorder:
        """The log of the schema.

        Raises: OperationalError with the reason if the store does not answer.
        """
        try:
            recorder = super().application_recorder()
        except OperationalError as lost:
            self.datastore.close()  # nobody else can: there is no recorder
            raise OperationalError(self._why_unconnected() or str(lost)) from lost
        log = cast(PostgresLog, recorder)
        log.read_seconds, log.why_unconnected = self._read_seconds, self._why_unconnected
        return recorder


def _columns(rows: Sequence[LogRow]) -> tuple[list[Any], ...]:
    return (
        [row.position for row in rows],
        [row.pledge for row in rows],
        [row.version for row in rows],
        [row.event_id for row in rows],
        [row.type for row in rows],
        [row.recorded_at for row in rows],
        [row.key for row in rows],
        [row.key_index for row in rows],
        [row.payload_hash for row in rows],
        [row.leaf for row in rows],
        [row.state for row in rows],
    )


@lru_cache(maxsize=64)
def _psycopg_style(sql: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", sql)
