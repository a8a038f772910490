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


@pytest.mark.parametrize(
    ("reference", "other", "outcome"),
    [
        ("T-1", "T-2", "duplicate"),
        ("T-1", None, "duplicate"),
        (None, "T-2", "duplicate"),
        ("T-1", "T-1", "corroborates"),
    ],
)
def test_a_preferred_payment_leaves_out_its_like_whatever_reference_that_has(
    reference: str | None, other: str | None, outcome: str
) -> None:
    def paid(publisher: str, day: str, id_: str | None) -> Any:
        of = {"publisher": publisher} if id_ is None else {"publisher": publisher, "reference": id_}
        return payment("5m EUR", day, **of)

    first, again = paid("Donor", "2024-03-01", reference), paid("Receiver", "2024-03-20", other)
    record = given(pledge("at least 40m EUR", window=year(2024)), first, again, ranked(first, "preferred"))
    document = record.document("2026-06-01")
    assert document is not None
    assert document["actual"]["value"] == "5000000"
    why = {
        "duplicate": f"a reviewer prefers {record.id(first)}, the same payment",
        "corroborates": f"is the transaction of {record.id(first)}",
    }
    record.figure(again, as_of="2026-06-01", outcome=outcome, why=why[outcome])


def test_two_payments_of_one_origin_are_two_although_a_third_is_of_another() -> None:
    given(
        pledge("at least 40m EUR", window=year(2024)),
        payment("5m EUR", "2024-03-01", publisher="Donor"),
        payment("5m EUR", "2024-03-20", publisher="Donor"),
        payment("5m EUR", "2024-10-01", publisher="Receiver"),
    ).then(as_of="2024-11-01", actual="15m EUR", no_flag="suspected_duplicate")


@pytest.mark.parametrize(
    ("references", "publishers", "counted", "suspected"),
    [
        (("T-1", "T-1"), ("Donor", "Donor"), "10m EUR", False),
        (("T-1", "T-1"), ("Donor", "Receiver"), "5m EUR", False),
        (("T-1", "T-2"), ("Donor", "Donor"), "10m EUR", False),
        (("T-1", "T-2"), ("Donor", "Receiver"), "10m EUR", True),
        (("T-1", None), ("Donor", "Receiver"), "10m EUR", True),
        ((None, "T-1"), ("Donor", "Receiver"), "10m EUR", True),
    ],
)
def test_one_reference_makes_one_payment_of_what_two_publishers_say_and_parts_of_what_one_does(
    references: tuple[str | None, str | None], publishers: tuple[str, str], counted: str, suspected: bool
) -> None:
    payments = [
        payment("5m EUR", day, publisher=publisher, **({} if reference is None else {"reference": reference}))
        for day, publisher, reference in zip(("2024-03-01", "2024-03-20"), publishers, references, strict=True)
    ]
    given(pledge("at least 40m EUR", window=year(2024)), *payments).then(
        as_of="2024-04-01", actual=counted, **{"flag" if suspected else "no_flag": "suspected_duplicate"}
    )


def test_two_payments_that_a_reviewer_prefers_both_count() -> None:
    first, second = payment("5m EUR", "2024-03-01", **FIRST), payment("5m EUR", "2024-03-20", publisher="Receiver")
    both = [ranked(one, "preferred", stated_on="2024-06-01") for one in (first, second)]
    given(pledge("at least 40m EUR", window=year(2024)), first, second, *both).then(
        as_of="2024-06-01", actual="10m EUR", no_flag="suspected_duplicate"
    )


@pytest.mark.parametrize("third", [None, "T-2"])
def test_a_payment_is_disputed_by_another_transaction_although_a_third_figure_is_of_its_own(third: str | None) -> None:
    def paid(quantity: str, publisher: str, reference: str | None) -> Any:
        of = {"publisher": publisher} if reference is None else {"publisher": publisher, "reference": reference}
        return payment(quantity, "2024-03-01", **of)

    high, low, other = (
        paid("30m EUR", "Donor", "T-1"),
        paid("20m EUR", "Receiver", "T-1"),
        paid("25m EUR", "Bank", third),
    )
    record = given(pledge("at least 40m EUR", window=year(2024)), high, low)
    record.then(as_of="2024-06-01", no_flag="disputed")
    record.record(other)
    record.then(as_of="2024-06-01", flag="disputed")


def test_a_payment_is_disputed_by_a_transaction_although_two_reports_of_that_lie_higher() -> None:
    """The bank's range holds what two report of the transaction, and not what the third one does."""
    *_, low = reports = [
        payment(quantity, "2024-03-01", publisher=publisher, reference="T-1")
        for quantity, publisher in (("70m EUR", "Donor"), ("65m EUR", "Receiver"), ("40m EUR", "Auditor"))
    ]
    bank = payment("between 60m and 75m EUR", "2024-03-01", publisher="Bank")
    given(pledge("at least 100m EUR", window=year(2024)), *reports, bank).figure(
        bank, as_of="2024-06-01", conflicts=[low]
    )
