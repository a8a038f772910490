"""What is on record about one pledge, seen from a day: corrections, voids, restatements, retractions, ranks resolved.

Record-keeping (``EventCorrected``, ``EventVoided``, ``FigureRanked``, ``SourceCaptured``) acts from the day of the fact
it repairs; what was said in the world (``FigureRestated``, ``StatementRetracted``) acts from its own (DOMAIN §2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tracker.errors import InvalidFact
from tracker.event import Event
from tracker.facts import (
    FIGURED,
    EventCorrected,
    EventVoided,
    FigureRanked,
    FigureRestated,
    Kept,
    PledgeMade,
    Said,
    SourceCaptured,
    StatementRetracted,
)
from tracker.patch import corrected
from tracker.values import Figure, Rank

ACTING = (EventCorrected, EventVoided, FigureRanked, FigureRestated, StatementRetracted, SourceCaptured)
"""Facts that act on other facts."""

KEPT = (EventCorrected, EventVoided, FigureRanked, SourceCaptured)
"""Facts that repair our own record: they have no date of their own on the as-of axis."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A recorded fact with its corrections, not voided."""

    event: Event
    fact: Said | Kept
    in_force_on: date
    patched_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A fact in force on a day. ``figure`` is as restated; ``said_on`` and ``version`` are those of its last statement.

    ``causes`` are the ids of the events that made it what it is, its own first.
    """

    id: str
    fact: Said | Kept
    figure: Figure | None
    rank: Rank
    said_on: date
    version: int
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The record on one day: the facts in force by version, and what took others away."""

    as_of: date
    made: Item
    items: tuple[Item, ...]
    retracted: dict[str, str]
    """Event id to the id of the retraction."""

    acting: tuple[tuple[str, str], ...]
    """(id, type of the fact that it acts on in the end) for every acting event in force."""

    def of(self, *types: type[Any]) -> list[Item]:
        """The items of some types, by version."""
        return [item for item in self.items if isinstance(item.fact, types)]

    def acting_on(self, *types: type[Any]) -> set[str]:
        """The ids of the events that act on facts of some types."""
        names = {cls.__name__ for cls in types}
        return {id_ for id_, name in self.acting if name in names}


class Ledger:
    """All known events of one pledge, in version order, from which a view of any day is taken."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self._facts = {event.id: event.fact for event in events}
        self._roots = {event.id: self._root(event.fact) for event in events if isinstance(event.fact, ACTING)}
        self._standing: dict[frozenset[str], list[Standing]] = {}

    def standing(self, undone: frozenset[str] = frozenset()) -> list[Standing]:
        """The facts that are not voided, as corrected; ``undone`` are retracted pieces of record-keeping."""
        if undone not in self._standing:
            self._standing[undone] = self._resolve(undone)
        return self._standing[undone]

    def view(self, as_of: date) -> View | None:
        """What is on record on a day; None before the pledge was made, or when its PledgeMade is voided."""
        standing = _in_force(self.standing(), as_of)
        retracted = _retracted(standing)
        if undone := frozenset(id_ for id_ in retracted if isinstance(self._facts.get(id_), KEPT)):
            standing = _in_force(self.standing(undone), as_of)
            retracted = _retracted(standing) | {id_: retracted[id_] for id_ in undone}
        items = tuple(_items([s for s in standing if s.event.id not in retracted]))
        made = next((item for item in items if isinstance(item.fact, PledgeMade)), None)
        return None if made is None else View(as_of, made, items, retracted, self._acting(as_of))

    def _acting(self, as_of: date) -> tuple[tuple[str, str], ...]:
        return tuple(
            (event.id, self._roots[event.id])
            for event in self.events
            if event.id in self._roots and (isinstance(event.fact, KEPT) or event.in_force_on <= as_of)
        )

    def _root(self, fact: Any) -> str:
        while isinstance(fact, ACTING):
            fact = self._facts.get(fact.event)
        return type(fact).__name__

    def _resolve(self, undone: frozenset[str]) -> list[Standing]:
        voided = {
            event.fact.event for event in self.events if isinstance(event.fact, EventVoided) and event.id not in undone
        }
        patches: dict[str, list[tuple[str, EventCorrected]]] = {}
        for event in self.events:
            if isinstance(event.fact, EventCorrected) and event.id not in voided and event.id not in undone:
                patches.setdefault(event.fact.event, []).append((event.id, event.fact))
        standing = []
        for event in self.events:
            if event.id in voided:
                continue
            fact, by = _patched(event.fact, patches.get(event.id, ()))
            standing.append(Standing(event, fact, fact.in_force_on, by))
        return standing


def _in_force(standing: Sequence[Standing], as_of: date) -> list[Standing]:
    return [s for s in standing if s.in_force_on <= as_of or isinstance(s.fact, KEPT)]


def _patched(
    posted: Said | Kept, patches: Sequence[tuple[str, EventCorrected]] | tuple[()]
) -> tuple[Said | Kept, tuple[str, ...]]:
    """The fact with those corrections that still fit, in order."""
    if not patches:
        return posted, ()
    changes: list[dict[str, Any]] = []
    fact, by = posted, []
    for id_, correction in patches:
        try:
            fact = corrected(posted, [*changes, correction.changes])
        except InvalidFact:
            continue
        changes.append(correction.changes)
        by.append(id_)
    return fact, tuple(by)


def _retracted(standing: Sequence[Standing]) -> dict[str, str]:
    """What is taken back, by which retraction. A retraction that is itself retracted takes nothing back."""
    retracted: dict[str, str] = {}
    for s in reversed(standing):
        if isinstance(s.fact, StatementRetracted) and s.event.id not in retracted:
            retracted.setdefault(s.fact.event, s.event.id)
    return retracted


def _items(present: Sequence[Standing]) -> Iterable[Item]:
    restated: dict[str, Standing] = {}
    ranked: dict[str, Standing] = {}
    for s in present:
        if isinstance(s.fact, FigureRestated):
            known = restated.get(s.fact.event)
            if known is None or (known.in_force_on, known.event.version) <= (s.in_force_on, s.event.version):
                restated[s.fact.event] = s
        elif isinstance(s.fact, FigureRanked):
            ranked[s.fact.event] = s
    for s in present:
        figure: Figure | None = getattr(s.fact, "figure", None) if isinstance(s.fact, FIGURED) else None
        causes, last, rank = [s.event.id, *s.patched_by], s, ranked.get(s.event.id)
        while (later := restated.get(last.event.id)) is not None and isinstance(later.fact, FigureRestated):
            last, figure = later, later.fact.figure
            causes += [last.event.id, *last.patched_by]
            other = ranked.get(last.event.id)
            if other is not None and (rank is None or other.event.version > rank.event.version):
                rank = other
        if rank is not None:
            causes += [rank.event.id, *rank.patched_by]
        yield Item(
            id=s.event.id,
            fact=s.fact,
            figure=figure,
            rank=rank.fact.rank if rank is not None and isinstance(rank.fact, FigureRanked) else "normal",
            said_on=last.in_force_on,
            version=last.event.version,
            causes=tuple(causes),
        )
