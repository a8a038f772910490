"""The tables of the read models, on SQLite and PostgreSQL alike, and the engine that reaches them.

`timeline_<n>`    one row per rectangle [valid_from, valid_to) × [known_from, known_to): the status there
`catalogue_<n>`   one row per rectangle of what seldom changes: title, parties, tags, unit, deadline
`outlines_<n>`    what the documents of `timeline_<n>` share from one day to the next, once a pledge
`words_<n>`       one row per fact and rectangle in which it is in force: the words by which it is found
`projection_state` the table sets (the `<n>`), how far each has read the log, and which one answers
`parked`          events that could not be folded, with their bytes
`projection_withheld` which of the texts that are withheld each table set is made without
`projection_lease` which instance is at work, and its beat
`projection_log`  which history of the log each set is made of

The valid axis is days, the known axis log positions. An open end is `OPEN_DATE` or `OPEN_POSITION`, so that one
comparison finds what is in force; outside this package it is null. Text sorts by code point on both stores.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import inf
from typing import Any, Literal

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    case,
    cast,
    create_engine,
    event,
    func,
    text,
)
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import Pool, QueuePool
from sqlalchemy.sql import ColumnElement

from projections.connections import keep_sqlite_connections_right
from tracker.log.away import READ_SECONDS
from tracker.log.sqlstates import UNDEFINED_TABLE, has_sqlstate

OPEN_DATE = date.max
"""The open end of the valid axis."""

OPEN_POSITION = 2**63 - 1
"""The open end of the known axis."""

PROJECTION_CHANNEL = "tracker_projection"
"""PostgreSQL's NOTIFY channel on which a projector tells its commits (`projected.Projected.told`)."""

_CREATE_LOCK = 0x7072_6F6A
"""The key of the advisory lock under which tables are made: "proj"."""

WRITE_ANSWER_SECONDS = 60
"""Seconds that one statement of a transaction that writes waits for PostgreSQL; some thousand rows take one second."""

MAX_CONNECTIONS = 13
"""Connections to PostgreSQL at most, where nobody says otherwise."""

TableName = Literal["timeline", "catalogue", "words"]
"""One of the tables of a set, whatever its number."""

TextColumn = Text().with_variant(Text(collation="C"), "postgresql")
BigIntColumn = BigInteger().with_variant(Integer(), "sqlite")

META = MetaData()

STATE = Table(
    "projection_state",
    META,
    Column("name", TextColumn, primary_key=True),
    Column("set", Integer, primary_key=True, autoincrement=False),
    Column("version", TextColumn, nullable=False),
    Column("position", BigIntColumn, nullable=False),
    Column("heartbeat", TextColumn),
    Column("active", Boolean, nullable=False),
)
"""One row per table set. The position is that of the last event whose rows the set has."""

# One set of a name answers. SQLAlchemy would load the dialect of PostgreSQL for an `Index` with a condition.
_ONE_ACTIVE = DDL(  # type: ignore[no-untyped-call]
    "CREATE UNIQUE INDEX IF NOT EXISTS projection_state_active ON projection_state (name) WHERE active"
)
event.listen(STATE, "after_create", _ONE_ACTIVE)

