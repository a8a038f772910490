"""What was promised for when: each instalment paid, open or overdue (DOMAIN §6; POINTS, Relative targets, Schedule)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from tracker.promises import Instalment
from tracker.quantity import EXACT, Quantity
from tracker.rules.sums import Actual
from tracker.rules.terms import Promise
from tracker.values import end_of

InstalmentState = Literal["open", "paid", "overdue"]


@dataclass(frozen=True, slots=True)
class InstalmentResult:
    """One instalment and where it stands."""

    instalment: Instalment
    state: InstalmentState


def amount_of(actual: Actual | None, promise: Promise) -> Quantity | None:
    """The actual in the unit of target and instalments; None where it cannot be compared."""
    if actual is None:
        return None
    if promise.absolute is not None:
        return actual.compared
    units = {instalment.quantity.unit for instalment in promise.instalments}
    return actual.quantity if actual.quantity.unit in units else None


def sum_due(promise: Promise, day: date) -> Decimal | None:
    """The sum of the low ends of what was promised for days up to one; None before the first."""
    due = [i.quantity.interval.low or Decimal(0) for i in promise.instalments if end_of(i.due) <= day]
    total = Decimal(0)
    for low in due:
        total = EXACT.add(total, low)
    return total if due else None


def instalments_of(
    promise: Promise, actual: Actual | None, as_of: date, *, fall_due: bool
) -> tuple[InstalmentResult, ...]:
    """Each instalment in the order of its day: `paid` if the actual certainly reaches the sum due by it.

    `overdue` if its day has passed while there is no figure, or the actual certainly lies below that sum. Those of a
    conditional promise do not fall due.
    """
    if not promise.instalments:
        return ()
    amount = amount_of(actual, promise)
    found = []
    for instalment in sorted(promise.instalments, key=lambda one: end_of(one.due)):
        day = end_of(instalment.due)
        owed = sum_due(promise, day) or Decimal(0)
        state: InstalmentState = "open"
        if amount is not None and _reaches(amount, owed):
            state = "paid"
        elif as_of > day and fall_due and (actual is None or (amount is not None and _is_short(amount, owed))):
            state = "overdue"
        found.append(InstalmentResult(instalment, state))
    return tuple(found)


def _reaches(amount: Quantity, owed: Decimal) -> bool:
    low = amount.interval.low
    return low is not None and low >= owed


def _is_short(amount: Quantity, owed: Decimal) -> bool:
    interval = amount.interval
    return interval.high is not None and (interval.high < owed or (interval.high == owed and interval.high_open))
