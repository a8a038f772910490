"""The questions that the read models answer, and their SQL; values reach it as parameters only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, false, func, literal, null, or_, select
from sqlalchemy.sql.selectable import FromClause

from projections.party_lines import PartyRole, in_force_pattern
from projections.tables import OPEN_DATE, PARKED, STATE, TableName, TableSet, is_missing_at
from tracker.rules.replayed import STALE_FLAG

TIMELINE = "timeline"
"""The name of this projection in `projection_state`."""

SORTS = ("pledge", "title", "due", "ratio", "last_stated_on", "changed")
"""What a page can be sorted by; with a `-` in front, descending. Nulls come last either way, ties by pledge."""

NULLABLE_SORTS = ("due", "ratio")
"""Those of which a pledge may have none."""

DATE_SORTS = ("due", "last_stated_on", "changed")
"""Those by a day."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """A point on both axes. `position` is on the known axis; `known_at` is only shown beside it, None for now."""

    as_of: date
    position: int
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a list. Of several values of one filter any will do; different filters must all hold.

    `pledgor` and `beneficiary` are codes, names or keys in any case, of every party that a pledge has or had, joint
    ones too; `party` is one of either. `promised_by` and `promised_to` are keys of parties in force
    (`projections.party_lines`), either of which will do. `rating` and `rubric` are those of the latest assessment, as
    written. `due_from` has its own day in, `due_before` leaves it out; every word of `q` must occur in a fact in force
    (`projections.words`).
    """

    status: tuple[str, ...] = ()
    flag: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    pledgor: tuple[str, ...] = ()
    beneficiary: tuple[str, ...] = ()
    party: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    rating: tuple[str, ...] = ()
    rubric: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    pledge: tuple[str, ...] = ()
    promised_by: str | None = None
    promised_to: str | None = None
    due_from: date | None = None
    due_before: date | None = None
    q: str | None = None


class StatusPage(NamedTuple):
    """Documents in order, the key and pledge after which the next page begins (None after the last), and the total."""

    items: list[bytes]
    next: tuple[str | None, str] | None
    total: int


class ListedStatus(NamedTuple):
    """A document of a list, and the day since which its headline is what it is."""

    document: bytes
    changed: date


class PageStart(NamedTuple):
    """The row after which a page begins: its sort key as text (None for a null), and its pledge."""

    key: str | None
    pledge: str


def page_start(sort: str, after: Sequence[Any] | None) -> PageStart | None:
    """The row after which a page begins, from the `next` of the page before; None for the first page.

    Raises: ValueError if the sort is unknown or no page gave this `after`.
    """
    if sort.removeprefix("-") not in SORTS:
        raise ValueError(f"no list is sorted by {sort!r}")
    if after is None:
        return None
    last = PageStart(*after) if len(after) == 2 else None
    if last is None or not is_page_start(sort, last.key, last.pledge):
        raise ValueError("no page ends there")
    return last


def is_page_start(sort: str, key: object, pledge: object) -> bool:
    """Whether a page of a list so sorted can end at this key and pledge."""
    name = sort.removeprefix("-")
    if not isinstance(pledge, str) or not isinstance(key, str | None):
        return False
    if key is None:
        return name in (*NULLABLE_SORTS, "pledge")
    if name in DATE_SORTS:
        try:
            date.fromisoformat(key)
        except ValueError:
            return False
    return True


@cache
def answering() -> tuple[ColumnElement[Any], ...]:
    """The set that answers, and a number that changes with the events parked beside it (0 if none is).

    Both are columns of every read: a set that was switched away from is noticed by the very statement that read it.
    """
    active = select(STATE.c.set).where(STATE.c.name == TIMELINE, STATE.c.active).scalar_subquery()
    parked = select(cast(func.coalesce(func.sum(PARKED.c.position), 0), BigInteger)).where(PARKED.c.set == active)
    return active, parked.scalar_subquery()