PARKED = Table(
    "parked",
    META,
    Column("set", Integer, primary_key=True, autoincrement=False),
    Column("position", BigIntColumn, primary_key=True, autoincrement=False),
    Column("pledge", TextColumn, nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
)

GAP = "what it changed is still being worked out; it is in all answers from position "
"""What stands in the place of the reason of an event that was leapt over (`projections.gaps`), before that position."""

TAKEN_OUT = Table(
    "projection_withheld",
    META,
    Column("set", Integer, primary_key=True, autoincrement=False),
    Column("number", BigIntColumn, nullable=False),
)
"""The number of the last withholding that each table set is made with; a set without a row is made with none."""

LEASE = Table(
    "projection_lease",
    META,
    Column("name", TextColumn, primary_key=True),
    Column("holder", TextColumn, nullable=False),  # empty while nobody has the lease
    Column("beat", BigIntColumn, nullable=False),
    Column("has_lock", Boolean, nullable=False),
)
"""One row per lease (`projections.lease`). The beat goes up with every transaction of the holder."""

LEASE_OF_PROJECTOR, LEASE_OF_REBUILD = "projector", "rebuild"
"""The lease of the instance that keeps the set that answers up with the log, and of the one that builds another."""

MADE_OF = Table(
    "projection_log",
    META,
    Column("set", Integer, primary_key=True, autoincrement=False),
    Column("log", TextColumn, nullable=False),
)
"""The history that each table set is made of (`LogGuard.history`). A set of another one is built anew."""


@dataclass(frozen=True)
class TableSet:
    """The tables of one version of the timeline, built and switched to together."""

    number: int
    metadata: MetaData
    timeline: Table
    catalogue: Table
    words: Table
    outlines: Table
    has_outlines: bool = True
    """Whether its documents are stored against outlines; those of an older version stand by themselves."""

    @property
    def tables(self) -> dict[TableName, Table]:
        """The tables of rectangles by their names."""
        return {"timeline": self.timeline, "catalogue": self.catalogue, "words": self.words}

    def create(self, conn: Connection) -> None:
        """Make the tables without an index: a bulk load is faster so."""
        self.metadata.create_all(conn, checkfirst=False)

    def indexing(self, dialect: str) -> list[str]:
        """The statements that make the indexes, and on PostgreSQL refuse two rectangles on one spot."""
        outlines = self.outlines.name
        statements = [f"CREATE UNIQUE INDEX {outlines}_key ON {outlines} (pledge, outline)"]
        for table, indexes in _indexes(self).items():
            name = table.name
            statements += [f"CREATE INDEX {name}_{index} ON {name} ({columns})" for index, columns in indexes.items()]
            if dialect == "postgresql":
                of = "pledge WITH =, version WITH =" if table is self.words else "pledge WITH ="
                apart = f"CONSTRAINT {name}_no_overlap EXCLUDE USING gist ({of}, {_APART})"
                statements.append(f"ALTER TABLE {name} ADD {apart}")
        return statements

    def drop(self, conn: Connection) -> None:
        """Drop the tables."""
        self.metadata.drop_all(conn)


FIRST_WITH_OUTLINES = 9
"""The number before the `+` of the first version whose sets have outlines (`runner.PROJECTION_VERSION`)."""


def answering_set(number: int, version: str) -> TableSet:
    """The tables of set `number` as a version made it: an older one answers until it is built anew."""
    made_by = version.partition("+")[0]
    return table_set(number, has_outlines=made_by.isdecimal() and int(made_by) >= FIRST_WITH_OUTLINES)


@lru_cache(maxsize=64)
def table_set(number: int, *, has_outlines: bool = True) -> TableSet:
    """The tables of set `number`."""
    metadata = MetaData()
    timeline = Table(
        f"timeline_{number}",
        metadata,
        *_bounds(),
        Column("status", TextColumn, nullable=False),
        Column("flags", TextColumn, nullable=False),  # ",late,stale,"
        Column("ratio", TextColumn),  # `fold.sortable`
        Column("last_stated_on", Date, nullable=False),
        Column("changed", Date, nullable=False),  # the day since which the status is what it is
        Column("amounts", LargeBinary, nullable=False),  # the amounts that a summary adds up, `fold.read_amounts`
        Column("outline", LargeBinary, nullable=False),  # which one of the pledge's outlines
        Column("body", LargeBinary, nullable=False),  # `document_codec.pack`
    )
    catalogue = Table(
        f"catalogue_{number}",
        metadata,
        *_bounds(),
        Column("title", TextColumn, nullable=False),  # case-folded, as is all that is searched here
        Column("kind", TextColumn, nullable=False),
        Column("pledgor", TextColumn, nullable=False),  # code, else name, as written
        Column("pledgors", TextColumn, nullable=False),  # all that it has or had: `fold.lines`
        Column("beneficiary", TextColumn),
        Column("beneficiaries", TextColumn, nullable=False),
        Column("parties", TextColumn, nullable=False),  # `party_lines.written`
        Column("part_of", TextColumn),
        Column("rating", TextColumn),  # of the latest assessment, as written
        Column("rubric", TextColumn),
        Column("unit", TextColumn),  # the target's, else the actual's
        Column("due", Date),  # the latest reading of the deadline
        Column("tags", TextColumn, nullable=False),  # ",nato,ukraine,"
    )
    words = Table(
        f"words_{number}",
        metadata,
        *_bounds(),
        Column("version", BigIntColumn, nullable=False),  # of the fact's event
        Column("text", TextColumn, nullable=False),  # case-folded: `words.text_of`
    )
    outlines = Table(
        f"outlines_{number}",
        metadata,
        Column("pledge", TextColumn, nullable=False),
        Column("outline", LargeBinary, nullable=False),
        Column("body", LargeBinary, nullable=False),  # `document_codec.pack_outline`
    )
    return TableSet(number, metadata, timeline, catalogue, words, outlines, has_outlines)


def _bounds() -> list[Any]:
    return [
        Column("pledge", TextColumn, nullable=False),
        Column("valid_from", Date, nullable=False),
        Column("valid_to", Date, nullable=False),
        Column("known_from", BigIntColumn, nullable=False),
        Column("known_to", BigIntColumn, nullable=False),
        CheckConstraint("valid_from < valid_to"),
        CheckConstraint("0 < known_from AND known_from < known_to"),
    ]


_SPOT = "known_to, known_from, valid_from, valid_to"
_APART = "int8range(known_from, known_to) WITH &&, daterange(valid_from, valid_to) WITH &&"


def _indexes(tables: TableSet) -> dict[Table, dict[str, str]]:
    # The bounds stand in every index: a walk skips what is not in force without reading the row.
    return {
        tables.timeline: {
            "pledge": f"pledge, {_SPOT}",
            "status": f"status, {_SPOT}, pledge",
            "ratio": f"ratio, pledge, {_SPOT}",
            "last_stated_on": f"last_stated_on, pledge, {_SPOT}",
            "changed": f"changed, pledge, {_SPOT}",
            "valid_from": "valid_from, known_to, known_from, valid_to",
        },
        tables.catalogue: {
            "pledge": f"pledge, {_SPOT}",
            "title": f"title, pledge, {_SPOT}",
            "due": f"due, pledge, {_SPOT}",
            "valid_from": "valid_from, known_to, known_from",
            "valid_to": "valid_to, known_to, known_from",
            "known_from": "known_from",
            "known_to": "known_to",
        },
        tables.words: {"pledge": f"pledge, {_SPOT}"},
    }


def open_engine(database_url: str, *, read_seconds: float = READ_SECONDS, connections: int = MAX_CONNECTIONS) -> Engine:
    """The engine for `sqlite:///file.db` or any `postgresql://` URL that libpq takes; dispose of it when done.

    A read is given up after `read_seconds`; transactions of `writing` have their own bounds. To PostgreSQL there are
    `connections` at most.
    """
    scheme, _, rest = database_url.partition("://")
    if scheme == "sqlite":
        path = rest.removeprefix("/")
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": read_seconds}, pool_timeout=read_seconds)
        keep_sqlite_connections_right(engine, path, read_seconds)
        return engine
    if scheme.partition("+")[0] not in ("postgresql", "postgres"):
        # The URL is not repeated: it may hold a password.
        raise ValueError("a database URL begins with sqlite:/// or postgresql://")
    from projections.postgres_sessions import open_postgres_engine

    return open_postgres_engine(database_url, read_seconds=read_seconds, connections=connections)


def missing_until() -> ColumnElement[int]:
    """The position from which on a set has what holds with a parked event; `OPEN_POSITION` if it has it nowhere."""
    position = cast(func.substr(PARKED.c.error, len(GAP) + 1), BigInteger)
    return case((PARKED.c.error.startswith(GAP), position), else_=OPEN_POSITION)


def is_missing_at(number: int, position: int) -> ColumnElement[bool]:
    """Whether a parked event stands at a position or before, and is not in what a set has of its pledge there."""
    return and_(PARKED.c.set == number, PARKED.c.position <= position, missing_until() > position)


def pool_use(pool: Pool) -> tuple[int, int]:
    """The connections of an engine's pool that are in use, and those that are idle."""
    return (pool.checkedout(), pool.checkedin()) if isinstance(pool, QueuePool) else (0, 0)


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write: on SQLite they wait for their turn when they begin."""
    return engine.execution_options(sqlite_begin="IMMEDIATE", answer_seconds=WRITE_ANSWER_SECONDS)


def projecting(engine: Engine) -> Engine:
    """The same engine for transactions whose rows and position can be lost together with the power: they are read again
    from the log. PostgreSQL does not wait for its disk at their commit; SQLite does not either
    (`connections.keep_sqlite_connections_right`).
    """
    return writing(engine).execution_options(synchronous_commit="off")


def building(engine: Engine) -> Engine:
    """The same engine for transactions that make tables and indexes, which take as long as they take."""
    return engine.execution_options(sqlite_begin="IMMEDIATE", answer_seconds=inf)


def prepare(engine: Engine, *, app_role: str | None = None) -> None:
    """Make what needs a privileged role: PostgreSQL's schema and btree_gist. `app_role` may then create tables in it.

    Safe to run again where all of it is there; there is nothing to make on SQLite.
    """
    if engine.dialect.name != "postgresql":
        return
    from projections.postgres_sessions import SCHEMA

    with building(engine).begin() as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
        # "IF NOT EXISTS" asks for the right to create also where nothing is to be made.
        if conn.scalar(text("SELECT to_regnamespace(:schema)"), {"schema": SCHEMA}) is None:
            conn.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        if conn.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'")) is None:
            conn.execute(text("CREATE EXTENSION btree_gist SCHEMA public"))
        if app_role is not None:
            role = conn.dialect.identifier_preparer.quote_identifier(app_role)
            conn.execute(text(f"GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO {role}"))
            conn.execute(text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMA} GRANT ALL ON TABLES TO {role}"))


def create_tables(engine: Engine, name: str, version: str) -> None:
    """Make what is missing of the state, the lease, the parked events and a first, empty table set."""
    prepare(engine)
    with building(engine).begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
        META.create_all(conn)
        for lease in (LEASE_OF_PROJECTOR, LEASE_OF_REBUILD):
            if conn.execute(LEASE.select().where(LEASE.c.name == lease)).first() is None:
                conn.execute(LEASE.insert().values(name=lease, holder="", beat=0, has_lock=False))
        if conn.execute(STATE.select().where(STATE.c.name == name).limit(1)).first() is None:
            first = table_set(1)
            first.drop(conn)  # what is left of one whose state is gone
            first.create(conn)
            for statement in first.indexing(conn.dialect.name):
                conn.execute(text(statement))
            conn.execute(STATE.insert().values(name=name, set=1, version=version, position=0, active=True))


def is_missing_table(error: Exception) -> bool:
    """Whether the statement named a table that is not there: not made yet, or dropped after a switch."""
    if isinstance(error, OperationalError):
        return "no such table" in str(error.orig)
    return isinstance(error, ProgrammingError) and has_sqlstate(error.orig, UNDEFINED_TABLE)
