"""Choosing among the figures of one history, view after view, each of which has one figure more than the last.

A pledge of many payments, or of which a new total is told every day, has a view for each. In most of them the choice is
that of the view before with one more part, a payment that meets no other one in time, by its source's id or in another
currency; or it is the new total, which covers all before it and has risen. Every other view is chosen anew, and both
ways give the same choice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from tracker.promise_facts import Fact
from tracker.quantity import ADDED_AS_SAID
from tracker.rules.candidates import BY_ORDER, PLEDGE_FIGURES, Candidate, CandidateReader
from tracker.rules.disputes import only_rise
from tracker.rules.figures import CHOSEN, SUMMED, Before, Choice, asked, choose_among
from tracker.rules.sums import Actual, duplicates, may_be_one, single
from tracker.rules.terms import Promise
from tracker.rules.views import FactInForce, View
from tracker.values import STAGES, Basis, Stage

MANY_FIGURES = 32
"""Figures from which on a choice is carried on to the next view; fewer are chosen among as fast."""

Items = tuple[FactInForce[Fact], ...]
Span = tuple[date, date]
T = TypeVar("T")


class Chooser:
    """Chooses the actual on the views of one history, in any order; fastest where each has one figure more."""

    def __init__(self) -> None:
        self.reader = CandidateReader()
        self._items: Items = ()
        self._promise: Promise | None = None
        self._since: date | None = None
        self._last: _Payments | _Totals | None = None

    def choose(self, view: View, promise: Promise, since: date | None) -> Choice:
        """The actual of the pledge as a whole on the view's days, by DOMAIN §5; `since` is the start of its window."""
        items = tuple([item for item in view.of(*PLEDGE_FIGURES) if item.figure is not None])
        if len(items) < MANY_FIGURES or promise.absolute is None:
            return choose_among(items, promise, since, self.reader)
        choice = self._carried_on(items, promise, since)
        if choice is None:
            choice = choose_among(items, promise, since, self.reader)
            self._last = _Payments.among(choice, promise) or _Totals.among(choice, promise)
        self._items, self._promise, self._since = items, promise, since
        return choice

    def _carried_on(self, items: Items, promise: Promise, since: date | None) -> Choice | None:
        """The last choice with one figure more; None if anything else is different, or it cannot be carried on."""
        if self._last is None or (promise, since) != (self._promise, self._since):
            return None
        place = _place_of_one_more(self._items, items)
        if place is None:
            return None
        (one,) = self.reader.read(items[place : place + 1], asked(promise, since))
        return self._last.carried_on(one, place) if one.item.rank == "normal" else None


@dataclass(slots=True)
class _Payments:
    """Increments of one stage that are added up as they are said, and what the next one must not meet."""

    choice: Choice
    actual: Actual
    stage: Stage
    spans: list[Span]
    """The stretches of days that they cover, in order, of those that are not counted too."""

    references: set[str]
    preferred: Sequence[Candidate]
    origins: defaultdict[tuple[object, ...], set[str]]
    """Of each amount who said it."""

    @classmethod
    def among(cls, choice: Choice, promise: Promise) -> _Payments | None:
        """A choice that can be carried on; None if it is none."""
        actual = choice.actual
        if actual is None or len(actual.parts) < 2 or actual.left_out or actual.conversions:
            return None
        pool = _pool_alike(choice, actual, promise, "increment")
        if not pool or actual.quantity.op not in ADDED_AS_SAID or actual.quantity.value <= 0:
            return None
        origins = defaultdict[tuple[object, ...], set[str]](set)
        for candidate in pool:
            origins[candidate.quantity.key].add(candidate.origin)
        references = {candidate.reference for candidate in pool if candidate.reference is not None}
        spans = _joined(candidate.span for candidate in pool)
        preferred = [candidate for candidate in pool if candidate.item.rank == "preferred"]
        return cls(choice, actual, actual.lead.figure.stage, spans, references, preferred, origins)

    def carried_on(self, one: Candidate, place: int) -> Choice | None:
        """The choice with one more payment at a place among the figures; None if it changes more than the sum."""
        if not self._is_by_itself(one):
            return None
        choice, origins = self.choice, self.origins[one.quantity.key]
        origins.add(one.origin)
        actual = self.actual.with_part(one)
        at = bisect_left(actual.parts, one.order, key=BY_ORDER)
        carried_on = replace(
            choice,
            actual=actual,
            candidates=_with(choice.candidates, place, one),
            causes=choice.causes.union(one.item.causes),
            corroborating=_with(choice.corroborating, at, (one.item,)),
            attesting=choice.attesting.union(one.item.causes),
            duplicates=choice.duplicates if len(origins) == 1 else tuple(duplicates(actual.parts)),
            dispositions={**choice.dispositions, one.item.id: SUMMED},
            kept={},
            before=Before(choice.kept, one),
        )
        self.choice, self.actual = carried_on, actual
        insort(self.spans, one.span)
        if one.reference is not None:
            self.references.add(one.reference)
        return carried_on

    def _is_by_itself(self, one: Candidate) -> bool:
        """Whether a payment changes nothing of what becomes of the others, and is counted."""
        together, quantity = self.actual.quantity, one.quantity
        if not _is_alike(one, self.stage, "increment") or any(may_be_one(one, other) for other in self.preferred):
            return False
        if (quantity.unit, quantity.op) != (together.unit, together.op) or quantity.value <= 0:
            return False
        place = bisect_right(self.spans, (one.span[1], date.max))
        is_apart = not place or self.spans[place - 1][1] < one.span[0]
        return is_apart and one.reference not in self.references


