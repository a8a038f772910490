"""What pledges are counted by, day by day, in memory: facets and statuses over time without a look at each row.

The traits of a pledge are the columns that facets count and filter by. They hold from a day on until others do: a
pledge is a few runs of them, as known at one position. Many pledges share their traits, so that what is counted is how
many pledges have which traits on a day, and how many take them up or give them up on each day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from projections.facets import FACETS, Facet, column_of
from projections.queries import Filters
from projections.tables import OPEN_DATE, TableSet
from projections.trait_filter import TraitFilter, Traits

MAX_COUNTED_AT_ONCE = 8
"""Days whose counts are kept, at most; others are counted anew."""

MAX_FILTERS_AT_ONCE = 4
"""Filters for which it is kept which traits pass, at most: a page asks for several things with the same ones."""

_ON_TRAITS = ("status", "flag", "kind", "tag", "pledgor", "beneficiary", "party")
"""Filters that traits answer."""


_PLACES = [Traits._fields.index(column_of(facet)) for facet in FACETS]
"""Where the values of each facet stand among the traits."""

Run = tuple[int, Traits | None]
"""The ordinal of a day, and the traits from then on until the next run; None where there is no pledge."""


_Stretch = tuple[int, int, Sequence[str]]
"""The ordinals of a first day and of the day behind the last, and the columns that hold on them."""

_OPEN_END = OPEN_DATE.toordinal()
_NOTHING: _Stretch = (_OPEN_END, _OPEN_END + 1, ())


class StatusMove(NamedTuple):
    """A pledge with its statuses at two points; None where there is no such pledge."""

    pledge: str
    before: str | None
    after: str | None


class DatedMove(NamedTuple):
    """A pledge whose status became another on a day; `before` is None if there was no such pledge the day before."""

    pledge: str
    on: date
    before: str | None
    after: str


class CountedValue(NamedTuple):
    """A value of a facet's column, and how many pledges have it."""

    value: str
    pledges: int


class CountedParties(NamedTuple):
    """The parties of a pledge as they are stored, a status, and how many pledges have both."""

    parties: str
    status: str
    pledges: int


def names(tables: TableSet, position: int) -> Select[Any]:
    """The pledges that are known at a position, whatever the day."""
    c = tables.catalogue.c
    return select(c.pledge).where(c.known_to > position, c.known_from <= position).distinct().order_by(c.pledge)


def on_timeline(tables: TableSet, position: int, pledges: Sequence[str]) -> Select[Any]:
    """The traits of the timeline of some pledges that are known at a position."""
    t = tables.timeline.c
    query = select(t.pledge, t.valid_from, t.valid_to, t.status, t.flags)
    return query.where(t.pledge.in_(pledges), t.known_to > position, t.known_from <= position)


def on_catalogue(tables: TableSet, position: int, pledges: Sequence[str]) -> Select[Any]:
    """The traits of the catalogue of some pledges that are known at a position."""
    c = tables.catalogue.c
    query = select(c.pledge, c.valid_from, c.valid_to, c.kind, c.tags, c.parties, c.pledgors, c.beneficiaries)
    return query.where(c.pledge.in_(pledges), c.known_to > position, c.known_from <= position)


def beside(filters: Filters) -> Filters:
    """The filters that traits do not answer."""
    none: dict[str, Any] = dict.fromkeys(_ON_TRAITS, ())
    return replace(filters, **none)


