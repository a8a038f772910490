"""When a group kept its promise: by the last member that was needed, or the first of the tallies that are enough."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import group, member, pledge, progress, tally, year
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

FOUR = "BE FR NL PL"
ON_TIME, LATE = ("kept_on_time",) * 2, ("kept_late",) * 2


def made(rule: str = "each_member", **more: Any) -> Any:
    return pledge(None, kind="ratio", window=year(2024), group=group(FOUR, rule, **more))


@pytest.mark.parametrize(
    ("tallies", "schedule"),
    [
        ([tally(met=4, on="2024-11", stated_on="2025-03-01")], ON_TIME),
        ([tally(met=4, on="2025-02", stated_on="2025-03-01")], LATE),
        ([tally(met=3, on="2024-11", stated_on="2024-12-01"), tally(met=4, on="2025-02", stated_on="2025-03-01")],
         LATE),
        ([tally(met=4, on="2024-11", stated_on="2024-12-01"), tally(met=4, on="2025-02", stated_on="2025-03-01")],
         ON_TIME),
        ([tally(met=4, on="2024-10", stated_on="2024-11-01"), tally(not_met=1, on="2024-11", stated_on="2024-12-01"),
          tally(met=4, on="2025-02", stated_on="2025-03-01")], LATE),
        ([tally(met=3, not_applicable=1, on="2024-11", stated_on="2024-12-01"),
          tally(met=4, on="2025-02", stated_on="2025-03-01")], ON_TIME),
    ],
)  # fmt: skip
def test_a_tally_dates_what_it_counts_since_the_first_unbroken_one_that_was_enough(
    tallies: list[Any], schedule: tuple[str, str]
) -> None:
    given(made(), *tallies).then(as_of="2025-06-01", status="met", schedule=schedule)


def test_members_that_the_group_sets_aside_are_not_missed_in_a_tally() -> None:
    promise = pledge(
        None,
        kind="ratio",
        window=year(2024),
        group=group(f"{FOUR} IS", not_applicable=[{"member": "IS", "reason": "no armed forces"}]),
    )
    first = tally(met=4, on="2024-11", stated_on="2024-12-01")
    given(promise, first, tally(met=4, on="2025-02", stated_on="2025-03-01")).then(
        as_of="2025-06-01", status="met", schedule=ON_TIME
    )


def test_a_count_that_rows_reach_beside_a_tally_of_the_others_is_dated_by_the_tally() -> None:
    reports = [member(code, "met", stated_on="2024-06-01") for code in ("BE", "FR")]
    others = tally(not_met=1, on="2024-11", stated_on="2024-12-01")
    given(made("count_at_least", count=2), *reports, others).then(as_of="2025-06-01", status="met", schedule=ON_TIME)


def test_a_count_is_dated_by_the_tally_that_first_reached_it() -> None:
    given(
        made("count_at_least", count=2),
        tally(met=2, on="2024-11", stated_on="2024-12-01"),
        tally(met=3, on="2025-02", stated_on="2025-03-01"),
    ).then(as_of="2025-06-01", status="exceeded", schedule=ON_TIME)


def test_a_members_figure_dates_its_result_by_the_end_of_its_period() -> None:
    reports = [
        member(code, "met", "2.1 percent:gdp", period=year(2024), stated_on="2025-09-01") for code in FOUR.split()
    ]
    promise = pledge("at least 2 percent:gdp", kind="ratio", window=year(2024), group=group(FOUR))
    given(promise, *reports).then(as_of="2025-10-01", status="met", schedule=ON_TIME)


@pytest.mark.parametrize(
    ("words", "count", "status"),
    [
        ("more than 2 count:members", 3, "met"),
        ("at least 3 count:members", 3, "met"),
        ("more than 2.5 count:members", 3, "met"),
        ("more than 2.5 count:members", 4, "in_progress"),
        ("at least 2.5 count:members", 3, "met"),
        ("under 3 count:members", 3, "in_progress"),
        ("more than 3 count:members", 3, "exceeded"),
    ],
)
def test_a_bound_counts_whole_members_only(words: str, count: int, status: str) -> None:
    said = tally(met=words, stated_on="2024-09-01")
    given(made("count_at_least", count=count), said).then(as_of="2024-10-01", status=status)


def test_a_step_of_one_from_the_baseline_is_a_way_to_go() -> None:
    promise = pledge("at least 3 percent:gdp", kind="ratio", window=year(2024),
                     baseline={"quantity": "2 percent:gdp"})  # fmt: skip
    said = progress("2.5 percent:gdp", basis="level", period=year(2024), stated_on="2025-02-01")
    given(promise, said).then(as_of="2025-02-01", progress="0.5", status="partly_met")
