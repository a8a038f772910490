"""The questions that lists for people ask, and their SQL: a page by its number, names, headlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.sql.selectable import FromClause

from projections.queries import DATE_SORTS, Clocks, Filters, PageStart, conditions, day_of, document, holds, joined
from projections.tables import TableSet


def bodies(tables: TableSet, pledges: Sequence[str], clocks: Clocks) -> Select[Any]:
    """`(pledge, body, outline, changed)` of some pledges."""
    t = tables.timeline
    return select(t.c.pledge, *document(tables), t.c.changed).where(t.c.pledge.in_(pledges), holds(t, clocks))


def headlines(tables: TableSet, filters: Filters, clocks: Clocks) -> Select[Any]:
    """`(pledge, status)` of the pledges that pass the filters."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    source, where = joined(tables, clocks, catalogue=bool(on_catalogue), timeline=True)
    t = tables.timeline.c
    return select(t.pledge, t.status).select_from(source).where(*where, *on_catalogue, *on_timeline)


def passing_names(tables: TableSet, filters: Filters, clocks: Clocks) -> Select[Any]:
    """The pledges that pass the filters, in their order: so an index that has all is walked, and no row is read."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    needs_catalogue = bool(on_catalogue) or not on_timeline
    source, where = joined(tables, clocks, catalogue=needs_catalogue, timeline=bool(on_timeline))
    pledge = (tables.catalogue if needs_catalogue else tables.timeline).c.pledge
    return select(pledge).select_from(source).where(*where, *on_catalogue, *on_timeline).order_by(pledge)


def page(
    tables: TableSet,
    filters: Filters,
    clocks: Clocks,
    sort: str,
    limit: int,
    after: PageStart | None,
    *,
    nulls: bool,
    along_days: bool = False,
) -> Select[Any]:
    """`(pledge, sort key, document)` of the pledges whose sort key is not null, or is null, in order.

    Two queries and not one, so that each walks an index in its order; or neither does, and both look at what has begun
    by the day, `along_days`: those are without the document.
    """
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    in_catalogue = name in tables.catalogue.c
    source, where = joined(tables, clocks, catalogue=bool(on_catalogue) or in_catalogue, timeline=True)
    owner = tables.catalogue if in_catalogue else tables.timeline
    pledge: ColumnElement[Any] = owner.c.pledge
    key: ColumnElement[Any] = owner.c[name]
    columns = [pledge, key.label("key"), *(() if along_days else document(tables))]
    query = select(*columns).select_from(source)
    query = query.where(*where, *on_catalogue, *on_timeline, *_bounded(key, name, clocks)).limit(limit)
    if name == "pledge":
        if after is not None:
            # On both tables: a planner that begins with one of them does not infer the condition on the other.
            for column in (tables.catalogue.c.pledge, tables.timeline.c.pledge):
                query = query.where(column < after.pledge if descending else column > after.pledge)
        return query.order_by(pledge.desc() if descending else pledge)
    if along_days:
        pledge, key = _in_no_index(pledge), _in_no_index(key)
    if nulls:
        if after is not None and after.key is None:
            query = query.where(pledge > after.pledge)
        return query.where(key.is_(None)).order_by(pledge)
    if after is not None:
        last: Any = date.fromisoformat(after.key or "") if name in DATE_SORTS else after.key
        beyond = key < last if descending else key > last
        query = query.where(key <= last if descending else key >= last, or_(beyond, pledge > after.pledge))
    return query.where(key.is_not(None)).order_by(key.desc() if descending else key, pledge)


def _in_no_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same text as an expression, for which no planner takes an index."""
    return column.concat("")


def _bounded(key: ColumnElement[Any], sort: str, clocks: Clocks) -> list[ColumnElement[bool]]:
    """What every row that holds at the clocks has: so the walk of an index begins at their day."""
    return [key <= day_of(clocks)] if sort in ("last_stated_on", "changed") else []


def numbered(
    tables: TableSet,
    filters: Filters,
    clocks: Clocks,
    sort: str,
    limit: int,
    offset: int,
    *,
    nulls: bool,
    along_days: bool = False,
) -> Select[Any]:
    """The pledges whose sort key is not null, or is null, in order, from a place among them on; `along_days` as for
    `page`.
    """
    source, where, pledge, key = _sorted_by(tables, filters, clocks, sort.removeprefix("-"))
    query = select(pledge).select_from(source).where(*where)
    if along_days:
        pledge, key = _in_no_index(pledge), _in_no_index(key)
    query = query.where(key.is_(None) if nulls else key.is_not(None)).limit(limit).offset(offset)
    return query.order_by(*([] if nulls else [key.desc() if sort.startswith("-") else key]), pledge)


def with_sort_key(
    tables: TableSet, filters: Filters, clocks: Clocks, sort: str, *, along_days: bool = False
) -> Select[Any]:
    """The number of pledges of a list that have a sort key."""
    source, where, _, key = _sorted_by(tables, filters, clocks, sort.removeprefix("-"))
    if along_days:
        key = _in_no_index(key)
    return select(func.count()).select_from(source).where(*where, key.is_not(None))


class SortKey(NamedTuple):
    """What a pledge is sorted by, and its name."""

    key: Any
    pledge: str


class PageRow(NamedTuple):
    """A pledge of a page with what it is sorted by, and its stored document."""

    pledge: str
    key: Any
    body: bytes
    outline: bytes


def sort_keys(tables: TableSet, pledges: Sequence[str], clocks: Clocks, name: str) -> Select[Any]:
    """`(pledge, key)` of some pledges: what they are sorted by."""
    owner = tables.catalogue if name in tables.catalogue.c else tables.timeline
    return select(owner.c.pledge, owner.c[name].label("key")).where(owner.c.pledge.in_(pledges), holds(owner, clocks))


def in_order(keys: Iterable[SortKey], sort: str) -> list[SortKey]:
    """The pledges of a list as `page` has them: by key, nulls last, then by pledge."""
    by_pledge = sorted(keys, key=_pledge_of, reverse=sort == "-pledge")
    with_key = [one for one in by_pledge if one.key is not None]
    if sort.removeprefix("-") != "pledge":
        with_key.sort(key=_key_of, reverse=sort.startswith("-"))
    return with_key + [one for one in by_pledge if one.key is None]


def after(keys: Sequence[SortKey], sort: str, last: PageStart | None) -> Sequence[SortKey]:
    """Those of a list that stand behind a row, which need not be there."""
    if last is None:
        return keys
    key: Any = last.key
    if sort.removeprefix("-") == "pledge":
        key = last.pledge
    elif key is not None and sort.removeprefix("-") in DATE_SORTS:
        key = date.fromisoformat(key)
    row = SortKey(key, last.pledge)
    ordered = in_order({*keys, row}, sort)
    return ordered[ordered.index(row) + 1 :]


def _key_of(key: SortKey) -> Any:
    return key.key


def _pledge_of(key: SortKey) -> str:
    return key.pledge


def _sorted_by(
    tables: TableSet, filters: Filters, clocks: Clocks, name: str
) -> tuple[FromClause, list[ColumnElement[bool]], ColumnElement[Any], ColumnElement[Any]]:
    """The tables of a list, its conditions, and the columns of its pledges and of its sort key."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    owner = tables.catalogue if name in tables.catalogue.c else tables.timeline
    source, where = joined(
        tables,
        clocks,
        catalogue=bool(on_catalogue) or owner is tables.catalogue,
        timeline=bool(on_timeline) or owner is tables.timeline,
    )
    key = owner.c[name]
    return source, [*where, *on_catalogue, *on_timeline, *_bounded(key, name, clocks)], owner.c.pledge, key
