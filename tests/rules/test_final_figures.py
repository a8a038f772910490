"""Which figure is the last word, and when the target was kept too late."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    first_half,
    met,
    missed,
    pledge,
    progress,
    quarter,
    quarterly,
    restated,
    revised,
    until,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

# --- final or not


def test_a_running_total_that_reached_its_target_has_met_it_before_the_end() -> None:
    given(pledge(window=year(2024)), progress("40bn EUR", period=first_half(2024))).then(
        as_of="2024-07-01", status="met", schedule=("kept_on_time", "kept_on_time")
    )


@pytest.mark.parametrize(
    ("promise", "report"),
    [
        ({"target": "at least 2 percent:gdp", "kind": "ratio"}, ("2.1 percent:gdp", {"basis": "level"})),
        ({"target": "at most 10m count:tonnes", "kind": "count", "direction": "down"}, ("9m count:tonnes", {})),
    ],
)
def test_a_level_and_a_reduction_are_met_at_the_end_only(promise: Any, report: Any) -> None:
    words, fields = report
    promised = pledge(**promise, window=year(2024))
    given(
        promised,
        progress(words, period=first_half(2024), **fields),
    ).then(as_of="2024-12-31", status="in_progress").then(as_of="2025-01-01", status="overdue").accepts(
        progress(words, period=year(2024), stated_on="2025-02-01", **fields)
    ).then(as_of="2025-02-01", status="exceeded")
    given(promised, progress(words, final=True, **fields)).then(as_of="2024-07-01", status="exceeded")


@pytest.mark.parametrize(
    ("words", "status"),
    [("12m count:tonnes", "missed"), ("10m count:tonnes", "met"), ("0 count:tonnes", "exceeded")],
)
def test_in_direction_down_less_is_better(words: str, status: str) -> None:
    given(
        pledge("at most 10m count:tonnes", kind="count", direction="down", window=year(2024)),
        progress(words, period=year(2024), stated_on="2025-02-01"),
    ).then(as_of="2025-02-01", status=status, trajectory="unknown")


def test_a_figure_below_the_target_is_final_once_the_latest_reading_of_the_end_has_passed() -> None:
    window = {**year(2024), "latest": "2025-07-31"}
    for end, final in (("2024-12-30", False), ("2024-12-31", True), ("2025-03-31", True)):
        report = progress("30bn EUR", period=until(end), stated_on="2025-04-01")
        given(pledge(window=window), report).then(as_of="2025-07-31", status="in_progress").figure(
            report, as_of="2025-07-31", final=False
        ).then(as_of="2025-08-01", status="partly_met" if final else "overdue").figure(
            report, as_of="2025-08-01", final=final
        )
    sure = progress("30bn EUR", period=year(2024), stated_on="2025-04-01", final=True)
    given(pledge(window=window), sure).then(as_of="2025-04-01", status="partly_met")


def test_zero_at_the_end_is_missed_and_something_is_partly_met() -> None:
    for words, status in (("0 EUR", "missed"), ("1bn EUR", "partly_met"), ("up to 1bn EUR", "partly_met")):
        given(pledge(window=year(2024)), progress(words, period=year(2024), stated_on="2025-02-01")).then(
            as_of="2025-02-01", status=status
        )


def test_an_admission_makes_the_chosen_figure_final() -> None:
    promise = pledge(window=year(2024))
    given(promise, progress("20.9bn EUR", period=first_half(2024)), missed(stated_on="2024-11-01")).then(
        as_of="2024-10-31", status="in_progress"
    ).then(as_of="2024-11-01", status="partly_met", schedule=("closed", "closed"))
    given(promise, missed(stated_on="2024-11-01")).then(as_of="2024-11-01", status="missed", actual=None)
    given(promise, progress("0 EUR"), missed(stated_on="2024-11-01")).then(as_of="2024-11-01", status="missed")
    given(promise, progress("up to 2bn EUR"), missed(stated_on="2024-11-01")).then(
        as_of="2024-11-01", status="partly_met"
    )


def test_a_target_raised_makes_earlier_figures_unfinal_and_one_lowered_does_not() -> None:
    final = progress("38bn EUR", final=True)
    promise = pledge(window=year(2024))
    given(promise, final, revised(target="at least 60bn EUR", stated_on="2024-08-01")).then(
        as_of="2024-07-31", status="partly_met"
    ).then(as_of="2024-08-01", status="in_progress", past_targets=[{"status": "partly_met", "until": "2024-08-01"}])
    given(promise, final, revised(target="at least 35bn EUR", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="exceeded", flag="revised_target", past_targets=[{"status": "partly_met"}]
    )
    given(promise, final, revised(window=until("2025-06-30"), stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="partly_met", past_targets=[], no_flag="revised_target"
    )
    given(promise, final, missed(stated_on="2024-07-02"), revised(target="50bn EUR", stated_on="2024-08-01")).then(
        as_of="2024-07-31", status="partly_met"
    ).then(as_of="2024-08-01", status="in_progress")


def test_after_the_close_neither_a_raise_nor_a_lowering_changes_the_answer() -> None:
    final = progress("38bn EUR", period=year(2024), stated_on="2025-02-01")
    for target in ("at least 60bn EUR", "at least 35bn EUR"):
        given(pledge(window=year(2024)), final, revised(target=target, stated_on="2025-03-01")).then(
            as_of="2025-03-01", status="partly_met", target=target, ratio="0.95", flag="revised_after_close"
        )


def test_in_direction_down_a_lowered_target_asks_anew() -> None:
    tonnes = pledge("at most 10m count:tonnes", kind="count", direction="down", window=year(2024))
    final = progress("9m count:tonnes", final=True)
    given(tonnes, final, revised(target="at most 8m count:tonnes", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="missed", past_targets=[{"status": "exceeded"}]
    )
    level = progress("9m count:tonnes", final=True, basis="level")
    given(tonnes, level, revised(target="at most 8m count:tonnes", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="in_progress", past_targets=[{"status": "exceeded"}]
    )
    given(tonnes, final, revised(target="at most 12m count:tonnes", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="exceeded"
    )


def test_several_revisions_of_one_day_are_one_and_leave_one_answer() -> None:
    promise, final = pledge(window=year(2024)), progress("30bn EUR", final=True)
    twice = [revised(target=words, stated_on="2024-08-01") for words in ("at least 50bn EUR", "at least 35bn EUR")]
    given(promise, final, *twice).then(
        as_of="2024-08-01", status="partly_met", past_targets=[{"target": "at least 40bn EUR", "status": "partly_met"}]
    )
    back = [revised(target=words, stated_on="2024-08-01") for words in ("at least 50bn EUR", "at least 40bn EUR")]
    given(promise, final, *back).then(
        as_of="2024-08-01", status="partly_met", past_targets=[], no_flag="revised_target"
    )
    apart = [
        revised(target="at least 50bn EUR", stated_on="2025-03-01"),
        revised(window=until("2025-12-31"), stated_on="2025-03-01"),
    ]
    for revisions in (apart, apart[::-1]):
        given(promise, progress("30bn EUR", period=year(2024), stated_on="2025-02-01"), *revisions).then(
            as_of="2025-03-01",
            status="in_progress",
            past_targets=[{"target": "at least 40bn EUR", "status": "partly_met"}],
            no_flag="revised_after_close",
        )


def test_each_raise_leaves_its_answer() -> None:
    given(
        pledge("10bn EUR", window=year(2024)),
        progress("12bn EUR", stated_on="2024-03-01"),
        revised(target="20bn EUR", stated_on="2024-04-01"),
        revised(target="25bn EUR", stated_on="2024-04-01"),
        revised(target="30bn EUR", stated_on="2024-05-01"),
    ).then(
        as_of="2024-05-01",
        target="30bn EUR",
        past_targets=[
            {"target": "10bn EUR", "until": "2024-04-01", "status": "exceeded"},
            {"target": "25bn EUR", "until": "2024-05-01", "status": "in_progress"},
        ],
    )


def test_a_target_raised_in_another_currency_is_compared_at_the_rates_of_the_day() -> None:
    promise, final = pledge("40bn EUR", window=year(2024)), progress("30bn EUR", final=True)
    for words, status in (("45bn USD", "in_progress"), ("42bn USD", "partly_met")):
        given(promise, final, revised(target=words, stated_on="2024-09-02")).then(as_of="2024-09-02", status=status)


def test_a_figure_is_said_on_the_day_of_its_latest_restatement() -> None:
    final = progress("41bn EUR", final=True)
    raised = revised(target="at least 60bn EUR", stated_on="2024-08-01")
    again = restated(final, "42bn EUR", final=True, stated_on="2024-09-02")
    given(pledge(window=year(2024)), final, raised, again).then(as_of="2024-08-01", status="in_progress").then(
        as_of="2024-09-02", status="partly_met", actual="42bn EUR"
    )


# --- late


def test_a_target_met_in_time_is_not_late_because_money_follows() -> None:
    promise, first = pledge(window=year(2024)), progress("41bn EUR", period=year(2024), stated_on="2025-02-01")
    more = progress("45bn EUR", period=until("2025-06-30", start="2024-01-01"), stated_on="2025-08-01")
    given(promise, first, more).then(
        as_of="2025-08-01", status="exceeded", actual="45bn EUR", no_flag="late", schedule=("kept_on_time",) * 2
    )
    given(promise, more).then(as_of="2025-08-01", status="exceeded", flag="late", schedule=("kept_late", "kept_late"))
    parts = quarterly("20bn EUR", "10bn EUR", "10bn EUR", "10bn EUR")
    after = progress("5bn EUR", basis="increment", period=quarter(1, of=2025), stated_on="2025-04-10")
    given(promise, *parts, after).then(as_of="2025-05-01", actual="55bn EUR", no_flag="late")
    given(promise, *parts[:3], after).then(as_of="2025-05-01", actual="45bn EUR", no_flag="late")
    given(promise, *parts[:2], after, progress("9bn EUR", basis="increment", stated_on="2025-04-20")).then(
        as_of="2025-05-01", actual="44bn EUR", flag="late"
    )


def test_a_figure_without_a_period_is_late_by_the_day_it_was_first_said() -> None:
    first = met("41bn EUR", stated_on="2024-12-20")
    again = restated(first, "42bn EUR", stated_on="2025-03-01")
    given(pledge(window=year(2024)), first, again).then(as_of="2025-03-01", actual="42bn EUR", no_flag="late")


@pytest.mark.parametrize(
    ("end", "as_of", "status"),
    [
        ("2024-12-31", "2024-12-31", "in_progress"),
        ("2024-12-31", "2025-06-30", "in_progress"),
        ("2024-12-31", "2025-07-01", "partly_met"),
        ("2025-06-30", "2025-06-30", "partly_met"),
    ],
)
def test_a_figure_below_the_target_waits_for_the_latest_reading_unless_it_reaches_it(
    end: str, as_of: str, status: str
) -> None:
    window = until("2024-12-31", start="2024-01-01", latest="2025-06-30")
    report = progress("30bn EUR", period=until(end, start="2024-01-01"), stated_on=end)
    given(pledge("at least 40bn EUR", window=window), report).then(as_of=as_of, status=status)


def test_a_figure_soon_after_the_close_counts_as_of_the_close_that_is_looked_at() -> None:
    """Said in time for the first window, and within 180 days of the earlier one in force."""
    sooner = revised(window=until("2024-06-30"), stated_on="2024-03-01")
    given(pledge(window=until("2024-12-31")), sooner, progress("41bn EUR", stated_on="2024-12-20")).then(
        as_of="2025-01-01", status="exceeded", schedule=("kept_on_time", "kept_on_time"), no_flag="late"
    )


def part(words: str, number: int, of: int, **more: Any) -> Any:
    """An increment of a quarter, said a year after that began."""
    return progress(
        words, basis="increment", period=quarter(number, of), stated_on=f"{of + 1}-{3 * number - 2:02}-01", **more
    )


@pytest.mark.parametrize(
    ("target", "kind", "reports"),
    [
        ("0 EUR", "money", [progress("0 EUR", period=quarter(1, 2025), final=True, stated_on="2025-04-10")]),
        ("2 count:plants", "count", [part("1 count:plants", 2, 2024), part("1 count:plants", 1, 2025)]),
        ("1 count:plants", "count", [part("0.5 count:plants", 2, 2024), part("0.5 count:plants", 1, 2025)]),
        (
            "40bn EUR",
            "money",
            [
                part("30bn EUR", 1, 2024, stage="disbursed"),
                progress("5bn EUR", stage="committed", period=first_half(2024)),
                part("10bn EUR", 1, 2025, stage="disbursed"),
            ],
        ),
    ],
)
def test_a_target_is_kept_late_by_the_last_figure_that_was_needed(target: str, kind: str, reports: list[Any]) -> None:
    stage = "disbursed" if len(reports) == 3 else None
    given(pledge(f"at least {target}", kind=kind, required_stage=stage, window=year(2024)), *reports).then(
        as_of="2026-02-01", status="met", schedule=("kept_late", "kept_late"), flag="late"
    )


@pytest.mark.parametrize(("said_on", "schedule"), [("2025-06-29", "kept_on_time"), ("2025-06-30", "kept_late")])
def test_a_figure_without_a_period_counts_as_of_the_close_for_180_days(said_on: str, schedule: str) -> None:
    given(pledge("at least 40bn EUR", window=year(2024)), progress("40bn EUR", stated_on=said_on)).then(
        as_of="2025-07-01", schedule=(schedule, schedule)
    )


@pytest.mark.parametrize(("target", "kept_by"), [("0", "0.5"), ("-1", "0.5"), ("3", "3.5")])
def test_a_target_is_kept_late_although_an_earlier_level_lay_below_zero(target: str, kept_by: str) -> None:
    given(
        pledge(
            f"at least {target} percent:gdp",
            kind="ratio",
            stated_on="2023-01-10",
            window={"start": "2023-01-01", "end": "2024-12-31"},
        ),
        progress("-3 percent:gdp", basis="level", period=year(2023), stated_on="2024-02-01"),
        progress(f"{kept_by} percent:gdp", basis="level", period=year(2025), final=True, stated_on="2026-02-01"),
    ).then(as_of="2026-03-01", schedule=("kept_late", "kept_late"), flag="late")


def test_a_first_target_is_no_new_question() -> None:
    first = revised(target="at least 40bn EUR", stated_on="2024-08-01")
    given(pledge(None, window=year(2024)), progress("38bn EUR", final=True), first).then(
        as_of="2024-08-01", status="partly_met", past_targets=[]
    )


@pytest.mark.parametrize(("said_on", "status"), [("2024-07-31", "announced"), ("2024-08-01", "missed")])
def test_an_admission_on_the_day_of_a_raise_is_one_about_the_raised_target(said_on: str, status: str) -> None:
    raised = revised(target="at least 60bn EUR", stated_on="2024-08-01")
    given(pledge(window=year(2024)), raised, missed(stated_on=said_on)).then(as_of="2024-09-01", status=status)
