"""The status of a pledge at a point on both clocks: derived, never typed, with the events that caused it (DOMAIN §6).

`derive` is a function of its arguments: the same events give the same bytes in any process, zone, locale and order
of arrival of independent facts. docs/rules.md tells the rules in the order in which they are applied here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic_core import to_json

from tracker.comparison import Ratio, ratio
from tracker.event import Event, stamp
from tracker.facts import MilestoneFact, PledgeMade, PledgeRevised, StatedFact
from tracker.quantity import Quantity
from tracker.rules.candidates import CandidateReader
from tracker.rules.evaluation import Evaluation
from tracker.rules.figures import choose
from tracker.rules.flags import STALE_AFTER, Evidence, evidence, flags, stale_days, trajectory
from tracker.rules.json_values import dates_json, quantity_json
from tracker.rules.members import group_result
from tracker.rules.milestones import milestones
from tracker.rules.outcome import DUE_SOON, Headline, decide
from tracker.rules.pledge_history import PledgeHistory, View
from tracker.rules.status_document import because_of, outline, status_document
from tracker.rules.terms import Terms, terms_of
from tracker.values import Kind, Party, Trajectory, Window, end_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Status:
    """Where a pledge stands. `body` is its JSON without the clocks; lists filter and sort by the other fields.

    `converted` is the actual in the target's unit, None where there is no actual or no rate.
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
        """The document as JSON, without `as_of`, `known_at`, `position` and `version`."""
        return to_json(self.document)


@dataclass(frozen=True, slots=True)
class StatusSegment:
    """A stretch of equal status on the as-of axis, `[valid_from, valid_to)`."""

    valid_from: date
    valid_to: date | None
    status: Status


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """What a view comes to on every day of it; `outline` is the document without what depends on the day."""

    evaluation: Evaluation
    attested: tuple[Evidence, frozenset[str]]
    trajectory: Trajectory
    actual: Quantity | None
    converted: Quantity | None
    ratio: Ratio | None
    outline: dict[str, Any]


def derive(events: Sequence[Event], as_of: date, known_at: datetime | None = None) -> Status | None:
    """The status of one pledge from its events: what had been said by `as_of` and recorded by `known_at`.

    None when the pledge does not exist at these clocks. Without `known_at` all the events are known.
    """
    known = events if known_at is None else [event for event in events if event.recorded_at <= known_at]
    return StatusFold(known).status(as_of)


def complete(body: bytes, *, as_of: date, known_at: datetime | None, position: int, version: int) -> bytes:
    """A status document with the clocks it was asked at and the log position it was computed from."""
    known = b"null" if known_at is None else b'"%s"' % stamp(known_at).encode()
    clocks = (as_of.isoformat().encode(), known, position, version)
    return b'%s,"as_of":"%s","known_at":%s,"position":%d,"version":%d}' % (body[:-1], *clocks)