class TraitRuns:
    """The runs of all pledges at one position, and what they add up to."""

    def __init__(self) -> None:
        self.position = 0
        self._runs: dict[str, tuple[Run, ...]] = {}
        self._known: dict[Traits, Traits] = {}
        self._turns: dict[Traits, dict[int, int]] = {}
        self._status_turns: dict[str, dict[int, int]] = {}
        self._on: dict[int, Counter[Traits]] = {}
        self._unfiltered: dict[int, dict[Facet, list[CountedValue]]] = {}
        self._asked: dict[Filters, TraitFilter] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def take(self, timeline: Iterable[Any], catalogue: Iterable[Any], of: Iterable[str]) -> None:
        """Take in the rows of `on_timeline` and `on_catalogue` of some pledges; those without any are gone."""
        statuses, others = _stretches(timeline), _stretches(catalogue)
        for pledge in of:
            self._put(pledge, tuple(self._joined(statuses.get(pledge, []), others.get(pledge, []))))

    def facets(self, filters: Filters, day: date, only: Iterable[str] | None) -> dict[Facet, list[CountedValue]]:
        """The values of each facet's column on a day, counted with all filters but that of the facet.

        `only` are the pledges that pass the filters which traits do not answer; None where there are none of those.
        """
        ordinal = day.toordinal()
        if filters == Filters() and only is None and ordinal in self._unfiltered:
            return self._unfiltered[ordinal]
        found: list[dict[str, int]] = [{} for _ in FACETS]
        tests = self._tests(filters)
        for traits, pledges in self._counts(ordinal, only).items():
            failed = tests.failed(traits)
            if len(failed) > 1 or "party" in failed:
                continue
            for values, place, facet in zip(found, _PLACES, FACETS, strict=True):
                if not failed or failed[0] == facet:
                    value = traits[place]
                    values[value] = values.get(value, 0) + pledges
        counted = {
            facet: [CountedValue(*one) for one in values.items() if one[1]]
            for facet, values in zip(FACETS, found, strict=True)
        }
        if filters == Filters() and only is None and len(self._unfiltered) < MAX_COUNTED_AT_ONCE:
            self._unfiltered[ordinal] = counted
        return counted

    def statuses(
        self, filters: Filters, days: Sequence[date], only: Iterable[str] | None = None
    ) -> Iterator[dict[str, int]]:
        """For each of the days, which are in order, how many of the pledges that pass on it have which status.

        Where `only` is given, it is asked of these pledges alone.
        """
        ends, steps = [day.toordinal() for day in days], dict[str, list[int]]()
        for status, turns in self._turning(filters, only):
            of_status = steps.setdefault(status, [0] * (len(ends) + 1))
            for day, pledges in turns.items():
                of_status[bisect_left(ends, day)] += pledges
        counts = dict.fromkeys(sorted(steps), 0)
        for place in range(len(ends)):
            for status in counts:
                counts[status] += steps[status][place]
            yield {status: pledges for status, pledges in counts.items() if pledges}

    def moves(self, filters: Filters, before: date, after: date, only: Iterable[str] | None) -> list[StatusMove]:
        """The pledges with another status on the second day than on the first, in order.

        With filters those of them that pass on the second day; `only` as for `facets`.
        """
        first, second, tests = before.toordinal(), after.toordinal(), self._tests(filters)
        is_narrowed, found = filters != Filters(), list[StatusMove]()
        for pledge in self._runs if only is None else only:
            runs = self._runs.get(pledge, ())
            was, became = _on_day(runs, first), _on_day(runs, second)
            old, new = (None if traits is None else traits.status for traits in (was, became))
            if old != new and not (is_narrowed and (became is None or tests.failed(became))):
                found.append(StatusMove(pledge, old, new))
        return sorted(found)

    def latest_moves(self, filters: Filters, upto: date, limit: int) -> list[DatedMove]:
        """The last changes of status by a day, the last first; the traits on the day of the change pass."""
        last, tests = upto.toordinal(), self._tests(filters)
        best: list[tuple[int, str, str | None, str]] = []
        for pledge, runs in self._runs.items():
            for place in range(bisect_right(runs, last, key=_day_of) - 1, -1, -1):
                day, traits = runs[place]
                if len(best) == limit and -day > best[-1][0]:
                    break
                before = runs[place - 1][1] if place else None
                status = None if before is None else before.status
                if traits is not None and traits.status != status and not tests.failed(traits):
                    insort(best, (-day, pledge, status, traits.status))
                    del best[limit:]
        return [DatedMove(pledge, date.fromordinal(-day), before, after) for day, pledge, before, after in best]

    def by_change(self, filters: Filters, on: date, only: Iterable[str] | None, *, newest_first: bool) -> list[str]:
        """The pledges that pass on a day, by the day since which their status is what it is, then by name."""
        day, tests, sign = on.toordinal(), self._tests(filters), -1 if newest_first else 1
        found = []
        for pledge in self._runs if only is None else only:
            runs = self._runs.get(pledge, ())
            place = bisect_right(runs, day, key=_day_of) - 1
            traits = runs[place][1] if place >= 0 else None
            if traits is None or tests.failed(traits):
                continue
            while place and (before := runs[place - 1][1]) is not None and before.status == traits.status:
                place -= 1
            found.append((sign * runs[place][0], pledge))
        return [pledge for _, pledge in sorted(found)]

    def parties(self, day: date) -> list[CountedParties]:
        """How many pledges have which parties and status on a day."""
        found = Counter[tuple[str, str]]()
        for traits, pledges in self._counts(day.toordinal(), None).items():
            found[traits.parties, traits.status] += pledges
        return [CountedParties(*pair, pledges) for pair, pledges in found.items() if pledges]

    def first_day(self) -> date | None:
        """The first day on which there is any pledge."""
        first = min((day for turns in self._status_turns.values() for day in turns), default=None)
        return None if first is None else date.fromordinal(first)

    def _tests(self, filters: Filters) -> TraitFilter:
        if (tests := self._asked.get(filters)) is None:
            tests = self._asked[filters] = TraitFilter(filters)
            if len(self._asked) > MAX_FILTERS_AT_ONCE:
                del self._asked[next(iter(self._asked))]
        return tests

    def _turning(self, filters: Filters, only: Iterable[str] | None) -> Iterable[tuple[str, Mapping[int, int]]]:
        """The days on which pledges come to a status with traits that pass, or leave it, with how many do."""
        if filters == Filters():
            return self._status_turns.items()
        tests, turns = self._tests(filters), self._turns if only is None else self._turns_of(only)
        return ((traits.status, days) for traits, days in turns.items() if not tests.failed(traits))

    def _turns_of(self, pledges: Iterable[str]) -> Mapping[Traits, Mapping[int, int]]:
        found: dict[Traits, Counter[int]] = {}
        for pledge in pledges:
            last: Traits | None = None
            for day, traits in self._runs.get(pledge, ()):
                if last is not None:
                    found[last][day] -= 1
                if traits is not None:
                    found.setdefault(traits, Counter())[day] += 1
                last = traits
        return found

    def _counts(self, day: int, only: Iterable[str] | None) -> Mapping[Traits, int]:
        """How many pledges have which traits on a day."""
        if only is not None:
            return _counted(day, (self._runs[pledge] for pledge in only if pledge in self._runs))
        if (counts := self._on.get(day)) is None:
            counts = self._on[day] = _counted(day, self._runs.values())
            if len(self._on) > MAX_COUNTED_AT_ONCE:
                del self._on[next(iter(self._on))]
        return counts

    def _put(self, pledge: str, runs: tuple[Run, ...]) -> None:
        """Let a pledge have these runs from now on, none if there is no such pledge."""
        self._unfiltered.clear()
        before = self._runs.pop(pledge, ())
        if runs:
            self._runs[pledge] = runs
        for sign, some in ((-1, before), (1, runs)):
            last: Traits | None = None
            for day, traits in some:
                if last is not None:
                    self._turn(last, day, -sign)
                if traits is not None:
                    self._turn(traits, day, sign)
                last = traits
            for day, counts in self._on.items():
                if (traits := _on_day(some, day)) is not None:
                    counts[traits] += sign

    def _turn(self, traits: Traits, day: int, pledges: int) -> None:
        turns = self._turns.setdefault(traits, {})
        if left := turns.get(day, 0) + pledges:
            turns[day] = left
        else:
            del turns[day]
        if not turns:
            del self._turns[traits]
            self._known.pop(traits, None)
        of_status = self._status_turns.setdefault(traits.status, {})
        if left := of_status.get(day, 0) + pledges:
            of_status[day] = left
        else:
            del of_status[day]

    def _joined(self, timeline: list[_Stretch], catalogue: list[_Stretch]) -> Iterator[Run]:
        """The runs of one pledge from its stretches in both tables, each in order of the days."""
        last: Traits | None = None
        ended, left = 0, iter(catalogue)
        first, end, other = next(left, _NOTHING)
        for start, until, of_status in timeline:
            while start < until:
                while end <= start:
                    first, end, other = next(left, _NOTHING)
                if start < first:  # the other table has nothing yet
                    start = min(first, until)
                    continue
                traits = Traits(*of_status, *other)
                if last is not None and start > ended:
                    yield ended, None
                if traits != last or start > ended:
                    last = self._known.setdefault(traits, traits)
                    yield start, last
                start = ended = min(until, end)
        if last is not None and ended < _OPEN_END:
            yield ended, None


def _stretches(rows: Iterable[Any]) -> dict[str, list[_Stretch]]:
    """The rows of each pledge as stretches in order of the days."""
    found: dict[str, list[_Stretch]] = {}
    for pledge, valid_from, valid_to, *columns in rows:
        columns = columns[:-2]  # without those of `queries.answering`
        found.setdefault(pledge, []).append((valid_from.toordinal(), valid_to.toordinal(), columns))
    for stretches in found.values():
        stretches.sort(key=_first_of)
    return found


def _first_of(stretch: _Stretch) -> int:
    return stretch[0]


def _on_day(runs: Sequence[Run], day: int) -> Traits | None:
    place = bisect_right(runs, day, key=_day_of)
    return runs[place - 1][1] if place else None


def _day_of(run: Run) -> int:
    return run[0]


def _counted(day: int, pledges: Iterable[Sequence[Run]]) -> Counter[Traits]:
    found = Counter(_on_day(runs, day) for runs in pledges)
    return Counter({traits: n for traits, n in found.items() if traits is not None})