def head() -> Select[Any]:
    """`(position, set, parked, heartbeat)` of the set that answers, `parked` as in `answering`."""
    _, parked = answering()
    return select(STATE.c.position, STATE.c.set, parked, STATE.c.heartbeat).where(
        STATE.c.name == TIMELINE, STATE.c.active
    )


def active() -> Select[Any]:
    """`(set, version)` of the set that answers."""
    return select(STATE.c.set, STATE.c.version).where(STATE.c.name == TIMELINE, STATE.c.active)


def holds(table: FromClause, clocks: Clocks) -> ColumnElement[bool]:
    """The condition that the row's rectangle contains the point."""
    return and_(
        table.c.known_to > clocks.position,
        table.c.known_from <= clocks.position,
        holds_on(table, day_of(clocks)),
    )


def holds_on(table: FromClause, day: date) -> ColumnElement[bool]:
    """The condition that the row's rectangle has the day."""
    return and_(table.c.valid_from <= day, table.c.valid_to > day)


def day_of(clocks: Clocks) -> date:
    """The day to look at; nothing changes between the last two days there are, and the very last is the open end."""
    return min(clocks.as_of, OPEN_DATE - timedelta(days=1))


@lru_cache(maxsize=64)
def document(tables: TableSet) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The columns `(body, outline)` of a row's document, as `document_codec.StoredDocument` has them."""
    t, o = tables.timeline.c, tables.outlines.c
    if not tables.has_outlines:
        return t.body, null().label("outline")
    outline = select(o.body).where(o.pledge == t.pledge, o.outline == t.outline).correlate(tables.timeline)
    return t.body, outline.scalar_subquery().label("outline")


def one(tables: TableSet, pledge: str, clocks: Clocks) -> Select[Any]:
    """The document of one pledge."""
    timeline = tables.timeline
    return select(*document(tables)).where(timeline.c.pledge == literal(pledge), holds(timeline, clocks))


def rows(tables: TableSet, of: TableName, pledges: Sequence[str], clocks: Clocks) -> Select[Any]:
    """Whole rows of some pledges in one table, those that hold at the clocks."""
    table = tables.tables[of]
    return select(table).where(table.c.pledge.in_(pledges), holds(table, clocks))


def outlines(tables: TableSet, pledges: Sequence[str], clocks: Clocks) -> Select[Any]:
    """`(pledge, outline)` of some pledges: the outlines of their documents at the clocks, as stored."""
    t = tables.timeline
    return select(t.c.pledge, document(tables)[1]).where(t.c.pledge.in_(pledges), holds(t, clocks))


def names(tables: TableSet, of: TableName, clocks: Clocks, after: str, limit: int) -> Select[Any]:
    """The pledges that one table has at the clocks, in order."""
    table = tables.tables[of]
    return (
        select(table.c.pledge).where(table.c.pledge > after, holds(table, clocks)).order_by(table.c.pledge).limit(limit)
    )


def rectangles(tables: TableSet, pledge: str, position: int) -> Select[Any]:
    """Every rectangle of a pledge that was known by a position, oldest knowledge first."""
    t = tables.timeline
    return (
        select(t.c.valid_from, t.c.valid_to, t.c.known_from, t.c.known_to, *document(tables))
        .where(t.c.pledge == pledge, t.c.known_from <= position)
        .order_by(t.c.known_from, t.c.valid_from)
    )


def count(tables: TableSet, filters: Filters, clocks: Clocks) -> Select[Any]:
    """The number of pledges that pass the filters."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    needs_catalogue = bool(on_catalogue) or not on_timeline
    source, where = joined(tables, clocks, catalogue=needs_catalogue, timeline=bool(on_timeline))
    return select(func.count()).select_from(source).where(*where, *on_catalogue, *on_timeline)


def corners(tables: TableSet, after: int, upto: int) -> Select[Any]:
    """The bounds of the catalogue's rectangles that begin or end between two positions, for `pledge_counts`."""
    c = tables.catalogue.c
    begins_or_ends = or_(and_(c.known_from > after, c.known_from <= upto), and_(c.known_to > after, c.known_to <= upto))
    return select(c.valid_from, c.valid_to, c.known_from, c.known_to).where(begins_or_ends)


