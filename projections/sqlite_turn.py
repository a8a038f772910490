"""A turn of the projector on SQLite: a few statements whose text is made once, on a connection of SQLite's own module.

Putting the statements together anew takes several times what SQLite takes for the rows of a turn.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine

from projections import sqlite_rows
from projections.connections import sqlite_transaction
from projections.lease import Lease, LeaseLost
from projections.table_writer import PledgeChange, Superseded, begun, changed, ended, made_outlines
from projections.tables import LEASE, STATE, table_set

_BEAT = f"UPDATE {LEASE.name} SET beat = beat + 1, has_lock = ? WHERE name = ? AND holder = ?"  # noqa: S608

_MOVE = f'UPDATE {STATE.name} SET position = ?, heartbeat = ? WHERE name = ? AND "set" = ? AND position = ? AND active'  # noqa: S608


class SQLiteTurn:
    """Writes turns to one table set that answers, for the holder of a lease (`turns.Turn`)."""

    def __init__(self, engine: Engine, lease: Lease, name: str, number: int) -> None:
        self._engine, self._lease, self._name, self._tables = engine, lease, name, table_set(number)
        self._ends = {table: sqlite_rows.ending(table) for table in self._tables.tables.values()}
        self._outlines = sqlite_rows.insertion(self._tables.outlines, or_ignore=True)
        self._begins = {table: sqlite_rows.insertion(table) for table in self._tables.tables.values()}

    def write(self, before: int, after: int, heartbeat: str, notice: str, changes: Mapping[str, PledgeChange]) -> bool:
        """Move the position on and write the rows; SQLite tells nobody.

        Raises: LeaseLost if another instance holds the lease; Superseded unless the set is where `before` says.
        """
        del notice
        lease, number = self._lease, self._tables.number
        with sqlite_transaction(self._engine) as conn:
            if conn.execute(_BEAT, (lease.has_lock, lease.name, lease.holder)).rowcount != 1:
                raise LeaseLost("another instance has taken the lease over")
            if conn.execute(_MOVE, (after, heartbeat, self._name, number, before)).rowcount != 1:
                raise Superseded(f"set {number} is not at position {before} any more")
            if outlines := made_outlines(changes):
                conn.executemany(self._outlines, outlines)
            for table, its in changed(self._tables, changes).items():
                if ends := sqlite_rows.ends(ended(its)):
                    conn.executemany(self._ends[table], ends)
                if rows := sqlite_rows.stored(begun(its)):
                    conn.executemany(self._begins[table], rows)
        lease.note_beat()
        return True
