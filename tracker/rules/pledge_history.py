"""The history of one pledge, seen from a day: corrections, voids, restatements, retractions, ranks resolved.

Record-keeping (`EventCorrected`, `EventVoided`, `FigureRanked`, `SourceCaptured`) acts from the day of the fact
it repairs; what was said in the world (`FigureRestated`, `StatementRetracted`) acts from its own (DOMAIN §2).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any

from tracker.acting import ACTING, REPAIRS
from tracker.event import Event
from tracker.facts import (
    AnyFact,
    EventCorrected,
    EventVoided,
    FigureRanked,
    FigureRestated,
    StatementRetracted,
    figure_in,
)
from tracker.merge_patch import corrected_by
from tracker.promise_facts import Fact, PledgeMade, StatedFact
from tracker.rules.epochs import Epoch, ResolvedFact
from tracker.rules.views import FactInForce, View, of_types, said

KEPT_ORDERS, MANY_EVENTS, LOOKED_AT_ORDERS = 64, 32, 4
"""Sets of events whose order is kept; how many events are so many that one of the last sets, if they have it in them,
is looked for, to put only the others in their place."""


class PledgeHistory:
    """All known events of one pledge, in version order, from which a view of any day is taken.

    A fact acts only on facts before it (`Pledge.check`), so reading backwards settles each before it is asked.
    """

    def __init__(self, events: Sequence[Event], patched: dict[Any, Any] | None = None) -> None:
        self.events = events
        self._patched: dict[tuple[str, tuple[str, ...]], tuple[AnyFact, tuple[str, ...]]]
        self._patched = {} if patched is None else patched
        self._acts_from: dict[str, date] = {}
        self._views: dict[date, View | None] = {}
        self._known_epochs: dict[date, Epoch] = {}
        self._ordered: OrderedDict[frozenset[str], tuple[str, ...]] = OrderedDict()

    def followed_by(self, event: Event) -> PledgeHistory:
        """The history with one more event. What is settled stays so, unless the event acts on another."""
        after = PledgeHistory([*self.events, event], self._patched)
        after._acts_from = self._acts_from
        if isinstance(event.fact, ACTING) or not self.events:
            return after
        # A cached property that is assigned is not found again from all the events.
        resolved, day = ResolvedFact(event, event.fact, event.in_force_on), event.in_force_on
        place = bisect_left(self.changes, day)
        is_new = self.changes[place : place + 1] != [day]
        after.resolutions = [[*resolution, resolved] for resolution in self.resolutions]
        after.changes = [*self.changes[:place], day, *self.changes[place:]] if is_new else self.changes
        after.versions = {**self.versions, event.id: event.version}
        after._events = {**self._events, event.id: event}
        after._references = self._references
        after._resolved = None if self._resolved is None else ([*self._resolved[0], resolved], self._resolved[1])
        (item,) = _in_force([resolved])
        views = {since: view for since, view in self._views.items() if since > day} | {day: self.view(day)}
        after._views = {since: view and view.plus(item) for since, view in views.items()}
        return after

    def resolve(self, as_of: date) -> tuple[list[ResolvedFact], dict[str, str]]:
        """The facts that are not voided, as corrected, by version; and what is retracted by a day, by which event."""
        voided: set[str] = set()
        retracted: dict[str, str] = {}
        patches: dict[str, list[Event]] = {}
        resolution: list[ResolvedFact] = []
        for event in reversed(self.events):
            if event.id in voided:
                continue
            fact, by = self._with(event, patches.get(event.id))
            resolution.append(ResolvedFact(event, fact, fact.in_force_on, by))
            if event.id in retracted:
                continue
            if isinstance(fact, EventVoided):
                voided.add(fact.event)
            elif isinstance(fact, EventCorrected):
                patches.setdefault(fact.event, []).append(event)
            elif isinstance(fact, StatementRetracted) and fact.in_force_on <= as_of:
                retracted.setdefault(fact.event, event.id)
        resolution.reverse()
        return resolution, retracted

    @cached_property
    def resolutions(self) -> list[list[ResolvedFact]]:
        """Every list of facts that `resolve` gives for some day: a new one only where a repair is taken back."""
        if self._resolved is not None:
            return [self._resolved[0]]
        found: dict[date, list[ResolvedFact]] = {}
        unseen = {date.min}
        while unseen:
            day = unseen.pop()
            found[day], _ = self.resolve(day)
            unseen |= {s.in_force_on for s in found[day] if self._takes_back_a_repair(s.fact)} - found.keys()
        return list(found.values())

    def _takes_back_a_repair(self, fact: AnyFact) -> bool:
        return isinstance(fact, StatementRetracted) and isinstance(self._fact(fact.event), REPAIRS)

    @cached_property
    def changes(self) -> list[date]:
        """The days on which what is in force may change, in order."""
        days = {s.in_force_on for resolution in self.resolutions for s in resolution if not isinstance(s.fact, REPAIRS)}
        return sorted(days | {self.acts_from(event) for event in self.events if isinstance(event.fact, ACTING)})

    def view(self, as_of: date) -> View | None:
        """The facts in force on a day; None before the pledge was made, or when its PledgeMade is voided."""
        place = bisect_right(self.changes, as_of)
        if place == 0:
            return None
        since = self.changes[place - 1]
        if since not in self._views:
            before = self._views.get(self.changes[place - 2]) if place > 1 else None
            self._views[since] = None if before is None else self._with_more(before, since)
            if self._views[since] is None:
                self._views[since] = self._view(since)
        return self._views[since]

    def forget_views(self) -> None:
        """Free the views found so far but the last one, from which that of the next day is found."""
        self._views = dict([self._views.popitem()]) if self._views else {}
        self._ordered = OrderedDict(islice(self._ordered.items(), max(0, len(self._ordered) - LOOKED_AT_ORDERS), None))

    def _with_more(self, before: View, since: date) -> View | None:
        """The view of a day on which facts are added to those of the change before it; None where others change."""
        epoch = self._epoch(since)
        if since in epoch.changing:
            return None
        view = before
        for item in _in_force(epoch.beginning.get(since, ())):
            view = view.plus(item)
        return replace(view, acting=tuple(self._acting(epoch, since))) if self._references else view

    def _view(self, as_of: date) -> View | None:
        epoch = self._epoch(as_of)
        retracted = epoch.retracted
        present = [s for s in epoch.resolution if s.in_force_on <= as_of or isinstance(s.fact, REPAIRS)]
        items = tuple(_in_force([s for s in present if s.event.id not in retracted]))
        by_type: dict[type[Fact], list[FactInForce[Fact]]] = {}
        for item in items:
            by_type.setdefault(type(item.fact), []).append(item)
        made = of_types(by_type, [PledgeMade])
        if not made:
            return None
        return View(
            made=made[0],
            latest=max((item for item in items if isinstance(item.fact, StatedFact)), key=said),
            items=items,
            by_type={cls: tuple(found) for cls, found in by_type.items()},
            retracted=retracted,
            taken_back=tuple(_in_force([s for s in present if s.event.id in retracted])),
            acting=tuple(self._acting(epoch, as_of)),
        )

    def _epoch(self, as_of: date) -> Epoch:
        """What all days from one retraction to the next have in common."""
        since = date.min if self._resolved is not None else self._epochs[bisect_right(self._epochs, as_of) - 1]
        if since not in self._known_epochs:
            self._known_epochs[since] = Epoch.of(since, *(self._resolved or self.resolve(since)))
        return self._known_epochs[since]

    @cached_property
    def _epochs(self) -> list[date]:
        """The days from which on other statements are retracted than before."""
        found, unseen = set[date](), {date.min}
        while unseen:
            day = unseen.pop()
            found.add(day)
            resolution, _ = self.resolve(day)
            unseen |= {s.in_force_on for s in resolution if isinstance(s.fact, StatementRetracted)} - found
        return sorted(found)

    @cached_property
    def _resolved(self) -> tuple[list[ResolvedFact], dict[str, str]] | None:
        """What `resolve` gives for every day alike; None if anything was ever retracted."""
        retracts = any(isinstance(event.fact, StatementRetracted) for event in self.events)
        return None if retracts else self.resolve(date.max)

    def acts_from(self, event: Event) -> date:
        """The earliest day whose status the event could change when it was recorded."""
        if not isinstance(event.fact, REPAIRS):
            return event.in_force_on
        if event.id not in self._acts_from:
            self._acts_from[event.id] = self._repairs_from(event)
        return self._acts_from[event.id]

    @cached_property
    def versions(self) -> dict[str, int]:
        """The version of each event, by id."""
        return {event.id: event.version for event in self.events}

    def recorded(self, id_: str) -> Event | None:
        """The event with an id, None if there is none."""
        return self._events.get(id_)

    @property
    def acted_on(self) -> set[str]:
        """The ids of the events that others act on, as posted and under any correction."""
        return set().union(*self._references.values())

    def in_order(self, ids: frozenset[str]) -> tuple[str, ...]:
        """The events and all that they act on, by version: those whose facts can be posted without any others."""
        if ids not in self._ordered:
            if len(self._ordered) == KEPT_ORDERS:
                self._ordered.popitem(last=False)
            self._ordered[ids] = self._put_in_order(ids)
        return self._ordered[ids]

    def _put_in_order(self, ids: frozenset[str]) -> tuple[str, ...]:
        version_of = self.versions.__getitem__
        latest = islice(reversed(self._ordered), LOOKED_AT_ORDERS) if len(ids) > MANY_EVENTS else ()
        known = next((known for known in latest if len(known) > len(ids) // 2 and known <= ids), None)
        if known is None:
            return tuple(sorted(self._with_acted_on(ids), key=version_of))
        found, others = self._ordered[known], self._with_acted_on(ids - known)
        ordered = [*found]
        for id_ in others:
            place = bisect_left(ordered, version_of(id_), key=version_of)
            if ordered[place : place + 1] != [id_]:
                ordered.insert(place, id_)
        return tuple(ordered)

    def _with_acted_on(self, ids: Set[str]) -> set[str]:
        """The events, and all that they act on."""
        whole = set(ids)
        unseen = whole & self._references.keys()
        while unseen:
            named = (self._references[unseen.pop()] & self.versions.keys()) - whole
            whole |= named
            unseen |= named & self._references.keys()
        return whole

    def related(self, event: Event) -> list[Event]:
        """The event and those up to it that it is connected with by acting on each other, by version."""
        return [other for other in self._related[event.id] if other.version <= event.version]

    def _repairs_from(self, event: Event) -> date:
        """The earliest day on which a fact that the event reaches was in force, before it or after it."""
        related = self.related(event)
        resolutions = [r for known in (related[:-1], related) for r in PledgeHistory(known, self._patched).resolutions]
        by_id = [{s.event.id: s for s in resolution} for resolution in resolutions]
        unseen = {event.id}
        reached: set[str] = set()
        days: list[date] = []
        while unseen:
            id_ = unseen.pop()
            reached.add(id_)
            for s in (known[id_] for known in by_id if id_ in known):
                if not isinstance(s.fact, REPAIRS):
                    days.append(s.in_force_on)
                elif s.fact.event not in reached:
                    unseen.add(s.fact.event)
        return min(days, default=event.in_force_on)

    def _acting(self, epoch: Epoch, as_of: date) -> Iterable[tuple[str, str]]:
        for id_ in self._references:
            event, said_on = self._events[id_], epoch.acting_from.get(id_)
            if self.acts_from(event) <= as_of or (said_on is not None and said_on <= as_of):
                for name in self._root_types(id_):
                    yield id_, name

    def _fact(self, id_: str) -> AnyFact | None:
        event = self._events.get(id_)
        return None if event is None else event.fact

    def _with(self, event: Event, patches: list[Event] | None) -> tuple[AnyFact, tuple[str, ...]]:
        """The event's fact with corrections, which come newest first, and the ids of those that fit."""
        if patches is None:
            return event.fact, ()
        key = (event.id, tuple(patch.id for patch in patches))
        if key not in self._patched:
            self._patched[key] = corrected_by(event.fact, [(p.id, p.fact) for p in reversed(patches)])
        return self._patched[key]

    @cached_property
    def _events(self) -> dict[str, Event]:
        return {event.id: event for event in self.events}

    @cached_property
    def _references(self) -> dict[str, set[str]]:
        """For each acting event the ids that it acts on, as posted and under any correction."""
        found: dict[str, set[str]] = {}
        for event in self.events:
            if isinstance(event.fact, ACTING):
                found[event.id] = {event.fact.event}
            if isinstance(event.fact, EventCorrected) and event.fact.event in found:
                other = event.fact.changes.get("event")
                found[event.fact.event] |= {other} if isinstance(other, str) else set()
        return found

    @cached_property
    def _related(self) -> dict[str, list[Event]]:
        """For each event all that it is connected with by acting on each other, itself included, by version."""
        group: dict[str, list[str]] = {event.id: [event.id] for event in self.events}
        for id_, references in self._references.items():
            for other in references:
                own, others = group[id_], group.get(other, group[id_])
                if own is not others:
                    small, large = sorted((own, others), key=len)
                    large += small
                    group |= dict.fromkeys(small, large)
        ordered = {id(ids): sorted(ids, key=self.versions.__getitem__) for ids in group.values()}
        return {id_: [self._events[other] for other in ordered[id(ids)]] for id_, ids in group.items()}

    def _root_types(self, id_: str) -> set[str]:
        """The types of the facts that an acting event acts on in the end."""
        found: set[str] = set()
        unseen, seen = {id_}, set[str]()
        while unseen:
            other = unseen.pop()
            seen.add(other)
            if other in self._references:
                unseen |= self._references[other] - seen
            elif (fact := self._fact(other)) is not None:
                found.add(fact.type)
        return found


