"""A turn of the projector on PostgreSQL in one round trip: a script that moves the position on, writes rows, commits.

It is for the few rows of a turn for which somebody waits; many rows are faster by COPY (`postgres_copy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal
from pydantic_core import to_json
from sqlalchemy import Engine, Table
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from projections.lease import Lease
from projections.postgres_copy import postgres_type
from projections.table_writer import PledgeChange, Superseded, begun, changed, ended, made_outlines
from projections.tables import (
    LEASE,
    OPEN_POSITION,
    PROJECTION_CHANNEL,
    STATE,
    WRITE_ANSWER_SECONDS,
    projecting,
    table_set,
)
from tracker.log.postgres_connection import NoAnswer, TimedConnection

FEW_ROWS = 500
"""Rows of a turn that are written by the script, at most."""

# The quotient fails unless both rows are moved, and the script ends there.
_MOVE = """
DEALLOCATE ALL; PREPARE move (text, text, boolean, text, text, int, bigint, bigint, text) AS
WITH beaten AS (
    UPDATE {leases} SET beat = beat + 1, has_lock = $3
    WHERE name = $1 AND holder = $2 AND set_config('application_name', $4, false) IS NOT NULL RETURNING 1
), moved AS (
    UPDATE {states} SET position = $8, heartbeat = $9
    WHERE name = $5 AND set = $6 AND position = $7 AND active RETURNING 1
)
SELECT 1 / (SELECT count(*) FROM beaten) / (SELECT count(*) FROM moved);
"""

_END = """
PREPARE {statement} (json) AS
UPDATE {table} AS t SET known_to = ended.until
FROM json_to_recordset($1) AS ended (of text, at date, until bigint{type})
WHERE t.pledge = ended.of AND t.known_to = {open} AND t.valid_from = ended.at{where};
"""

_BEGIN = """
PREPARE {statement} (json) AS
INSERT INTO {table} ({names}) SELECT {values} FROM json_to_recordset($1) AS begun ({row}){conflict};
"""

# A plan that was made while a table had few rows must be right for many, too.
_SCRIPT = """
BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL synchronous_commit = off; SET LOCAL enable_seqscan = off;
EXECUTE move ({lease}, {holder}, {has_lock}, {session}, {name}, {set}, {before}, {after}, {heartbeat});
{rows} NOTIFY {channel}, {notice}; COMMIT
"""

AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
"""What is raised where the server is away, or the session."""


class PostgresTurn:
    """Writes turns to one table set that answers, for the holder of a lease, in the session of its lock
    (`turns.Turn`).
    """

    def __init__(self, engine: Engine, lease: Lease, name: str, number: int) -> None:
        self._engine, self._lease, self._name, self._tables = engine, lease, name, table_set(number)
        # Names as plain text: those of SQLAlchemy take pydantic longer than all that is written under them.
        tables = (*self._tables.tables.values(), self._tables.outlines)
        self._names = {table: [str(c.name) for c in table.columns] for table in tables}
        self._prepared_in: TimedConnection | None = None

    def write(self, before: int, after: int, heartbeat: str, notice: str, changes: Mapping[str, PledgeChange]) -> bool:
        """Move the position on and write the rows, and tell `notice` to who listens; false if there are too many rows,
        or the session is gone.

        Raises: LeaseLost if another instance holds the lease; Superseded unless the set is where `before` says.
        """
        session = self._lease.session
        if session is None:
            return False
        try:
            rows, count = self._rows(changes)
            if count > FEW_ROWS:
                return False
            script = SQL(_SCRIPT).format(
                lease=Literal(self._lease.name),
                holder=Literal(self._lease.holder),
                has_lock=Literal(self._lease.has_lock),
                session=Literal(self._lease.session_name),
                name=Literal(self._name),
                set=Literal(self._tables.number),
                before=Literal(before),
                after=Literal(after),
                heartbeat=Literal(heartbeat),
                rows=Composed(rows),
                channel=Identifier(PROJECTION_CHANNEL),
                notice=Literal(notice),
            )
            self._run(session, script)
        except psycopg.errors.DivisionByZero:
            self._refuse(before)
        except psycopg.errors.UndefinedTable as error:
            raise ProgrammingError("EXECUTE", None, error) from error
        except (*AWAY, psycopg.errors.ReadOnlySqlTransaction) as error:
            if session.closed and not isinstance(error, NoAnswer):
                return False  # the session is gone, and perhaps that alone; what it has written is found by the fence
            raise OperationalError("EXECUTE", None, error) from error
        except (psycopg.Error, ValueError) as error:
            raise DatabaseError("EXECUTE", None, error) from error
        self._lease.note_beat()
        return True

    def _run(self, session: TimedConnection, script: Composed) -> None:
        with session.answering_within(WRITE_ANSWER_SECONDS):
            try:
                if self._prepared_in is not session:
                    session.execute(self._preparing())
                    self._prepared_in = session
                session.execute(script)
            except psycopg.Error:
                with suppress(*AWAY):
                    session.rollback()
                raise

    def _preparing(self) -> Composed:
        move = SQL(_MOVE).format(leases=Identifier(LEASE.name), states=Identifier(STATE.name))
        of_tables = (sql for table in self._tables.tables.values() for sql in (_ending(table), _beginning(table)))
        return Composed([move, *of_tables, _beginning(self._tables.outlines, " ON CONFLICT DO NOTHING")])

    def _refuse(self, before: int) -> NoReturn:
        with projecting(self._engine).begin() as conn:
            self._lease.fence(conn)
        raise Superseded(f"set {self._tables.number} is not at position {before} any more")

    def _rows(self, changes: Mapping[str, PledgeChange]) -> tuple[list[Composed], int]:
        """The statements that end and begin rectangles, and how many of these there are. First the ends: no two
        rectangles are on one spot even in between. Outlines have statements of their own."""
        ends, begins, count = list[Composed](), list[Composed](), 0
        outlines = self._tables.outlines
        if made := [self._as_row(outlines, row) for row in made_outlines(changes)]:
            begins.append(_execute("begin", outlines, made))
        for table, its in changed(self._tables, changes).items():
            ending = [
                {"of": pledge, "at": r.valid_from, "until": r.known_to, "which": getattr(r.content, "version", None)}
                for pledge, r in ended(its)
            ]
            beginning = [self._as_row(table, row) for row in begun(its)]
            ends += [_execute("end", table, ending)] if ending else []
            begins += [_execute("begin", table, beginning)] if beginning else []
            count += len(ending) + len(beginning)
        return ends + begins, count

    def _as_row(self, table: Table, values: Iterable[Any]) -> dict[str, Any]:
        return dict(zip(self._names[table], map(_as_json, values), strict=True))


def _ending(table: Table) -> Composed:
    by_version = "version" in table.c
    return SQL(_END).format(
        statement=_named("end", table),
        table=Identifier(table.name),
        open=Literal(OPEN_POSITION),
        type=SQL(", which bigint" if by_version else ""),
        where=SQL(" AND t.version = ended.which" if by_version else ""),
    )


def _beginning(table: Table, conflict: str = "") -> Composed:
    types = {column.name: postgres_type(column) for column in table.columns}
    values = [SQL("decode({}, 'hex')" if of == "bytea" else "{}").format(Identifier(n)) for n, of in types.items()]
    row = [SQL("{} {}").format(Identifier(n), SQL("text" if of == "bytea" else of)) for n, of in types.items()]
    return SQL(_BEGIN).format(
        statement=_named("begin", table),
        table=Identifier(table.name),
        names=SQL(", ").join(map(Identifier, types)),
        values=SQL(", ").join(values),
        row=SQL(", ").join(row),
        conflict=SQL(conflict),
    )


def _execute(what: str, table: Table, rows: Sequence[Mapping[str, Any]]) -> Composed:
    return SQL("EXECUTE {} ({});").format(_named(what, table), Literal(to_json(rows).decode()))


def _named(what: str, table: Table) -> Identifier:
    return Identifier(f"{what}_{table.name}")


def _as_json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
