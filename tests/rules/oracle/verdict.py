"""What the chosen figure comes to: final or not, and the headline of its period (DOMAIN §6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from .choice import Choice, choose, summed
from .clocks import Said
from .dates import DAY, Window
from .figures import CLAIMS, Figure, Rates
from .quantities import compare, could_go_beyond
from .terms import Story, Terms

GRACE_DAYS = 180


@dataclass
class Case:
    """One question: the terms, the window and what may answer it."""

    terms: Terms
    window: Window | None
    figures: list[Figure]
    claims: list[Said]
    new_questions: list[date]
    as_of: date
    rates: Rates
    has_no_close: bool = False


@dataclass
class Judgement:
    """The answer to one question."""

    status: str
    choice: Choice | None = None
    kept_on: dict[str, date | None] = field(default_factory=dict)


def is_final(figure: Figure, case: Case, is_below: bool) -> bool:
    """§6: a figure is final if it says so, or if its period reaches the end of the window and is over."""
    if any(figure.said < day for day in case.new_questions):
        return False
    if figure.says_final is not None:
        return figure.says_final
    if figure.kind in CLAIMS:
        return True
    window = case.window
    if window is None or window.end is None or figure.end is None or window.latest is None:
        return False
    if figure.end < window.end or figure.said < figure.end:
        return False
    if is_below and figure.end < window.latest:
        return window.passed(case.as_of)
    return True


def compared(choice: Choice | None, terms: Terms) -> str | None:
    """compare() of the chosen figure with the target; None where there is nothing to compare."""
    if choice is None or choice.compared is None or terms.target is None:
        return None
    return compare(choice.compared.interval, terms.target, terms.direction)


def is_running_total(choice: Choice) -> bool:
    """§5: totals and sums of increments run; a level does not."""
    return choice.basis in ("cumulative", "increment")


def keeps(choice: Choice | None, case: Case) -> str | None:
    """§6: `met` or `exceeded` where the figure has kept the target, else None.

    A running total has met it, final or not; with direction down, a level or an added sum only a final figure does.
    """
    outcome = compared(choice, case.terms)
    if choice is None or outcome not in ("met", "exceeded"):
        return None
    needs_final = case.terms.direction == "down" or choice.basis == "level" or choice.added
    if needs_final and not is_final(choice.lead, case, False):
        return None
    return outcome


def is_ceiling(terms: Terms) -> bool:
    """§6: direction down without a baseline."""
    return terms.direction == "down" and terms.baseline is None


def is_nothing(choice: Choice | None, terms: Terms) -> bool:
    """§6: certainly at or below zero; with a baseline certainly not a step from it; beyond a ceiling."""
    if choice is None:
        return True
    if is_ceiling(terms):
        return True
    quantity = choice.compared or choice.shown
    interval = quantity.interval
    baseline, target = terms.baseline, terms.target
    if baseline is None:
        return interval.high is not None and interval.high <= 0
    if target is None or choice.compared is None:
        return False
    falls = terms.direction == "down" if target.value == baseline.value else target.value < baseline.value
    if falls:
        return interval.low is not None and interval.low >= baseline.value
    return interval.high is not None and interval.high <= baseline.value


def is_admitted(case: Case) -> bool:
    """§6: `PledgeMissed` without a figure, unless it was said before the question became a new one."""
    return any(
        claim.type == "PledgeMissed"
        and claim.figure is None
        and not any(claim.said < day for day in case.new_questions)
        for claim in case.claims
    )


def is_over(case: Case) -> bool:
    """Whether the window in force has passed; a conditional pledge has no deadline meanwhile."""
    return case.window is not None and case.window.passed(case.as_of) and not case.has_no_close


def status_of(choice: Choice | None, case: Case) -> str:
    """§6, the headline of a figure, first match wins."""
    kept = keeps(choice, case)
    if kept is not None:
        return kept
    outcome = compared(choice, case.terms)
    if choice is not None and outcome == "below" and is_ceiling(case.terms) and is_running_total(choice):
        return "missed"
    if is_admitted(case):
        return "missed" if is_nothing(choice, case.terms) else "partly_met"
    if choice is not None and case.terms.target is not None and is_final(choice.lead, case, outcome == "below"):
        if outcome == "below":
            return "missed" if is_nothing(choice, case.terms) else "partly_met"
        return "indeterminate"
    if is_over(case):
        return "overdue"
    return "in_progress" if choice is not None else "announced"


def judge(case: Case) -> Judgement:
    """The figure that answers, and the status that follows."""
    choice = choose(case.figures, case.terms, case.window, case.rates)
    return Judgement(status_of(choice, case), choice)


def counted_day(on: date | None, period_end: date | None, said: date, window: Window | None) -> date:
    """§6: its `on`, its period end, else `stated_on`; said within 180 days after the close it counts as of it."""
    day = on or period_end
    if day is not None:
        return day
    if window is not None and window.latest is not None and window.latest < said <= window.latest + GRACE_DAYS * DAY:
        return window.latest
    return said


def kept_since(case: Case, looked_at: Window | None) -> date | None:
    """§6: the day of the figure that first kept the target."""
    days = {figure.event: counted_day(None, figure.end, figure.day, looked_at) for figure in case.figures}
    for day in sorted(set(days.values())):
        until = [figure for figure in case.figures if days[figure.event] <= day]
        if keeps(choose(until, case.terms, case.window, case.rates), case) is not None:
            return day
    return None


def claim_conflicts(claim: Said, figure: Figure | None, terms: Terms, rates: Rates) -> bool:
    """§4: a claim that its own figure contradicts, by the target of the claim's day; one about a part is not."""
    if figure is not None and figure.attribution != "all":
        return False
    choice = single(figure, terms, rates)
    outcome = compared(choice, terms)
    if outcome is None or choice is None or choice.compared is None or terms.target is None:
        return False
    if claim.type == "PledgeMissed":
        return outcome in ("met", "exceeded")
    if claim.type == "PledgeMet":
        return outcome == "below"
    return not could_go_beyond(choice.compared.interval, terms.target, terms.direction)