def _in_force(present: Sequence[ResolvedFact]) -> Iterable[FactInForce[Fact]]:
    """The facts in force, each with the restatements and ranks among them applied."""
    restated: dict[str, ResolvedFact] = {}
    ranked: dict[str, ResolvedFact] = {}
    for s in present:
        if isinstance(s.fact, FigureRestated):
            known = restated.get(s.fact.event)
            if known is None or (known.in_force_on, known.event.version) <= (s.in_force_on, s.event.version):
                restated[s.fact.event] = s
        elif isinstance(s.fact, FigureRanked):
            ranked[s.fact.event] = s
    for s in present:
        figure = figure_in(s.fact)
        causes, last, rank = [s.event.id, *s.patched_by], s, ranked.get(s.event.id)
        while (later := restated.get(last.event.id)) is not None and isinstance(later.fact, FigureRestated):
            last, figure = later, later.fact.figure
            causes += [last.event.id, *last.patched_by]
            other = ranked.get(last.event.id)
            if other is not None and (rank is None or other.event.version > rank.event.version):
                rank = other
        if rank is not None:
            causes += [rank.event.id, *rank.patched_by]
        yield FactInForce(
            id=s.event.id,
            fact=s.fact,
            figure=figure,
            rank=rank.fact.rank if rank is not None and isinstance(rank.fact, FigureRanked) else "normal",
            said_on=last.in_force_on,
            version=last.event.version,
            first_version=s.event.version,
            causes=tuple(causes),
        )
