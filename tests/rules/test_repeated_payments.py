"""When two increments may be one payment: one amount, two origins, no common reference, within sixty days (§5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import pledge, progress, ranked, source, year
from tests.support.given import given

FIRST = {"publisher": "Donor"}


def payment(quantity: str, day: str, **of: Any) -> Any:
    return progress(quantity, basis="increment", period={"start": day, "end": day}, stated_on=day, source=source(**of))


@pytest.mark.parametrize(
    ("other", "counted"),
    [
        (payment("5m EUR", "2024-04-30", publisher="Receiver"), "5000000"),
        (payment("5m EUR", "2024-05-01", publisher="Receiver"), "10000000"),
        (payment("6m EUR", "2024-03-20", publisher="Receiver"), "11000000"),
        (payment("5m EUR", "2024-03-20", publisher="Donor"), "10000000"),
        (payment("5m EUR", "2024-03-20", publisher="Receiver", origin="Donor"), "10000000"),
    ],
)
def test_a_preferred_payment_leaves_out_only_what_may_be_the_same(other: Any, counted: str) -> None:
    first = payment("5m EUR", "2024-03-01", **FIRST)
    record = given(pledge("at least 40m EUR", window=year(2024)), first, other)
    before = record.document("2026-06-01")
    record.record(ranked(first, "preferred", stated_on="2024-06-01"))
    after = record.document("2026-06-01")
    assert before is not None
    assert after is not None
    assert ("suspected_duplicate" in before["flags"]) == (counted == "5000000")
    assert "suspected_duplicate" not in after["flags"]
    assert after["actual"]["value"] == counted
