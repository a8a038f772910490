"""How many pledges a filter's value would give: counted by what they have, with all other filters."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, FromClause, Select, case, func, select

from projections import party_lines
from projections.queries import Clocks, Filters, conditions, joined, words_of
from projections.tables import TableSet
from projections.word_spans import spans

Facet = Literal["status", "kind", "flag", "tag", "pledgor", "beneficiary"]
"""A filter whose values are counted."""

FACETS: tuple[Facet, ...] = get_args(Facet)

_COLUMNS = {"status": "status", "kind": "kind", "flag": "flags", "tag": "tags"}


def column_of(facet: Facet) -> str:
    """The column that has the facet's values."""
    return _COLUMNS.get(facet, "parties")


def without(filters: Filters, facet: Facet) -> Filters:
    """All filters but that of the facet."""
    none: dict[str, Any] = {facet: ()}
    return replace(filters, **none)


def grouped(tables: TableSet, facet: Facet, filters: Filters, clocks: Clocks) -> Select[Any]:
    """`(value, pledges)`: how many pledges pass the filters, by the text of the column that has the facet's values."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    name = column_of(facet)
    is_of_timeline = name in tables.timeline.c
    source, where = joined(
        tables, clocks, catalogue=bool(on_catalogue) or not is_of_timeline, timeline=bool(on_timeline) or is_of_timeline
    )
    column = (tables.timeline if is_of_timeline else tables.catalogue).c[name]
    query = select(column.label("value"), func.count().label("pledges")).select_from(source)
    return query.where(*where, *on_catalogue, *on_timeline).group_by(column)


def turns(tables: TableSet, filters: Filters, clocks: Clocks, *, ends: bool) -> Select[Any]:
    """`(status, day, pledges)`: how many pledges that pass the filters come to a status on each day, or leave it.

    Added up in order of the days they are the counts of any day, in one look at what is known at the position.
    """
    on_catalogue, on_timeline = conditions(tables, replace(filters, q=None), clocks)
    c, t = tables.catalogue, tables.timeline
    first: ColumnElement[date] = t.c.valid_from
    end: ColumnElement[date] = t.c.valid_to
    source: FromClause = t
    known = [t.c.known_to > clocks.position, t.c.known_from <= clocks.position]
    if on_catalogue:
        known += [c.c.known_to > clocks.position, c.c.known_from <= clocks.position]
    words = words_of(filters.q or "")
    for other in (*([c] if on_catalogue else ()), *([spans(tables, words, clocks, filters.pledge)] if words else ())):
        source = source.join(other, other.c.pledge == t.c.pledge)
        known += [other.c.valid_from < end, other.c.valid_to > first]
        first = case((other.c.valid_from > first, other.c.valid_from), else_=first)
        end = case((other.c.valid_to < end, other.c.valid_to), else_=end)
    day = (end if ends else first).label("day")
    query = select(t.c.status, day, func.count().label("pledges")).select_from(source)
    return query.where(*known, *on_catalogue, *on_timeline).group_by(t.c.status, day)


def added_up(changes: Iterable[tuple[date, str, int]], days: Sequence[date]) -> Iterator[dict[str, int]]:
    """For each of the days, which are in order, how many pledges have come to each status by then, and not left it."""
    turned = [Counter[str]() for _ in days]
    for day, status, pledges in changes:
        if (place := bisect_left(days, day)) < len(days):
            turned[place][status] += pledges
    counts = Counter[str]()
    for of_day in turned:
        counts.update(of_day)
        yield {status: counts[status] for status in sorted(counts) if counts[status]}


def counted(facet: Facet, rows: Iterable[Any], more: Sequence[tuple[str, int]] = ()) -> list[dict[str, Any]]:
    """`{key, name?, count}` of each value, the most frequent first; a party's name is the one that most pledges use.

    `more` are further keys with their counts.
    """
    counts, names = Counter(dict(more)), dict[str, Counter[tuple[str, str]]]()
    for row in rows:
        if facet in ("status", "kind"):
            counts[row.value] += row.pledges
        elif facet in ("flag", "tag"):
            for word in row.value.strip(",").split(",") if row.value else ():
                counts[word] += row.pledges
        else:
            for line in party_lines.read(row.value):
                if line.role == facet:
                    counts[line.key.casefold()] += row.pledges
                    names.setdefault(line.key.casefold(), Counter())[line.key, line.name] += row.pledges
    found = []
    for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if not count:
            continue
        if key in names:
            written, name = usual(names[key])
            found.append({"key": written, "name": name, "count": count})
        else:
            found.append({"key": key, "count": count})
    return found


def usual(names: Counter[tuple[str, str]]) -> tuple[str, str]:
    """The key and name that most pledges have of a party, the first in order where several do."""
    return min(names, key=lambda written: (-names[written], written))
