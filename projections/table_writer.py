"""The writing side of a table set: what is open of a pledge, and what a batch of events changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError

from projections import sqlite_rows
from projections.fold import CatalogueRow, ClosedRectangles, OpenRectangles, Rectangle, RowT, TimelineRow
from projections.tables import (
    GAP,
    MADE_OF,
    OPEN_POSITION,
    PARKED,
    PROJECTION_CHANNEL,
    STATE,
    TAKEN_OUT,
    TableSet,
    is_missing_at,
    missing_until,
    table_set,
    writing,
)
from projections.words import WordsRow

PLEDGES_PER_QUERY = 500
"""Pledges named in one query."""

POSITIONS_PER_QUERY = 500
"""Positions named in one query."""

ASKED_AGAIN = "it is about to be tried again"
"""What stands in the place of the reason of a parked event from the moment that an operator asks to try it again."""

WAITS = "it waits for its turn: the events of its pledge take long to fold, and other pledges go on meanwhile"
"""What stands in the place of the reason of an event that can be folded and is not yet (`projections.long_pledges`)."""


ONLY_WAITS = or_(PARKED.c.error == WAITS, PARKED.c.error.startswith(GAP))
"""Whether nothing is wrong with a parked event: it waits, or was leapt over."""


class Superseded(Exception):
    """Another projector wrote to the table set, or another set answers now. Read the state again and go on from it."""


@dataclass(frozen=True, slots=True)
class PledgeChange:
    """The effect of some events on one pledge: the rectangles that they closed, and all that are open after them."""

    closed: ClosedRectangles
    open: OpenRectangles


@dataclass(frozen=True, slots=True)
class TableSetState:
    """One table set: how far it has read the log, when a projector last wrote to it (RFC 3339), whether it answers."""

    number: int
    version: str
    position: int
    heartbeat: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that could not be folded, and why."""

    position: int
    pledge: str
    line: bytes
    error: str


_PARKED = (PARKED.c.position, PARKED.c.pledge, PARKED.c.line, PARKED.c.error)
"""The columns of a `ParkedEvent`."""


class StalledPledge(NamedTuple):
    """A pledge that is answered without some of its events: from which position on, and whether they only wait."""

    first: int
    waits: bool


def states(conn: Connection, name: str) -> list[TableSetState]:
    """All table sets, the newest last."""
    columns = (STATE.c.set, STATE.c.version, STATE.c.position, STATE.c.heartbeat, STATE.c.active)
    rows = conn.execute(select(*columns).where(STATE.c.name == name).order_by(STATE.c.set))
    return [TableSetState(*row) for row in rows]


def advance(
    conn: Connection,
    name: str,
    number: int,
    before: int,
    after: int,
    *,
    heartbeat: str,
    active: bool,
    notice: str | None = None,
) -> None:
    """Move a set's position from `before` to `after`; PostgreSQL gives `notice` to who listens, at the commit.

    Raises: Superseded unless the set stands where this projector left it.
    """
    here = (STATE.c.name == name, STATE.c.set == number, STATE.c.position == before, STATE.c.active == active)
    moving = update(STATE).where(*here).values(position=after, heartbeat=heartbeat)
    if notice is not None and conn.dialect.name == "postgresql":
        told = conn.execute(moving.returning(func.pg_notify(PROJECTION_CHANNEL, notice)))
        moved = len(told.all())
    else:
        moved = conn.execute(moving).rowcount
    if moved != 1:
        raise Superseded(f"set {number} is not at position {before} any more")


def log_of(conn: Connection, number: int) -> str | None:
    """The id of the log that a set is made of; None if it is not known."""
    found: str | None = conn.scalar(select(MADE_OF.c.log).where(MADE_OF.c.set == number))
    return found


def note_log(conn: Connection, number: int, log: str) -> None:
    """Write down which log a set is made of."""
    conn.execute(delete(MADE_OF).where(MADE_OF.c.set == number))
    conn.execute(insert(MADE_OF).values(set=number, log=log))


