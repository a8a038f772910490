"""The steps by which a status came about, the report on its figures, and what never changes it."""

from __future__ import annotations

import pytest

from tests.support.facts import (
    assessed,
    captured,
    corrected,
    exceeded,
    first_half,
    pledge,
    progress,
    quarter,
    reaffirmed,
    statement,
    tally,
    until,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")
MADE = pledge(window=until("2025-12-31"))
"""A promise until the end of 2025, made on 2024-01-10."""

# --- beside the status


def test_captures_and_assessments_never_change_the_status() -> None:
    report = progress("20bn EUR")
    record = given(MADE, report)
    before = record.document("2024-08-01")
    record.accepts(captured(report)).accepts(assessed("stalled", stated_on="2024-07-15"))
    after = record.document("2024-08-01")
    assert before is not None
    assert after is not None
    assert after["assessment"]["rating"] == "stalled"
    assert after["assessment"]["rubric_version"] == "3"
    unchanged = [name for name in before if name not in ("because", "last_stated_on")]
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}
    record.accepts(assessed("in the works", stated_on="2024-07-20")).then(
        as_of="2024-08-01", assessment={"rating": "in the works"}
    ).then(as_of="2024-07-16", assessment={"rating": "stalled"}).then(as_of="2024-07-14", assessment=None)


# --- history


def test_history_on_the_as_of_axis_is_in_the_order_in_which_things_act() -> None:
    report = progress("209bn EUR", stated_on="2024-10-16", period=first_half(2024))
    found = progress("5bn EUR", stated_on="2024-06-01", period=quarter(1, of=2024), recorded="2026-03-01")
    mended = corrected(report, {"figure": {"quantity": {"value": "20900000000"}}})
    record = given(pledge(window=year(2024)), report, found, mended)
    assert record.history("2025-03-01") == [
        ("PledgeMade", "2024-01-10", None, "announced"),
        ("ProgressReported", "2024-06-01", "announced", "in_progress"),
        ("ProgressReported", "2024-10-16", "in_progress", "exceeded"),
        ("EventCorrected", "2024-10-16", "exceeded", "in_progress"),
        (None, "2024-12-01", "in_progress", "in_progress"),
        (None, "2025-01-01", "in_progress", "overdue"),
    ]
    assert record.steps("2025-03-01")[4].changed == ("schedule",)
    assert [step[0] for step in record.history("2024-06-01")] == ["PledgeMade", "ProgressReported"]


def test_history_on_the_known_axis_is_in_the_order_of_recording() -> None:
    report = progress("209bn EUR", stated_on="2024-10-16", period=first_half(2024))
    found = progress("5bn EUR", stated_on="2024-06-01", period=quarter(1, of=2024), recorded="2026-03-01")
    mended = corrected(report, {"figure": {"quantity": {"value": "20900000000"}}})
    record = given(pledge(window=year(2024)), report, found, mended)
    assert record.history("2025-03-01", "known") == [
        ("PledgeMade", "2025-03-01", None, "overdue"),
        ("ProgressReported", "2025-03-01", "overdue", "exceeded"),
        ("ProgressReported", "2025-03-01", "exceeded", "exceeded"),
        ("EventCorrected", "2025-03-01", "exceeded", "overdue"),
    ]


def test_a_deadline_that_passes_on_the_day_of_a_statement_is_not_laid_at_its_door() -> None:
    record = given(pledge(window=year(2024)), statement(stated_on="2025-01-01"))
    assert record.history("2025-01-01")[-2:] == [
        (None, "2025-01-01", "announced", "overdue"),
        ("StatementMade", "2025-01-01", "overdue", "overdue"),
    ]


def test_events_of_one_day_are_told_one_by_one() -> None:
    day = {"stated_on": "2025-02-12"}
    half = progress("30bn EUR", period=first_half(2024), **day)
    record = given(pledge(window=year(2024)), half, exceeded("over 50bn EUR"), reaffirmed(**day))
    assert record.history("2025-02-12")[-3:] == [
        ("ProgressReported", "2025-02-12", "overdue", "overdue"),
        ("PledgeExceeded", "2025-02-12", "overdue", "exceeded"),
        ("PledgeReaffirmed", "2025-02-12", "exceeded", "exceeded"),
    ]


def test_a_correction_that_moves_a_statement_stands_with_it() -> None:
    report = progress("20bn EUR", stated_on="2024-07-01")
    record = given(pledge(), report, corrected(report, {"stated_on": "2024-05-01"}))
    assert [(name, day) for name, day, _, _ in record.history("2024-12-31") if name] == [
        ("PledgeMade", "2024-01-10"),
        ("ProgressReported", "2024-05-01"),
        ("EventCorrected", "2024-05-01"),
    ]


# --- reports


def test_the_figures_report_says_why_each_figure_counts_or_not() -> None:
    first, second = progress("20bn EUR", period=first_half(2024)), progress("30bn EUR", stated_on="2024-10-01")
    record = given(pledge(window=year(2025)), first, second, tally(met=1))
    assert [(row["outcome"], row["why"]) for row in record.figures("2024-12-01")] == [
        ("before_window", "its period ends before the window starts on 2025-01-01"),
        ("chosen", "first in the order of rank, comparability, period end, nature, tier, exactness, date and version"),
    ]
    later = progress("31bn EUR", stated_on="2024-11-01")
    record.accepts(later).figure(second, as_of="2024-12-01", why=f"{record.id(later)} goes before it by a later period")


def test_the_figures_report_follows_the_corrected_date() -> None:
    report = progress("20bn EUR", stated_on="2024-07-01")
    record = given(MADE, report, corrected(report, {"stated_on": "2024-05-01"}))
    record.figure(report, as_of="2024-05-01", stated_on="2024-05-01", chosen=True, as_recorded=None)
    later = given(MADE, report, corrected(report, {"stated_on": "2024-09-01"}))
    assert later.figures("2024-07-01") == []


def test_windows_of_text_alone_have_no_deadline() -> None:
    given(pledge(window={"text": "as long as it takes"}), progress("1bn EUR", period=until("2024-06-30"))).then(
        as_of="2030-01-01", status="in_progress", schedule=("no_deadline", "no_deadline")
    )
