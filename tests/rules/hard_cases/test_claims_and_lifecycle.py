"""Claims without proof, reports that do not fit together, and what took a pledge's place. Hard cases of docs."""

from __future__ import annotations

import pytest

from tests.support.facts import (
    group,
    member,
    met,
    pledge,
    progress,
    quarterly,
    superseded,
    tally,
    until,
    year,
)
from tests.support.given import given
from tests.support.hard_cases import case

pytestmark = pytest.mark.usefixtures("every_record_holds")


@case(63)
def test_a_pledge_that_another_replaced_is_neither_kept_nor_broken() -> None:
    """In September another pledge takes the place of this one, half of which is reported.

    Superseded from that day on, with its report; the new one is asked in its stead.
    """
    given(
        pledge(window=year(2024)), progress("20.9bn EUR"), superseded("aid-of-all", stated_on="2024-09-01")
    ).then(as_of="2024-08-31", status="in_progress").then(
        as_of="2025-02-01", status="superseded", actual="20.9bn EUR", schedule=("closed", "closed")
    )  # fmt: skip


@case(64)
def test_to_claim_is_not_to_prove() -> None:
    """In September somebody says that the promise is met, without a figure; a month later 40bn are reported.

    Announced and flagged as unproven until the figure proves it.
    """
    given(
        pledge(window=year(2024)), met(stated_on="2024-09-01"), progress("40bn EUR", stated_on="2024-10-01")
    ).then(as_of="2024-09-30", status="announced", flag="unproven_claim").then(
        as_of="2024-10-01", status="met", no_flag="unproven_claim"
    )  # fmt: skip


@case(65)
def test_amounts_of_months_that_overlap_are_not_added() -> None:
    """10bn and 5bn are reported for two quarters, and 8bn for March to May across both.

    The quarters add up to 15bn; the 8bn are left out and flagged, since part of them is in there already.
    """
    first, second = quarterly("10bn EUR", "5bn EUR")
    across = progress(
        "8bn EUR", basis="increment", period=until("2024-05-31", start="2024-03-01"), stated_on="2024-06-10"
    )
    given(pledge(window=year(2024)), first, second, across).then(
        as_of="2024-12-01", actual="15bn EUR", flag="overlap"
    ).figure(across, as_of="2024-12-01", outcome="overlap", chosen=False)


@case(66)
def test_a_count_that_the_members_reports_contradict_is_flagged() -> None:
    """Three of three members are said to have met it; then each reports, and one has not.

    The complete reports count: two of three, flagged as a mismatch.
    """
    each = pledge(
        target="at least 2 percent:gdp",
        kind="ratio",
        window=year(2024),
        group=group("BE FR DE"),
        stated_on="2024-01-01",
    )
    said = [member(code, verdict, stated_on="2025-02-01") for code, verdict in
            (("BE", "met"), ("FR", "met"), ("DE", "not_met"))]  # fmt: skip
    given(each, tally(met=3, stated_on="2025-01-15"), *said).then(
        as_of="2025-02-01", status="partly_met", members={"met": 2, "not_met": 1}, flag="tally_mismatch"
    )


@case(67)
def test_a_figure_that_may_still_change_counts_until_the_last_one_is_there() -> None:
    """20bn are reported as provisional; later the books are closed at 21bn.

    In between the 20bn count, flagged as provisional; then the 21bn do.
    """
    given(
        pledge(window=year(2024)),
        progress("20bn EUR", nature="provisional", stated_on="2024-07-01"),
        progress("21bn EUR", stated_on="2024-08-01"),
    ).then(as_of="2024-07-31", actual="20bn EUR", flags=["provisional", "single_source"]).then(
        as_of="2024-08-01", actual="21bn EUR", no_flag="provisional"
    )
