"""The status of one pledge, or of many, at any point on both clocks: documents, lists, sums, differences, changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from threading import Lock
from typing import Any, cast

from sqlalchemy import Engine

from projections import changes, facets, list_queries, parties, passing, queries
from projections.changes import SomeChanges, StatusChange
from projections.document_codec import brief
from projections.facets import FACETS
from projections.held_traits import HeldTraits
from projections.parties import PartyCounts, PartyNames
from projections.passing import Spans
from projections.pledge_counts import PledgeCounts
from projections.queries import (
    NULLABLE_SORTS,
    Clocks,
    Filters,
    ListedStatus,
    PageStart,
    StatusPage,
    page_start,
)
from projections.summary import Pledged, summarize
from projections.table_reader import QueryReply, TableReader
from projections.tables import OPEN_DATE, OPEN_POSITION
from projections.trait_runs import DatedMove, StatusMove, beside
from tracker.log.recorder import LogRecorder
from tracker.rules.replayed import STALE_FLAG

MAX_KNOWN_TOTALS = 512
"""Totals kept in memory; a page of a list that was counted at the same clocks does not count again."""

EXPORT_BATCH_ROWS = 500
"""Documents fetched at a time for an export or a difference."""

SUMMARY_BATCH_ROWS = 2_000
"""Rows fetched at a time for a sum."""

DAYS_ASKED_ALONE = 3
"""Days up to which each is counted by itself; of more the changes from day to day are added up."""

MAX_CHANGES_LOOKED_FOR = 12_000
"""Changes that are looked for along an axis, at most: somewhat more than one request may make known of new pledges."""


@dataclass(frozen=True, slots=True)
class PledgeDifference:
    """A pledge whose document is not the same at two points; None where it does not exist."""

    pledge: str
    before: bytes | None
    after: bytes | None


class Timeline(TableReader):
    """The read side of the timeline on one database.

    A point beyond `position()` MUST NOT be asked for: clamp or wait first. Every read raises Unavailable if the store
    does not answer.
    """

    def __init__(self, engine: Engine, log: LogRecorder) -> None:
        super().__init__(engine, log)
        self._totals: OrderedDict[tuple[object, ...], int] = OrderedDict()
        self._counts, self._counts_of = PledgeCounts(), (0, 0)
        self._lock = Lock()
        self._held = HeldTraits(self, log)

    def forget(self) -> None:
        """Forget what was counted: the rows are others than before."""
        with self._lock:
            self._totals.clear()
            self._counts, self._counts_of = PledgeCounts(), (0, 0)
        self._held.forget()

    @property
    def is_reading_traits(self) -> bool:
        """Whether the traits of pledges are being read into memory; until then counts are asked of the database."""
        return self._held.is_reading

    # One pledge

    def one(self, pledge: str, clocks: Clocks) -> bytes | None:
        """The document of one pledge; None where it does not exist at these clocks."""
        reply = self._read(queries.one, pledge, clocks)
        if not reply.rows:
            return None
        return self._documents([(pledge, reply.rows[0].body)], clocks, reply)[0]

    def rectangles(self, pledge: str, position: int = OPEN_POSITION - 1) -> list[dict[str, Any]]:
        """The rectangles known by a position, as JSON objects; an end that is open, or was by then, is None."""
        reply = self._read(queries.rectangles, pledge, position)
        stalled_from = self._first_parked(pledge, position, reply.tables) if reply.parked else OPEN_POSITION
        items = []
        for row in reply.rows:
            body = brief(row.body)
            items.append(
                {
                    "valid_from": row.valid_from.isoformat(),
                    "valid_to": None if row.valid_to == OPEN_DATE else row.valid_to.isoformat(),
                    "known_from": row.known_from,
                    "known_to": None if row.known_to > position else row.known_to,
                    **{name: body[name] for name in ("status", "actual", "ratio")},
                    "flags": [*body["flags"], *([STALE_FLAG] if row.known_to > stalled_from else [])],
                }
            )
        return items

    def documents(self, pledges: Sequence[str], clocks: Clocks) -> dict[str, bytes]:
        """The documents of some pledges; without those that do not exist at these clocks."""
        reply = self._read(list_queries.bodies, pledges, clocks)
        return self._by_pledge({row.pledge: row.body for row in reply.rows}, clocks, reply)

    # Many pledges

    def page(
        self,
        filters: Filters,
        clocks: Clocks,
        sort: str = "pledge",
        limit: int = 100,
        after: Sequence[Any] | None = None,
    ) -> StatusPage:
        """One page of documents. `after` is the `next` of the page before it.

        Raises: ValueError if the sort is unknown or no page gave this `after`.
        """
        last = page_start(sort, after)
        rows, reply = self._rows_of_page(filters, clocks, sort, limit + 1, last)
        more, rows = len(rows) > limit, rows[:limit]
        items = self._documents([(row.pledge, row.body) for row in rows], clocks, reply)
        key = _text(rows[-1].key) if rows else None
        total = len(items) if after is None and not more else self._total(filters, clocks, reply)
        return StatusPage(items, (key, rows[-1].pledge) if more else None, total)

    def listed(self, filters: Filters, clocks: Clocks, sort: str, limit: int, offset: int) -> list[ListedStatus]:
        """The documents of so many pledges from a place in the list on.

        Raises: ValueError if the sort is unknown.
        """
        page_start(sort, None)
        held = None
        if sort.removeprefix("-") == "changed" and filters != Filters():
            held = self._held.by_change(filters, clocks, newest_first=sort.startswith("-"))
        names = self._numbered(filters, clocks, sort, limit, offset) if held is None else held[offset : offset + limit]
        reply = self._read(list_queries.bodies, names, clocks)
        found = {row.pledge: row for row in reply.rows}
        documents = self._by_pledge({name: found[name].body for name in names if name in found}, clocks, reply)
        return [ListedStatus(documents[name], found[name].changed) for name in names if name in documents]

    def _numbered(self, filters: Filters, clocks: Clocks, sort: str, limit: int, offset: int) -> list[str]:
        rows = [*self._read(list_queries.numbered, filters, clocks, sort, limit, offset, nulls=False).rows]
        if len(rows) < limit and sort.removeprefix("-") in NULLABLE_SORTS:
            before = self._read(list_queries.with_sort_key, filters, clocks, sort).rows[0][0] if offset else 0
            left, beyond = limit - len(rows), max(0, offset - before)
            rows += self._read(list_queries.numbered, filters, clocks, sort, left, beyond, nulls=True).rows
        return [row.pledge for row in rows]

    def latest_moves(self, filters: Filters, clocks: Clocks, limit: int) -> list[DatedMove]:
        """The last changes of headlines by the day of the clocks, the last first; each passes on its own day."""
        if (held := self._held.latest_moves(filters, clocks, limit)) is not None:
            return held
        pieces = self.changes(filters, clocks, by_position=False, at_once=4 * limit)
        found = islice((change for some in pieces for change in some.found), limit)
        return [DatedMove(change.pledge, change.on, change.before, change.after) for change in found]

    def listed_total(self, filters: Filters, clocks: Clocks) -> int:
        """The number of pledges that pass."""
        return self._total(filters, clocks, self._read(list_queries.bodies, (), clocks))

    def export(self, clocks: Clocks, filters: Filters | None = None) -> Iterator[bytes]:
        """All documents in order of their pledges; EXPORT_BATCH_ROWS are in memory at a time."""
        last: PageStart | None = None
        while True:
            rows, reply = self._rows_of_page(filters or Filters(), clocks, "pledge", EXPORT_BATCH_ROWS, last)
            yield from self._documents([(row.pledge, row.body) for row in rows], clocks, reply)
            if len(rows) < EXPORT_BATCH_ROWS:
                return
            last = PageStart(None, rows[-1].pledge)

    def names(self, clocks: Clocks, filters: Filters | None = None) -> Iterator[str]:
        """The pledges whose documents `export` has, in its order."""
        last: PageStart | None = None
        while True:
            rows, _ = self._rows_of_page(filters or Filters(), clocks, "pledge", EXPORT_BATCH_ROWS, last)
            yield from (row.pledge for row in rows)
            if len(rows) < EXPORT_BATCH_ROWS:
                return
            last = PageStart(None, rows[-1].pledge)

    def summary(
        self, filters: Filters, clocks: Clocks, by: str | None = None, currency: str | None = None
    ) -> dict[str, Any]:
        """Counts and sums over pledges, as API.md has them; `by` is `pledgor`, `beneficiary` or `tag`."""
        whole = {part.pledge: part.part_of for part in self._read(queries.parts, clocks).rows}
        return summarize(self._pledged(filters, clocks), whole, by, currency)

    def facets(self, filters: Filters, clocks: Clocks) -> dict[str, list[dict[str, Any]]]:
        """For each facet how many pledges its values would give, with all filters but its own."""
        held = self._held.facets(filters, clocks)
        if held is not None:
            return {facet: facets.counted(facet, held[facet]) for facet in FACETS}
        found: dict[str, list[dict[str, Any]]] = {}
        for facet in FACETS:
            others = facets.without(filters, facet)
            rows = self._read(facets.grouped, facet, others, clocks).rows
            more = []
            if facet == "flag" and self.stalled(clocks):
                stale = replace(others, flag=(STALE_FLAG,))
                more = [(STALE_FLAG, cast(int, self._read(queries.count, stale, clocks).rows[0][0]))]
            found[facet] = facets.counted(facet, rows, more)
        return found

    def statuses(self, filters: Filters, days: Iterable[date], clocks: Clocks) -> Iterator[dict[str, int]]:
        """For each day, in order, how many of the pledges that pass the filters on it have which status."""
        days = [queries.day_of(replace(clocks, as_of=day)) for day in days]
        held = self._held.statuses(filters, days, clocks) if beside(filters) == Filters() else None
        if held is not None:
            yield from held
            return
        if len(days) > DAYS_ASKED_ALONE:
            starts, ends = (self._read(facets.turns, filters, clocks, ends=at_end).rows for at_end in (False, True))
            yield from facets.over_time(starts, ends, days)
            return
        for day in days:
            rows = self._read(facets.grouped, "status", filters, replace(clocks, as_of=day)).rows
            yield {row.value: row.pledges for row in sorted(rows, key=lambda row: str(row.value))}

    def moves(self, filters: Filters, earlier: Clocks, later: Clocks) -> list[StatusMove]:
        """The pledges with another status at the later clocks than at the earlier ones, in order.

        With filters those of them that pass at the later clocks.
        """
        if earlier.position == later.position:
            held = self._held.moves(filters, queries.day_of(earlier), later)
            if held is not None:
                return held
        was = {row.pledge: row.status for row in self._read(list_queries.headlines, Filters(), earlier).rows}
        became = {row.pledge: row.status for row in self._read(list_queries.headlines, filters, later).rows}
        names = became.keys() if filters != Filters() else was.keys() | became.keys()
        pairs = ((name, was.get(name), became.get(name)) for name in names)
        return sorted(StatusMove(*pair) for pair in pairs if pair[1] != pair[2])

    def statuses_of_found(self, filters: Filters, days: Sequence[date], clocks: Clocks) -> Iterator[dict[str, int]]:
        """The same for whoever looks at a list: words, units and the like are asked on the clocks' day alone.

        So it is answered from memory where that is held; else exactly as `statuses`.
        """
        ordered = [queries.day_of(replace(clocks, as_of=day)) for day in days]
        held = self._held.statuses(filters, ordered, clocks)
        yield from self.statuses(filters, ordered, clocks) if held is None else held

    def first_day(self, clocks: Clocks) -> date | None:
        """The first day on which there is any pledge, as known at the clocks; None where there is none."""
        first: date | None = self._held.first_day(clocks) or self._read(queries.first_day, clocks).rows[0][0]
        return first

    def first_days(self, pledges: Sequence[str], clocks: Clocks) -> dict[str, date]:
        """The first day on which each of these pledges exists, as known at the clocks; others are left out."""
        return {row.pledge: row.first_day for row in self._read(queries.first_days, pledges, clocks).rows}

    def parties(self, clocks: Clocks, key: str | None = None) -> dict[str, PartyCounts]:
        """The parties that pledges have or had, or that of one key, by case-folded key."""
        held = self._held.parties(clocks)
        rows = self._read(parties.grouped, clocks, key).rows if held is None else parties.of_key(held, key)
        found = parties.counted(rows)
        return found if key is None else {name: one for name, one in found.items() if name == key.casefold()}

    def party_names(self, key: str, name: str, clocks: Clocks) -> PartyNames:
        """How else the party of a key is or was called, that is called `name` at the clocks."""
        return parties.names_of(self._read(parties.ever, clocks, key).rows, key, name)

    def diff(self, before: Clocks, after: Clocks, filters: Filters | None = None) -> Iterator[list[PledgeDifference]]:
        """The pledges whose documents differ between two points, by pledge; up to EXPORT_BATCH_ROWS at a time.

        With filters those of them that pass at the second point.
        """
        last, listed, limit = "", (filters or Filters(), after), EXPORT_BATCH_ROWS
        while True:
            old = self._read(queries.differing, before, after, last, limit, listed)
            new = self._read(queries.differing, after, before, last, limit, listed)
            # Where one of the two goes on, the pledges beyond its end are not compared yet.
            ends = [reply.rows[-1].pledge for reply in (old, new) if len(reply.rows) == limit]
            was, became = (
                {r.pledge: r.body for r in reply.rows if not ends or r.pledge <= min(ends)} for reply in (old, new)
            )
            changed = sorted(p for p in was.keys() | became.keys() if was.get(p) != became.get(p))
            first = self._by_pledge({p: was[p] for p in changed if p in was}, before, old)
            second = self._by_pledge({p: became[p] for p in changed if p in became}, after, old)
            yield [PledgeDifference(p, first.get(p), second.get(p)) for p in changed]
            if not ends:
                return
            last = min(ends)

    def changes(
        self, filters: Filters, clocks: Clocks, *, by_position: bool, at_once: int = EXPORT_BATCH_ROWS
    ) -> Iterator[SomeChanges]:
        """The changes of headlines up to `at_once` at a time, from the last on one of the axes backwards.

        They end after MAX_CHANGES_LOOKED_FOR.
        """
        taken = 0
        for limit in (at_once, MAX_CHANGES_LOOKED_FOR):
            rows = self._read(changes.latest, filters, clocks, limit, by_position=by_position).rows
            for at in range(taken, len(rows), at_once):
                some = rows[at : at + at_once]
                yield SomeChanges(self._changes_of(some, clocks), some[-1].known_from, some[-1].valid_from)
            if len(rows) < limit:
                return
            taken = limit

    def _changes_of(self, rows: Sequence[Any], clocks: Clocks) -> list[StatusChange]:
        rectangles: dict[str, list[Any]] = {}
        for row in self._read(changes.statuses, sorted({row.pledge for row in rows}), clocks).rows:
            rectangles.setdefault(row.pledge, []).append(row)
        seen = (changes.change(r.pledge, r.valid_from, rectangles.get(r.pledge, ()), clocks.position) for r in rows)
        return [change for change in seen if change is not None]

    def passing(self, filters: Filters, pledges: Collection[str], as_of: date, first: int, last: int) -> Spans:
        """At which positions of `[first, last]` these pledges pass the filters on a day; `filters.q` is not asked."""
        return passing.spans(self._read(passing.rectangles, filters, pledges, as_of, first, last).rows)

    # How

    def _rows_of_page(
        self, filters: Filters, clocks: Clocks, sort: str, limit: int, after: PageStart | None
    ) -> tuple[list[Any], QueryReply]:
        """Rows with a sort key, then those without one; and the last reply."""
        nullable = sort.removeprefix("-") in NULLABLE_SORTS
        rows: list[Any] = []
        if not (nullable and after is not None and after.key is None):
            reply = self._read(queries.page, filters, clocks, sort, limit, after, nulls=False)
            rows += reply.rows
            if not nullable or len(rows) >= limit:
                return rows, reply
            after = None
        reply = self._read(queries.page, filters, clocks, sort, limit - len(rows), after, nulls=True)
        return [*rows, *reply.rows], reply

    def _total(self, filters: Filters, clocks: Clocks, reply: QueryReply) -> int:
        """The number of pledges that pass: without filters from the pledge counts, else by a query, and remembered."""
        number, parked = reply.tables.number, reply.parked
        if filters == Filters() and (counted := self._counted(clocks, number, parked)) is not None:
            return counted
        asked = (filters, clocks.as_of, clocks.position, number, parked)
        with self._lock:
            if asked in self._totals:
                self._totals.move_to_end(asked)
                return self._totals[asked]
        total = cast(int, self._read(queries.count, filters, clocks).rows[0][0])
        with self._lock:
            self._totals[asked] = total
            if len(self._totals) > MAX_KNOWN_TOTALS:
                self._totals.popitem(last=False)
        return total

    def _counted(self, clocks: Clocks, number: int, parked: int) -> int | None:
        """The number of pledges at a point; None while the set is being switched, and beyond what is projected."""
        with self._lock:
            if self._counts_of != (number, parked):
                # Another set, or an event that was parked is folded now and has changed the past.
                self._counts_of, self._counts = (number, parked), PledgeCounts()
            counts = self._counts
        if counts.position < clocks.position:
            upto = self.position()
            rows, tables, still = self._read(queries.corners, counts.position, upto)
            if clocks.position > upto or (tables.number, still if rows else parked) != (number, parked):
                return None
            counts.extend(rows, upto)
        return counts.count(clocks.position, queries.day_of(clocks))

    def _pledged(self, filters: Filters, clocks: Clocks) -> Iterator[Pledged]:
        last = ""
        while True:
            rows, tables, parked = self._read(queries.amounts, filters, clocks, last, SUMMARY_BATCH_ROWS)
            stalled = self._stalled(clocks, tables, parked)
            yield from (Pledged.of(row, stale=row.pledge in stalled) for row in rows)
            if len(rows) < SUMMARY_BATCH_ROWS:
                return
            last = rows[-1].pledge

    def _by_pledge(self, bodies: dict[str, bytes], clocks: Clocks, reply: QueryReply) -> dict[str, bytes]:
        return dict(zip(bodies, self._documents(list(bodies.items()), clocks, reply), strict=True))


def _text(key: date | str | None) -> str | None:
    return key.isoformat() if isinstance(key, date) else key
