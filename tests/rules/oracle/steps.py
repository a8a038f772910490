"""Named steps (DOMAIN §6, Milestone pledges; POINTS, Steps)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from .clocks import Said
from .dates import DAY, Window, end_of
from .verdict import counted_day

if TYPE_CHECKING:
    from .law import Law

REPORTS = ("MilestoneReached", "MilestoneMissed")


@dataclass
class Step:
    """One named step."""

    name: str
    scheduled: bool = False
    due: date | None = None
    first_due: date | None = None
    needed: bool = True
    reports: tuple[Said, ...] = ()

    @property
    def state(self) -> str:
        """The latest report counts."""
        if not self.reports:
            return "scheduled"
        last = self.reports[-1]
        if last.fact.get("partly"):
            return "partly"
        return "reached" if last.type == "MilestoneReached" else "missed"

    @property
    def reached(self) -> Said | None:
        """The first of the unbroken reports that say it is reached."""
        first = None
        for report in reversed(self.reports):
            if report.type != "MilestoneReached" or report.fact.get("partly"):
                break
            first = report
        return first

    def unbroken(self) -> list[Said]:
        """The last reports that all say the same."""
        found: list[Said] = []
        for report in reversed(self.reports):
            if Step(self.name, reports=(report,)).state != self.state:
                break
            found.append(report)
        return found

    def day(self, window: Window | None) -> date:
        """When it was reached, by its `on`, else `stated_on`."""
        assert self.reached is not None
        on = self.reached.fact.get("on")
        return counted_day(None if on is None else end_of(on), None, self.reached.day, window)

    def was_late(self) -> bool:
        """POINTS: reached after its own due; a report without `on` within 180 days after it is not."""
        due = self.first_due
        return self.reached is not None and due is not None and self.day(Window(None, due, due)) > due


@dataclass
class Steps:
    """All steps of a pledge at one day."""

    all: list[Step]

    @property
    def needed(self) -> list[Step]:
        """§6: every scheduled milestone; if none was scheduled, those that were reported."""
        scheduled = [step for step in self.all if step.scheduled]
        return [step for step in (scheduled or self.all) if step.needed]

    @property
    def derived(self) -> date | None:
        """§6: the last due, if every step not yet reached has one."""
        needed = self.needed
        dues = [step.due for step in needed if step.due is not None]
        if not dues or any(step.due is None and step.reached is None for step in needed):
            return None
        return max(dues)

    @property
    def done(self) -> bool:
        """§6: every scheduled milestone is reached."""
        return bool(self.needed) and all(step.reached is not None for step in self.needed)

    @property
    def some(self) -> bool:
        """POINTS: a partly reached milestone counts as some."""
        return any(step.state in ("reached", "partly") for step in self.all)

    @property
    def none_of_all(self) -> bool:
        """§6: none of a complete report."""
        return bool(self.needed) and all(step.state == "missed" for step in self.needed)

    def last_is_overdue(self, as_of: date) -> bool:
        """POINTS: a passed due makes the pledge overdue only if it is the last one or the window has closed."""
        last = self.derived
        return last is not None and as_of > last and any(s.due == last and s.reached is None for s in self.needed)

    def status(self, window: Window | None, as_of: date, admitted: bool, has_no_close: bool) -> str:
        """§6, Milestone pledges."""
        if self.done:
            return "met"
        if admitted:
            return "partly_met" if self.some else "missed"
        is_decided = bool(self.needed) and all(step.reports for step in self.needed)
        has_end = window is not None and window.latest is not None
        over = not has_no_close and (window.passed(as_of) if has_end and window is not None else is_decided)
        if over and self.some:
            return "partly_met"
        if over and self.none_of_all:
            return "missed"
        if over or (self.last_is_overdue(as_of) and not has_no_close):
            return "overdue"
        return "in_progress" if any(step.reports for step in self.all) else "announced"

    def kept_since(self, window: Window | None) -> date | None:
        """§6: of several, the last that was needed by these days."""
        return max(step.day(window) for step in self.needed) if self.done else None

    def late(self, first: Window | None, as_of: date, is_settled: bool) -> bool:
        """POINTS: a due that has passed, until the pledge is overdue or closed; a step reached late stays `late`."""
        waits = any(s.due is not None and as_of > s.due and s.reached is None for s in self.needed)
        own = any(step.was_late() for step in self.needed)
        loose = first is not None and first.latest is not None
        without = loose and any(
            step.due is None and step.reached is not None and step.day(first) > first.latest for step in self.needed
        )
        return own or without or (waits and not is_settled)


def closed_for_steps(law: Law, day: date) -> bool:
    """§6, Goalposts: whether the window in force had closed on the evening before."""
    evening = day - DAY
    if not law.exists(evening) or law.is_conditional(evening):
        return False
    window = law.window(evening)
    return window is not None and window.passed(day)


def steps_at(law: Law, as_of: date) -> Steps:
    """The steps as scheduled and reported by a day."""
    found: dict[str, Step] = {}
    reopened = law.story(as_of).reopened
    for said in law.said(as_of):
        if said.type == "MilestoneScheduled":
            name = said.fact["milestone"]
            too_late = closed_for_steps(law, said.day) and not any(day >= said.day for day in reopened)
            schedule(found.setdefault(name, Step(name)), said, too_late)
        elif said.type in REPORTS:
            step = found.setdefault(said.fact["milestone"], Step(said.fact["milestone"]))
            step.reports = (*step.reports, said)
    return Steps(list(found.values()))


def schedule(step: Step, said: Said, too_late: bool) -> None:
    """§6: a step scheduled after the close, or moved then, moves no deadline and is not needed for `met`."""
    due = None if said.fact.get("due") is None else end_of(said.fact["due"])
    if too_late:
        if not step.scheduled:
            step.needed, step.scheduled = False, True
        return
    if due is not None or not step.scheduled or not step.needed:
        step.due = due
    step.first_due = step.first_due or due
    step.scheduled, step.needed = True, True
