"""Promises for each year, half, quarter or month: which figures answer which period, and what the periods add up to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    condition,
    condition_reported,
    exceeded,
    group,
    member,
    met,
    missed,
    pledge,
    progress,
    revised,
    superseded,
    withdrawn,
    year,
    yearly,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

MADE = pledge("at least 100 USD", window=None, recurrence=yearly(2020, 2022), stated_on="2020-01-01")


def of_year(number: int, quantity: str, **fields: Any) -> Any:
    """The total of a year, said soon after it."""
    return progress(quantity, period=year(number), stated_on=f"{number + 1}-03-01", **fields)


def periods(*found: tuple[str, str | None]) -> list[dict[str, Any]]:
    years = range(2020, 2020 + len(found))
    return [
        {"start": f"{number}-01-01", "end": f"{number}-12-31", "status": status, "actual": actual}
        for number, (status, actual) in zip(years, found, strict=True)
    ]


def tally(kept: int, not_kept: int, unreported: int, undecided: int) -> dict[str, int]:
    closed = kept + not_kept + unreported + undecided
    counts = {"kept": kept, "not_kept": not_kept, "unreported": unreported, "undecided": undecided}
    return {"total": 3, "closed": closed, **counts}


def answers(*facts: Any, as_of: str = "2025-01-01") -> tuple[str, list[str], dict[str, int]]:
    document = given(MADE, *facts).document(as_of)
    assert document is not None
    return document["status"], [p["status"] for p in document["periods"]], document["periods_tally"]


def test_periods_without_a_report_are_counted_apart_from_those_that_nobody_can_judge() -> None:
    status, found, counts = answers(of_year(2020, "110 USD"), of_year(2021, "about 100 USD"))
    assert (status, found) == ("partly_met", ["exceeded", "indeterminate", "overdue"])
    assert counts == tally(kept=1, not_kept=0, unreported=1, undecided=1)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([], "overdue"),
        ([of_year(2020, "50 USD"), of_year(2021, "50 USD")], "overdue"),
        ([of_year(2020, "50 USD"), of_year(2021, "50 USD"), of_year(2022, "about 100 USD")], "overdue"),
        ([of_year(2020, "50 USD"), of_year(2021, "50 USD"), of_year(2022, "50 USD")], "missed"),
        ([of_year(2020, "50 USD"), of_year(2021, "50 USD"), of_year(2022, "150 USD")], "partly_met"),
        ([of_year(2020, "150 USD"), of_year(2021, "150 USD"), of_year(2022, "150 USD")], "met"),
    ],
)
def test_the_headline_comes_once_the_last_period_has_closed(facts: list[Any], status: str) -> None:
    assert answers(*facts)[0] == status
    assert answers(*facts, as_of="2022-12-31")[0] == ("in_progress" if facts else "announced")


def test_a_level_counts_by_its_end_and_an_increment_without_a_period_by_its_day() -> None:
    half = {"start": "2019-07-01", "end": "2020-06-30"}
    level = progress("120 USD", basis="level", period=half, stated_on="2021-01-20")
    rise = progress("120 USD", basis="increment", period=None, stated_on="2021-06-01")
    assert amounts(level) == ["120", None, None]
    assert amounts(rise) == [None, "120", None]


def amounts(*facts: Any) -> list[str | None]:
    document = given(MADE, *facts).document("2023-06-01")
    assert document is not None
    return [period["actual"] and period["actual"]["value"] for period in document["periods"]]


@pytest.mark.parametrize(
    "period",
    [
        None,
        {"end": "2020-12-31"},
        {"start": "2019-12-31", "end": "2020-12-31"},
        {"start": "2020-01-01", "end": "2021-01-01"},
    ],
)
def test_a_total_that_is_not_of_one_period_is_set_aside(period: dict[str, str] | None) -> None:
    status, found, _ = answers(progress("500 USD", period=period, stated_on="2021-02-01"), as_of="2021-06-01")
    assert (status, found) == ("announced", ["overdue", "announced", "announced"])


def test_each_period_is_told_with_its_own_figure() -> None:
    given(MADE, of_year(2020, "110 USD"), of_year(2021, "90 USD")).then(
        as_of="2022-06-01",
        status="in_progress",
        actual="90 USD",
        ratio="0.9",
        flag="broken_period",
        periods=periods(("exceeded", "110 USD"), ("partly_met", "90 USD"), ("announced", None)),
    )


def test_a_claim_without_a_figure_is_about_the_latest_period_that_had_closed() -> None:
    closed = [of_year(2020, "110 USD"), of_year(2021, "about 100 USD")]
    _, found, _ = answers(*closed, missed(stated_on="2022-06-01"), as_of="2022-07-01")
    assert found == ["exceeded", "partly_met", "announced"]
    given(MADE, *closed, exceeded(stated_on="2021-06-01")).then(as_of="2022-07-01", no_flag="unproven_claim")
    given(MADE, *closed, exceeded(stated_on="2022-06-01")).then(as_of="2022-07-01", flag="unproven_claim")


def test_periods_that_were_open_on_a_withdrawal_are_in_no_count() -> None:
    _, found, counts = answers(of_year(2020, "110 USD"), withdrawn(stated_on="2021-06-01"))
    assert found == ["exceeded", "withdrawn", "withdrawn"]
    assert counts == tally(kept=1, not_kept=0, unreported=0, undecided=0)


def test_a_claim_on_the_last_day_of_a_period_is_not_about_that_period() -> None:
    _, found, _ = answers(of_year(2020, "about 100 USD"), missed(stated_on="2021-12-31"), as_of="2022-07-01")
    assert found == ["partly_met", "overdue", "announced"]
    _, found, _ = answers(of_year(2020, "about 100 USD"), missed(stated_on="2022-01-01"), as_of="2022-07-01")
    assert found == ["indeterminate", "missed", "announced"]


def test_a_period_stays_broken_after_a_withdrawal_and_both_are_named() -> None:
    report, stopped = of_year(2020, "50 USD"), withdrawn(stated_on="2021-06-01")
    given(MADE, report, stopped).then(
        as_of="2021-07-01",
        status="withdrawn",
        flag="broken_period",
        because={"broken_period": [MADE, report, stopped]},
    )


@pytest.mark.parametrize(
    ("anew", "as_of", "schedule"),
    [
        ({"window": {"end": "2023-12-31"}}, "2020-05-31", ("open", "open")),
        ({"window": {"end": "2023-12-31"}}, "2020-12-10", ("open", "due_soon")),
        ({"window": {"end": "2023-12-31"}}, "2021-01-01", ("open", "open")),
        ({"recurrence": {"every": "quarter", "start": "2020-01-01"}}, "2020-12-10", ("due_soon", "due_soon")),
        ({"recurrence": {"every": "quarter", "start": "2020-01-01"}}, "2020-09-10", ("due_soon", "open")),
    ],
)
def test_the_original_schedule_is_that_of_the_periods_that_were_promised_first(
    anew: dict[str, Any], as_of: str, schedule: tuple[str, str]
) -> None:
    given(MADE, revised(stated_on="2020-06-01", **anew)).then(as_of=as_of, schedule=schedule)


@pytest.mark.parametrize(
    ("as_of", "schedule"), [("2026-06-22", "open"), ("2026-06-23", "due_soon"), ("2026-07-01", "open")]
)
def test_the_current_period_is_that_of_the_day_however_long_nothing_was_said(as_of: str, schedule: str) -> None:
    monthly = {"every": "month", "start": "2020-01-01", "end": "2029-12-31"}
    given(pledge("at least 100 USD", recurrence=monthly, stated_on="2020-01-01")).then(
        as_of=as_of, schedule=(schedule, schedule)
    )


def test_a_pledge_that_another_replaces_leaves_the_periods_that_had_ended_as_they_were() -> None:
    _, found, _ = answers(of_year(2020, "110 USD"), superseded("another", stated_on="2021-06-01"))
    assert found == ["exceeded", "superseded", "superseded"]


@pytest.mark.parametrize(("stated_on", "first"), [("2020-12-31", "withdrawn"), ("2021-01-01", "overdue")])
def test_a_period_is_open_until_its_last_day_has_passed(stated_on: str, first: str) -> None:
    assert answers(withdrawn(stated_on=stated_on))[1] == [first, "withdrawn", "withdrawn"]


def test_no_period_falls_due_while_a_condition_is_open() -> None:
    promise = pledge(
        "at least 100 USD", recurrence=yearly(2020, 2022), conditions=[condition("vote")], stated_on="2020-01-01"
    )
    record = given(promise, condition_reported("vote", "fulfilled", stated_on="2022-06-01"))
    record.then(as_of="2022-05-31", status="conditional", periods=[{"status": "announced"}] * 3)
    record.then(as_of="2022-06-01", periods=[{"status": "overdue"}] * 2 + [{"status": "announced"}])


def test_periods_that_are_promised_after_the_last_has_closed_change_no_answer() -> None:
    reports = [of_year(2020, "110 USD"), of_year(2021, "110 USD")]
    fewer = revised(recurrence=yearly(2020, 2021), stated_on="2024-06-01")
    given(MADE, *reports, fewer).then(
        as_of="2024-07-01",
        status="partly_met",
        flag="revised_after_close",
        periods=periods(("exceeded", "110 USD"), ("exceeded", "110 USD"), ("overdue", None)),
    )


def test_a_level_on_the_first_day_of_a_period_lies_in_it() -> None:
    assert amounts(progress("120 USD", basis="level", period={"end": "2020-01-01"}, stated_on="2020-02-01")) == [
        "120",
        None,
        None,
    ]


def test_a_recurrence_without_an_end_goes_on_for_sixty_periods_after_the_last_word() -> None:
    monthly = {"every": "month", "start": "2020-01-01"}
    record = given(pledge("at least 100 USD", recurrence=monthly, stated_on="2020-01-01"))
    record.then(as_of="2025-01-01", schedule=("open", "open")).then(as_of="2025-03-01", schedule=("overdue", "overdue"))


def test_what_is_promised_of_a_recurring_pledge_is_listed_with_or_without_a_target() -> None:
    said = of_year(2020, "70 USD", stage="pledged")
    for target in ("at least 100 USD", None):
        promise = pledge(target, window=None, recurrence=yearly(2020, 2022), stated_on="2020-01-01")
        given(promise, said).then(as_of="2022-06-01", announced_amounts=[{"quantity": "70 USD"}])


def test_a_share_of_the_baseline_that_is_promised_of_a_recurring_pledge_is_listed_as_an_amount() -> None:
    promise = pledge(
        "at least 20 percent:below-baseline", kind="count", window=None, recurrence=yearly(2020, 2022),
        baseline={"quantity": "100 count:mtco2e"}, stated_on="2020-01-01",
    )  # fmt: skip
    given(promise, of_year(2020, "30 percent:below-baseline", stage="pledged", basis="level")).then(
        as_of="2022-06-01", announced_amounts=[{"quantity": "70 count:mtco2e"}]
    )


def test_a_projection_in_another_measure_is_not_that_of_a_recurring_pledge() -> None:
    same, other = (of_year(2022, words, nature="projection") for words in ("120 USD", "130 USD:constant-2020"))
    given(MADE, other).then(as_of="2023-06-01", projection=None)
    given(MADE, same, other).then(as_of="2023-06-01", projection={"quantity": "120 USD"})


def test_a_members_figure_on_a_recurring_pledge_is_the_members() -> None:
    promise = pledge(
        "at least 2 percent:gdp", kind="ratio", window=None, recurrence=yearly(2020, 2022), group=group("BE FR"),
        stated_on="2020-01-01",
    )  # fmt: skip
    report = member("BE", "met", "2.1 percent:gdp", basis="level", period=year(2020), stated_on="2021-03-01")
    given(promise, report).figure(report, as_of="2021-06-01", outcome="member")


def test_a_claim_about_a_closed_period_is_proven_by_it_although_the_target_was_raised_since() -> None:
    promise = pledge("at least 50 USD", recurrence=yearly(2020, 2023), stated_on="2020-01-01")
    raised = revised(target="at least 200 USD", stated_on="2021-01-15")
    given(promise, of_year(2020, "60 USD"), raised, met(stated_on="2021-02-01")).then(
        as_of="2021-03-01", no_flag="unproven_claim"
    )


def test_a_promise_for_each_year_takes_the_place_of_one_by_a_day_and_one_by_a_day_of_one_for_each_year() -> None:
    by_the_end = pledge("at least 100 USD", window=year(2024))
    given(by_the_end, revised(recurrence=yearly(2024, 2026), stated_on="2024-06-01")).then(
        as_of="2024-07-01", window=None, recurrence=yearly(2024, 2026)
    )
    given(MADE, revised(window=year(2022), stated_on="2020-06-01")).then(
        as_of="2020-07-01", window=year(2022), recurrence=None
    )


def test_a_target_raised_within_a_period_asks_anew_from_the_day_of_the_raise() -> None:
    final = progress("90 USD", period={"start": "2020-01-01", "end": "2020-06-30"}, stated_on="2020-07-01", final=True)
    record = given(MADE, final, revised(target="at least 200 USD", stated_on="2020-08-01"))
    for as_of, status in (("2020-07-31", "partly_met"), ("2020-08-01", "in_progress")):
        document = record.document(as_of)
        assert document is not None
        assert document["periods"][0]["status"] == status