def is_of_another_log(engine: Engine, live: TableSetState, log: str, fence: Callable[[Connection], None]) -> bool:
    """Whether a set was made of another history than that of the id `log`; an empty set is of any, and so is one of
    which that is not known. Which log it is of is written down then, in a transaction that `fence` allows."""
    with engine.connect() as conn:
        made_of = log_of(conn, live.number)
    if made_of is not None and made_of != log and live.position > 0:
        return True
    if made_of != log:
        with writing(engine).begin() as conn:
            fence(conn)
            note_log(conn, live.number, log)
    return False


def withheld_upto(conn: Connection, number: int) -> int:
    """The number of the last withholding that a set is made with; 0 for none."""
    return conn.scalar(select(TAKEN_OUT.c.number).where(TAKEN_OUT.c.set == number)) or 0


def note_withheld(conn: Connection, number: int, upto: int) -> None:
    """Write down the number of the last withholding that a set is made with."""
    conn.execute(delete(TAKEN_OUT).where(TAKEN_OUT.c.set == number))
    conn.execute(insert(TAKEN_OUT).values(set=number, number=upto))


def replace_pledge(
    conn: Connection, tables: TableSet, pledge: str, change: PledgeChange, parked: Iterable[ParkedEvent]
) -> None:
    """Delete all that a set has of a pledge, parked events too, and write what it is anew, from its first event on."""
    for table in (*tables.tables.values(), tables.outlines):
        conn.execute(delete(table).where(table.c.pledge == pledge))
    conn.execute(delete(PARKED).where(PARKED.c.set == tables.number, PARKED.c.pledge == pledge))
    write(conn, tables, {pledge: change})
    write_parked(conn, tables.number, parked, [])


def forget(conn: Connection, pledge: str, before: int) -> None:
    """Delete what the sets before a number still have of a pledge: those that are kept for `projections.rules_diff`.

    An older version's set has not all of the tables.
    """
    for number in conn.scalars(select(STATE.c.set).where(STATE.c.set < before, ~STATE.c.active)).all():
        for table in (*table_set(number).tables.values(), table_set(number).outlines):
            if conn.dialect.has_table(conn, table.name):
                conn.execute(delete(table).where(table.c.pledge == pledge))
        conn.execute(delete(PARKED).where(PARKED.c.set == number, PARKED.c.pledge == pledge))


def load_open(
    conn: Connection, tables: TableSet, pledges: Sequence[str], at: int = OPEN_POSITION - 1
) -> dict[str, OpenRectangles]:
    """The rectangles of these pledges that are open, or were at a position; `OpenRectangles()` of one that has none."""
    timeline = _open_rows(conn, tables.timeline, pledges, at, TimelineRow)
    catalogue = _open_rows(conn, tables.catalogue, pledges, at, CatalogueRow)
    words = _open_rows(conn, tables.words, pledges, at, WordsRow)
    return {pledge: OpenRectangles(timeline[pledge], catalogue[pledge], words[pledge]) for pledge in pledges}


def _open_rows(
    conn: Connection, table: Table, pledges: Sequence[str], at: int, row: Callable[..., RowT]
) -> dict[str, tuple[Rectangle[RowT], ...]]:
    found: dict[str, list[Rectangle[RowT]]] = {pledge: [] for pledge in pledges}
    order = [column for column in (table.c.get("version"), table.c.valid_from) if column is not None]
    for start in range(0, len(pledges), PLEDGES_PER_QUERY):
        some = pledges[start : start + PLEDGES_PER_QUERY]
        known = (table.c.known_to > at, *((table.c.known_from <= at,) if at < OPEN_POSITION - 1 else ()))
        query = select(table).where(table.c.pledge.in_(some), *known).order_by(*order)
        for pledge, valid_from, valid_to, known_from, _, *content in conn.execute(query):
            found[pledge].append(Rectangle(valid_from, valid_to, known_from, row(*content), stored=True))
    return {pledge: tuple(rectangles) for pledge, rectangles in found.items()}


