"""The tables of the ledger, on SQLite and PostgreSQL alike.

`ledger_tile`        the hashes of each tile; the last tile of a level is partial, and is written anew as it grows
`ledger_checkpoint`  every signed checkpoint
`ledger_state`       one row per origin: its keys, the last consistency proof, and why nothing is signed, if so

All rows belong to an origin, the name of a log in its checkpoints. A log that is forked has another origin, so its
ledger begins anew and the old one stays as it was.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Engine, Integer, LargeBinary, MetaData, Table, text

from projections import tables
from projections.tables import BigIntColumn, TextColumn, writing

META = MetaData()

TILE = Table(
    "ledger_tile",
    META,
    Column("origin", TextColumn, primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigIntColumn, primary_key=True, autoincrement=False),  # the tile's index in its level
    Column("hashes", LargeBinary, nullable=False),
)
"""One row per tile of `tracker.tiles`."""

CHECKPOINT = Table(
    "ledger_checkpoint",
    META,
    Column("origin", TextColumn, primary_key=True),
    Column("size", BigIntColumn, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),  # the signed note, byte for byte
    Column("signed_at", TextColumn, nullable=False),
)
"""One row per size that was signed. Signed again with another key, the row has the newer note."""

STATE = Table(
    "ledger_state",
    META,
    Column("origin", TextColumn, primary_key=True),
    Column("keys", TextColumn, nullable=False),  # verifier keys, one a line
    Column("proved_from", BigIntColumn),
    Column("proved_to", BigIntColumn),
    Column("proved_at", TextColumn),
    Column("fault", TextColumn, nullable=False),  # empty while checkpoints are signed
)
"""What the process that signs tells all others."""

_CREATE_LOCK = 0x6C65_6467
"""The key of the advisory lock under which the tables are made: "ledg"."""


def create_tables(engine: Engine) -> None:
    """Make what is missing of the ledger's tables. Safe to run in two processes at once."""
    tables.prepare(engine)
    with writing(engine).begin() as conn:
        _take_lock(conn)
        META.create_all(conn)


def _take_lock(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
