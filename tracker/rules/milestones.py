"""Named steps: which are needed and reached, which are late, when the last is due (DOMAIN §6; POINTS, Steps)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeGuard

from tracker.facts import MilestoneFact, MilestoneMissed, MilestoneReached, MilestoneScheduled
from tracker.rules.days import ONE_DAY, counted_day
from tracker.rules.terms import EveningOf, Terms
from tracker.rules.views import FactInForce, View
from tracker.values import Window, end_of

MilestoneState = Literal["scheduled", "reached", "partly_reached", "missed"]
MILESTONE_FACTS = (MilestoneScheduled, MilestoneReached, MilestoneMissed)
"""Facts about named steps."""


@dataclass(slots=True)
class Milestone:
    """One step. `due` is as the source has it, the last one said; `first_due` the first one."""

    milestone: str
    due: str | None = None
    first_due: str | None = None
    is_scheduled: bool = False
    is_needed: bool = True
    """A step that was scheduled only after the close is not needed for `met`."""

    reports: list[FactInForce[MilestoneFact]] = field(default_factory=list)
    items: list[FactInForce[MilestoneFact]] = field(default_factory=list)

    @property
    def state(self) -> MilestoneState:
        """What the last report says."""
        if not self.reports:
            return "scheduled"
        return _state(self.reports[-1].fact)

    @property
    def last(self) -> FactInForce[MilestoneFact] | None:
        """The last report."""
        return self.reports[-1] if self.reports else None

    @property
    def deadline(self) -> date | None:
        """The last day on which the step is reached in time."""
        return None if self.due is None else end_of(self.due)

    @property
    def first_reached(self) -> FactInForce[MilestoneReached] | None:
        """The first of its unbroken reports that it is reached."""
        first = None
        for item in reversed(self.reports):
            if not _is_reached(item):
                break
            first = item
        return first

    @property
    def unbroken(self) -> list[FactInForce[MilestoneFact]]:
        """Its last reports that all say the same."""
        found: list[FactInForce[MilestoneFact]] = []
        for item in reversed(self.reports):
            if _state(item.fact) != self.state:
                break
            found.append(item)
        return found

    def reached_on(self, window: Window | None) -> date | None:
        """When it was reached: by its `on`, else the day it was said, soon after the close the close."""
        first = self.first_reached
        if first is None:
            return None
        return counted_day(first.fact.on, None, first.first_said_on, window)

    @property
    def was_late(self) -> bool:
        """Whether it was reached after it was first due."""
        if self.first_due is None:
            return False
        due = end_of(self.first_due)
        reached = self.reached_on(Window.model_construct(start=None, end=due, latest=None, text=None))
        return reached is not None and reached > due

    def is_waiting(self, as_of: date) -> bool:
        """Whether its due has passed and it is not reached."""
        deadline = self.deadline
        return deadline is not None and as_of > deadline and self.state != "reached"


def _is_reached(item: FactInForce[MilestoneFact]) -> TypeGuard[FactInForce[MilestoneReached]]:
    return _state(item.fact) == "reached"


def _state(fact: MilestoneFact) -> MilestoneState:
    if isinstance(fact, MilestoneReached):
        return "partly_reached" if fact.partly else "reached"
    return "partly_reached" if isinstance(fact, MilestoneMissed) and fact.partly else "missed"


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps of a pledge, in the order they were first named."""

    all: tuple[Milestone, ...]

    @property
    def needed(self) -> list[Milestone]:
        """Every step that was scheduled; if none was, those that were reported."""
        scheduled = [step for step in self.all if step.is_scheduled]
        return [step for step in (scheduled or self.all) if step.is_needed]

    @property
    def are_done(self) -> bool:
        """Whether every step that is needed is reached."""
        needed = self.needed
        return bool(needed) and all(step.state == "reached" for step in needed)

    @property
    def are_begun(self) -> bool:
        """Whether some step is reached, or partly."""
        return any(step.state in ("reached", "partly_reached") for step in self.all)

    @property
    def are_reported(self) -> bool:
        """Whether anything is said of a step but when it is due."""
        return any(step.reports for step in self.all)

    @property
    def are_decided(self) -> bool:
        """Whether of every step that is needed somebody said what became of it."""
        needed = self.needed
        return bool(needed) and all(step.reports for step in needed)

    @property
    def are_missed(self) -> bool:
        """Whether every step that is needed is missed."""
        needed = self.needed
        return bool(needed) and all(step.state == "missed" for step in needed)

    @property
    def last_due(self) -> date | None:
        """The last day on which one is due; None if a step that is not reached has no date."""
        dues = [step.deadline for step in self.needed if step.deadline is not None]
        if any(step.deadline is None and step.state != "reached" for step in self.needed):
            return None
        return max(dues, default=None)

    def last_is_overdue(self, as_of: date) -> bool:
        """Whether the step that is due last has not been reached in time, whatever the window leaves (POINTS)."""
        last = self.last_due
        if last is None or as_of <= last:
            return False
        return any(step.deadline == last and step.state != "reached" for step in self.needed)

    def kept_since(self, window: Window | None) -> date | None:
        """The day on which the last step that was needed was reached."""
        days = [day for step in self.needed if (day := step.reached_on(window)) is not None]
        return max(days) if self.are_done else None

    def are_late(self, window: Window | None, as_of: date, *, is_settled: bool) -> bool:
        """Whether a step was reached late, or waits; once the pledge is overdue or closed that says it all."""
        needed = self.needed
        if any(step.was_late for step in needed) or (not is_settled and any(s.is_waiting(as_of) for s in needed)):
            return True
        deadline = None if window is None else window.deadline
        undated = [step.reached_on(window) for step in needed if step.due is None]
        return deadline is not None and any(day is not None and day > deadline for day in undated)


def steps_of(view: View, terms: Terms, evening: EveningOf) -> Steps:
    """The steps on the view's days. One that is scheduled or moved after the close moves no deadline (DOMAIN §6)."""
    named: dict[str, Milestone] = {}
    for item in sorted(view.of(*MILESTONE_FACTS), key=lambda item: (item.first_said_on, item.first_version)):
        fact = item.fact
        step = named.setdefault(" ".join(fact.milestone.casefold().split()), Milestone(fact.milestone))
        step.items.append(item)
        if isinstance(fact, MilestoneScheduled):
            _schedule(step, fact, is_too_late=_had_closed(item.first_said_on, terms, evening))
        else:
            step.reports.append(item)
            step.due, step.first_due = fact.due or step.due, step.first_due or fact.due
    return Steps(tuple(named.values()))


def _had_closed(day: date, terms: Terms, evening: EveningOf) -> bool:
    """Whether the window in force had closed the evening before, and none was opened since."""
    if any(opened >= day for opened in terms.reopened):
        return False
    before = evening(day - ONE_DAY)
    if before is None or before.is_conditional or before.deadline is None:
        return False
    return day > before.deadline


def _schedule(step: Milestone, fact: MilestoneScheduled, *, is_too_late: bool) -> None:
    if is_too_late:
        if not step.is_scheduled:
            step.is_needed, step.is_scheduled = False, True
        return
    step.first_due = step.first_due or fact.due
    step.due = fact.due or step.due
    step.is_scheduled = step.is_needed = True
