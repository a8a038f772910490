"""Instalments: paid if what came certainly reaches what was due by the day, overdue if it certainly does not (§6)."""

from __future__ import annotations

import pytest

from tests.support.facts import Posted, condition, condition_reported, instalment, pledge, progress, year
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

PLAN = [
    instalment("2024-06-30", "10bn EUR"),
    instalment("2024-03", "up to 10bn EUR"),
    instalment("2024-12", "over 20bn EUR"),
]
"""Due are 0 by March, 10bn by June and 30bn by December: of a bound its low end."""


def planned(**more: object) -> Posted:
    return pledge("at least 100bn EUR", window=year(2024), instalments=PLAN, **more)


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (None, "overdue overdue open"),
        ("0 EUR", "paid overdue open"),
        ("9bn EUR", "paid overdue open"),
        ("under 10bn EUR", "paid overdue open"),
        ("up to 10bn EUR", "paid open open"),
        ("at least 5bn EUR", "paid open open"),
        ("10bn EUR", "paid paid open"),
        ("over 10bn EUR", "paid paid open"),
        ("30bn EUR", "paid paid paid"),
        ("9bn UAH", "open open open"),
        ("-1bn EUR", "overdue overdue open"),
    ],
)
def test_an_instalment_is_paid_or_overdue_only_where_that_is_certain(words: str | None, states: str) -> None:
    reports = [] if words is None else [progress(words, stated_on="2024-02-01", reason="handed back")]
    expected = [
        {"due": due, "state": s} for due, s in zip(("2024-03", "2024-06-30", "2024-12"), states.split(), strict=True)
    ]
    given(planned(), *reports).then(
        as_of="2024-07-01",
        instalments=expected,
        **{"flag" if "overdue" in states else "no_flag": "instalment_overdue"},
    )


def test_an_instalment_is_overdue_from_the_day_after_the_last_on_which_it_is_due() -> None:
    given(planned()).then(as_of="2024-03-31", no_flag="instalment_overdue").then(
        as_of="2024-04-01", flag="instalment_overdue", instalments=[{"state": "overdue"}, {"state": "open"}, {}]
    )


def test_nothing_falls_due_while_a_condition_is_open() -> None:
    record = given(
        planned(conditions=[condition("vote")]), condition_reported("vote", "fulfilled", stated_on="2024-09-01")
    )
    record.then(as_of="2024-08-31", status="conditional", no_flag="instalment_overdue")
    record.then(as_of="2024-09-01", status="announced", flag="instalment_overdue")


@pytest.mark.parametrize(
    ("words", "trajectory"),
    [("10bn EUR", "on_track"), ("8.9bn EUR", "behind"), ("11.1bn EUR", "ahead"), ("over 9bn EUR", "unknown")],
)
def test_the_trajectory_is_held_against_what_was_due_by_the_day_of_the_figure(words: str, trajectory: str) -> None:
    period = {"start": "2024-01-01", "end": "2024-06-30"}
    given(planned(), progress(words, period=period, stated_on="2024-07-10")).then(
        as_of="2024-08-01", trajectory=trajectory
    )


def test_before_the_first_instalment_the_trajectory_is_unknown() -> None:
    given(planned(), progress("10bn EUR", period={"start": "2024-01-01", "end": "2024-03-30"})).then(
        as_of="2024-08-01", trajectory="unknown"
    )


@pytest.mark.parametrize(("words", "state"), [("6bn EUR", "paid"), ("4bn EUR", "overdue"), ("6bn JPY", "open")])
def test_without_a_target_instalments_are_held_against_figures_in_their_own_currency(words: str, state: str) -> None:
    given(pledge(None, instalments=[instalment("2024-03", "5bn EUR")]), progress(words)).then(
        as_of="2024-08-01", instalments=[{"state": state}]
    )


def test_what_kept_the_target_may_be_late_for_an_instalment_although_a_condition_is_open() -> None:
    promise = pledge(window=year(2024), conditions=[condition("vote")], instalments=[instalment("2024-03", "50bn EUR")])
    given(promise, progress("45bn EUR")).then(as_of="2024-08-01", status="exceeded", flag="instalment_overdue")
