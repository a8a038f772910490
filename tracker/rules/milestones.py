"""Named steps: which are reached, which are late, and when the last one is due (DOMAIN §6, POINTS)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tracker.facts import Fact, MilestoneMissed, MilestoneReached, MilestoneScheduled
from tracker.rules.pledge_history import FactInForce, View
from tracker.values import end_of

MilestoneState = Literal["scheduled", "reached", "partly_reached", "missed"]


@dataclass(slots=True)
class Milestone:
    """One step. `due` is as the source has it, the last one said; `first_due` the first one."""

    milestone: str
    due: str | None
    first_due: str | None
    state: MilestoneState
    late: bool = False
    stated_on: date | None = None
    event: str | None = None
    decided_on: date | None = None
    items: list[FactInForce[Fact]] = field(default_factory=list)

    @property
    def deadline(self) -> date | None:
        """The last day on which the step is reached in time."""
        return None if self.due is None else end_of(self.due)


def milestones(view: View, as_of: date) -> tuple[Milestone, ...]:
    """The steps of the pledge on a day of the view, in the order they were first named.

    A step is late when it was reached after it was first due, or is not reached and its due has passed.
    """
    named: dict[str, Milestone] = {}
    facts = view.of(MilestoneScheduled, MilestoneReached, MilestoneMissed)
    for item in sorted(facts, key=lambda item: item.last_said):
        fact = item.fact
        key = " ".join(fact.milestone.casefold().split())
        step = named.setdefault(key, Milestone(fact.milestone, fact.due, fact.due, "scheduled"))
        step.items.append(item)
        step.first_due = step.first_due or fact.due
        step.due = fact.due or step.due
        if isinstance(fact, MilestoneReached):
            step.state = "partly_reached" if fact.partly else "reached"
        elif isinstance(fact, MilestoneMissed):
            step.state = "partly_reached" if fact.partly else "missed"
        else:
            continue
        step.stated_on, step.event, step.decided_on = fact.stated_on, item.id, item.said_on
    for step in named.values():
        step.late = _is_late(step, as_of)
    return tuple(named.values())


def _is_late(step: Milestone, as_of: date) -> bool:
    if step.state == "reached":
        return step.first_due is not None and step.decided_on is not None and step.decided_on > end_of(step.first_due)
    return step.deadline is not None and as_of > step.deadline


def last_due(steps: tuple[Milestone, ...]) -> date | None:
    """The last day on which any step is due; None if one has no date or there is none at all."""
    dues = [step.deadline for step in steps]
    given = [due for due in dues if due is not None]
    return max(given) if given and len(given) == len(dues) else None