Rectangles = Sequence[Rectangle[Any]]

Changed = Sequence[tuple[str, Rectangles, Rectangles]]
"""Of one table and each pledge the rectangles that were closed, and all that are open."""


def changed(tables: TableSet, changes: Mapping[str, PledgeChange]) -> dict[Table, Changed]:
    """What changes in each table."""
    return {
        tables.timeline: [(p, c.closed.timeline, c.open.timeline) for p, c in changes.items()],
        tables.catalogue: [(p, c.closed.catalogue, c.open.catalogue) for p, c in changes.items()],
        tables.words: [(p, c.closed.words, c.open.words) for p, c in changes.items()],
    }


def ended(its: Changed) -> Iterator[tuple[str, Rectangle[Any]]]:
    """The rectangles whose rows end. They MUST be written before those that begin: no two are on one spot."""
    return ((pledge, r) for pledge, closed, _ in its for r in closed if r.stored)


def begun(its: Changed) -> Iterator[tuple[Any, ...]]:
    """The rows that begin, their values in the order of the table's columns."""
    return (
        (pledge, r.valid_from, r.valid_to, r.known_from, r.known_to, *r.content)
        for pledge, closed, opened in its
        for r in chain(closed, opened)
        if not r.stored
    )


def made_outlines(changes: Mapping[str, PledgeChange]) -> list[tuple[str, bytes, bytes]]:
    """The rows of the outlines that are not in the table yet, or are there from rows that are gone."""
    return [(pledge, key, body) for pledge, change in changes.items() for key, body in change.open.outlines.items()]


def insert_outlines(conn: Connection, tables: TableSet, changes: Mapping[str, PledgeChange]) -> None:
    """Insert the outlines of the changes, those that are not there."""
    if not (rows := made_outlines(changes)):
        return
    if conn.dialect.name != "postgresql":
        conn.exec_driver_sql(sqlite_rows.insertion(tables.outlines, or_ignore=True), rows)
        return
    names = ", ".join(column.name for column in tables.outlines.columns)
    values = "SELECT * FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) ON CONFLICT DO NOTHING"
    into = f"INSERT INTO {tables.outlines.name} ({names}) {values}"
    conn.exec_driver_sql(into, tuple(map(list, zip(*rows, strict=True))))


def write(conn: Connection, tables: TableSet, changes: Mapping[str, PledgeChange]) -> None:
    """Close and insert the rectangles of the changes, in all tables, and their outlines."""
    insert_outlines(conn, tables, changes)
    for table, its in changed(tables, changes).items():
        end_rows(conn, table, its)
        insert_rows(conn, table, begun(its))


def end_rows(conn: Connection, table: Table, its: Changed) -> None:
    """Write where rows of a table end."""
    if conn.dialect.name != "postgresql":
        if ends := sqlite_rows.ends(ended(its)):
            conn.exec_driver_sql(sqlite_rows.ending(table), ends)
        return
    by_version = "version" in table.c
    values = [
        {"of": pledge, "at": r.valid_from, "until": r.known_to} | ({"which": r.content.version} if by_version else {})
        for pledge, r in ended(its)
    ]
    if values:
        found = (table.c.pledge == bindparam("of"), table.c.valid_from == bindparam("at"))
        which = [table.c.version == bindparam("which")] if by_version else []
        ending_them = update(table).where(*found, table.c.known_to == OPEN_POSITION, *which)
        conn.execute(ending_them.values(known_to=bindparam("until")), values)


