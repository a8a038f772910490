"""The traits of all pledges as they are known now, held in memory and brought up to date with what has changed.

A process reads them once, when they are first asked for, and from then on only the pledges of new events. What is
asked of another position, while they are read, or while an event is parked, is answered by the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from threading import Lock, Thread
from typing import TypeVar

from projections import queries, trait_runs
from projections.changed_pledges import in_batches
from projections.facets import Facet
from projections.kept_answers import KeptAnswers
from projections.kept_counts import KeptNames
from projections.queries import Clocks, Filters
from projections.table_reader import ProjectionHead, TableReader
from projections.trait_runs import CountedParties, CountedValue, DatedMove, StatusMove, TraitRuns
from tracker.errors import Unavailable
from tracker.log.recorder import LogRecorder

T = TypeVar("T")

MAX_HELD_PLEDGES = 100_000
"""Pledges that are held, at most; each takes about 1.5 kB. Of more the database is asked."""

MAX_AWAITED_PLEDGES = 1_000
"""Pledges that are read while whoever asks first waits; more are read beside the requests."""

MAX_CAUGHT_UP_EVENTS = 5_000
"""Events after which all is read anew, instead of the pledges that they are of."""


class HeldTraits:
    """The traits that one process holds of one database. It MUST answer as the database does, or not at all."""

    def __init__(self, tables: TableReader, log: LogRecorder, kept: KeptAnswers) -> None:
        self._tables, self._log, self._kept = tables, log, kept
        self._lock = Lock()
        self._reading: Thread | None = None
        self.forget()

    def forget(self) -> None:
        """Forget them: the rows are others than before."""
        with self._lock:
            self._runs, self._of, self._too_many = TraitRuns(), (0, 0), False

    @property
    def is_reading(self) -> bool:
        """Whether they are being read beside the requests."""
        return self._reading is not None

    def facets(self, filters: Filters, clocks: Clocks) -> dict[Facet, list[CountedValue]] | None:
        """For each facet the values of its column, counted with all filters but its own; None if it is not held."""
        day = queries.day_of(clocks)
        return self._answer(clocks, filters, lambda runs, only: runs.facets(filters, day, only))

    def statuses(self, filters: Filters, days: Sequence[date], clocks: Clocks) -> list[dict[str, int]] | None:
        """For each day, in order, the counts by status of the pledges that pass on it; None if it is not held.

        The filters that traits do not answer are asked on the day of the clocks alone.
        """
        return self._answer(clocks, filters, lambda runs, only: list(runs.statuses(filters, days, only)))

    def moves(self, filters: Filters, before: date, clocks: Clocks) -> list[StatusMove] | None:
        """The pledges with another status at the clocks than on an earlier day; None if it is not held."""
        day = queries.day_of(clocks)
        return self._answer(clocks, filters, lambda runs, only: runs.moves(filters, before, day, only))

    def latest_moves(self, filters: Filters, clocks: Clocks, limit: int) -> list[DatedMove] | None:
        """The last changes of status by the day of the clocks; None if it is not held, or the filters are others."""
        if trait_runs.beside(filters) != Filters():
            return None
        day = queries.day_of(clocks)
        return self._answer(clocks, filters, lambda runs, _: runs.latest_moves(filters, day, limit))

    def by_change(self, filters: Filters, clocks: Clocks, *, newest_first: bool) -> list[str] | None:
        """The pledges that pass, by the day of their last change of status; None if it is not held."""
        day = queries.day_of(clocks)
        return self._answer(
            clocks, filters, lambda runs, only: runs.by_change(filters, day, only, newest_first=newest_first)
        )

    def parties(self, clocks: Clocks) -> list[CountedParties] | None:
        """How many pledges have which parties and status; None if it is not held."""
        day = queries.day_of(clocks)
        return self._answer(clocks, Filters(), lambda runs, _: runs.parties(day))

    def first_day(self, clocks: Clocks) -> date | None:
        """The first day on which there is any pledge; None if it is not held, or there is none."""
        return self._answer(clocks, Filters(), lambda runs, _: runs.first_day())

    def _answer(
        self, clocks: Clocks, filters: Filters, ask: Callable[[TraitRuns, Sequence[str] | None], T]
    ) -> T | None:
        """What the runs say, told which pledges pass the filters that traits do not answer; None if it is not held."""
        if not self._is_worth_asking(clocks.position):
            return None
        only = self._passing(trait_runs.beside(filters), clocks)
        with self._lock:
            return ask(self._runs, only) if self._is_at(clocks.position) else None

    def _passing(self, filters: Filters, clocks: Clocks) -> Sequence[str] | None:
        """The pledges that pass filters which traits do not answer; None where there are none of those."""
        if filters == Filters():
            return None
        return self._kept.at(("names", filters), partial(KeptNames, filters), clocks, lambda kept: [*kept.pledges])

    def read(self) -> None:
        """Read all that is known now, which takes a processor some seconds for 20,000 pledges."""
        head = self._tables.head()
        names = [row.pledge for row in self._tables.rows_of(trait_runs.names, head.position)]
        runs = TraitRuns()
        if len(names) <= MAX_HELD_PLEDGES:
            self._take(runs, names, head.position)
        if self._is_same(head):
            with self._lock:
                self._runs, self._of, self._too_many = runs, (head.set, head.parked), not len(runs) and bool(names)

    def _is_worth_asking(self, position: int) -> bool:
        """Whether a position is, or can be, that of the runs; they are read if nobody has."""
        with self._lock:
            if self._too_many:
                return False
            if self._runs.position:
                return position >= self._runs.position
            head = self._tables.head()
            if position != head.position or not position or self._reading is not None:
                return False
            count = self._tables.rows_of(queries.count, Filters(), Clocks(date.max, position))[0][0]
            if count > MAX_AWAITED_PLEDGES:
                self._reading = Thread(target=self._read_beside, daemon=True, name="traits")
                self._reading.start()
                return False
        self.read()
        return True

    def _read_beside(self) -> None:
        try:
            self.read()
        except Unavailable:  # it is tried again by whoever asks next
            pass
        finally:
            self._reading = None

    def _is_at(self, position: int) -> bool:
        """Whether the runs are at a position, once they are brought there; the caller has the lock."""
        head = self._tables.head()
        if head.parked or self._of != (head.set, head.parked):
            self._runs, self._of = TraitRuns(), (0, 0)
            return False
        if position <= self._runs.position:
            return position == self._runs.position > 0
        changed = self._log.changed_since(self._runs.position, MAX_CAUGHT_UP_EVENTS + 1)
        if len(changed) > MAX_CAUGHT_UP_EVENTS:
            self._runs, self._of = TraitRuns(), (0, 0)
            return False
        self._take(self._runs, sorted({pledge for at, pledge, _ in changed if at <= position}), position)
        if not self._is_same(head):
            self._runs, self._of = TraitRuns(), (0, 0)
            return False
        return True

    def _take(self, runs: TraitRuns, names: Sequence[str], position: int) -> None:
        for some in in_batches(names):
            timeline = self._tables.rows_of(trait_runs.on_timeline, position, some)
            catalogue = self._tables.rows_of(trait_runs.on_catalogue, position, some)
            runs.take(timeline, catalogue, some)
        runs.position = position

    def _is_same(self, head: ProjectionHead) -> bool:
        """Whether the same set answers as before, with the same events parked: none."""
        now = self._tables.head()
        return not head.parked and (now.set, now.parked) == (head.set, head.parked)
