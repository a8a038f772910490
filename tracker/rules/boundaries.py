"""The days on which a status may change with no event: deadlines, what is due soon, periods that begin (DOMAIN §2)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from tracker.facts import AnyFact, MilestoneFact
from tracker.promise_facts import PledgeMade, PledgeRevised, StatedFact
from tracker.promises import Recurrence, add_months
from tracker.rules.days import DUE_SOON, LONG_WINDOW_MONTHS, ONE_DAY, STALE_AFTER, STALE_AFTER_LONG, stale_after
from tracker.rules.periods import horizon
from tracker.values import Window, end_of

_TERMS = (PledgeMade, PledgeRevised)

SHORT = 4 * DUE_SOON
"""A window that is shorter is due soon only in its last quarter."""


@dataclass(slots=True)
class TurningDays:
    """Days on which a status may change although nobody says anything."""

    days: set[date] = field(default_factory=set)
    deadlines: set[date] = field(default_factory=set)
    """The last days by which something is due."""

    are_long: bool = True
    """All terms give a window with both its ends that is longer than three years."""

    starts: set[date] = field(default_factory=set)

    @property
    def stale_after(self) -> tuple[timedelta, ...]:
        """After how long a silence a pledge with some of the windows is stale."""
        if self.are_long:
            return (STALE_AFTER_LONG,)
        may_be_long = self.starts and self.deadlines
        if may_be_long and max(self.deadlines) >= add_months(min(self.starts), LONG_WINDOW_MONTHS):
            return STALE_AFTER, STALE_AFTER_LONG
        return (STALE_AFTER,)

    def due(self, day: date) -> None:
        """Something is due by a day."""
        self.deadlines.add(day)
        self.days |= {day - DUE_SOON, day + ONE_DAY}


def turning_days(facts: Iterable[AnyFact]) -> TurningDays:
    """The turning days of all the terms and steps among facts, in force or not."""
    facts = list(facts)
    found = TurningDays()
    recurrences: list[Recurrence] = []
    for fact in facts:
        if isinstance(fact, _TERMS):
            if isinstance(fact, PledgeMade) or fact.window is not None or fact.recurrence is not None:
                found.are_long = found.are_long and stale_after(fact.window) == STALE_AFTER_LONG
            _of_window(found, fact.window)
            for instalment in fact.instalments or ():
                found.days.add(end_of(instalment.due) + ONE_DAY)
                found.deadlines.add(end_of(instalment.due))
            if fact.recurrence is not None:
                recurrences.append(fact.recurrence)
        elif isinstance(fact, MilestoneFact) and fact.due is not None:
            found.due(end_of(fact.due))
    if recurrences:
        last_said = max((fact.in_force_on for fact in facts if isinstance(fact, StatedFact)), default=date.min)
        for recurrence in recurrences:
            _of_recurrence(found, recurrence, last_said)
    _of_last_quarters(found)
    return found


def _of_window(found: TurningDays, window: Window | None) -> None:
    if window is None:
        return
    if window.deadline is not None:
        found.due(window.deadline)
    if window.start is not None:
        found.starts.add(window.start)


def _of_recurrence(found: TurningDays, recurrence: Recurrence, last_said: date) -> None:
    last = horizon(recurrence, last_said) if recurrence.end is None else recurrence.end
    for start in recurrence.starts(last):
        end = recurrence.last_day_of(start)
        found.due(end)
        found.days.add(start)
        found.starts.add(start)


def _of_last_quarters(found: TurningDays) -> None:
    """A window shorter than four months is due soon when a quarter of it is left."""
    starts = sorted(found.starts)
    for deadline in found.deadlines:
        for start in starts[bisect_left(starts, deadline - SHORT) : bisect_left(starts, deadline)]:
            quarter = timedelta(days=((deadline - start).days + 1) // 4)
            found.days.add(deadline - quarter)
        if deadline in found.starts:
            found.days.add(deadline)