def amounts(tables: TableSet, filters: Filters, clocks: Clocks, after: str, limit: int) -> Select[Any]:
    """The columns that a summary is made of, one row for each pledge, in order of the pledges."""
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    source, where = joined(tables, clocks, catalogue=True, timeline=True)
    c, t = tables.catalogue.c, tables.timeline.c
    return (
        select(t.pledge, t.status, t.flags, t.amounts, c.kind, c.pledgor, c.beneficiary, c.tags, c.unit, c.rating)
        .select_from(source)
        .where(c.pledge > after, t.pledge > after, *where, *on_catalogue, *on_timeline)
        .order_by(c.pledge)
        .limit(limit)
    )


def first_day(tables: TableSet, clocks: Clocks) -> Select[Any]:
    """The first day of all rectangles that are known by the position."""
    c = tables.catalogue.c
    known = (c.known_to > clocks.position, c.known_from <= clocks.position)
    return select(func.min(c.valid_from)).where(*known)


def first_days(tables: TableSet, pledges: Sequence[str], clocks: Clocks) -> Select[Any]:
    """The first day of the rectangles of each of these pledges that are known by the position."""
    c = tables.catalogue.c
    known = (c.known_to > clocks.position, c.known_from <= clocks.position)
    first = func.min(c.valid_from).label("first_day")
    return select(c.pledge, first).where(c.pledge.in_(pledges), *known).group_by(c.pledge)


def parts(tables: TableSet, clocks: Clocks, pledges: Sequence[str] | None = None) -> Select[Any]:
    """The pledges that are part of another one, or those of some that are, each with that other one."""
    catalogue = tables.catalogue
    query = select(catalogue.c.pledge, catalogue.c.part_of).where(
        catalogue.c.part_of.is_not(None), holds(catalogue, clocks)
    )
    return query if pledges is None else query.where(catalogue.c.pledge.in_(pledges))


def differing(
    tables: TableSet,
    at: Clocks,
    other: Clocks,
    after: str,
    limit: int,
    listed: tuple[Filters, Clocks],
    among: Sequence[str] | None = None,
) -> Select[Any]:
    """The documents of rectangles that hold at one point and not at the other, by pledge; of the pledges in a list.

    Where `among` is given, of these pledges alone.
    """
    t = tables.timeline
    query = select(t.c.pledge, *document(tables)).where(t.c.pledge > after, holds(t, at), ~holds(t, other))
    if among is not None:
        query = query.where(t.c.pledge.in_(among))
    filters, clocks = listed
    if filters.pledge:  # of a pledge that is named the end is told too
        query = query.where(t.c.pledge.in_(plain(filters.pledge)))
        filters = replace(filters, pledge=())
    if filters != Filters():
        on_catalogue, on_timeline = conditions(tables, filters, clocks)
        source, where = joined(tables, clocks, catalogue=True, timeline=True)
        pledges = select(tables.catalogue.c.pledge).select_from(source).where(*where, *on_catalogue, *on_timeline)
        query = query.where(t.c.pledge.in_(pledges))
    return query.order_by(t.c.pledge).limit(limit)


def joined(
    tables: TableSet, clocks: Clocks, *, catalogue: bool, timeline: bool
) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """The tables that are needed, joined, and the conditions that their rows hold at the clocks."""
    c, t = tables.catalogue, tables.timeline
    if catalogue and timeline:
        return c.join(t, t.c.pledge == c.c.pledge), [holds(c, clocks), holds(t, clocks)]
    one_of = c if catalogue else t
    return one_of, [holds(one_of, clocks)]


