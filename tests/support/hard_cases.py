"""What the tests of the hard cases share: their numbers, and the terms that many of them have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from projections.summary import Pledged
from projections.summary_amounts import SummaryAmount, SummaryAmounts
from tests.support.facts import (
    first_half,
    group,
    year,
)
from tests.support.given import Given
from tracker.rules.status import StatusFold

F = TypeVar("F", bound=Callable[..., None])


def case(number: int) -> Callable[[F], F]:
    """Says which hard case a test is."""
    return lambda test: test


def half(**more: object) -> dict[str, object]:
    """Figures for January to June 2024, said in October."""
    return {"period": first_half(2024), "stated_on": "2024-10-16", "stage": "committed", **more}


def annual(**more: object) -> dict[str, object]:
    """Figures for the year 2024, said in February 2025."""
    return {"period": year(2024), "stated_on": "2025-02-12", "stage": "committed", **more}


ALLIES = " ".join(f"member-{number}" for number in range(1, 32)) + " IS"


def each_ally(**more: Any) -> dict[str, object]:
    """Two percent of GDP in 2024, promised by each of 32 members, one of which has no armed forces."""
    aside = {"not_applicable": [{"member": "IS", "reason": "no armed forces"}], **more}
    return {"target": "at least 2 percent:gdp", "kind": "ratio", "window": year(2024), "group": group(ALLIES, **aside)}


def row(record: Given, on: date = date(2024, 10, 16)) -> Pledged:
    """What a summary knows of a pledge."""
    status = StatusFold(record.events).status(on)
    assert status is not None
    target, actual, converted = (
        None if q is None else SummaryAmount.of(q) for q in (status.target, status.actual, status.converted)
    )
    amounts = SummaryAmounts(target, actual, converted, on)
    return Pledged(record.slug, status.status, status.flags, status.kind, "EUR", {}, amounts)