def insert_rows(conn: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows whose values are in the order of the table's columns.

    Raises: DatabaseError if the store refuses a row, or a value is none of its type; OperationalError if it is away.
    """
    if conn.dialect.name == "postgresql":
        from projections.postgres_copy import copy_rows

        copy_rows(conn, table, rows)
        return
    try:
        if given := sqlite_rows.stored(rows):
            conn.exec_driver_sql(sqlite_rows.insertion(table), given)
    except (ValueError, OverflowError) as error:
        raise DatabaseError("INSERT", None, error) from error


def load_parked(conn: Connection, number: int, upto: int = OPEN_POSITION - 1) -> list[ParkedEvent]:
    """The events parked beside a set that are not in what it has at a position, in their order."""
    query = select(*_PARKED).where(is_missing_at(number, upto)).order_by(PARKED.c.position)
    return [ParkedEvent(*row) for row in conn.execute(query)]


def load_leapt_over(conn: Connection, number: int) -> dict[tuple[str, int], list[ParkedEvent]]:
    """The events that were leapt over, in their order, by pledge and the position from which on all is there."""
    query = select(missing_until(), *_PARKED).where(PARKED.c.set == number, PARKED.c.error.startswith(GAP))
    found: dict[tuple[str, int], list[ParkedEvent]] = {}
    for end, *event in conn.execute(query.order_by(PARKED.c.position)):
        parked = ParkedEvent(*event)
        found.setdefault((parked.pledge, end), []).append(parked)
    return found


def stalled(conn: Connection, number: int, upto: int) -> dict[str, StalledPledge]:
    """The pledges with events parked beside a set that are not in what it has at a position."""
    waits = func.min(case((ONLY_WAITS, 1), else_=0))
    query = select(PARKED.c.pledge, func.min(PARKED.c.position), waits).where(is_missing_at(number, upto))
    rows = conn.execute(query.group_by(PARKED.c.pledge))
    return {pledge: StalledPledge(first, bool(only)) for pledge, first, only in rows}


def waiting(conn: Connection, number: int, upto: int) -> dict[str, int]:
    """The pledges with events up to a position that wait or were leapt over, and the position of the first of them."""
    some = (PARKED.c.set == number, PARKED.c.position <= upto, ONLY_WAITS)
    query = select(PARKED.c.pledge, func.min(PARKED.c.position).label("first")).where(*some).group_by(PARKED.c.pledge)
    return {row.pledge: row.first for row in conn.execute(query)}


def gaps_of(conn: Connection, number: int, pledge: str, upto: int) -> list[tuple[int, int]]:
    """The stretches of positions in which a set has not all of a pledge, those that begin up to a position."""
    of_pledge = (PARKED.c.set == number, PARKED.c.pledge == pledge, PARKED.c.position <= upto)
    query = select(PARKED.c.position, missing_until()).where(*of_pledge).order_by(PARKED.c.position)
    found: dict[int, int] = {}
    for position, until in conn.execute(query):
        found.setdefault(until, position)
    return [(first, until) for until, first in found.items()]


def write_parked(conn: Connection, number: int, parked: Iterable[ParkedEvent], freed: Iterable[int]) -> None:
    """Park some events beside a set, and delete those at the positions `freed` from what is parked.

    Raises: Superseded if they are not parked any more.
    """
    gone = list(freed)
    for start in range(0, len(gone), POSITIONS_PER_QUERY):
        some = gone[start : start + POSITIONS_PER_QUERY]
        deleted = conn.execute(delete(PARKED).where(PARKED.c.set == number, PARKED.c.position.in_(some)))
        if deleted.rowcount != len(some):
            raise Superseded(f"events parked beside set {number} were taken in by another instance")
    rows = [
        {"set": number, "position": p.position, "pledge": p.pledge, "line": p.line, "error": p.error} for p in parked
    ]
    if rows:
        conn.execute(insert(PARKED), rows)


def ask_again(conn: Connection, number: int) -> None:
    """Let the projector of a set try all events again that are parked beside it."""
    conn.execute(update(PARKED).where(PARKED.c.set == number, not_(ONLY_WAITS)).values(error=ASKED_AGAIN))


def asked_again(conn: Connection, number: int) -> list[str]:
    """The pledges of a set with parked events that are to be tried again."""
    query = select(PARKED.c.pledge).where(PARKED.c.set == number, PARKED.c.error == ASKED_AGAIN)
    return list(conn.scalars(query.distinct().order_by(PARKED.c.pledge)))
