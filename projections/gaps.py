"""Leaping over events that take long one after the other, and filling the gap that is left.

Events that change every day after theirs, each with all before it behind it, are folded at once: what holds after the
last of them is there soon. What held between them is missing at first. Its events stay parked with `GAP` for a reason,
answers for the positions of the gap have the flag `stale_projection` and are those from before it, and `fill` puts in
their place what held, event by event. Once nothing is missing the rows are the same as if nobody had leapt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, delete, select, update
from sqlalchemy.sql import ColumnElement

from projections.fold import Rectangle
from projections.folded_pledge import FoldedPledge
from projections.table_writer import (
    ParkedEvent,
    PledgeChange,
    insert_outlines,
    insert_rows,
    load_leapt_over,
    write,
    write_parked,
)
from projections.tables import GAP, OPEN_POSITION, PARKED, TableSet

_BOUNDS = 5
"""Columns of a row before its content: the pledge and the four bounds."""


@dataclass(slots=True)
class Gap:
    """The events of one pledge that are still missing before `until`, and the pledge as it was before the first."""

    until: int
    missing: list[ParkedEvent]
    pledge: FoldedPledge | None = None
    """None before it is read."""


def load(conn: Connection, number: int) -> dict[str, list[Gap]]:
    """The gaps of each pledge in a set, in the order of their positions."""
    found: dict[str, list[Gap]] = {}
    for (pledge, until), missing in sorted(load_leapt_over(conn, number).items()):
        found.setdefault(pledge, []).append(Gap(until, missing))
    return found


def gap_of(events: Sequence[ParkedEvent]) -> Gap:
    """What is missing where events are leapt over: all but the last."""
    *missing, last = events
    return Gap(last.position, [replace(event, error=f"{GAP}{last.position}") for event in missing])


def give_up(conn: Connection, tables: TableSet, pledge: str, gap: Gap) -> None:
    """Let a pledge stand again as before the first event that is missing in a gap, with nothing of what held after."""
    for table in tables.tables.values():
        of = table.c.pledge == pledge
        conn.execute(delete(table).where(of, table.c.known_from >= gap.until))
        conn.execute(update(table).where(of, table.c.known_to >= gap.until).values(known_to=OPEN_POSITION))
    conn.execute(delete(PARKED).where(PARKED.c.set == tables.number, PARKED.c.pledge == pledge))


def leap(conn: Connection, tables: TableSet, pledge: str, events: Sequence[ParkedEvent], change: PledgeChange) -> Gap:
    """Write what waiting events of a pledge change in the end; all but the last are missing from then on.

    Raises: Superseded if they do not wait any more.
    """
    gap = gap_of(events)
    write_parked(conn, tables.number, gap.missing, [event.position for event in events])
    write(conn, tables, {pledge: change})
    return gap


def fill(conn: Connection, tables: TableSet, pledge: str, gap: Gap, taken: int, change: PledgeChange) -> None:
    """Write what the first missing events of a gap changed. What held after the last of them holds up to the end of the
    gap, or up to what is filled next.

    Raises: Superseded if they are not missing any more.
    """
    closed, opened = change.closed, change.open
    write_parked(conn, tables.number, [], [event.position for event in gap.missing[:taken]])
    insert_outlines(conn, tables, {pledge: change})
    _put(conn, tables.timeline, pledge, gap.until, closed.timeline, opened.timeline)
    _put(conn, tables.catalogue, pledge, gap.until, closed.catalogue, opened.catalogue)
    _put(conn, tables.words, pledge, gap.until, closed.words, opened.words)
    if taken == len(gap.missing):
        for table in tables.tables.values():
            _join(conn, table, pledge, gap.until)


def _put(
    conn: Connection,
    table: Table,
    pledge: str,
    until: int,
    closed: Sequence[Rectangle[Any]],
    opened: Sequence[Rectangle[Any]],
) -> None:
    """Close and insert rectangles before the end of a gap. What is closed there and held behind its end still does."""
    key = _key(table)
    at_the_end = (table.c.pledge == pledge, table.c.known_from < until, table.c.known_to >= until)
    ends = {tuple(row[:-1]): row[-1] for row in conn.execute(select(*key, table.c.known_to).where(*at_the_end))}
    stored = [rectangle for rectangle in closed if rectangle.stored]
    of = [(r.valid_from, *([r.content.version] if "version" in table.c else [])) for r in stored]
    if stored:
        conn.execute(
            update(table).where(*at_the_end, *_bound(key)).values(known_to=bindparam("end")),
            [
                {"end": r.known_to} | {f"own_{column.name}": value for column, value in zip(key, own, strict=True)}
                for r, own in zip(stored, of, strict=True)
            ],
        )
    rows = [(r, until, ends[own]) for r, own in zip(stored, of, strict=True) if ends[own] > until]
    rows += [(r, r.known_from, r.known_to) for r in closed if not r.stored]
    rows += [(r, r.known_from, until) for r in opened if not r.stored]
    insert_rows(conn, table, ((pledge, r.valid_from, r.valid_to, start, end, *r.content) for r, start, end in rows))


def _join(conn: Connection, table: Table, pledge: str, until: int) -> None:
    """Make one row of two that meet at the end of a filled gap and say the same."""
    before = _rows(conn, table, pledge, table.c.known_to == until)
    after = _rows(conn, table, pledge, table.c.known_from == until)
    key = _key(table)
    same = [
        {"end": after[row].known_to} | {f"own_{column.name}": after[row]._mapping[column] for column in key}
        for row in before.keys() & after.keys()
    ]
    if same:
        own = (table.c.pledge == pledge, *_bound(key))
        conn.execute(delete(table).where(*own, table.c.known_from == until), same)
        conn.execute(update(table).where(*own, table.c.known_to == until).values(known_to=bindparam("end")), same)


def _rows(conn: Connection, table: Table, pledge: str, condition: ColumnElement[bool]) -> dict[tuple[Any, ...], Any]:
    """The rows of a pledge by their days and content."""
    rows = conn.execute(select(table).where(table.c.pledge == pledge, condition))
    return {(row.valid_from, row.valid_to, *row[_BOUNDS:]): row for row in rows}


def _key(table: Table) -> list[Column[Any]]:
    """What tells a row from the others of its pledge that are known at one position."""
    return [table.c.valid_from, *([table.c.version] if "version" in table.c else [])]


def _bound(key: Sequence[Column[Any]]) -> list[ColumnElement[bool]]:
    """The condition that the columns have the values of the parameters `own_…`; not `=`, as in `table_writer`."""
    return [column.between(bindparam(f"own_{column.name}"), bindparam(f"own_{column.name}")) for column in key]
