"""On which days a pledge has every word of a search, as SQL: one look at the words, whatever the number of days."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Select, Subquery, case, false, func, literal, or_, select, union_all

from projections.queries import Clocks, plain
from projections.tables import TableSet


def spans(tables: TableSet, words: Sequence[str], clocks: Clocks, pledges: Sequence[str] = ()) -> Subquery:
    """`(pledge, valid_from, valid_to)`: the spans of days, apart from each other, on which a pledge has all the words.

    Of some pledges alone, if there are any.

    The words are those of `queries.words_of`, at least one. The facts are those that are known at the position; the day
    of the clocks is not asked.
    """
    words = tuple(dict.fromkeys(words))
    islands = _islands(tables, words, clocks, pledges).cte("islands")
    bounds = union_all(
        select(islands.c.pledge, islands.c.first.label("day"), func.count().label("delta")).group_by("pledge", "day"),
        select(islands.c.pledge, islands.c.last.label("day"), (-func.count()).label("delta")).group_by("pledge", "day"),
    ).subquery("bounds")
    days = select(bounds.c.pledge, bounds.c.day, func.sum(bounds.c.delta).label("delta"))
    on_days = days.group_by(bounds.c.pledge, bounds.c.day).subquery("on_days")
    pledge, day = on_days.c.pledge, on_days.c.day
    held = select(
        pledge,
        day.label("valid_from"),
        func.lead(day).over(partition_by=pledge, order_by=day).label("valid_to"),
        func.sum(on_days.c.delta).over(partition_by=pledge, order_by=day, rows=(None, 0)).label("words"),
    ).subquery("held")
    all_held = select(held.c.pledge, held.c.valid_from, held.c.valid_to).where(held.c.words == len(words))
    return all_held.subquery("spans")


def _islands(
    tables: TableSet, words: tuple[str, ...], clocks: Clocks, pledges: Sequence[str]
) -> Select[tuple[str, int, object, object]]:
    """`(pledge, word, first, last)`: the days from `first` to before `last` on which a pledge has a word, merged."""
    w = tables.words.c
    patterns = [re.sub(r"([%_/])", r"/\1", word) for word in plain(words)]
    asked = union_all(
        *(select(literal(n).label("word"), literal(f"%{p}%").label("pattern")) for n, p in enumerate(patterns or [""]))
    ).subquery("asked")
    of_word = (w.pledge, asked.c.word)
    in_order = (w.valid_from, w.valid_to, w.version, w.known_from)
    until = func.max(w.valid_to).over(partition_by=of_word, order_by=in_order, rows=(None, -1))
    found = (
        select(*of_word, *in_order, until.label("until"))
        .join_from(tables.words, asked, w.text.like(asked.c.pattern, escape="/"))
        .where(w.known_to > clocks.position, w.known_from <= clocks.position)
    )
    if pledges:
        found = found.where(w.pledge.in_(plain(tuple(pledges))))
    if len(patterns) < len(words):
        found = found.where(false())
    row = found.subquery("found").c
    begins = case((or_(row.until.is_(None), row.until < row.valid_from), 1), else_=0)
    as_before = (row.valid_from, row.valid_to, row.version, row.known_from)
    island = func.sum(begins).over(partition_by=(row.pledge, row.word), order_by=as_before, rows=(None, 0))
    numbered = select(row.pledge, row.word, row.valid_from, row.valid_to, island.label("island")).subquery("numbered").c
    merged = select(
        numbered.pledge,
        numbered.word,
        func.min(numbered.valid_from).label("first"),
        func.max(numbered.valid_to).label("last"),
    )
    return merged.group_by(numbered.pledge, numbered.word, numbered.island)
