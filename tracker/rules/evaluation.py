"""The evaluation of a day: all that the headline, the flags and the status document are decided on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from tracker.facts import MilestoneMissed, MilestoneReached, MilestoneScheduled
from tracker.rules.figures import Choice
from tracker.rules.members import GroupResult
from tracker.rules.milestones import Milestone, last_due, milestones
from tracker.rules.pledge_history import View
from tracker.rules.terms import Terms

MILESTONE_FACTS = (MilestoneScheduled, MilestoneReached, MilestoneMissed)
"""Facts about named steps."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the facts in force say on a day: the terms, the chosen figure, the members and the milestones."""

    as_of: date
    view: View
    terms: Terms
    choice: Choice
    group_result: GroupResult | None
    steps: tuple[Milestone, ...]

    def on(self, as_of: date) -> Evaluation:
        """The evaluation of another day of the same view: only the milestones depend on the day."""
        return replace(self, as_of=as_of, steps=milestones(self.view, as_of))

    @property
    def deadline(self) -> date | None:
        """The last day in time: of the window in force, else of the last milestone if those are what is measured."""
        given = self.terms.deadline
        if given is not None or self.terms.target is not None or not self.is_measurable:
            return given
        return last_due(self.steps)

    @property
    def is_closed(self) -> bool:
        """Whether the latest reading of the deadline has passed."""
        return self.deadline is not None and self.as_of > self.deadline

    @property
    def is_measurable(self) -> bool:
        """Whether there is anything by which the pledge can be judged (DOMAIN §6, `not_measurable`)."""
        if not self.view.made.fact.measurable:
            return False
        if self.terms.kind == "qualitative":
            return bool(self.steps)
        return self.terms.target is not None or self.terms.group is not None or bool(self.steps)

    @property
    def milestone_causes(self) -> set[str]:
        """The ids of the events that made the milestones what they are."""
        of_steps = {id_ for step in self.steps for item in step.items for id_ in item.causes}
        return self.view.acting_on(*MILESTONE_FACTS) | of_steps
