"""The questions that lists for people ask, and their SQL: a page by its number, names, headlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.sql.selectable import FromClause

from projections.queries import DATE_SORTS, Clocks, Filters, PageStart, bounded, conditions, holds, joined
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
    """The pledges that pass the filters, in their order: so an index that has all is walked, and no row is read."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    needs_catalogue = bool(on_catalogue) or not on_timeline
    source, where = joined(tables, clocks, catalogue=needs_catalogue, timeline=bool(on_timeline))
    pledge = (tables.catalogue if needs_catalogue else tables.timeline).c.pledge
    return select(pledge).select_from(source).where(*where, *on_catalogue, *on_timeline).order_by(pledge)


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


class SortKey(NamedTuple):
    """What a pledge is sorted by, and its name."""

    key: Any
    pledge: str


class PageRow(NamedTuple):
    """A pledge of a page with what it is sorted by, and its stored document."""

    pledge: str
    key: Any
    body: bytes


def sort_keys(tables: TableSet, pledges: Sequence[str], clocks: Clocks, name: str) -> Select[Any]:
    """`(pledge, key)` of some pledges: what they are sorted by."""
    owner = tables.catalogue if name in tables.catalogue.c else tables.timeline
    return select(owner.c.pledge, owner.c[name].label("key")).where(owner.c.pledge.in_(pledges), holds(owner, clocks))


def in_order(keys: Iterable[SortKey], sort: str) -> list[SortKey]:
    """The pledges of a list as `queries.page` has them: by key, nulls last, then by pledge."""
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
    key = owner.c[name]
    return source, [*where, *on_catalogue, *on_timeline, *bounded(key, name, clocks)], owner, key
