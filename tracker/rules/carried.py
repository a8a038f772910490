"""Choosing among the figures of one history, view after view: a payment by itself is added to what was chosen before.

A pledge of many payments has a view for each, and in most of them the choice is that of the view before with one more
part: an increment that meets none of the others in time, in its source's id or in the currency. Every other view is
chosen anew, and both ways give the same choice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from tracker.promise_facts import Fact
from tracker.quantity import ADDED_AS_SAID
from tracker.rules.candidates import BY_ORDER, PLEDGE_FIGURES, Candidate, CandidateReader
from tracker.rules.figures import SUMMED, Choice, asked, choose_among
from tracker.rules.sums import Actual, duplicates
from tracker.rules.terms import Promise
from tracker.rules.views import FactInForce, View
from tracker.values import Stage

MANY_FIGURES = 32
"""Figures from which on a choice is carried on to the next view; fewer are chosen among as fast."""

Items = tuple[FactInForce[Fact], ...]
Span = tuple[date, date]
T = TypeVar("T")


class Chooser:
    """Chooses the actual on the views of one history, in any order; fastest where each has one figure more."""

    def __init__(self) -> None:
        self.reader = CandidateReader()
        self._last: _Payments | None = None

    def choose(self, view: View, promise: Promise, since: date | None) -> Choice:
        """The actual of the pledge as a whole on the view's days, by DOMAIN §5; `since` is the start of its window."""
        items = tuple([item for item in view.of(*PLEDGE_FIGURES) if item.figure is not None])
        if len(items) < MANY_FIGURES or promise.absolute is None:
            return choose_among(items, promise, since, self.reader)
        last = self._last
        if last is not None and (last.promise, last.since) == (promise, since):
            choice = last.carried_on(items, self.reader)
            if choice is not None:
                return choice
        choice = choose_among(items, promise, since, self.reader)
        self._last = _Payments.among(items, promise, since, choice)
        return choice


@dataclass(slots=True)
class _Payments:
    """A choice among increments of one stage that are added up as they are said, and what the next one must not meet."""

    items: Items
    promise: Promise
    since: date | None
    choice: Choice
    actual: Actual
    stage: Stage
    spans: list[Span]
    """The stretches of days that they cover, in order, of those that are not counted too."""

    references: set[str]
    origins: defaultdict[tuple[object, ...], set[str]]
    """Of each amount who said it."""

    @classmethod
    def among(cls, items: Items, promise: Promise, since: date | None, choice: Choice) -> _Payments | None:
        """The choice as one that can be carried on; None if it is another one."""
        actual = choice.actual
        if actual is None or len(actual.parts) < 2 or actual.left_out or actual.conversions:
            return None
        pool = [candidate for candidate in choice.candidates if candidate.aside is None]
        stage, quantity = actual.lead.figure.stage, actual.quantity
        if stage in ("unspecified", "pledged") or quantity.op not in ADDED_AS_SAID or quantity.value <= 0:
            return None
        if any(not _is_payment(candidate, stage) for candidate in pool):
            return None
        origins = defaultdict[tuple[object, ...], set[str]](set)
        for candidate in pool:
            origins[candidate.quantity.key].add(candidate.origin)
        references = {candidate.reference for candidate in pool if candidate.reference is not None}
        spans = _joined(candidate.span for candidate in pool)
        return cls(items, promise, since, choice, actual, stage, spans, references, origins)

    def carried_on(self, items: Items, reader: CandidateReader) -> Choice | None:
        """The choice among the figures with one more payment; None if something else is different.

        What it was carried on from is forgotten.
        """
        place = _place_of_one_more(self.items, items)
        if place is None:
            return None
        (one,) = reader.read(items[place : place + 1], asked(self.promise, self.since))
        if not self._is_by_itself(one):
            return None
        known, choice = self.origins[one.quantity.key], self.choice
        known.add(one.origin)
        actual = self.actual.with_part(one)
        pairs = choice.duplicates if len(known) == 1 else tuple(duplicates(actual.parts))
        at = bisect_left(actual.parts, one.order, key=BY_ORDER)
        self.choice = replace(
            choice,
            actual=actual,
            candidates=_with(choice.candidates, place, one),
            causes=choice.causes.union(one.item.causes),
            corroborating=_with(choice.corroborating, at, (one.item,)),
            attesting=choice.attesting.union(one.item.causes),
            duplicates=pairs,
            dispositions={**choice.dispositions, one.item.id: SUMMED},
        )
        self.items, self.actual = items, actual
        insort(self.spans, one.span)
        if one.reference is not None:
            self.references.add(one.reference)
        return self.choice

    def _is_by_itself(self, one: Candidate) -> bool:
        """Whether a payment changes nothing of what becomes of the others, and is counted."""
        sum_, quantity = self.actual.quantity, one.quantity
        if one.aside is not None or not _is_payment(one, self.stage):
            return False
        if (quantity.unit, quantity.op) != (sum_.unit, sum_.op) or quantity.value <= 0:
            return False
        if one.compared is not quantity or one.reference in self.references:
            return False
        place = bisect_right(self.spans, (one.span[1], date.max))
        return not place or self.spans[place - 1][1] < one.span[0]


def _is_payment(candidate: Candidate, stage: Stage) -> bool:
    return (
        candidate.figure.basis == "increment" and candidate.figure.stage == stage and candidate.item.rank == "normal"
    )


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
        low, high = (middle + 1, high) if items[middle] is before[middle] else (low, middle)
    return low if items[:low] == before[:low] and items[low + 1 :] == before[low:] else None
