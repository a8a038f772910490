"""The days on which a status may change with no event: deadlines, what is due soon, periods that begin (DOMAIN §2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from tracker.facts import AnyFact, MilestoneFact
from tracker.promise_facts import PledgeMade, PledgeRevised, StatedFact
from tracker.promises import Recurrence
from tracker.rules.days import ONE_DAY, due_soon
from tracker.rules.evaluation import Evaluation
from tracker.rules.flags import stale_from
from tracker.rules.periods import horizon, periods_until
from tracker.values import Window, end_of

_TERMS = (PledgeMade, PledgeRevised)


def days_ahead(evaluation: Evaluation) -> set[date]:
    """The days on which the status may turn while the facts in force stay as they are, whatever day is looked at.

    Between two of them it is the same, on the days of the evaluation's view.
    """
    found = {day for window in _windows(evaluation) for day in _turns(window)}
    found.update(step.deadline + ONE_DAY for step in evaluation.steps.all if step.deadline is not None)
    found.update(end_of(one.due) + ONE_DAY for one in evaluation.promise.instalments)
    for recurrence in (evaluation.promise.recurrence, evaluation.terms.first.recurrence):
        if recurrence is not None:
            last = recurrence.end or horizon(recurrence, evaluation.view.latest.fact.in_force_on)
            for window in periods_until(recurrence, last):
                found.update(_turns(window), () if window.start is None else (window.start,))
    if (day := stale_from(evaluation)) is not None:
        found.add(day)
    return found


def _windows(evaluation: Evaluation) -> Iterator[Window]:
    """Every window that the headline, the schedule or the steps look at."""
    for window in (evaluation.question.window, evaluation.promise.window, evaluation.terms.first.window):
        if window is not None:
            yield window


def _turns(window: Window) -> tuple[date, ...]:
    """The days on which what a window asks for becomes due soon, and overdue."""
    deadline = window.deadline
    return () if deadline is None else (deadline - due_soon(window), deadline + ONE_DAY)


def deadlines(facts: Iterable[AnyFact]) -> set[date]:
    """The last days by which the terms and steps among facts have something due, in force or not."""
    facts = list(facts)
    found: set[date] = set()
    recurrences: list[Recurrence] = []
    for fact in facts:
        if isinstance(fact, _TERMS):
            if fact.window is not None and fact.window.deadline is not None:
                found.add(fact.window.deadline)
            found.update(end_of(instalment.due) for instalment in fact.instalments or ())
            if fact.recurrence is not None:
                recurrences.append(fact.recurrence)
        elif isinstance(fact, MilestoneFact) and fact.due is not None:
            found.add(end_of(fact.due))
    if recurrences:
        last_said = max((fact.in_force_on for fact in facts if isinstance(fact, StatedFact)), default=date.min)
        for recurrence in recurrences:
            last = recurrence.end or horizon(recurrence, last_said)
            found.update(window.end for window in periods_until(recurrence, last) if window.end is not None)
    return found
