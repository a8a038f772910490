"""The law once more: `oracle` folds the events of one pledge into its status (DOMAIN §5, §6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from .answer import answer
from .choice import Choice
from .clocks import Record, Said
from .dates import DAY, Window
from .figures import CLAIMS, Figure, Rates, read_figure
from .members import Members
from .recurring import Period, last_with_figure, periods_at, status_of_periods, tally_of
from .steps import Steps, steps_at
from .terms import Story, tell
from .verdict import Case, is_admitted, judge, kept_since

FIGURED = (*CLAIMS, "ProgressReported")


@dataclass
class Core:
    """The answer before conditions, measurability and lifecycle have their say."""

    status: str
    case: Case
    choice: Choice | None
    periods: list[Period] = field(default_factory=list)
    tally: dict[str, int] = field(default_factory=dict)
    members: Members | None = None
    answers_by: str = "figures"


class Law:
    """One pledge as recorded by `known_at`; every question takes the day `as_of`."""

    def __init__(self, events: list[dict[str, Any]], known_at: datetime | None, rates: Rates) -> None:
        self.record = Record(events, known_at)
        self.rates = rates
        for name in ("said", "story", "steps", "core"):
            setattr(self, name, cache(getattr(self, name)))

    def said(self, as_of: date) -> list[Said]:
        """The facts in force."""
        return self.record.in_force(as_of)

    def of(self, as_of: date, *types: str) -> list[Said]:
        """The facts in force of some types."""
        return [said for said in self.said(as_of) if said.type in types]

    def exists(self, as_of: date) -> bool:
        """§2: before it was made, or once its `PledgeMade` is void, a pledge does not exist."""
        return bool(self.of(as_of, "PledgeMade"))

    def story(self, as_of: date) -> Story:
        """The terms day by day."""
        return tell(self, self.of(as_of, "PledgeMade")[0], self.of(as_of, "PledgeRevised"))

    def reports(self, as_of: date) -> list[Said]:
        """The facts whose figure is the group's."""
        return [said for said in self.of(as_of, *FIGURED) if said.figure is not None]

    def claims(self, as_of: date) -> list[Said]:
        """The asserted claims."""
        return self.of(as_of, *CLAIMS)

    def steps(self, as_of: date) -> Steps:
        """The named steps."""
        return steps_at(self, as_of)

    def window(self, as_of: date) -> Window | None:
        """§6: the window in force; of steps the last due if none was given."""
        terms = self.story(as_of).judged
        if terms.recurrence is not None:
            return terms.recurrence.current(as_of)
        given = terms.window
        if given is not None and given.latest is not None:
            return given
        derived = self.steps(as_of).derived if self.answers_by_steps(as_of) else None
        return given if derived is None else Window(None if given is None else given.start, derived, derived)

    def answers_by_steps(self, as_of: date) -> bool:
        """§6, Milestone pledges; any pledge without a target or members that has steps."""
        terms = self.story(as_of).judged
        if terms.counts_members or not self.steps(as_of).all:
            return False
        return terms.fixed["kind"] in ("milestone", "qualitative") or terms.said_target is None

    def conditions(self, as_of: date) -> list[dict[str, Any]]:
        """§4, ConditionReported: the latest report of a condition counts."""
        answer_ = []
        for raw in self.story(as_of).judged.get("conditions") or []:
            reports = [s for s in self.of(as_of, "ConditionReported") if s.fact["condition"] == raw["condition"]]
            state = reports[-1].fact["state"] if reports else "open"
            answer_.append({"condition": raw["condition"], "state": state})
        return answer_

    def has_open_condition(self, as_of: date) -> bool:
        """Whether a condition is open or failed."""
        return any(condition["state"] in ("open", "failed") for condition in self.conditions(as_of))

    def is_conditional(self, as_of: date) -> bool:
        """§6, `conditional`, before withdrawal: a condition is open or failed, the target is not met all the same."""
        return self.has_open_condition(as_of) and self.core(as_of).status not in ("met", "exceeded")

    def lifecycle(self, as_of: date) -> tuple[str, bool]:
        """§6: the latest of withdrawal and reaffirmation decides; and whether the pledge was reinstated."""
        turns = self.of(as_of, "PledgeWithdrawn", "PledgeReaffirmed")
        withdrawn = bool(turns) and turns[-1].type == "PledgeWithdrawn"
        reinstated = not withdrawn and any(turn.type == "PledgeWithdrawn" for turn in turns)
        if withdrawn:
            return "withdrawn", False
        return "superseded" if self.of(as_of, "PledgeSuperseded") else "active", reinstated

    def stopped(self, as_of: date) -> tuple[date, str] | None:
        """The day of withdrawal or supersession, for the periods that were open then."""
        state, _ = self.lifecycle(as_of)
        if state == "active":
            return None
        if state == "withdrawn":
            turns = self.of(as_of, "PledgeWithdrawn", "PledgeReaffirmed")
            last = [i for i, turn in enumerate(turns) if turn.type == "PledgeReaffirmed"]
            return turns[last[-1] + 1 if last else 0].day, state
        return self.of(as_of, "PledgeSuperseded")[0].day, state

    def figures(self, as_of: date) -> list[Figure]:
        """The reported figures, by the baseline in force."""
        baseline = self.story(as_of).judged.baseline
        return [f for said in self.reports(as_of) if (f := read_figure(said, baseline)) is not None]

    def core(self, as_of: date) -> Core:
        """What figures, members or steps say by themselves."""
        story = self.story(as_of)
        terms = story.judged
        loose = self.has_open_condition(as_of)
        case = Case(
            terms,
            self.window(as_of),
            self.figures(as_of),
            self.claims(as_of),
            story.new_questions,
            as_of,
            self.rates,
            loose,
        )
        if terms.recurrence is not None:
            periods = periods_at(self, as_of)
            has_end = terms.recurrence.end is not None
            tally = tally_of(periods, has_end)
            status = status_of_periods(periods, tally, terms.recurrence.passed(as_of) and not loose)
            period = last_with_figure(periods)
            choice = None if period is None else period.judgement.choice
            return Core(status, case, choice, periods, tally, answers_by="periods")
        judgement = judge(case)
        if terms.counts_members and terms.group is not None:
            members = Members(terms.group, self.said(as_of))
            status = members.status(case.window, as_of, is_admitted(case), loose)
            if status == "announced" and judgement.choice is not None:
                status = "in_progress"
            return Core(status, case, judgement.choice, members=members, answers_by="members")
        if self.answers_by_steps(as_of):
            status = self.steps(as_of).status(case.window, as_of, is_admitted(case), loose)
            if status == "announced" and judgement.choice is not None:
                status = "in_progress"
            return Core(status, case, judgement.choice, answers_by="steps")
        return Core(judgement.status, case, judgement.choice)

    def is_measurable(self, as_of: date) -> bool:
        """§6, `not_measurable`."""
        terms = self.story(as_of).judged
        if terms.fixed.get("measurable") is False:
            return False
        has_steps = bool(self.steps(as_of).all)
        if terms.is_relative and terms.target is None:
            return False
        if terms.fixed["kind"] == "qualitative" and not has_steps:
            return False
        return terms.said_target is not None or has_steps or terms.group is not None

    def status(self, as_of: date) -> str:
        """§6, the headline, first match wins."""
        lifecycle, _ = self.lifecycle(as_of)
        if lifecycle != "active":
            return lifecycle
        if self.is_conditional(as_of):
            return "conditional"
        if not self.is_measurable(as_of):
            return "not_measurable"
        return self.core(as_of).status

    def kept_on(self, as_of: date, looked_at: Window | None) -> date | None:
        """§6: the day of what met it, by the window looked at."""
        core = self.core(as_of)
        if core.status not in ("met", "exceeded"):
            return None
        if core.members is not None:
            return core.members.kept_since(looked_at)
        if core.answers_by == "steps":
            return self.steps(as_of).kept_since(looked_at)
        return kept_since(core.case, looked_at)

    def past_targets(self, as_of: date) -> list[dict[str, Any]]:
        """§6: what stood the evening before a change of the target, or of a window that had closed."""
        entries = []
        for day in self.story(as_of).entries:
            evening = day - DAY
            terms = self.story(evening).judged
            window = None if terms.recurrence is not None else self.window(evening)
            target = terms.target or terms.said_target
            entries.append(
                {
                    "target": None if target is None else target.json(),
                    "window": None if window is None else window.json(),
                    "until": day.isoformat(),
                    "status": self.status(evening),
                }
            )
        return entries


def oracle(events: list[dict[str, Any]], as_of: date, known_at: datetime | None, rates: Rates) -> dict[str, Any] | None:
    """The status of one pledge at a point on both clocks, or None where it does not exist there.

    `events` are as served, of one pledge; `rates(currency, day)` gives the ECB's units per euro and the day it was
    published, at most 7 days back, or None.
    """
    law = Law(events, known_at, rates)
    return answer(law, as_of) if law.exists(as_of) else None


__all__ = ["Law", "oracle"]
