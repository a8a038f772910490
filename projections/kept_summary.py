"""The summary of a selection, kept and brought from one point to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from projections import queries
from projections.changed_pledges import in_batches
from projections.kept_answers import among
from projections.queries import Clocks, Filters
from projections.summary import Pledged, Summary
from projections.table_reader import TableReader

BATCH_ROWS = 2_000
"""Rows fetched at a time for a sum."""


class KeptSummary:
    """The summary of the pledges that pass filters (`kept_answers.Kept`)."""

    def __init__(self, filters: Filters, by: str | None, currency: str | None) -> None:
        self.has_words = filters.q is not None
        self._filters = filters
        self._summary = Summary(by, currency)

    @property
    def size(self) -> int:
        """How many counts and names it has."""
        return self._summary.size

    def document(self) -> dict[str, Any]:
        """The summary as API.md has it."""
        return self._summary.document()

    def read(self, tables: TableReader, clocks: Clocks) -> None:
        """Add up all that holds at the clocks."""
        self._summary.wholes.change({row.pledge: row.part_of for row in tables.rows_of(queries.parts, clocks)})
        self._summary.add(_pledged(tables, self._filters, clocks))

    def difference(
        self, tables: TableReader, pledges: Sequence[str], before: Clocks, after: Clocks
    ) -> Callable[[], None]:
        """What brings it from the clocks `before` to `after`, between which only these pledges differ.

        Whether a part is added depends on its whole: with a pledge that comes, goes, or is part of another one from now
        on, what is part of it is looked at again.
        """
        wholes, summary = self._summary.wholes, self._summary
        was, now = self._some(tables, pledges, before), self._some(tables, pledges, after)
        parts: dict[str, str | None] = dict.fromkeys(pledges)
        for some in in_batches(pledges):
            parts |= {row.pledge: row.part_of for row in tables.rows_of(queries.parts, after, some)}
        parts = {part: whole for part, whole in parts.items() if wholes.get(part) != whole}
        placed = [name for name in pledges if summary.keys_of(was.get(name)) != summary.keys_of(now.get(name))]
        ends = {whole for part in parts for whole in (wholes.get(part), parts[part]) if whole is not None}
        beside = sorted((wholes.below([*parts, *placed]) | ends).difference(pledges))
        was |= self._some(tables, beside, before)
        now |= self._some(tables, beside, after)

        def change() -> None:
            summary.remove([*was.values()])
            wholes.change(parts)
            summary.add(now.values())

        return change

    def _some(self, tables: TableReader, pledges: Sequence[str], clocks: Clocks) -> dict[str, Pledged]:
        """Those of some pledges that pass."""
        found: dict[str, Pledged] = {}
        for some in in_batches(pledges):
            narrowed = among(self._filters, some)
            if narrowed.pledge:
                found |= {pledge.pledge: pledge for pledge in _pledged(tables, narrowed, clocks)}
        return found


def _pledged(tables: TableReader, filters: Filters, clocks: Clocks) -> Iterator[Pledged]:
    last, stalled = "", tables.stalled(clocks)
    while True:
        rows = tables.rows_of(queries.amounts, filters, clocks, last, BATCH_ROWS)
        yield from (Pledged.of(row, stale=row.pledge in stalled) for row in rows)
        if len(rows) < BATCH_ROWS:
            return
        last = rows[-1].pledge
