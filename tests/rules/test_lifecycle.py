"""Pledges that are withdrawn or cannot be measured, and the schedule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    pledge,
    progress,
    retracted,
    revised,
    superseded,
    until,
    withdrawn,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

# --- lifecycle


def test_a_withdrawn_pledge_is_withdrawn_whatever_it_reached() -> None:
    given(
        pledge(window=year(2024)),
        progress("50bn EUR"),
        superseded("other", stated_on="2024-09-01"),
        withdrawn(stated_on="2024-10-01"),
    ).then(as_of="2024-08-01", status="exceeded", lifecycle="active").then(
        as_of="2024-09-01", status="superseded", lifecycle="superseded", schedule=("closed",) * 2
    ).then(as_of="2024-10-01", status="withdrawn", lifecycle="withdrawn", actual="50bn EUR", trajectory="ahead")
    given(pledge(window=year(2024)), withdrawn(stated_on="2025-02-01")).then(as_of="2025-01-01", status="overdue").then(
        as_of="2025-02-01", status="withdrawn", schedule=("closed", "closed")
    )


def test_a_withdrawal_taken_back_revives_the_pledge() -> None:
    end = withdrawn(stated_on="2024-03-01")
    given(pledge(window=year(2024)), end, retracted(end, stated_on="2024-04-01")).then(
        as_of="2024-03-31", status="withdrawn"
    ).then(as_of="2024-04-01", status="announced", lifecycle="active")


@pytest.mark.parametrize(
    ("promise", "status"),
    [
        (pledge(None), "not_measurable"),
        (pledge(measurable=False), "not_measurable"),
        (pledge(None, kind="qualitative"), "not_measurable"),
        (pledge(None, kind="milestone"), "not_measurable"),
        (pledge(), "announced"),
    ],
)
def test_what_cannot_be_checked_is_not_measurable_and_its_actual_is_shown(promise: Any, status: str) -> None:
    given(promise).then(as_of="2024-08-01", status=status)


def test_without_a_target_the_measure_is_that_of_the_latest_figure_that_fits() -> None:
    growth = progress("20 percent:growth", basis="level", stated_on="2024-07-03")
    euro, dollar = progress("20bn EUR"), progress("485bn USD", stated_on="2024-07-02")
    given(pledge(None), euro, dollar, growth).then(
        as_of="2024-07-01", status="not_measurable", actual="20bn EUR", ratio=None
    ).then(as_of="2024-07-03", actual="485bn USD", other_measures=[{"event": growth}])


def test_a_forecast_or_a_part_does_not_choose_the_measure() -> None:
    rounds, forecast = (
        progress("300k count:155mm-rounds"),
        progress("1m count:rounds", nature="projection", stated_on="2024-08-01"),
    )
    part = progress("5k count:mortars", attribution="Europe", stated_on="2024-08-02")
    given(pledge(None, kind="count"), rounds, forecast, part).then(as_of="2024-09-01", actual="300k count:155mm-rounds")


# --- schedule


def test_the_schedule_goes_by_the_latest_reading_of_the_deadline() -> None:
    window = {**year(2024), "latest": "2025-07-31"}
    record = given(pledge(window=window))
    for day, state in (
        ("2025-06-30", "open"),
        ("2025-07-01", "due_soon"),
        ("2025-07-31", "due_soon"),
        ("2025-08-01", "overdue"),
    ):
        record.then(as_of=day, schedule=(state, state), status="overdue" if state == "overdue" else "announced")
    given(pledge()).then(as_of="2030-01-01", schedule=("no_deadline", "no_deadline"), status="announced")
    given(pledge(measurable=False, window=window)).then(as_of="2025-08-01", schedule=("overdue", "overdue"))


def test_a_deadline_that_moves_keeps_the_start_of_the_window() -> None:
    given(pledge(window=year(2024)), revised(window=until("2025-06-30"), stated_on="2024-06-01")).then(
        as_of="2024-06-01", window={"start": "2024-01-01", "end": "2025-06-30"}
    )
    given(pledge(window=year(2024)), revised(window=year(2025), stated_on="2024-06-01")).then(
        as_of="2024-06-01", window=year(2025)
    )
    for end, window in (("2023-12-31", until("2023-12-31")), ("2024-01-01", until("2024-01-01", start="2024-01-01"))):
        given(pledge(window=year(2024)), revised(window=until(end), stated_on="2024-06-01")).then(
            as_of="2024-06-01", window=window
        )
    given(pledge(window=year(2024)), revised(window={"text": "some day"}, stated_on="2024-06-01")).then(
        as_of="2024-06-01", window={"text": "some day"}, schedule=("no_deadline", "open")
    )
