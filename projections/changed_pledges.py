"""The pledges that may differ between two points of the clocks, found without a look at those that do not.

An event changes its own pledge, and a midnight those of which a row begins or ends with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, or_, select, union

from projections import queries
from projections.queries import Clocks
from projections.table_reader import TableReader
from projections.tables import TableSet
from tracker.log.recorder import LogRecorder

MAX_CHANGED = 5_000
"""Events, or pledges that days change, between two points; of more nobody is told which."""

PLEDGES_AT_ONCE = 500
"""Pledges that one statement names."""


def in_batches(pledges: Sequence[str], first: int = PLEDGES_AT_ONCE) -> Iterator[Sequence[str]]:
    """The pledges in their order, as many at a time as one statement names; in the first batches fewer."""
    place, size = 0, min(first, PLEDGES_AT_ONCE)
    while place < len(pledges):
        yield pledges[place : place + size]
        place, size = place + size, min(2 * size, PLEDGES_AT_ONCE)


def between(
    tables: TableReader, log: LogRecorder, before: Clocks, after: Clocks, *, words: bool = False
) -> list[str] | None:
    """The pledges that may differ between two points of which one clock is the same, in order.

    With `words` also those that are found by other words. None if they are more than MAX_CHANGED, if both clocks
    differ, or if the log does not have them.
    """
    first, last = sorted((before.position, after.position))
    earlier, later = sorted((queries.day_of(before), queries.day_of(after)))
    if first == last:
        if earlier == later:
            return []
        limit = MAX_CHANGED + 1
        rows = tables.rows_of(turning, last, earlier, later, limit, words=words)
        return None if len(rows) == limit else [row.pledge for row in rows]
    if earlier != later or last - first > MAX_CHANGED:
        return None
    events = log.changed_since(first, last - first)
    if len(events) < last - first:  # the log is an older one than what was projected
        return None
    return sorted({pledge for _, pledge, _ in events})


def turning(tables: TableSet, position: int, after: date, upto: date, limit: int, *, words: bool) -> Select[Any]:
    """Pledges of which a row that is known at a position begins or ends after one day, at the latest on another.

    Where a status ends the next one begins, unless the pledge does not exist from there on: then its row of the
    catalogue ends, too. Those of words, which are looked at where `words` says so, end by themselves.
    """
    found = []
    for table in (tables.timeline, tables.catalogue, *([tables.words] if words else ())):
        c = table.c
        turns = and_(c.valid_from > after, c.valid_from <= upto)
        if table is not tables.timeline:
            turns = or_(turns, and_(c.valid_to > after, c.valid_to <= upto))
        found.append(select(c.pledge).where(turns, c.known_to > position, c.known_from <= position))
    names = union(*found).subquery("turning")
    return select(names.c.pledge).order_by(names.c.pledge).limit(limit)
