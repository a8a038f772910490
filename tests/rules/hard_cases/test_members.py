"""Members, steps and parts. Hard cases of docs/hard-cases.md."""

from __future__ import annotations

import pytest

from projections.summary import summarize
from tests.support.facts import (
    exceeded,
    group,
    member,
    met,
    missed,
    pledge,
    progress,
    reached,
    scheduled,
    source,
    tally,
    year,
)
from tests.support.given import given
from tests.support.hard_cases import ALLIES, annual, case, each_ally, half, row

pytestmark = pytest.mark.usefixtures("every_record_holds")


@case(10)
def test_members_to_whom_it_does_not_apply_are_not_counted() -> None:
    """Of 32 members 22 met it and nine did not; to one it does not apply.

    31 are eligible: 22 met, 9 not, none missing. Partly met, and the sum reconciles.
    """
    given(pledge(**each_ally()), tally(met=22, not_met=9, total=32)).then(
        as_of="2025-02-01",
        status="partly_met",
        members={
            "eligible": 31,
            "met": 22,
            "not_met": 9,
            "not_applicable": 1,
            "opted_out": 0,
            "not_reported": 0,
            "total": 32,
        },
        schedule=("closed", "closed"),
        flags=["single_source"],
    ).then(as_of="2025-01-31", status="overdue")


@case(11)
def test_an_expected_count_is_shown_until_the_count_is_in() -> None:
    """In June 23 members are expected to meet it, in February 22 have.

    In between 23 stand as projected and count for nothing; afterwards 22 met.
    """
    given(
        pledge(**each_ally()),
        tally(met=23, nature="projection", stated_on="2024-06-17"),
        tally(met=22, not_met=9, total=32),
    ).then(
        as_of="2024-12-01",
        status="announced",
        members={"met": 0, "not_reported": 31, "projected": 23},
    ).then(as_of="2025-02-01", status="partly_met", members={"met": 22, "projected": None}).then(
        as_of="2025-02-01", known_at="2025-01-31", status="overdue", members={"met": 0, "projected": 23}
    )


@case(12)
def test_the_group_as_one_and_each_member_are_two_pledges() -> None:
    """The group together spends 2.02 %, while nine of its members stay below 2 %.

    Two pledges with two statuses: exceeded by the group as one, partly met by each member.
    """
    together = pledge(**{**each_ally(), "group": group(ALLIES, "aggregate")})
    given(together, met("2.02 percent:gdp", period=year(2024), basis="level")).then(
        as_of="2025-02-12", status="exceeded", actual="2.02 percent:gdp", ratio="1.01"
    )
    given(pledge(**each_ally()), tally(met=22, not_met=9, total=32)).then(as_of="2025-02-12", status="partly_met")


@case(13)
def test_a_member_that_opted_out_leaves_the_count_and_not_the_total() -> None:
    """One of four members opted out; the other three met it, and the group reports 45bn together.

    Three of three eligible members met it; the group's total stays 45bn.
    """
    given(
        pledge(window=year(2024), group=group("BE FR DE HU", opted_out=["HU"])),
        progress("45bn EUR", **annual()),
        *(member(code, "met") for code in ("BE", "FR", "DE")),
    ).then(
        as_of="2025-02-12",
        status="met",
        actual="45bn EUR",
        members={"eligible": 3, "met": 3, "not_met": 0, "opted_out": 1, "total": 4},
    )


@case(27)
def test_totals_work_where_the_breakdown_is_secret() -> None:
    """The group reports one total; who gave what is classified.

    The total counts, and every member stands as not reported.
    """
    record = given(
        pledge(window=year(2024), group=group("BE FR DE", "aggregate")),
        exceeded("over 50bn EUR", **annual()),
    )
    record.then(
        as_of="2025-02-12",
        status="exceeded",
        actual="over 50bn EUR",
        members={"eligible": 3, "met": 0, "not_met": 0, "not_reported": 3, "total": 3},
    )
    assert record.members("2025-02-12") == {"BE": "not_reported", "FR": "not_reported", "DE": "not_reported"}


@case(30)
def test_a_part_is_not_added_to_its_whole() -> None:
    """One article reports on two pledges, one of which is part of the other.

    Both record it; a sum over both has the whole only.
    """
    article = source("News", url="https://news.example/aid")
    whole = given(pledge(window=year(2024)), progress("20.9bn EUR", **half(source=article)), slug="aid")
    part = given(
        pledge("10bn EUR", window=year(2024), part_of="aid"),
        progress("5bn EUR", **half(source=article)),
        slug="air-defence",
    )
    part.then(as_of="2024-10-16", actual="5bn EUR", part_of="aid")
    summary = summarize([row(whole), row(part)], {"air-defence": "aid"})
    (total,) = summary["totals"]
    assert (total["unit"], total["pledges"], total["reported"]) == ("EUR", 1, 1)
    assert total["target"] == {"op": "ge", "value": "40000000000", "unit": "EUR"}
    assert total["actual"] == {"op": "eq", "value": "20900000000", "unit": "EUR"}
    assert summary["by_status"]["in_progress"] == 2


@case(57)
def test_the_last_member_that_keeps_it_late_makes_it_late() -> None:
    """Each member is to meet it in 2024; the last one does a year late.

    Partly met in between; then met, but kept late.
    """
    given(
        pledge(**{**each_ally(), "group": group("BE FR")}),
        member("BE", "met", stated_on="2024-12-01"),
        member("FR", "not_met", stated_on="2025-01-15"),
        member("FR", "met", on="2026-01", stated_on="2026-02-15"),
    ).then(as_of="2025-06-01", status="partly_met", schedule=("closed", "closed"), no_flag="late").then(
        as_of="2026-02-15", status="met", schedule=("kept_late", "kept_late"), flag="late"
    )


@case(58)
def test_an_admission_on_steps_counts_what_was_reached() -> None:
    """Two of four steps are reached when the promise is given up.

    Partly met from that day on, without waiting for the close.
    """
    names = ["law", "agency", "staff", "office"]
    given(
        pledge(None, kind="milestone", window=year(2024)),
        *(scheduled(name) for name in names),
        *(reached(name, stated_on="2024-05-02") for name in names[:2]),
        missed(stated_on="2024-11-02"),
    ).then(as_of="2024-11-01", status="in_progress").then(
        as_of="2024-11-02", status="partly_met", schedule=("closed", "closed")
    )
