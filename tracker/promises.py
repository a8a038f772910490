"""What a promise has beside its target: baseline, recurrence, instalments, conditions, joint parties (DOMAIN §3).

A relative target is said against the baseline, in one of two units: `percent:below-baseline`, `percent:above-baseline`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from tracker.quantity import ExactDecimal
from tracker.values import Day, OneLine, PartialDate, Party, QuantityOrWords, Slug, Text, Value

BELOW_BASELINE, ABOVE_BASELINE = "percent:below-baseline", "percent:above-baseline"
RELATIVE_UNITS = frozenset({BELOW_BASELINE, ABOVE_BASELINE})
"""Units of a share by which an amount lies below or above the baseline."""

Every = Literal["year", "half", "quarter", "month"]
ConditionReport = Literal["fulfilled", "failed", "waived"]
MONTHS: dict[Every, int] = {"year": 12, "half": 6, "quarter": 3, "month": 1}
"""How many months each period has."""

MAX_PERIODS = 600
"""So many periods a recurrence with an end may have: fifty years of months."""

HUNDRED = Decimal(100)
"""Shares of joint parties are in percent, and add up to at most this."""


class Baseline(Value):
    """The one number that a target may be said against, and when it was so."""

    quantity: QuantityOrWords
    on: PartialDate | None = None
    text: OneLine | None = None

    @model_validator(mode="after")
    def _is_one_number(self) -> Self:
        if self.quantity.op != "eq":
            raise PydanticCustomError("baseline", "a baseline is one number, so its quantity is exact ('eq')")
        return self


class Instalment(Value):
    """How much was promised for when."""

    due: PartialDate
    quantity: QuantityOrWords


class Condition(Value):
    """What the promise hangs on."""

    condition: Slug
    text: Text


def _share(value: Decimal) -> Decimal:
    if not 0 < value <= HUNDRED:
        raise PydanticCustomError("share", "a share is in percent: more than 0, at most 100")
    return value


class JointParty(Value):
    """Who promised it together with the pledgor; `share` is in percent."""

    party: Party
    share: Annotated[ExactDecimal, AfterValidator(_share)] | None = None


@lru_cache(maxsize=4_096)
def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class Recurrence(Value):
    """The target holds for each period by itself, from the first of a month to the end of a whole period."""

    every: Every
    start: Day
    end: Day | None = None

    @model_validator(mode="after")
    def _has_whole_periods(self) -> Self:
        if self.start.day != 1:
            raise PydanticCustomError("recurrence", "a recurrence starts on the first of a month")
        if self.end is None:
            return self
        if self.end < self.start:
            raise PydanticCustomError("recurrence", "the recurrence ends before it starts")
        after = self.end + timedelta(days=1)
        months = (after.year - self.start.year) * 12 + after.month - self.start.month
        if after.day != 1 or months % MONTHS[self.every]:
            problem = "the recurrence ends with a whole {every}, counted from its start"
            raise PydanticCustomError("recurrence", problem, {"every": self.every})
        if months // MONTHS[self.every] > MAX_PERIODS:
            raise PydanticCustomError("recurrence", f"a recurrence has at most {MAX_PERIODS} periods")
        return self

    def starts(self, upto: date) -> Iterator[date]:
        """The first day of each period that begins by a day and by the end."""
        last = upto if self.end is None else min(upto, self.end)
        number = 0
        while (start := add_months(self.start, number * MONTHS[self.every])) <= last:
            yield start
            number += 1

    def last_day_of(self, start: date) -> date:
        """The last day of the period that begins on a day."""
        return add_months(start, MONTHS[self.every]) - timedelta(days=1)


def must_be_consistent(
    conditions: tuple[Condition, ...] | None, joint: tuple[JointParty, ...] | None, tags: tuple[str, ...] | None
) -> None:
    """Let the lists of a promise pass that name nothing twice and promise no more than the whole.

    Raises: PydanticCustomError if a tag or a condition is given twice, or the shares are more than 100 percent.
    """
    if tags is not None and len(set(tags)) != len(tags):
        raise PydanticCustomError("tags", "a tag is given twice")
    if conditions is not None and len({c.condition for c in conditions}) != len(conditions):
        raise PydanticCustomError("conditions", "a condition is given twice")
    shares = [one.share for one in joint or () if one.share is not None]
    if sum(shares, Decimal(0)) > HUNDRED:
        raise PydanticCustomError("joint", "the shares add up to more than 100 percent; the pledgor has the rest")
