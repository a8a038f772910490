"""Which answers an upgrade moves: the table set that answered before, beside the one that answers now.

A rebuild for another version keeps the older set until the next build. Both are read at one point on both clocks; of
the older one only what every version has had: the headline, the ratio and the amounts of `timeline_<n>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select

from projections.fold import from_sortable
from projections.queries import TIMELINE, Clocks, holds
from projections.summary_amounts import read_amounts
from projections.table_writer import TableSetState, states, withheld_upto
from projections.tables import TableSet, table_set
from tracker.quantity import plain


class ShownAnswer(NamedTuple):
    """What one version answers of a pledge: the headline, the actual in words and the ratio's value."""

    status: str
    actual: str | None
    ratio: str | None


@dataclass(frozen=True, slots=True)
class MovedAnswer:
    """A pledge whose answer differs between two versions; None where a version does not have it."""

    pledge: str
    before: ShownAnswer | None
    after: ShownAnswer | None


@dataclass(frozen=True, slots=True)
class RulesDiff:
    """The answers that differ between an older version and the one that answers, and how many pledges there are."""

    before: str
    after: str
    as_of: date
    position: int
    pledges: int
    moved: tuple[MovedAnswer, ...]
    left_aside: tuple[str, ...] = ()
    """Pledges that the older set has no more, since something of them was withheld (`table_writer.forget`)."""


def rules_diff(
    engine: Engine, as_of: date, position: int, withheld_since: Callable[[int], Iterable[tuple[int, str]]]
) -> RulesDiff | None:
    """The difference on a day as known at a position that both sets have; None where no older set is kept.

    `withheld_since` is that of the log (`LogRecorder.withheld_since`).
    """
    with engine.connect() as conn:
        sets = states(conn, TIMELINE)
        now = next((one for one in sets if one.active), None)
        older = next((one for one in reversed(sets) if not one.active), None)
        if now is None or older is None or older.version == now.version:
            return None
        clocks = Clocks(as_of, min(position, older.position, now.position))
        aside = {pledge for _, pledge in withheld_since(withheld_upto(conn, older.number))}
        before, after = _answers(conn, older, clocks), _answers(conn, now, clocks)
    names = sorted({*before, *after} - aside)
    moved = tuple(
        MovedAnswer(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )
    return RulesDiff(older.version, now.version, as_of, clocks.position, len(names), moved, tuple(sorted(aside)))


def _answers(conn: Connection, state: TableSetState, clocks: Clocks) -> dict[str, ShownAnswer]:
    return dict(_rows(conn, table_set(state.number), clocks))


def _rows(conn: Connection, tables: TableSet, clocks: Clocks) -> Iterator[tuple[str, ShownAnswer]]:
    t = tables.timeline
    query = select(t.c.pledge, t.c.status, t.c.ratio, t.c.amounts).where(holds(t, clocks))
    for row in conn.execute(query):
        actual = read_amounts(row.amounts).actual
        shown = None if actual is None else str(actual.quantity)
        yield row.pledge, ShownAnswer(row.status, shown, None if row.ratio is None else plain(from_sortable(row.ratio)))
