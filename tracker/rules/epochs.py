"""The facts of a history between two retractions: what is the same on all these days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

from tracker.acting import ACTING, REPAIRS
from tracker.event import Event
from tracker.facts import AnyFact, FigureRanked, FigureRestated


@dataclass(frozen=True, slots=True)
class ResolvedFact:
    """A recorded fact with its corrections, not voided."""

    event: Event
    fact: AnyFact
    in_force_on: date
    patched_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Epoch:
    """The facts that are not voided and what is retracted, the same from one retraction to the next."""

    resolution: Sequence[ResolvedFact]
    retracted: dict[str, str]
    beginning: Mapping[date, Sequence[ResolvedFact]]
    """The facts that come into force on each day; record-keeping is on every day."""

    changing: Set[date]
    """The days that change facts of days before, or begin with one that something else changes."""

    acting_from: Mapping[str, date]
    """From when on each statement that acts on another is in force, by event id."""

    @classmethod
    def of(cls, since: date, resolution: Sequence[ResolvedFact], retracted: dict[str, str]) -> Epoch:
        """The epoch that begins on a day."""
        beginning: dict[date, list[ResolvedFact]] = {}
        changed, changing = {*retracted}, {since}
        stated = [s for s in resolution if not isinstance(s.fact, REPAIRS)]
        for s in stated:
            beginning.setdefault(s.in_force_on, []).append(s)
        for s in resolution:
            if isinstance(s.fact, FigureRestated | FigureRanked):
                changed.add(s.fact.event)
            if isinstance(s.fact, FigureRestated):
                changing.add(s.in_force_on)
        changing |= {s.in_force_on for s in resolution if s.event.id in changed}
        acting = {
            s.event.id: s.in_force_on
            for s in resolution
            if isinstance(s.fact, ACTING) and not isinstance(s.fact, REPAIRS)
        }
        return cls(resolution, retracted, beginning, changing, acting)