def single(figure: Figure | None, terms: Terms, rates: Rates) -> Choice | None:
    """One figure as if it were the only one."""
    if figure is None:
        return None
    return summed(figure.stage, [figure], None if terms.target is None else terms.target.unit, rates)


def claim_flags(case: Case, story: Story, status: str, choice: Choice | None, stands: bool) -> set[str]:
    """§4, §6: `assertion_conflict` and `unproven_claim`.

    `stands` is whether figure, members or steps have kept the pledge by themselves.
    """
    flags: set[str] = set()
    by_event = {figure.event: figure for figure in case.figures}
    for claim in case.claims:
        terms = story.judged_on(claim.day)
        if claim.figure is not None:
            if claim_conflicts(claim, by_event.get(claim.id), terms, case.rates):
                flags.add("assertion_conflict")
        elif claim.type == "PledgeMissed":
            if choice is not None and not case.terms.counts_members and case.terms.target is not None:
                if kept_then(case, story, claim) is not None:
                    flags.add("assertion_conflict")
            elif stands:
                flags.add("assertion_conflict")
        elif not any(proves(claim, word) for word in (status, kept_then(case, story, claim))):
            flags.add("unproven_claim")
    return flags


def kept_then(case: Case, story: Story, claim: Said) -> str | None:
    """Whether the figure keeps the target of the claim's day."""
    terms = story.judged_on(claim.day)
    asked_then = [day for day in case.new_questions if day <= claim.day]
    then = Case(terms, case.window, case.figures, [], asked_then, case.as_of, case.rates)
    return keeps(choose(case.figures, terms, case.window, case.rates), then)


def proves(claim: Said, status: str | None) -> bool:
    """POINTS: `unproven_claim` goes when a figure proves the claim."""
    return status == "exceeded" or (status == "met" and claim.type == "PledgeMet")
