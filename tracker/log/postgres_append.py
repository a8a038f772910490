"""An append to PostgreSQL in one round trip: a script that takes the lock, checks, writes and commits.

Each statement of a script sees what was committed when it began, so everything is checked after the lock is held. What
does not hold is only found not to: nothing is written then, and who appends finds out why in a transaction of several
round trips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakSet

from psycopg import Connection, Cursor
from psycopg.errors import InvalidSqlStatementName
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from pydantic_core import to_json

from tracker.log.clock_watch import MAX_FROM_DATABASE
from tracker.log.guard import Basis
from tracker.log.rows import LogRow

_PREPARE = """
PREPARE {append} (json, text, bigint, text, timestamptz, timestamptz, timestamptz) AS
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1)
    AS line (place bigint, pledge text, version bigint, is_first boolean, event_id text, type text,
             recorded_at timestamptz, key text, key_index integer, payload_hash text, leaf text, state text)
), head AS MATERIALIZED (
    SELECT position, recorded_at FROM {log} ORDER BY position DESC LIMIT 1
), due AS MATERIALIZED (
    SELECT coalesce((SELECT position FROM head), 0) + place AS position, given.* FROM given
    WHERE EXISTS (SELECT FROM (SELECT log FROM {ids} ORDER BY number DESC LIMIT 1) AS id WHERE $2 IN ('', id.log))
      AND ($3 = 0 OR EXISTS (SELECT FROM {log} WHERE position = $3 AND event_id = $4))
      AND NOT EXISTS (SELECT FROM head WHERE head.recorded_at > $5)
      AND clock_timestamp() BETWEEN $6 AND $7
      AND NOT EXISTS (
          SELECT FROM given AS first WHERE is_first AND version <> coalesce(
              (SELECT max(l.version) + 1 FROM {log} AS l WHERE l.pledge = first.pledge),
              CASE WHEN version IN (0, 1) THEN version ELSE -1 END))
), recorded AS (
    INSERT INTO {events} (notification_id, originator_id, originator_version, topic, state)
    SELECT position, pledge, version, type, decode(state, 'hex') FROM due
), numbered AS (
    INSERT INTO {log} (position, pledge, version, event_id, type, recorded_at,
                       idempotency_key, idempotency_index, payload_hash, leaf)
    SELECT position, pledge, version, event_id, type, recorded_at, key, key_index,
           decode(payload_hash, 'hex'), decode(leaf, 'hex') FROM due
)
SELECT min(position) AS first FROM due
"""

_EXECUTE = "EXECUTE {append} ({lines}, {id}, {known}, {known_id}, {first}, {earliest}, {latest}); COMMIT"


class OneScript:
    """The script, for the tables of one log. Its statement is prepared once on each connection."""

    def __init__(self, parts: Mapping[str, Composable], begin: Composed) -> None:
        """`begin` begins the transaction and takes the lock; `parts` has the names of the tables."""
        self._append = Identifier("tracker_append")
        self._prepare = SQL(_PREPARE).format(append=self._append, **parts)
        self._begin = begin
        self._prepared = WeakSet[Connection[Any]]()

    def append(
        self, curs: Cursor[tuple[Any, ...]], rows: Sequence[LogRow], basis: Basis, *, near_clock: bool
    ) -> int | None:
        """Append rows that are numbered from 1; the position of the first.

        Nothing is written, and there is none, unless the log is that of the basis, no version is out of its order, and
        no row was recorded before the last one of the log, nor far from the database's clock if `near_clock`.
        """
        script = self._script(rows, basis, near_clock=near_clock)
        if curs.connection in self._prepared:
            try:
                curs.execute(script)
            except InvalidSqlStatementName:  # psycopg forgets all that is prepared after it has rolled back
                curs.connection.rollback()
                self._prepared.remove(curs.connection)
        if curs.connection not in self._prepared:
            curs.execute(self._prepare)
            self._prepared.add(curs.connection)
            curs.execute(script)
        while (curs.description is None or curs.description[0].name != "first") and curs.nextset():
            pass
        row = curs.fetchone()
        return None if row is None else row[0]

    def _script(self, rows: Sequence[LogRow], basis: Basis, *, near_clock: bool) -> Composed:
        stamps = [row.recorded_at for row in rows]
        return self._begin + SQL(_EXECUTE).format(
            append=self._append,
            lines=Literal(_lines(rows)),
            id=Literal(basis.log),
            known=Literal(basis.known.position),
            known_id=Literal(basis.known.event_id),
            first=Literal(stamps[0]),
            earliest=_bound(max(stamps), -MAX_FROM_DATABASE) if near_clock else SQL("'-infinity'"),
            latest=_bound(min(stamps), MAX_FROM_DATABASE) if near_clock else SQL("'infinity'"),
        )


def _bound(stamp: datetime, away: timedelta) -> Literal:
    return Literal(stamp + away)


def _lines(rows: Sequence[LogRow]) -> str:
    seen = set[str]()
    lines = []
    for row in rows:
        lines.append(
            {
                "place": row.position,
                "pledge": row.pledge,
                "version": row.version,
                "is_first": row.pledge not in seen,
                "event_id": row.event_id,
                "type": row.type,
                "recorded_at": row.recorded_at,
                "key": row.key,
                "key_index": row.key_index,
                "payload_hash": None if row.payload_hash is None else row.payload_hash.hex(),
                "leaf": row.leaf.hex(),
                "state": row.state.hex(),
            }
        )
        seen.add(row.pledge)
    return to_json(lines).decode()
