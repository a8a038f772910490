"""What was recorded, corrected, retracted or found late. Hard cases of docs/hard-cases.md."""

from __future__ import annotations

import pytest

from tests.support.facts import (
    corrected,
    first_half,
    pledge,
    progress,
    restated,
    retracted,
    source,
    voided,
    year,
)
from tests.support.given import given
from tests.support.hard_cases import annual, case, half

pytestmark = pytest.mark.usefixtures("every_record_holds")


@case(2)
def test_progress_from_before_the_promise_is_recorded() -> None:
    """The promise is made in July for the whole year; the report covers January to June.

    The report is accepted, and counts.
    """
    given(
        pledge(window=year(2024), stated_on="2024-07-31", precision="month"),
        progress("20.9bn EUR", **half()),
    ).then(as_of="2024-10-16", status="in_progress", actual="20.9bn EUR", period=first_half(2024)).does_not_exist(
        as_of="2024-07-30"
    )


@case(20)
def test_a_valuation_restated_by_its_source_holds_from_that_day_on() -> None:
    """41bn of at least 40bn are reported; in June the source values the same goods at 38bn.

    As of any day before, 41bn and exceeded; from that day on 38bn and partly met.
    """
    first = progress("41bn EUR", **annual())
    again = restated(first, "38bn EUR", **annual(stated_on="2025-06-15"))
    given(pledge(window=year(2024)), first, again).then(as_of="2025-06-14", status="exceeded", actual="41bn EUR").then(
        as_of="2025-06-15", status="partly_met", actual="38bn EUR", ratio="0.95"
    ).then(as_of="2025-06-15", known_at="2025-06-14", status="exceeded", actual="41bn EUR").figure(
        first, as_of="2025-06-15", quantity="38bn EUR", as_recorded={"quantity": "41bn EUR"}
    )


@case(21)
def test_a_typing_error_shows_only_before_it_was_corrected() -> None:
    """209bn are recorded where the source has 20.9bn; a year later the record is corrected.

    Known before the correction it is 209bn, known after it 20.9bn, on every day since it was said.
    """
    typed = progress("209bn EUR", **half())
    mended = corrected(typed, {"figure": {"quantity": {"value": "20900000000"}}}, stated_on="2025-10-01")
    record = given(pledge(window=year(2024)), typed, mended)
    for day in ("2024-10-16", "2025-10-01", "2026-01-01"):
        record.then(as_of=day, known_at="2025-09-30", status="exceeded", actual="209bn EUR")
        record.then(as_of=day, known_at="2025-10-01", actual="20.9bn EUR", ratio="0.5225")
        record.then(as_of=day, actual="20.9bn EUR")
    record.then(as_of="2024-10-15", actual=None).then(as_of="2024-10-15", known_at="2025-09-30", actual=None)


@case(22)
def test_a_statement_taken_back_is_gone_from_that_day() -> None:
    """A report of 20.9bn is retracted in December by who made it.

    Before that day it stands, from then on there is none; as known before, it still stands.
    """
    said = progress("20.9bn EUR", **half())
    given(pledge(window=year(2024)), said, retracted(said, stated_on="2024-12-01")).then(
        as_of="2024-11-30", status="in_progress", actual="20.9bn EUR"
    ).then(as_of="2024-12-01", status="announced", actual=None, evidence="retracted", flags=[]).then(
        as_of="2024-12-01", known_at="2024-11-30", status="in_progress", actual="20.9bn EUR"
    ).figure(said, as_of="2024-12-01", chosen=False, outcome="retracted")


@case(23)
def test_what_was_recorded_on_the_wrong_pledge_moves() -> None:
    """A report is recorded on one pledge and belongs to another.

    Voided on the one, naming where it went, and recorded on the other; nothing is erased.
    """
    there = given(pledge(window=year(2024)), moved := progress("20.9bn EUR", **half()), slug="aid")
    elsewhere = {"pledge": "aid", "event": there.id(moved)}
    wrong = progress("20.9bn EUR", **half())
    void = voided(wrong, recorded_as=elsewhere)
    here = given(pledge(window=year(2024)), wrong, void, slug="loans")
    here.then(as_of="2024-10-16", status="announced", actual=None, evidence="none")
    here.then(as_of="2024-10-16", known_at="2024-12-31", status="in_progress", actual="20.9bn EUR")
    here.figure(wrong, as_of="2024-10-16", chosen=False, outcome="voided")
    there.then(as_of="2024-10-16", status="in_progress", actual="20.9bn EUR")


@case(24)
def test_an_old_source_found_today_changes_the_past_and_not_what_was_known() -> None:
    """A report of October 2024 is found and recorded in March 2026.

    The status of November 2024 has it, as known now; as known in 2025 it has not.
    """
    given(
        pledge(window=year(2024)),
        progress("20.9bn EUR", **half(recorded="2026-03-01")),
    ).then(as_of="2024-11-01", status="in_progress", actual="20.9bn EUR").then(
        as_of="2024-11-01", known_at="2025-12-31", status="announced", actual=None
    ).then(as_of="2024-10-15", status="announced", actual=None)


@case(31)
def test_two_analysts_record_a_report_once() -> None:
    """Two analysts submit the same report of the same article.

    The second is refused as a duplicate, naming the event it repeats.
    """
    first = progress("20.9bn EUR", **half(source=source(url="https://news.example/1")))
    again = progress("EUR 20.9 billion", summary="other words", **half(source=source(url="https://news.example/1")))
    given(pledge(window=year(2024)), first).refuses(again, "duplicate_fact", event=first).then(
        as_of="2024-10-16", evidence="single_source", actual="20.9bn EUR"
    )
