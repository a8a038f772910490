"""How many pledges pass filters, which, and how many from day to day: kept and brought from one point to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from projections import facets, list_queries, queries
from projections.changed_pledges import in_batches
from projections.facets import FACETS, Facet
from projections.kept_answers import among
from projections.queries import Clocks, Filters
from projections.table_reader import TableReader
from projections.trait_runs import CountedValue
from tracker.rules.replayed import STALE_FLAG


class KeptTotal:
    """The number of pledges that pass (`kept_answers.Kept`)."""

    size = 1

    def __init__(self, filters: Filters) -> None:
        self.has_words = filters.q is not None
        self._filters = filters
        self.pledges = 0

    def read(self, tables: TableReader, clocks: Clocks) -> None:
        """Count those that pass at the clocks."""
        self.pledges = _count(tables, self._filters, clocks)

    def difference(
        self, tables: TableReader, pledges: Sequence[str], before: Clocks, after: Clocks
    ) -> Callable[[], None]:
        """What brings it from the clocks `before` to `after`, between which only these pledges differ."""
        more = sum(
            _count(tables, some, after) - _count(tables, some, before) for some in _narrowed(self._filters, pledges)
        )

        def change() -> None:
            self.pledges += more

        return change


class KeptNames:
    """The pledges that pass (`kept_answers.Kept`)."""

    def __init__(self, filters: Filters) -> None:
        self.has_words = filters.q is not None
        self._filters = filters
        self.pledges: set[str] = set()

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.pledges)

    def read(self, tables: TableReader, clocks: Clocks) -> None:
        """Look for those that pass at the clocks."""
        self.pledges = _names(tables, self._filters, clocks)

    def difference(
        self, tables: TableReader, pledges: Sequence[str], before: Clocks, after: Clocks
    ) -> Callable[[], None]:
        """What brings them from the clocks `before` to `after`, between which only these pledges differ."""
        passing = {name for some in _narrowed(self._filters, pledges) for name in _names(tables, some, after)}

        def change() -> None:
            self.pledges.difference_update(pledges)
            self.pledges |= passing

        return change


class KeptTurns:
    """How many of the pledges that pass come to a status on each day, or leave it, whatever the day of the clocks
    (`kept_answers.Kept`).
    """

    has_words = False

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._turns: dict[tuple[date, str], int] = {}

    @property
    def size(self) -> int:
        """On how many days there are any, for each status."""
        return len(self._turns)

    def read(self, tables: TableReader, clocks: Clocks) -> None:
        """Count all that are known at the position of the clocks."""
        self._add(_turns(tables, self._filters, clocks))

    def difference(
        self, tables: TableReader, pledges: Sequence[str], before: Clocks, after: Clocks
    ) -> Callable[[], None]:
        """What brings them from the clocks `before` to `after`, between which only these pledges differ."""
        turns = []
        for some in _narrowed(self._filters, pledges):
            turns += [*_turns(tables, some, after)]
            turns += [(day, status, -pledges) for day, status, pledges in _turns(tables, some, before)]
        return lambda: self._add(turns)

    def over_time(self, days: Sequence[date]) -> list[dict[str, int]]:
        """For each of the days, which are in order, the counts by status."""
        return list(facets.added_up(((day, status, left) for (day, status), left in self._turns.items()), days))

    def _add(self, turns: Iterable[tuple[date, str, int]]) -> None:
        for day, status, pledges in turns:
            if left := self._turns.get((day, status), 0) + pledges:
                self._turns[day, status] = left
            else:
                self._turns.pop((day, status), None)


class KeptFacets:
    """For each facet how many pledges its values would give, with all filters but its own (`kept_answers.Kept`)."""

    def __init__(self, filters: Filters) -> None:
        self.has_words = filters.q is not None
        self._filters = filters
        self._counts: dict[Facet, Counter[str]] = {facet: Counter() for facet in FACETS}
        self._stale = 0

    @property
    def size(self) -> int:
        """How many values there are, which are longer than names."""
        return 2 * sum(len(counts) for counts in self._counts.values())

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """The facets as API.md has them."""
        return {
            facet: facets.counted(
                facet,
                [CountedValue(*item) for item in counts.items()],
                [(STALE_FLAG, self._stale)] if facet == "flag" and self._stale else [],
            )
            for facet, counts in self._counts.items()
        }

    def read(self, tables: TableReader, clocks: Clocks) -> None:
        """Count all at the clocks."""
        for facet, counts in self._counts.items():
            counts.update(_values(tables, facet, facets.without(self._filters, facet), clocks))
        if tables.stalled(clocks):
            self._stale = _count(tables, replace(self._filters, flag=(STALE_FLAG,)), clocks)

    def difference(
        self, tables: TableReader, pledges: Sequence[str], before: Clocks, after: Clocks
    ) -> Callable[[], None]:
        """What brings them from the clocks `before` to `after`, between which only these pledges differ."""
        was: dict[Facet, Counter[str]] = {facet: Counter() for facet in FACETS}
        now: dict[Facet, Counter[str]] = {facet: Counter() for facet in FACETS}
        for facet in FACETS:
            for some in _narrowed(facets.without(self._filters, facet), pledges):
                was[facet].update(_values(tables, facet, some, before))
                now[facet].update(_values(tables, facet, some, after))

        def change() -> None:
            for facet in FACETS:
                self._counts[facet].update(now[facet])
                self._counts[facet] -= was[facet]

        return change


def _narrowed(filters: Filters, pledges: Sequence[str]) -> Iterator[Filters]:
    """The filters for some pledges, as many at a time as one statement names."""
    return (narrowed for some in in_batches(pledges) if (narrowed := among(filters, some)).pledge)


def _count(tables: TableReader, filters: Filters, clocks: Clocks) -> int:
    found: int = tables.rows_of(queries.count, filters, clocks)[0][0]
    return found


def _values(tables: TableReader, facet: Facet, filters: Filters, clocks: Clocks) -> dict[str, int]:
    return {row.value: row.pledges for row in tables.rows_of(facets.grouped, facet, filters, clocks)}


def _names(tables: TableReader, filters: Filters, clocks: Clocks) -> set[str]:
    return {row.pledge for row in tables.rows_of(list_queries.passing_names, filters, clocks)}


def _turns(tables: TableReader, filters: Filters, clocks: Clocks) -> Iterator[tuple[date, str, int]]:
    for sign, ends in ((1, False), (-1, True)):
        row: Any
        for row in tables.rows_of(facets.turns, filters, clocks, ends=ends):
            yield row.day, row.status, sign * row.pledges