@dataclass(slots=True)
class _Totals:
    """Running totals of one stage and unit that only rise, of which the last is the actual."""

    choice: Choice
    last: Candidate
    first_day: date
    """The first day that one of them covers."""

    last_day: date
    """The last day that one of them covers."""

    most: Decimal
    """The highest low end of them."""

    @classmethod
    def among(cls, choice: Choice, promise: Promise) -> _Totals | None:
        """A choice that can be carried on; None if it is none."""
        actual = choice.actual
        if actual is None or len(actual.parts) != 1 or actual.keeping_out:
            return None
        pool = _pool_alike(choice, actual, promise, "cumulative")
        if not pool or not only_rise(pool) or any(candidate.item.rank != "normal" for candidate in pool):
            return None
        first = min(candidate.span[0] for candidate in pool)
        last = max(candidate.span[1] for candidate in pool)
        most = max(candidate.slack.low for candidate in pool if candidate.slack.low is not None)
        return cls(choice, actual.lead, first, last, most)

    def carried_on(self, one: Candidate, place: int) -> Choice | None:
        """The choice with one more total at a place among the figures; None if it does not simply replace the last."""
        low = one.slack.low
        if low is None or not _is_alike(one, self.last.figure.stage, "cumulative") or not self._replaces_all(one):
            return None
        choice, causes = self.choice, frozenset(one.item.causes)
        self.last, self.first_day, self.last_day = one, one.span[0], one.span[1]
        self.most = max(self.most, low)
        self.choice = replace(
            choice,
            actual=single(one, one.figure.stage),
            candidates=_with(choice.candidates, place, one),
            causes=causes,
            corroborating=((one.item,),),
            attesting=causes,
            dispositions={one.item.id: CHOSEN},
            kept={},
            before=Before(choice.kept, one),
        )
        return self.choice

    def _replaces_all(self, one: Candidate) -> bool:
        """Whether a total is later than all others, so that it goes first, covers their days, and none is above it."""
        if one.quantity.unit != self.last.quantity.unit:
            return False
        if one.span[0] > self.first_day or one.day <= self.last_day:
            return False
        return one.slack.high is None or one.slack.high > self.most


def _pool_alike(choice: Choice, actual: Actual, promise: Promise, basis: Basis) -> list[Candidate]:
    """The figures that take part, if all are of the stage that is asked for, and of one basis."""
    pool = [candidate for candidate in choice.candidates if candidate.aside is None]
    stage, required = actual.lead.figure.stage, promise.required_stage
    is_own = required is None or (stage != "unspecified" and STAGES[stage] == STAGES[required])
    return pool if is_own and all(_is_alike(candidate, stage, basis) for candidate in pool) else []


def _is_alike(candidate: Candidate, stage: Stage, basis: Basis) -> bool:
    figure = candidate.figure
    return figure.basis == basis and figure.stage == stage and candidate.aside is None


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The stretches of days that some spans cover together, in order."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def _with(items: tuple[T, ...], place: int, one: T) -> tuple[T, ...]:
    return (*items[:place], one, *items[place:])


def _place_of_one_more(before: Items, items: Items) -> int | None:
    """Where a figure was put in among others; None if anything else changed."""
    if len(items) != len(before) + 1:
        return None
    low, high = 0, len(before)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if items[middle].first_version == before[middle].first_version else (low, middle)
    return low if items[:low] == before[:low] and items[low + 1 :] == before[low:] else None
