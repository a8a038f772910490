"""The random streams are what the law speaks of, and the oracle answers them at every boundary."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from . import oracle
from .streams import boundaries, generate, known_boundaries

STATUSES = set(
    "withdrawn superseded conditional not_measurable exceeded met partly_met missed indeterminate overdue in_progress"
    " announced".split()
)
FLAGS = set(
    "disputed suspected_unit_error suspected_duplicate falling_total added_totals overlap assertion_conflict"
    " unproven_claim tally_mismatch converted late revised_target revised_after_close envelope conditional"
    " instalment_overdue reinstated provisional estimated stale single_source broken_period".split()
)


def rates(currency: str, day: date) -> tuple[Decimal, date] | None:
    """A made-up table: weekdays only, none for LKR."""
    base = {"USD": "1.1", "GBP": "0.85", "SEK": "10.5"}.get(currency)
    while base is not None and day.weekday() > 4:
        day -= timedelta(days=1)
    return None if base is None else (Decimal(base) + Decimal(day.toordinal() % 100) / 1000, day)


@pytest.mark.parametrize("seed", range(40))
def test_every_boundary_has_an_answer(seed):
    events = generate(seed)
    assert generate(seed) == events
    assert len(events) <= 14
    for day in boundaries(events)[::7]:
        for known in known_boundaries(events)[-2:]:
            answer = oracle(events, day, None if known is None else datetime.fromisoformat(known), rates)
            if answer is not None:
                assert answer["status"] in STATUSES
                assert answer["flags"] <= FLAGS
