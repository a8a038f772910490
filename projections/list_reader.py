"""Lists of statuses: page by page after a row, or from a place on, and how many there are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Lock
from typing import Any

from sqlalchemy import Engine

from projections import list_queries, queries
from projections.changed_pledges import in_batches
from projections.document_codec import StoredDocument
from projections.kept_answers import KeptAnswers
from projections.kept_counts import KeptTotal
from projections.list_queries import PageRow, SortKey
from projections.pledge_counts import PledgeCounts
from projections.queries import NULLABLE_SORTS, Clocks, Filters, PageStart, StatusPage, page_start
from projections.table_reader import ProjectionHead, QueryReply, TableReader, stored
from tracker.log.recorder import LogRecorder

MAX_KNOWN_TOTALS = 512
"""Totals kept in memory; a page of a list that was counted at the same clocks does not count again."""

EXPORT_BATCH_ROWS = 500
"""Documents fetched at a time for an export or a difference."""

MAX_LOOKED_UP = 2_000
"""Pledges of a list that are looked up and put in order here, at most; of more an index is walked in its order."""

PASSED_BY = 20
"""How many pledges there are for each one that passes, at least, where they are looked up: a walk passes by them."""

EARLY = 7
"""How many pledges there are for each one on a day, at least, from which on little has begun by that day."""


class ListReader(TableReader):
    """The lists of one database, beside what `TableReader` reads."""

    def __init__(self, engine: Engine, log: LogRecorder) -> None:
        super().__init__(engine, log)
        self._totals: OrderedDict[tuple[object, ...], int] = OrderedDict()
        self._counts, self._counts_of = PledgeCounts(), (0, 0)
        self._lock = Lock()
        self._kept = KeptAnswers(self, log)

    def forget(self) -> None:
        """Forget what was counted: the rows are others than before."""
        with self._lock:
            self._totals.clear()
            self._counts, self._counts_of = PledgeCounts(), (0, 0)
        self._kept.forget()

    def documents(self, pledges: Sequence[str], clocks: Clocks) -> dict[str, bytes]:
        """The documents of some pledges; without those that do not exist at these clocks."""
        reply = self._read(list_queries.bodies, pledges, clocks)
        return self._by_pledge({row.pledge: stored(row) for row in reply.rows}, clocks, reply)

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
        few, early = self._way(filters, clocks, sort)
        if few is None:
            rows, reply = self._rows_of_page(filters, clocks, sort, limit + 1, last, early=early)
        else:
            rows, reply = self._looked_up(list_queries.after(few, sort, last)[: limit + 1], clocks)
        more, rows = len(rows) > limit, rows[:limit]
        items = self._documents([(row.pledge, stored(row)) for row in rows], clocks, reply)
        key = _text(rows[-1].key) if rows else None
        is_all = after is None and not more
        total = len(items) if is_all else self._total(filters, clocks, reply.tables.number, reply.parked)
        return StatusPage(items, (key, rows[-1].pledge) if more else None, total)

    def listed_total(self, filters: Filters, clocks: Clocks) -> int:
        """The number of pledges that pass."""
        head = self.head()
        return self._total(filters, clocks, head.set, head.parked)

    def export(self, clocks: Clocks, filters: Filters | None = None) -> Iterator[bytes]:
        """All documents in order of their pledges; EXPORT_BATCH_ROWS are in memory at a time."""
        last: PageStart | None = None
        while True:
            rows, reply = self._rows_of_page(filters or Filters(), clocks, "pledge", EXPORT_BATCH_ROWS, last)
            yield from self._documents([(row.pledge, stored(row)) for row in rows], clocks, reply)
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

    # How

    def _numbered(self, filters: Filters, clocks: Clocks, sort: str, limit: int, offset: int) -> list[str]:
        few, early = self._way(filters, clocks, sort)
        if few is not None:
            return [key.pledge for key in few[offset : offset + limit]]
        numbered = partial(list_queries.numbered, along_days=early)
        with_key = partial(list_queries.with_sort_key, along_days=early)
        rows = [*self._read(numbered, filters, clocks, sort, limit, offset, nulls=False).rows]
        if len(rows) < limit and sort.removeprefix("-") in NULLABLE_SORTS:
            before = self._read(with_key, filters, clocks, sort).rows[0][0] if offset else 0
            left, beyond = limit - len(rows), max(0, offset - before)
            rows += self._read(numbered, filters, clocks, sort, left, beyond, nulls=True).rows
        return [row.pledge for row in rows]

    def _way(self, filters: Filters, clocks: Clocks, sort: str) -> tuple[list[SortKey] | None, bool]:
        """The pledges that pass, in order, where they are so few of all that a walk would pass by many others; and
        whether so little has begun by the day that all of it is looked at, rather than an index of the sort key walked.

        A walk in the order of ratios passes by the rows of all later days; an index by the first day of a row ends
        where it is asked.
        """
        head = self.head()
        every = self._counted(replace(clocks, as_of=date.max), head.set, head.parked)
        if every is None:
            return None, False
        early = sort.removeprefix("-") == "ratio" and self._is_early(clocks, head, every)
        if every < PASSED_BY or (early and filters == Filters()):
            return None, early
        passing = self._total(filters, clocks, head.set, head.parked)
        if passing > min(MAX_LOOKED_UP, every // PASSED_BY):
            return None, early
        if not passing:
            return [], early
        names = [row.pledge for row in self._read(list_queries.passing_names, filters, clocks).rows]
        found = [
            SortKey(row.key, row.pledge)
            for some in in_batches(names)
            for row in self._read(list_queries.sort_keys, some, clocks, sort.removeprefix("-")).rows
        ]
        return list_queries.in_order(found, sort), early

    def _is_early(self, clocks: Clocks, head: ProjectionHead, every: int) -> bool:
        begun = self._counted(clocks, head.set, head.parked)
        return begun is not None and begun * EARLY <= every

    def _looked_up(self, keys: Sequence[SortKey], clocks: Clocks) -> tuple[list[Any], QueryReply]:
        """The rows of a page of pledges."""
        reply = self._read(list_queries.bodies, [key.pledge for key in keys], clocks)
        bodies = {row.pledge: stored(row) for row in reply.rows}
        return [PageRow(key.pledge, key.key, *bodies[key.pledge]) for key in keys if key.pledge in bodies], reply

    def _rows_of_page(
        self,
        filters: Filters,
        clocks: Clocks,
        sort: str,
        limit: int,
        after: PageStart | None,
        *,
        early: bool = False,
    ) -> tuple[list[Any], QueryReply]:
        """Rows with a sort key, then those without one; and the last reply."""
        nullable = sort.removeprefix("-") in NULLABLE_SORTS
        page = partial(list_queries.page, along_days=early)
        rows: list[Any] = []
        if not (nullable and after is not None and after.key is None):
            reply = self._read(page, filters, clocks, sort, limit, after, nulls=False)
            rows, after = [*reply.rows], None
        if nullable and len(rows) < limit:
            reply = self._read(page, filters, clocks, sort, limit - len(rows), after, nulls=True)
            rows += reply.rows
        return self._looked_up([SortKey(row.key, row.pledge) for row in rows], clocks) if early else (rows, reply)

    def _total(self, filters: Filters, clocks: Clocks, number: int, parked: int) -> int:
        """The number of pledges that pass: without filters from the pledge counts, else by a query, and remembered."""
        if filters == Filters() and (counted := self._counted(clocks, number, parked)) is not None:
            return counted
        asked = (filters, clocks.as_of, clocks.position, number, parked)
        with self._lock:
            if asked in self._totals:
                self._totals.move_to_end(asked)
                return self._totals[asked]
        total: int = self._kept.at(("count", filters), partial(KeptTotal, filters), clocks, lambda kept: kept.pledges)
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

    def _by_pledge(self, bodies: dict[str, StoredDocument], clocks: Clocks, reply: QueryReply) -> dict[str, bytes]:
        return dict(zip(bodies, self._documents(list(bodies.items()), clocks, reply), strict=True))


def _text(key: date | str | None) -> str | None:
    return key.isoformat() if isinstance(key, date) else key
