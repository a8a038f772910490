"""The status of one pledge, or of many, at any point on both clocks: documents, lists, sums, differences, changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from projections import changed_pledges, changes, facets, list_queries, parties, passing, queries
from projections.changes import SomeChanges, StatusChange
from projections.document_codec import brief
from projections.facets import FACETS
from projections.held_traits import HeldTraits
from projections.kept_counts import KeptFacets, KeptTurns
from projections.kept_summary import KeptSummary
from projections.list_reader import EXPORT_BATCH_ROWS, ListReader
from projections.parties import PartyCounts, PartyNames
from projections.passing import Spans
from projections.queries import (
    Clocks,
    Filters,
    ListedStatus,
    page_start,
)
from projections.table_reader import QueryReply, stored
from projections.tables import OPEN_DATE, OPEN_POSITION
from projections.trait_runs import DatedMove, StatusMove, beside
from tracker.log.recorder import LogRecorder
from tracker.rules.replayed import STALE_FLAG

FIRST_DIFFERING_ROWS = FIRST_COMPARED = 16
"""Documents fetched first, and pledges compared first, for a difference, so that its reader has some soon."""

DAYS_ASKED_ALONE = 3
"""Days up to which each is counted by itself, with filters or of a position long past; else the changes from day to day
are added up, which are kept."""

MAX_CHANGES_LOOKED_FOR = 12_000
"""Changes that are looked for along an axis, at most: somewhat more than one request may make known of new pledges."""


@dataclass(frozen=True, slots=True)
class PledgeDifference:
    """A pledge whose document is not the same at two points; None where it does not exist."""

    pledge: str
    before: bytes | None
    after: bytes | None


class Timeline(ListReader):
    """The read side of the timeline on one database.

    A point beyond `position()` MUST NOT be asked for: clamp or wait first. Every read raises Unavailable if the store
    does not answer.
    """

    def __init__(self, engine: Engine, log: LogRecorder) -> None:
        super().__init__(engine, log)
        self._held = HeldTraits(self, log, self._kept)

    def forget(self) -> None:
        """Forget what was counted: the rows are others than before."""
        super().forget()
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
        return self._documents([(pledge, stored(reply.rows[0]))], clocks, reply)[0]

    def rectangles(self, pledge: str, position: int = OPEN_POSITION - 1) -> list[dict[str, Any]]:
        """The rectangles known by a position, as JSON objects; an end that is open, or was by then, is None."""
        reply = self._read(queries.rectangles, pledge, position)
        gaps = self._gaps(pledge, position, reply.tables) if reply.parked else []
        items = []
        for row in reply.rows:
            body = brief(stored(row))
            items.append(
                {
                    "valid_from": row.valid_from.isoformat(),
                    "valid_to": None if row.valid_to == OPEN_DATE else row.valid_to.isoformat(),
                    "known_from": row.known_from,
                    "known_to": None if row.known_to > position else row.known_to,
                    **{name: body[name] for name in ("status", "actual", "ratio")},
                    "flags": [
                        *body["flags"],
                        *(
                            [STALE_FLAG]
                            if any(row.known_to > first and row.known_from < until for first, until in gaps)
                            else []
                        ),
                    ],
                }
            )
        return items

    # Many pledges

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
        documents = self._by_pledge({name: stored(found[name]) for name in names if name in found}, clocks, reply)
        return [ListedStatus(documents[name], found[name].changed) for name in names if name in documents]

    def latest_moves(self, filters: Filters, clocks: Clocks, limit: int) -> list[DatedMove]:
        """The last changes of headlines by the day of the clocks, the last first; each passes on its own day."""
        if (held := self._held.latest_moves(filters, clocks, limit)) is not None:
            return held
        pieces = self.changes(filters, clocks, by_position=False, at_once=4 * limit)
        found = islice((change for some in pieces for change in some.found), limit)
        return [DatedMove(change.pledge, change.on, change.before, change.after) for change in found]

    def summary(
        self, filters: Filters, clocks: Clocks, by: str | None = None, currency: str | None = None
    ) -> dict[str, Any]:
        """Counts and sums over pledges, as API.md has them; `by` is `pledgor`, `beneficiary` or `tag`."""
        question, new = ("summary", filters, by, currency), partial(KeptSummary, filters, by, currency)
        return self._kept.at(question, new, clocks, KeptSummary.document)

    def facets(self, filters: Filters, clocks: Clocks) -> dict[str, list[dict[str, Any]]]:
        """For each facet how many pledges its values would give, with all filters but its own."""
        held = self._held.facets(filters, clocks)
        if held is not None:
            return {facet: facets.counted(facet, held[facet]) for facet in FACETS}
        return self._kept.at(("facets", filters), partial(KeptFacets, filters), clocks, KeptFacets.document)

    def statuses(self, filters: Filters, days: Iterable[date], clocks: Clocks) -> Iterator[dict[str, int]]:
        """For each day, in order, how many of the pledges that pass the filters on it have which status."""
        days = [queries.day_of(replace(clocks, as_of=day)) for day in days]
        held = self._held.statuses(filters, days, clocks) if beside(filters) == Filters() else None
        if held is not None:
            yield from held
            return
        if len(days) > DAYS_ASKED_ALONE or (filters == Filters() and self._kept.is_of_now(clocks.position)):
            at_any_day = replace(clocks, as_of=date.max)
            yield from self._kept.at(
                ("turns", filters), partial(KeptTurns, filters), at_any_day, lambda kept: kept.over_time(days)
            )
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
        """The pledges whose documents differ between two points, by pledge, few at first.

        With filters those of them that pass at the second point.
        """
        listed = (filters or Filters(), after)
        # Each statement looks anew for all that pass other filters than names: of those few are asked.
        is_by_name = replace(listed[0], pledge=()) == Filters()
        pledges = changed_pledges.between(self, self._log, before, after) if is_by_name else None
        if pledges is not None and listed[0].pledge:
            pledges = [name for name in pledges if name in listed[0].pledge]
        if pledges is None:
            yield from self._diff_of_all(before, after, listed)
            return
        for some in changed_pledges.in_batches(pledges, FIRST_COMPARED):
            old = self._read(queries.differing, before, after, "", len(some), listed, some)
            new = self._read(queries.differing, after, before, "", len(some), listed, some)
            yield self._compared(before, after, old, new)

    def _diff_of_all(
        self, before: Clocks, after: Clocks, listed: tuple[Filters, Clocks]
    ) -> Iterator[list[PledgeDifference]]:
        """The same where any pledge may differ.

        Each statement looks for those that pass anew, so with filters pieces are large from the first one on.
        """
        last, limit = "", FIRST_DIFFERING_ROWS if listed[0] == Filters() else EXPORT_BATCH_ROWS
        while True:
            limit = min(limit, EXPORT_BATCH_ROWS)
            old = self._read(queries.differing, before, after, last, limit, listed)
            new = self._read(queries.differing, after, before, last, limit, listed)
            # Where one of the two goes on, the pledges beyond its end are not compared yet.
            ends = [reply.rows[-1].pledge for reply in (old, new) if len(reply.rows) == limit]
            yield self._compared(before, after, old, new, min(ends, default=None))
            if not ends:
                return
            last, limit = min(ends), 2 * limit

    def _compared(
        self, before: Clocks, after: Clocks, old: QueryReply, new: QueryReply, upto: str | None = None
    ) -> list[PledgeDifference]:
        """The pledges, up to one, whose documents of two points are not the same."""
        was, became = (
            {row.pledge: stored(row) for row in reply.rows if upto is None or row.pledge <= upto}
            for reply in (old, new)
        )
        changed = sorted(p for p in was.keys() | became.keys() if was.get(p) != became.get(p))
        first = self._by_pledge({p: was[p] for p in changed if p in was}, before, old)
        second = self._by_pledge({p: became[p] for p in changed if p in became}, after, new)
        return [PledgeDifference(p, first.get(p), second.get(p)) for p in changed]

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
