"""What is in force of one pledge from one change of its history to the next."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, TypeVar, cast

from tracker.acting import REPAIRS
from tracker.promise_facts import Fact, PledgeMade, StatedFact
from tracker.values import Figure, Rank

F_co = TypeVar("F_co", bound=Fact, covariant=True)


@dataclass(frozen=True, slots=True)
class FactInForce(Generic[F_co]):
    """A fact in force on a day. `figure` is as restated; `said_on` and `version` are those of its last statement.

    `causes` are the ids of the events that made it what it is, its own first.
    """

    id: str
    fact: F_co
    figure: Figure | None
    rank: Rank
    said_on: date
    version: int
    first_version: int
    causes: tuple[str, ...]

    @property
    def first_said_on(self) -> date:
        """The day it was first said: a figure without a period is about that day, however it is restated."""
        return self.fact.in_force_on

    @property
    def last_said(self) -> tuple[date, int]:
        """Where its last statement stands in the order in which things were said: day and version."""
        return (self.said_on, self.version)

    @property
    def origin(self) -> str:
        """What its source quotes in the end (`Source.quoted_origin`); empty without a source."""
        return "" if self.fact.source is None else self.fact.source.quoted_origin


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """The history from one change to the next: the facts in force by version, and what took others away.

    A history gives the same view for every day of such a stretch: two views are the same when they are one object.
    """

    made: FactInForce[PledgeMade]
    latest: FactInForce[Fact]
    """The latest statement made in the world."""

    items: tuple[FactInForce[Fact], ...]
    by_type: Mapping[type[Fact], tuple[FactInForce[Fact], ...]]
    retracted: dict[str, str]
    """Event id to the id of the retraction."""

    taken_back: tuple[FactInForce[Fact], ...]
    """The facts that are retracted, by version."""

    acting: tuple[tuple[str, str], ...]
    """(id, type of a fact that it acts on in the end) for every acting event in force."""

    def of(self, *types: type[F_co]) -> Sequence[FactInForce[F_co]]:
        """The facts in force of some types, by version."""
        return of_types(self.by_type, types)

    def acting_on(self, *types: type[Fact]) -> set[str]:
        """The ids of the events that act on facts of some types."""
        if not self.acting:
            return set()
        names = {cls.__name__ for cls in types}
        return {id_ for id_, name in self.acting if name in names}

    @property
    def ids(self) -> set[str]:
        """The ids of all events that have to do with what is, or was, in force; of a repair from where it acts."""
        said = [item for item in (*self.items, *self.taken_back) if not isinstance(item.fact, REPAIRS)]
        return {id_ for item in said for id_ in item.causes} | {id_ for id_, _ in self.acting}

    def plus(self, item: FactInForce[Fact]) -> View:
        """The view with one more fact, as it stands: it acts on no other."""
        cls = type(item.fact)
        by_type = {**self.by_type, cls: _inserted(self.by_type.get(cls, ()), item)}
        latest = max(self.latest, item, key=said) if isinstance(item.fact, StatedFact) else self.latest
        return replace(self, items=_inserted(self.items, item), by_type=by_type, latest=latest)


def of_types(
    by_type: Mapping[type[Fact], Sequence[FactInForce[Fact]]], types: Sequence[type[F_co]]
) -> Sequence[FactInForce[F_co]]:
    """The facts of some types by version: under the key of a type are facts of that type alone."""
    found = [cast("Sequence[FactInForce[F_co]]", items) for cls in types if (items := by_type.get(cls))]
    if len(found) > 1:
        return sorted((item for items in found for item in items), key=lambda item: item.first_version)
    return found[0] if found else ()


def said(item: FactInForce[Fact]) -> tuple[date, int]:
    """When a fact was first said, and the version of its last statement: the order in which statements follow."""
    return (item.fact.in_force_on, item.version)


def _inserted(items: tuple[FactInForce[Fact], ...], item: FactInForce[Fact]) -> tuple[FactInForce[Fact], ...]:
    """The facts, by version, with one more."""
    place = bisect_left(items, item.first_version, key=lambda other: other.first_version)
    return (*items[:place], item, *items[place:])
