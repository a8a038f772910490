"""When a pledge's headline changed, and since when that is known: the entries of a feed.

A change is a day on which the status is another than on the day before. It is known since the first position from
which on both statuses were, without a break, what they are now. A correction of the past is a new change; a later event
that leaves the two days as they were is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select

from projections.queries import Clocks, Filters, conditions
from projections.tables import TableSet

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """The headline became `after` on the day `on`; `before` is None when the pledge was made.

    `position` is that of the event since which the change is known.
    """

    pledge: str
    on: date
    before: str | None
    after: str
    position: int


class SomeChanges(NamedTuple):
    """Changes that follow each other on one of the axes, the last first, and how far was looked for them.

    `known_from` and `on` are those of the last rectangle that was looked at. Whoever walks the known axis has had every
    change that is known since a later position than `known_from`, along the other axis every change of a later day.
    """

    found: list[StatusChange]
    known_from: int
    on: date


def latest(tables: TableSet, filters: Filters, clocks: Clocks, limit: int, *, by_position: bool) -> Select[Any]:
    """`(pledge, valid_from, known_from)` of the rectangles that begin with another headline, the last first.

    The last are those that begin last on the known axis, or on the valid one. A change is never known since a later
    position than its rectangle.
    """
    t, c = tables.timeline.c, tables.catalogue.c
    on_catalogue, on_timeline = conditions(tables, filters, clocks)
    query = select(t.pledge, t.valid_from, t.known_from)
    if on_catalogue:
        day = and_(c.valid_from <= t.valid_from, c.valid_to > t.valid_from)
        known = and_(c.known_from <= clocks.position, c.known_to > clocks.position)
        query = query.join(tables.catalogue, and_(c.pledge == t.pledge, day, known)).where(*on_catalogue)
    at_last = t.known_from.desc() if by_position else t.changed.desc()
    return (
        query.where(t.known_to > clocks.position, t.known_from <= clocks.position)
        .where(t.changed == t.valid_from, t.changed <= clocks.as_of, *on_timeline)
        .order_by(at_last, t.pledge)
        .limit(limit)
    )


def statuses(tables: TableSet, pledges: Sequence[str], clocks: Clocks) -> Select[Any]:
    """The bounds and headlines of all rectangles of these pledges that were ever known by the position."""
    t = tables.timeline.c
    return select(t.pledge, t.valid_from, t.valid_to, t.known_from, t.known_to, t.status).where(
        t.pledge.in_(pledges), t.known_from <= clocks.position
    )


def change(pledge: str, on: date, rectangles: Iterable[Any], position: int) -> StatusChange | None:
    """The change on a day, from the pledge's rectangles as `statuses` has them; None if there was none."""
    days = (on - _ONE_DAY, on)
    near = [r for r in rectangles if r.valid_from <= on and r.valid_to > days[0]]

    def known_by(upto: int) -> tuple[str | None, ...]:
        known = [r for r in near if r.known_from <= upto < r.known_to]
        return tuple(next((r.status for r in known if r.valid_from <= day < r.valid_to), None) for day in days)

    now = before, after = known_by(position)
    if after is None or before == after:
        return None
    moments = {end for r in near for end in (r.known_from, r.known_to) if end <= position}
    since = position
    for moment in sorted(moments, reverse=True):
        if known_by(moment) != now:
            break
        since = moment
    return StatusChange(pledge, on, before, after, since)