class StatusFold:
    """All known events of one pledge, in version order, and the statuses they add up to."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.history = PledgeHistory(events)
        self._reader = CandidateReader()
        self._statuses: dict[date, Status | None] = {}
        self._headlines: dict[date, Headline] = {}
        self._evaluated: dict[View, _Evaluated] = {}

    @property
    def events(self) -> Sequence[Event]:
        """The events, in version order."""
        return self.history.events

    def followed_by(self, event: Event) -> StatusFold:
        """The fold of one more event: equal to a fold of all the events, made in less time."""
        after = StatusFold(())
        after.history, after._reader = self.history.followed_by(event), self._reader
        since = after.acts_from(event)
        after._headlines = {day: headline for day, headline in self._headlines.items() if day < since}
        return after

    def forget_statuses(self) -> None:
        """Free the statuses derived so far, most of the memory of a fold; `followed_by` does not need them."""
        self._statuses.clear()
        self._evaluated.clear()

    def status(self, as_of: date) -> Status | None:
        """The status on a day; None when the pledge does not exist then."""
        if as_of not in self._statuses:
            view = self.history.view(as_of)
            self._statuses[as_of] = None if view is None else self._derive(view, as_of)
        return self._statuses[as_of]

    def segments(self, since: date | None = None) -> list[StatusSegment]:
        """The stretches of equal status from a day on (from the beginning without one), deadlines ahead included."""
        days = self.boundaries(since)
        found: list[StatusSegment] = []
        for day in days:
            status = self.status(day)
            if found and found[-1].valid_to is None:
                last = found[-1]
                if status is not None and status.document == last.status.document:
                    continue
                found[-1] = StatusSegment(last.valid_from, day, last.status)
            if status is not None:
                found.append(StatusSegment(day, None, status))
        return found

    def boundaries(self, since: date | None = None) -> list[date]:
        """The days on which the status may change, with or without an event: all, or a day and those after it."""
        changes = self.history.changes
        days = set(changes if since is None else changes[bisect_right(changes, since) :])
        earliest = date.min if since is None or since - date.min < STALE_AFTER else since - STALE_AFTER
        acted_on = self.history.acted_on
        resolved = (s for resolution in self.history.resolutions for s in resolution)
        lasting = [s for s in resolved if s.in_force_on >= earliest and isinstance(s.fact, StatedFact)]
        sure = {s.in_force_on for s in lasting if s.event.id not in acted_on}
        days.update(stale_days({s.in_force_on for s in lasting}, sure))
        for deadline in self.deadlines():
            days |= {deadline - DUE_SOON, deadline + ONE_DAY}
        return sorted(days if since is None else {since, *(day for day in days if day > since)})

    def deadlines(self) -> set[date]:
        """Every deadline of the pledge and its milestones, before and after revisions and corrections."""
        found = set()
        for fact in (s.fact for resolution in self.history.resolutions for s in resolution):
            if isinstance(fact, PledgeMade | PledgeRevised) and fact.window is not None:
                found.add(fact.window.deadline)
            elif isinstance(fact, MilestoneFact) and fact.due is not None:
                found.add(end_of(fact.due))
        return {day for day in found if day is not None}

    def acts_from(self, event: Event) -> date:
        """The earliest day whose status the event could change when it was recorded."""
        return self.history.acts_from(event)

    def _derive(self, view: View, as_of: date) -> Status:
        made, evaluated = view.made.fact, self._evaluate(view, as_of)
        evaluation, attested = evaluated.evaluation.on(as_of), evaluated.attested
        terms, outcome = evaluation.terms, decide(evaluation)
        raised = flags(evaluation, outcome, attested)
        names = tuple(name for name, _ in raised)
        because = because_of(evaluation, outcome, attested, raised, self.history.versions)
        document = status_document(evaluated.outline, evaluation, outcome, names, self._past_targets(terms), because)
        return Status(
            pledge=self.events[0].pledge,
            title=terms.title,
            pledgor=made.pledgor,
            beneficiary=made.beneficiary,
            kind=terms.kind,
            tags=made.tags,
            part_of=made.part_of,
            status=outcome.status,
            flags=names,
            target=terms.target,
            actual=evaluated.actual,
            converted=evaluated.converted,
            ratio=evaluated.ratio,
            window=terms.window,
            deadline=evaluation.deadline,
            evidence=attested[0],
            trajectory=evaluated.trajectory,
            last_stated_on=view.latest.fact.stated_on,
            because=because,
            document=document,
        )

    def _evaluate(self, view: View, as_of: date) -> _Evaluated:
        """What depends on the facts in force alone, not on the day: deadlines pass without a new evaluation."""
        if view not in self._evaluated:
            terms = terms_of(view)
            choice = choose(view, terms, self._reader)
            members = group_result(view, terms)
            evaluation = Evaluation(as_of, view, terms, choice, members, milestones(view, as_of))
            self._evaluated[view] = _evaluate(self.events[0].pledge, evaluation)
        return self._evaluated[view]

    def _past_targets(self, terms: Terms) -> list[dict[str, Any]]:
        """The status under each target that was raised, on the day before it was."""
        found = []
        for before, change in zip(terms.changes, terms.changes[1:], strict=False):
            if change.is_new_question and before.target is not None and before.since[0] < change.since[0]:
                found.append(
                    {
                        "target": quantity_json(before.target),
                        "window": None if before.window is None else dates_json(before.window),
                        "until": change.since[0].isoformat(),
                        "status": self._headline(change.since[0] - ONE_DAY),
                    }
                )
        return found

    def _headline(self, as_of: date) -> Headline:
        """The status on a day in one word; what did not exist yet is announced."""
        if as_of not in self._headlines:
            view = self.history.view(as_of)
            self._headlines[as_of] = "announced" if view is None else self._decide(view, as_of)
        return self._headlines[as_of]

    def _decide(self, view: View, as_of: date) -> Headline:
        return decide(self._evaluate(view, as_of).evaluation.on(as_of)).status


def _evaluate(pledge: str, evaluation: Evaluation) -> _Evaluated:
    target, actual, converted = evaluation.terms.target, evaluation.choice.actual, None
    if actual is not None and actual.compared is not None and (target is None or actual.compared.unit == target.unit):
        converted = actual.compared
    share = None if converted is None or target is None else ratio(converted, target)
    attested, own = evidence(evaluation), trajectory(evaluation)
    outlined = outline(pledge, evaluation, share, attested[0], own)
    reported = None if actual is None else actual.quantity
    return _Evaluated(evaluation, attested, own, reported, converted, share, outlined)
