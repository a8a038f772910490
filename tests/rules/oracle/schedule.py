"""Schedule, trajectory and instalments (DOMAIN §6)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from .choice import Choice
from .dates import Window, due_soon_days, end_of
from .quantities import Interval, Quantity, number, progress
from .terms import Terms

SETTLED = ("withdrawn", "superseded", "missed", "partly_met", "indeterminate")
BAND = Fraction(1, 10)


def schedule_of(window: Window | None, status: str, kept_on: date | None, as_of: date) -> str:
    """§6, `schedule`, against one window."""
    if window is None or window.latest is None or status == "conditional":
        return "no_deadline"
    if status in SETTLED:
        return "closed"
    if status in ("met", "exceeded"):
        return "kept_late" if kept_on is not None and kept_on > window.latest else "kept_on_time"
    if window.passed(as_of):
        return "overdue"
    return "due_soon" if (window.latest - as_of).days <= due_soon_days(window) else "open"


def amount_of(choice: Choice | None, terms: Terms) -> Quantity | None:
    """The actual in the unit of target and instalments; None where it cannot be compared."""
    if choice is None:
        return None
    return choice.compared if terms.target is not None else choice.shown


def instalments_of(terms: Terms) -> list[tuple[date, dict[str, Any], Fraction]]:
    """Each instalment's last day, itself, and its low end, in order of their days."""
    found = []
    for raw in terms.get("instalments") or []:
        low = Quantity.read(raw["quantity"]).interval.low
        found.append((end_of(raw["due"]), raw, Fraction(0) if low is None else low))
    return sorted(found, key=lambda entry: entry[0])


def sum_due(terms: Terms, day: date) -> Fraction:
    """The sum of what was promised for days up to this one."""
    return sum((low for due, _, low in instalments_of(terms) if due <= day), Fraction(0))


def instalment_states(terms: Terms, choice: Choice | None, as_of: date, is_conditional: bool) -> list[dict[str, Any]]:
    """§6: overdue is one whose day has passed while there is no figure, or the actual certainly lies below the sum."""
    answer = []
    amount = amount_of(choice, terms)
    for due, raw, _ in instalments_of(terms):
        owed = sum_due(terms, due)
        state = "open"
        if amount is not None and is_at_least(amount.interval, owed):
            state = "paid"
        elif as_of > due and not is_conditional and (choice is None or certainly_less(amount, owed)):
            state = "overdue"
        answer.append({"due": raw["due"], "quantity": Quantity.read(raw["quantity"]).json(), "state": state})
    return answer


def is_at_least(interval: Interval, number_: Fraction) -> bool:
    """Whether every value is at least a number."""
    return interval.low is not None and interval.low >= number_


def certainly_less(amount: Quantity | None, number_: Fraction) -> bool:
    """Whether every value is less than a number."""
    if amount is None:
        return False
    high, high_open = amount.interval.high, amount.interval.high_open
    return high is not None and (high < number_ or (high == number_ and high_open))


def trajectory_of(terms: Terms, window: Window | None, choice: Choice | None, is_conditional: bool) -> str:
    """§6, `trajectory`."""
    amount = amount_of(choice, terms)
    if choice is None or amount is None or is_conditional:
        return "unknown"
    target, baseline = terms.target, terms.baseline
    if baseline is None and (choice.basis == "level" or terms.direction == "down"):
        return "unknown"
    reached = choice.lead.dated
    if instalments_of(terms):
        due = sum_due(terms, reached)
        any_due = any(day <= reached for day, _, _ in instalments_of(terms))
        return side(amount.interval, due) if any_due else "unknown"
    if target is None:
        return "unknown"
    share = share_of_time(terms, window, reached)
    if share is None:
        return "unknown"
    if baseline is not None:
        way = progress(amount, target, baseline, terms.direction)
        return "unknown" if way is None else side(way.interval, share)
    return side(amount.interval, number(target, terms.direction) * share)


def share_of_time(terms: Terms, window: Window | None, day: date) -> Fraction | None:
    """§6: the share of the time passed from the baseline's `on` (else the window's start) to `end`, never `latest`."""
    if window is None or window.end is None:
        return None
    baseline = terms.get("baseline")
    if baseline is not None and baseline.get("on") is not None:
        since = end_of(baseline["on"])
        passed, whole = (day - since).days, (window.end - since).days
    elif window.start is not None:
        passed, whole = (day - window.start).days + 1, (window.end - window.start).days + 1
    else:
        return None
    if whole <= 0 or passed <= 0:
        return None
    return min(Fraction(1), Fraction(passed, whole))


def side(actual: Interval, expected: Fraction) -> str:
    """Within ±10 % of what was expected; `unknown` where the possible values lie on more than one side."""
    low, high = sorted((expected * (1 - BAND), expected * (1 + BAND)))
    if actual.within(Interval(high, True, None, False)):
        return "ahead"
    if actual.within(Interval(None, False, low, True)):
        return "behind"
    return "on_track" if actual.within(Interval(low, False, high, False)) else "unknown"
