"""Of which positions a pledge passes filters: what a stream of events is narrowed by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, select

from projections.queries import Clocks, Filters, conditions, holds_on
from projections.tables import TableSet

Spans = Mapping[str, Sequence[tuple[int, int]]]
"""For each pledge the spans `[first, end)` of positions at which it passes."""


def rectangles(
    tables: TableSet, filters: Filters, pledges: Collection[str], day: date, first: int, last: int
) -> Select[Any]:
    """The bounds on the known axis of what passes the filters on a day, as known at some position in `[first, last]`.

    The filters MUST NOT have words of a search: those are bound to one position.
    """
    c, t = tables.catalogue, tables.timeline
    on_catalogue, on_timeline = conditions(tables, filters, Clocks(day, last))
    both = [
        condition
        for table in (c, t)
        for condition in (holds_on(table, day), table.c.known_to > first, table.c.known_from <= last)
    ]
    return (
        select(
            t.c.pledge,
            t.c.known_from,
            t.c.known_to,
            c.c.known_from.label("listed_from"),
            c.c.known_to.label("listed_to"),
        )
        .select_from(c.join(t, t.c.pledge == c.c.pledge))
        .where(t.c.pledge.in_(pledges), *both, *on_catalogue, *on_timeline)
    )


def spans(rows: Iterable[Any]) -> Spans:
    """The spans of `rectangles`."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        first, end = max(row.known_from, row.listed_from), min(row.known_to, row.listed_to)
        if first < end:
            found.setdefault(row.pledge, []).append((first, end))
    return found


def concerns(spans: Spans, pledge: str, position: int) -> bool:
    """Whether the pledge passes with its event at this position, or passed before it."""
    return any(first <= at < end for first, end in spans.get(pledge, ()) for at in (position - 1, position))
