"""The status of a pledge at a point on both clocks: derived, never typed, with the events that caused it (DOMAIN §6).

``derive`` is a function of its arguments: the same events give the same bytes in any process, zone, locale and order
of arrival of independent facts. docs/rules.md tells the rules in the order in which they are applied here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic_core import to_json

from tracker.document import because_of, dates, quantity, status_document
from tracker.event import Event, stamp
from tracker.facts import (
    MilestoneMissed,
    MilestoneReached,
    MilestoneScheduled,
    PledgeMade,
    PledgeRevised,
    Said,
)
from tracker.figures import choose
from tracker.flags import Evidence, evidence, flags, last_said, stale_days, trajectory
from tracker.members import count
from tracker.milestones import milestones
from tracker.outcome import DUE_SOON, Facts, Headline, decide
from tracker.quantity import Quantity, Ratio, ratio
from tracker.record import ACTING, KEPT, Item, Ledger, View
from tracker.terms import Terms, terms_of
from tracker.values import Kind, Party, Trajectory, Window, end_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Status:
    """Where a pledge stands. ``body`` is its JSON without the clocks; lists filter and sort by the other fields.

    ``converted`` is the actual in the target's unit, None where there is no actual or no rate.
    """

    pledge: str
    title: str
    pledgor: Party
    beneficiary: Party | None
    kind: Kind
    tags: tuple[str, ...]
    part_of: str | None
    status: Headline
    flags: tuple[str, ...]
    target: Quantity | None
    actual: Quantity | None
    converted: Quantity | None
    ratio: Ratio | None
    window: Window | None
    deadline: date | None
    evidence: Evidence
    trajectory: Trajectory
    last_stated_on: date
    because: dict[str, tuple[str, ...]]
    document: dict[str, Any]

    @cached_property
    def body(self) -> bytes:
        """The document as JSON, without ``as_of``, ``known_at``, ``position`` and ``version``."""
        return to_json(self.document)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of equal status on the as-of axis, ``[valid_from, valid_to)``."""

    valid_from: date
    valid_to: date | None
    status: Status


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What a set of facts says on every day on which it is in force: evidence, the last statement, the trajectory."""

    facts: Facts
    attested: tuple[Evidence, frozenset[str]]
    latest: Item
    trajectory: Trajectory


def derive(events: Sequence[Event], as_of: date, known_at: datetime | None = None) -> Status | None:
    """The status of one pledge from its events: what had been said by ``as_of`` and recorded by ``known_at``.

    None when the pledge does not exist at these clocks. Without ``known_at`` all the events are known.
    """
    known = events if known_at is None else [event for event in events if event.recorded_at <= known_at]
    return Record(known).status(as_of)


def complete(body: bytes, *, as_of: date, known_at: datetime | None, position: int, version: int) -> bytes:
    """A status document with the clocks it was asked at and the log position it was computed from."""
    known = b"null" if known_at is None else b'"%s"' % stamp(known_at).encode()
    clocks = (as_of.isoformat().encode(), known, position, version)
    return b'%s,"as_of":"%s","known_at":%s,"position":%d,"version":%d}' % (body[:-1], *clocks)


class Record:
    """All known events of one pledge, in version order, and the statuses they add up to."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.ledger = Ledger(events)
        self._statuses: dict[date, Status | None] = {}
        self._headlines: dict[date, Headline] = {}
        self._weighed: dict[object, _Weighed] = {}

    def status(self, as_of: date) -> Status | None:
        """The status on a day; None when the pledge does not exist then."""
        if as_of not in self._statuses:
            view = self.ledger.view(as_of)
            self._statuses[as_of] = None if view is None else self._derive(view)
        return self._statuses[as_of]

    def segments(self, since: date | None = None) -> list[Segment]:
        """The stretches of equal status from a day on (from the beginning without one), deadlines ahead included."""
        days = self.boundaries()
        if since is not None:
            days = [since, *(day for day in days if day > since)]
        found: list[Segment] = []
        for day in days:
            status = self.status(day)
            if found and found[-1].valid_to is None:
                last = found[-1]
                if status is not None and status.body == last.status.body:
                    continue
                found[-1] = Segment(last.valid_from, day, last.status)
            if status is not None:
                found.append(Segment(day, None, status))
        return found

    def boundaries(self) -> list[date]:
        """The days on which the status may change, with or without an event."""
        standing = [s for resolution in self.ledger.resolutions for s in resolution if not isinstance(s.fact, KEPT)]
        said = {s.in_force_on for s in standing if isinstance(s.fact, Said)}
        sure = {s.in_force_on for s in standing if isinstance(s.fact, Said) and s.event.id not in self.ledger.touched}
        acting = {self.acts_from(event) for event in self.events if isinstance(event.fact, ACTING)}
        days = {s.in_force_on for s in standing} | acting | set(stale_days(said, sure))
        for deadline in self.deadlines():
            days |= {deadline - DUE_SOON, deadline + ONE_DAY}
        return sorted(days)

    def deadlines(self) -> set[date]:
        """Every deadline of the pledge and its milestones, before and after revisions and corrections."""
        found = set()
        for fact in (s.fact for resolution in self.ledger.resolutions for s in resolution):
            if isinstance(fact, PledgeMade | PledgeRevised) and fact.window is not None:
                found.add(fact.window.deadline)
            elif isinstance(fact, MilestoneScheduled | MilestoneReached | MilestoneMissed) and fact.due is not None:
                found.add(end_of(fact.due))
        return {day for day in found if day is not None}

    def acts_from(self, event: Event) -> date:
        """The earliest day whose status the event could change when it was recorded."""
        return self.ledger.acts_from(event)

    def _derive(self, view: View) -> Status:
        made = view.made.fact
        assert isinstance(made, PledgeMade)
        weighed = self._weigh(view)
        facts, attested, latest, own = self._facts(view), weighed.attested, weighed.latest, weighed.trajectory
        terms, outcome = facts.terms, decide(facts)
        raised = flags(facts, outcome, attested)
        answer = facts.choice.answer
        actual = None if answer is None else answer.quantity
        converted = None
        if answer is not None and answer.compared is not None:
            converted = answer.compared if terms.target is None or answer.compared.unit == terms.target.unit else None
        share = None if converted is None or terms.target is None else ratio(converted, terms.target)
        past = self._past_targets(terms)
        because = because_of(facts, outcome, attested, raised, {e.id: e.version for e in self.events})
        document = status_document(
            self.events[0].pledge, facts, outcome, actual, share, attested[0], own, raised, past, because, latest
        )
        return Status(
            pledge=self.events[0].pledge,
            title=terms.title,
            pledgor=made.pledgor,
            beneficiary=made.beneficiary,
            kind=terms.kind,
            tags=made.tags,
            part_of=made.part_of,
            status=outcome.status,
            flags=tuple(name for name, _ in raised),
            target=terms.target,
            actual=actual,
            converted=converted,
            ratio=share,
            window=terms.window,
            deadline=facts.deadline,
            evidence=attested[0],
            trajectory=own,
            last_stated_on=latest.fact.stated_on,
            because=because,
            document=document,
        )

    def _weigh(self, view: View) -> _Weighed:
        """What depends on the facts in force alone, not on the day: deadlines pass without it being weighed again."""
        in_force = tuple(item.id for item in view.items), tuple(item.id for item in view.taken_back)
        key = (*in_force, tuple(view.retracted.items()), view.acting)
        if key not in self._weighed:
            terms = terms_of(view)
            facts = Facts(view, terms, choose(view, terms), count(view, terms), milestones(view))
            self._weighed[key] = _Weighed(facts, evidence(facts), last_said(facts), trajectory(facts))
        return self._weighed[key]

    def _past_targets(self, terms: Terms) -> list[dict[str, Any]]:
        """The answer under each target that was raised, on the day before it was."""
        found = []
        for before, change in zip(terms.changes, terms.changes[1:], strict=False):
            if change.is_new_question and before.target is not None and before.since[0] < change.since[0]:
                found.append(
                    {
                        "target": quantity(before.target),
                        "window": None if before.window is None else dates(before.window),
                        "until": change.since[0].isoformat(),
                        "status": self._headline(change.since[0] - ONE_DAY),
                    }
                )
        return found

    def _headline(self, as_of: date) -> Headline:
        """The status on a day in one word; what did not exist yet is announced."""
        if as_of not in self._headlines:
            view = self.ledger.view(as_of)
            self._headlines[as_of] = "announced" if view is None else decide(self._facts(view)).status
        return self._headlines[as_of]

    def _facts(self, view: View) -> Facts:
        return replace(self._weigh(view).facts, view=view, steps=milestones(view))
