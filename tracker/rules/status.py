"""The status of a pledge at a point on both clocks: derived, never typed, with the events that caused it (DOMAIN §6).

`derive` is a function of its arguments: the same events give the same bytes in any process, zone, locale and order
of arrival of independent facts. docs/rules.md tells the rules in the order in which they are applied here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import zip_longest
from typing import Any

from pydantic_core import to_json

from tracker.comparison import Ratio
from tracker.event import Event, stamp
from tracker.quantity import Quantity
from tracker.rules.because import because_of
from tracker.rules.boundaries import days_ahead, deadlines
from tracker.rules.candidates import rate_day
from tracker.rules.carried import Chooser
from tracker.rules.days import ONE_DAY
from tracker.rules.evaluation import Evaluation, evaluate
from tracker.rules.flags import Evidence, evidence, flags
from tracker.rules.instalments import instalments_of
from tracker.rules.json_values import dates_json, quantity_json
from tracker.rules.outcome import Headline, Outcome, deadline_in_force, decide
from tracker.rules.parties import beneficiaries_of, pledgors_of
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status_document import outline, ratio_of, status_document
from tracker.rules.terms import Evening
from tracker.rules.trajectory import trajectory
from tracker.rules.views import View
from tracker.values import Kind, Party, Trajectory, Window

MAX_KEPT_FACTS = 200_000
"""Facts in the evaluations of a pledge that are kept while its days are looked at one after the other."""


@dataclass(frozen=True)
class Status:
    """Where a pledge stands. `body` is its JSON without the clocks; lists filter and sort by the other fields.

    `converted` is the actual in the target's unit, None where there is no actual or no rate.
    """

    pledge: str
    title: str
    pledgor: Party
    beneficiary: Party | None
    pledgors: frozenset[Party]
    """Every party that promises it or has promised it, joint ones too."""

    beneficiaries: frozenset[Party]
    kind: Kind
    tags: tuple[str, ...]
    part_of: str | None
    status: Headline
    flags: tuple[str, ...]
    target: Quantity | None
    actual: Quantity | None
    converted: Quantity | None
    is_level: bool
    """The actual is a level, a rate at a time: levels of several pledges are never added."""

    ratio: Ratio | None
    window: Window | None
    deadline: date | None
    evidence: Evidence
    trajectory: Trajectory
    last_stated_on: date
    rates_of: date
    """The day whose rates convert it: that of the actual's latest figure, else of the last statement."""

    because: dict[str, tuple[str, ...]]
    document: dict[str, Any]
    outline: dict[str, Any]
    """What the document has whatever the day: one object for the days between which nothing is said."""

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
class _Attested:
    """What an evaluation comes to whatever the day; `outline` is the document without what depends on it."""

    attested: tuple[Evidence, frozenset[str]]
    trajectory: Trajectory
    ratio: Ratio | None
    outline: dict[str, Any]
    pledgors: frozenset[Party]
    beneficiaries: frozenset[Party]


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
        self._chooser = Chooser()
        self._statuses: dict[date, Status | None] = {}
        self._evenings: dict[date, Evening | None] = {}
        self._evaluations: dict[View, Evaluation] = {}
        self._attested: dict[tuple[View, bool], _Attested] = {}

    @property
    def events(self) -> Sequence[Event]:
        """The events, in version order."""
        return self.history.events

    def followed_by(self, event: Event) -> StatusFold:
        """The fold of one more event: equal to a fold of all the events, made in less time."""
        after = StatusFold(())
        after.history, after._chooser = self.history.followed_by(event), self._chooser
        since = after.acts_from(event)
        after._evenings = {day: evening for day, evening in self._evenings.items() if day < since}
        return after

    def forget_statuses(self) -> None:
        """Free the statuses derived so far, most of the memory of a fold; `followed_by` does not need them."""
        self._statuses.clear()
        self._evaluations.clear()
        self._attested.clear()

    def status(self, as_of: date) -> Status | None:
        """The status on a day; None when the pledge does not exist then."""
        if as_of not in self._statuses:
            view = self.history.view(as_of)
            self._statuses[as_of] = None if view is None else self._derive(view, as_of)
        return self._statuses[as_of]

    def segments(self, since: date | None = None) -> list[StatusSegment]:
        """The stretches of equal status from a day on (from the beginning without one), deadlines ahead included."""
        return [*self.each_segment(since)]

    def each_segment(self, since: date | None = None) -> Iterator[StatusSegment]:
        """The same one by one. Of a long pledge little is kept of the days before."""
        begun, last = date.min, None
        for day in self._boundaries(since):
            status = self.status(day)
            if last is not None:
                if status is not None and status.document == last.document:
                    continue
                yield StatusSegment(begun, day, last)
            begun, last = day, status
        if last is not None:
            yield StatusSegment(begun, None, last)

    def boundaries(self, since: date | None = None) -> list[date]:
        """The days on which the status may change, with or without an event: all, or a day and those after it."""
        return [*self._boundaries(since)]

    def _boundaries(self, since: date | None) -> Iterator[date]:
        changes = self.history.changes
        starts = changes if since is None else [since, *changes[bisect_right(changes, since) :]]
        for start, end in zip_longest(starts, starts[1:]):
            if len(self._evaluations) * len(self.events) > MAX_KEPT_FACTS:
                self.forget_statuses()
                self.history.forget_views()
            yield from self._turns(start, end)

    def _turns(self, start: date, end: date | None) -> Iterator[date]:
        """A day, and those after it and before another on which the status may change although nothing is said."""
        yield start
        evaluation = self.evaluation(start)
        if evaluation is not None:
            yield from sorted(day for day in days_ahead(evaluation) if start < day and (end is None or day < end))

    def changed_on(self, as_of: date) -> date | None:
        """The day since which the headline is what it is on a day; None when the pledge does not exist then."""
        now, since = self.status(as_of), None
        if now is None:
            return None
        changes, end = self.history.changes, as_of + ONE_DAY
        for start in reversed(changes[: bisect_right(changes, as_of)]):
            for day in reversed([*self._turns(start, end)]):
                since, before = day, self.status(day - ONE_DAY)
                if before is None or before.status != now.status:
                    return since
            end = start
        return since

    def deadlines(self) -> set[date]:
        """Every deadline of the pledge, its milestones, instalments and periods, before and after revisions."""
        return deadlines(s.fact for resolution in self.history.resolutions for s in resolution)

    def acts_from(self, event: Event) -> date:
        """The earliest day whose status the event could change when it was recorded."""
        return self.history.acts_from(event)

    def evaluation(self, as_of: date) -> Evaluation | None:
        """What the facts in force say on a day; None when the pledge does not exist then."""
        view = self.history.view(as_of)
        return None if view is None else self._evaluate(view, as_of)

    def _derive(self, view: View, as_of: date) -> Status:
        evaluation = self._evaluate(view, as_of)
        outcome = decide(evaluation)
        attested = self._attest(evaluation, outcome)
        promise, shown, question = evaluation.promise, evaluation.terms.shown, evaluation.answering
        deadline = deadline_in_force(evaluation, outcome)
        instalments = instalments_of(promise, question.actual, as_of, fall_due=not outcome.is_conditional)
        raised = flags(evaluation, outcome, attested.attested, instalments)
        names = tuple(name for name, _ in raised)
        because = because_of(evaluation, outcome, attested.attested, raised, self.history)
        document = status_document(attested.outline, evaluation, outcome, names, deadline, instalments, because)
        actual, window = question.actual, evaluation.window
        target = promise.absolute
        is_in_target_unit = actual is not None and (target is None or actual.compared is not None)
        converted = None if actual is None or not is_in_target_unit else actual.compared or actual.quantity
        return Status(
            pledge=self.events[0].pledge,
            title=shown.title,
            pledgor=shown.pledgor,
            beneficiary=shown.beneficiary,
            pledgors=attested.pledgors,
            beneficiaries=attested.beneficiaries,
            kind=shown.kind,
            tags=shown.tags,
            part_of=view.made.fact.part_of,
            status=outcome.status,
            flags=names,
            target=shown.absolute,
            actual=None if actual is None else actual.quantity,
            converted=converted,
            is_level=actual is not None and actual.is_level,
            ratio=attested.ratio,
            window=window,
            deadline=deadline,
            evidence=attested.attested[0],
            trajectory=attested.trajectory,
            last_stated_on=view.latest.fact.stated_on,
            rates_of=view.latest.fact.stated_on if actual is None else rate_day(actual.last.item),
            because=because,
            document=document,
            outline=attested.outline,
        )

    def _evaluate(self, view: View, as_of: date) -> Evaluation:
        """What depends on the facts in force alone is found once: deadlines pass without a new evaluation."""
        if view not in self._evaluations:
            self._evaluations[view] = evaluate(view, as_of, self._chooser, self._evening)
        return self._evaluations[view].on(as_of)

    def _attest(self, evaluation: Evaluation, outcome: Outcome) -> _Attested:
        """Evidence, trajectory and outline: of a view and whether it is conditional; of the day where periods pass."""
        key = evaluation.view, outcome.is_conditional
        if evaluation.periods_of_view is not None or key not in self._attested:
            proof = evidence(evaluation)
            own = trajectory(evaluation.answering, is_conditional=outcome.is_conditional)
            share = ratio_of(evaluation.answering)
            past = self._past_targets(evaluation)
            lasting = outline(self.events[0].pledge, evaluation, proof[0], own, share, past)
            parties = pledgors_of(evaluation.view), beneficiaries_of(evaluation.view)
            self._attested[key] = _Attested(proof, own, share, lasting, *parties)
        return self._attested[key]

    def _past_targets(self, evaluation: Evaluation) -> list[dict[str, Any]]:
        """What stood on the evening before the target changed, or a window that had closed."""
        found = []
        for day in evaluation.terms.entries:
            evening = self._evening(day - ONE_DAY)
            if evening is not None:
                found.append(
                    {
                        "target": quantity_json(evening.target),
                        "window": evening.window,
                        "until": day.isoformat(),
                        "status": evening.status,
                    }
                )
        return found

    def _evening(self, day: date) -> Evening | None:
        """What had been answered on the evening of a day."""
        if day not in self._evenings:
            evaluation = self.evaluation(day)
            self._evenings[day] = None if evaluation is None else _answered(evaluation)
        return self._evenings[day]


def _answered(evaluation: Evaluation) -> Evening:
    outcome, promise, window = decide(evaluation), evaluation.promise, evaluation.window
    shown = None if window is None or promise.recurrence is not None else dates_json(window)
    return Evening(
        status=outcome.status,
        is_conditional=outcome.is_conditional,
        deadline=None if window is None else window.deadline,
        last_due=evaluation.steps.last_due if evaluation.answers_by == "steps" else None,
        target=promise.absolute or promise.target,
        window=shown,
    )
