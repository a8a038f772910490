"""The questions that lists for people ask, and their SQL: a page by its number, names, headlines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.sql.selectable import FromClause

from projections.queries import Clocks, Filters, conditions, holds, joined
from projections.tables import TableSet


def bodies(tables: TableSet, pledges: Sequence[str], clocks: Clocks) -> Select[Any]:
    """`(pledge, body, changed)` of some pledges."""
    t = tables.timeline
    return select(t.c.pledge, t.c.body, t.c.changed).where(t.c.pledge.in_(pledges), holds(t, clocks))


def headlines(tables: TableSet, filters: Filters, clocks: Clocks) -> Select[Any]:
    """`(pledge, status)` of the pledges that pass the filters."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    source, where = joined(tables, clocks, catalogue=bool(on_catalogue), timeline=True)
    t = tables.timeline.c
    return select(t.pledge, t.status).select_from(source).where(*where, *on_catalogue, *on_timeline)


def passing_names(tables: TableSet, filters: Filters, clocks: Clocks) -> Select[Any]:
    """The pledges that pass the filters, in no order."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    source, where = joined(tables, clocks, catalogue=True, timeline=bool(on_timeline))
    return select(tables.catalogue.c.pledge).select_from(source).where(*where, *on_catalogue, *on_timeline)


def numbered(
    tables: TableSet, filters: Filters, clocks: Clocks, sort: str, limit: int, offset: int, *, nulls: bool
) -> Select[Any]:
    """The pledges whose sort key is not null, or is null, in order, from a place among them on."""
    source, where, owner, key = _sorted_by(tables, filters, clocks, sort.removeprefix("-"))
    query = select(owner.c.pledge).select_from(source).where(*where)
    query = query.where(key.is_(None) if nulls else key.is_not(None)).limit(limit).offset(offset)
    return query.order_by(*([] if nulls else [key.desc() if sort.startswith("-") else key]), owner.c.pledge)


def with_sort_key(tables: TableSet, filters: Filters, clocks: Clocks, sort: str) -> Select[Any]:
    """The number of pledges of a list that have a sort key."""
    source, where, _, key = _sorted_by(tables, filters, clocks, sort.removeprefix("-"))
    return select(func.count()).select_from(source).where(*where, key.is_not(None))


def _sorted_by(
    tables: TableSet, filters: Filters, clocks: Clocks, name: str
) -> tuple[FromClause, list[ColumnElement[bool]], FromClause, ColumnElement[Any]]:
    """The tables of a list, its conditions, the table that has its sort key, and the key."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    owner = tables.catalogue if name in tables.catalogue.c else tables.timeline
    source, where = joined(
        tables,
        clocks,
        catalogue=bool(on_catalogue) or owner is tables.catalogue,
        timeline=bool(on_timeline) or owner is tables.timeline,
    )
    return source, [*where, *on_catalogue, *on_timeline], owner, owner.c[name]