def conditions(
    tables: TableSet, filters: Filters, clocks: Clocks
) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """The filters as conditions on the catalogue, and on the timeline."""
    c, t = tables.catalogue.c, tables.timeline.c
    on_catalogue: list[ColumnElement[bool]] = []
    on_timeline: list[ColumnElement[bool]] = []
    if filters.kind:
        on_catalogue.append(c.kind.in_(plain(filters.kind)))
    for given, column in (
        (filters.unit, c.unit), (filters.part_of, c.part_of), (filters.rating, c.rating), (filters.rubric, c.rubric),
    ):  # fmt: skip
        if given:
            on_catalogue.append(column.in_(plain(given)))
    for given, columns in (
        (filters.pledgor, (c.pledgors,)),
        (filters.beneficiary, (c.beneficiaries,)),
        (filters.party, (c.pledgors, c.beneficiaries)),
    ):
        if given:
            on_catalogue.append(or_(*(_any_line(column, given) for column in columns)))
    if filters.tag:
        on_catalogue.append(_any_listed(c.tags, filters.tag))
    if filters.due_from is not None:
        on_catalogue.append(c.due >= filters.due_from)
    if filters.due_before is not None:
        on_catalogue.append(c.due < filters.due_before)
    if filters.pledge:
        on_catalogue.append(c.pledge.in_(plain(filters.pledge)))
    keys: tuple[tuple[PartyRole, str | None], ...]
    keys = (("pledgor", filters.promised_by), ("beneficiary", filters.promised_to))
    if patterns := [in_force_pattern(role, key) for role, key in keys if key is not None]:
        # Not `LIKE`, for which the letter of a party of before is on SQLite the same as that of one in force.
        on_catalogue.append(or_(*(func.replace(c.parties, pattern, "") != c.parties for pattern in patterns)))
    if filters.q is not None:
        on_catalogue += [_has_word(tables, word, clocks) for word in words_of(filters.q)]
    if filters.status:
        on_timeline.append(t.status.in_(plain(filters.status)))
    if filters.flag:
        flagged = _any_listed(t.flags, filters.flag)
        if STALE_FLAG in filters.flag:
            stalled = select(PARKED.c.pledge).where(is_missing_at(tables.number, clocks.position))
            flagged = or_(flagged, t.pledge.in_(stalled))
        on_timeline.append(flagged)
    return on_catalogue, on_timeline


def words_of(q: str) -> list[str]:
    """The words of a search, case-folded; a number and its percent sign are one word."""
    return [re.sub(r"\s+", " ", word) for word in re.findall(r"\S*\d\s+%|\S+", q.casefold())]


def _has_word(tables: TableSet, word: str, clocks: Clocks) -> ColumnElement[bool]:
    """Whether a fact in force has the word."""
    if not plain((word,)):
        return false()
    words = tables.words
    found = select(words.c.pledge).where(
        words.c.pledge == tables.catalogue.c.pledge, holds(words, clocks), words.c.text.contains(word, autoescape=True)
    )
    return found.correlate(tables.catalogue).exists()


def _any_listed(column: ColumnElement[Any], words: tuple[str, ...]) -> ColumnElement[bool]:
    return or_(
        false(), *(column.contains(f",{word},", autoescape=True) for word in plain(words) if word and "," not in word)
    )


def _any_line(column: ColumnElement[Any], words: tuple[str, ...]) -> ColumnElement[bool]:
    """Whether one of the words is one of the case-folded names in a column of `fold.lines`."""
    names = [word.casefold() for word in plain(words) if word and "\n" not in word]
    return or_(false(), *(column.contains(f"\n{name}\n", autoescape=True) for name in names))


def plain(words: tuple[str, ...]) -> list[str]:
    """The words that a database can hold; others occur in no row."""
    return [word for word in words if not any(ch == "\0" or "\ud800" <= ch <= "\udfff" for ch in word)]
