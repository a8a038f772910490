"""Corrections, voids, restatements, retractions and ranks, alone and over one another, on both clocks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.facts import (
    captured,
    corrected,
    exceeded,
    first_half,
    pledge,
    progress,
    ranked,
    reached,
    reaffirmed,
    restated,
    retracted,
    revised,
    scheduled,
    share,
    source,
    statement,
    until,
    voided,
    year,
)
from tests.support.given import given
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusFold

pytestmark = pytest.mark.usefixtures("every_record_holds")
MADE = pledge(window=until("2025-12-31"))
"""A promise until the end of 2025, made on 2024-01-10."""


def acts_from(record: Any, posted: Any) -> str:
    """The day from which an event acts, by the events up to it."""
    event = next(e for e in record.events if e.id == record.id(posted))
    return StatusFold(record.events[: event.version]).acts_from(event).isoformat()


# --- precision


@pytest.mark.parametrize(
    ("precision", "first_day"),
    [
        ("day", "2024-05-10"),
        ("month", "2024-05-31"),
        ("quarter", "2024-06-30"),
        ("half", "2024-06-30"),
        ("year", "2024-12-31"),
    ],
)
def test_an_imprecise_statement_is_in_force_from_the_last_day_it_can_mean(precision: str, first_day: str) -> None:
    day_before = date.fromordinal(date.fromisoformat(first_day).toordinal() - 1).isoformat()
    report = progress("20bn EUR", stated_on="2024-05-10", precision=precision)
    given(MADE, report).then(as_of=day_before, actual=None).then(
        as_of=first_day, actual="20bn EUR", last_stated_on="2024-05-10"
    )
    given(pledge(stated_on="2024-05-10", precision=precision)).does_not_exist(as_of=day_before).then(
        as_of=first_day, status="announced"
    )


def test_a_correction_of_the_precision_acts_from_the_earlier_of_the_two_days() -> None:
    report = progress("20bn EUR", stated_on="2024-05-10", precision="year")
    mended = corrected(report, {"precision": "month"})
    record = (
        given(MADE, report, mended)
        .then(as_of="2024-05-31", actual="20bn EUR")
        .then(as_of="2024-05-31", known_at="2024-12-31", actual=None)
    )
    assert acts_from(record, mended) == "2024-05-31"


def test_what_was_said_before_the_promise_shows_once_the_promise_exists() -> None:
    given(
        pledge(stated_on="2024-03-01", window=year(2025)), progress("20bn EUR", stated_on="2024-02-01")
    ).does_not_exist(as_of="2024-02-29").then(as_of="2024-03-01", actual="20bn EUR")


# --- corrections


def test_a_correction_patches_and_leaves_the_rest() -> None:
    report = progress(
        "over 20bn EUR", period=first_half(2024), stage="committed", source=source(url="https://news.example/1")
    )
    record = given(MADE, report, corrected(report, {"figure": {"quantity": {"value": "21000000000"}, "period": None}}))
    record.then(as_of="2024-07-01", actual="over 21bn EUR", stage="committed", period=None)
    document = record.document("2024-07-01")
    assert document is not None
    assert "text" not in document["actual"]


def test_a_correction_keeps_the_words_it_gives() -> None:
    report = progress("over 20bn EUR")
    changes = {"figure": {"quantity": {"value": "21000000000", "text": "over €21bn"}}}
    given(MADE, report, corrected(report, changes)).then(
        as_of="2024-07-01", actual={"value": "21000000000", "text": "over €21bn"}
    )


def test_a_correction_may_be_in_words() -> None:
    report = progress("209bn EUR")
    given(MADE, report, corrected(report, {"figure": {"quantity": "20.9bn EUR"}})).then(
        as_of="2024-07-01", actual="20.9bn EUR"
    )


def test_a_moved_date_acts_from_the_earlier_of_the_two() -> None:
    report = progress("20bn EUR", stated_on="2024-07-01")
    for new, first in (("2024-05-01", "2024-05-01"), ("2024-09-01", "2024-07-01")):
        mended = corrected(report, {"stated_on": new})
        record = given(MADE, report, mended)
        assert acts_from(record, mended) == first
        record.then(as_of=new, actual="20bn EUR").then(as_of="2024-07-01", known_at="2024-12-31", actual="20bn EUR")
    given(MADE, report, corrected(report, {"stated_on": "2024-09-01"})).then(as_of="2024-08-31", actual=None)


def test_a_second_correction_stands_on_the_first() -> None:
    report = progress("209bn EUR", stated_on="2024-07-01")
    first = corrected(report, {"stated_on": "2024-06-01", "figure": {"quantity": {"value": "20900000000"}}})
    second = corrected(report, {"stated_on": "2024-08-01"}, recorded="2026-07-01")
    record = given(MADE, report, first, second)
    assert acts_from(record, first) == "2024-06-01"
    assert acts_from(record, second) == "2024-06-01"
    record.then(as_of="2024-08-01", actual="20.9bn EUR").then(as_of="2024-07-31", actual=None)
    record.then(as_of="2024-06-01", known_at="2026-06-30", actual="20.9bn EUR")
    record.then(as_of="2024-07-01", known_at="2026-05-31", actual="209bn EUR")


def test_voiding_a_correction_brings_back_what_it_changed_and_keeps_the_others() -> None:
    report = progress("209bn EUR", stated_on="2024-07-01")
    moved = corrected(report, {"stated_on": "2024-09-01", "precision": "month"})
    again = corrected(report, {"stated_on": "2024-06-01"})
    amount = corrected(report, {"figure": {"quantity": {"value": "20900000000"}}})
    undo, undo_too = voided(moved), voided(again)
    record = given(MADE, report, moved, again, amount, undo, undo_too)
    assert acts_from(record, again) == "2024-06-30"
    assert acts_from(record, undo) == "2024-06-01"
    assert acts_from(record, undo_too) == "2024-06-01"
    record.then(as_of="2024-07-01", actual="20.9bn EUR").then(as_of="2024-06-30", actual=None)


def test_a_void_of_a_correction_of_a_rank_acts_from_the_figures_it_touched() -> None:
    early, late = progress("20bn EUR", stated_on="2024-05-01"), progress("30bn EUR", stated_on="2024-07-01")
    rank = ranked(late, "deprecated")
    moved = corrected(rank, {"event": early})
    undo = voided(moved)
    record = given(MADE, early, late, rank, moved)
    assert acts_from(record, moved) == "2024-05-01"
    record.then(as_of="2024-05-01", actual=None).then(as_of="2024-07-01", actual="30bn EUR")
    record.accepts(undo).then(as_of="2024-05-01", actual="20bn EUR").then(as_of="2024-07-01", actual="20bn EUR")
    assert acts_from(record, undo) == "2024-05-01"


def test_the_making_can_be_corrected_and_voided() -> None:
    promise = pledge(window=year(2025), stated_on="2024-03-01")
    record = given(promise, progress("20bn EUR"))
    record.accepts(corrected(promise, {"stated_on": "2024-02-01", "target": {"value": "50000000000"}}))
    record.then(as_of="2024-02-01", target="at least 50bn EUR").then(as_of="2024-07-01", ratio="0.4", past_targets=[])
    record.does_not_exist(as_of="2024-02-01", known_at="2025-01-01")
    record.accepts(voided(promise)).does_not_exist(as_of="2024-07-01")
    record.then(as_of="2024-07-01", known_at="2025-01-01", status="in_progress")


def test_revisions_milestones_tallies_and_statements_can_be_corrected() -> None:
    new = revised(target="at least 60bn EUR", stated_on="2024-05-01")
    claim = statement(trajectory="on_track", stated_on="2024-05-02")
    given(MADE, new, claim, corrected(new, {"target": {"value": "50000000000"}})).accepts(
        corrected(claim, {"trajectory": "behind"})
    ).then(as_of="2024-06-01", target="at least 50bn EUR", claimed_trajectory=[{"trajectory": "behind"}])
    step = scheduled("base", due="2024-03")
    given(pledge(None, kind="milestone"), step, corrected(step, {"due": "2024-06"})).then(
        as_of="2024-05-01", status="announced", milestones=[{"due": "2024-06", "late": False}]
    )


# --- voids


def test_a_void_removes_the_fact_and_everything_that_acted_on_it() -> None:
    report = progress("20bn EUR")
    again = restated(report, "21bn EUR", stated_on="2024-08-01")
    record = given(MADE, report, again, ranked(report, "preferred"), captured(report), voided(report))
    record.then(as_of="2024-09-01", status="announced", actual=None, evidence="none")
    record.figure(report, as_of="2024-09-01", outcome="voided").figure(again, as_of="2024-09-01", outcome="restatement")


def test_a_void_of_a_restatement_or_a_retraction_undoes_it() -> None:
    report = progress("20bn EUR")
    again, back = restated(report, "21bn EUR", stated_on="2024-08-01"), retracted(report, stated_on="2024-09-01")
    given(MADE, report, again, back).then(as_of="2024-08-01", actual="21bn EUR").then(
        as_of="2024-09-01", actual=None, evidence="retracted"
    ).accepts(voided(back)).then(as_of="2024-09-01", actual="21bn EUR").accepts(voided(again)).then(
        as_of="2024-09-01", actual="20bn EUR"
    ).then(as_of="2024-08-01", known_at="2026-05-31", actual="21bn EUR")


def test_a_void_of_a_rank_undoes_it() -> None:
    first, second = progress("20bn EUR"), progress("30bn EUR", stated_on="2024-08-01")
    rank = ranked(first, "preferred")
    given(MADE, first, second, rank).then(as_of="2024-08-01", actual="20bn EUR").accepts(voided(rank)).then(
        as_of="2024-08-01", actual="30bn EUR"
    )


# --- restatements


def test_the_latest_restatement_stands_from_its_own_day() -> None:
    report = progress("20bn EUR", period=first_half(2024))
    given(
        MADE,
        report,
        restated(report, "22bn EUR", period=first_half(2024), stated_on="2024-10-01"),
        restated(report, "21bn EUR", period=first_half(2024), stated_on="2024-09-01"),
    ).then(as_of="2024-08-31", actual="20bn EUR").then(as_of="2024-09-01", actual="21bn EUR").then(
        as_of="2024-10-01", actual="22bn EUR"
    )


def test_a_restatement_can_itself_be_restated_corrected_and_retracted() -> None:
    report = progress("20bn EUR")
    first = restated(report, "21bn EUR", stated_on="2024-08-01")
    second = restated(first, "22bn EUR", stated_on="2024-09-01")
    record = given(MADE, report, first, second)
    record.then(as_of="2024-08-01", actual="21bn EUR").then(as_of="2024-09-01", actual="22bn EUR")
    record.accepts(corrected(second, {"stated_on": "2024-10-01"})).then(as_of="2024-09-30", actual="21bn EUR")
    record.accepts(retracted(second, stated_on="2024-11-01")).then(as_of="2024-10-31", actual="22bn EUR")
    record.then(as_of="2024-11-01", actual="21bn EUR").accepts(retracted(first, stated_on="2024-12-01"))
    record.then(as_of="2024-12-01", actual="20bn EUR", evidence="single_source")


def test_a_figure_without_a_period_stays_on_its_day_however_it_is_restated() -> None:
    december = progress("48bn EUR", stated_on="2024-12-01")
    january = progress("33bn EUR", stated_on="2025-01-15")
    given(MADE, december, january, restated(december, "32bn EUR", stated_on="2025-02-01")).then(
        as_of="2025-02-01", actual="33bn EUR", no_flag="falling_total"
    )


def test_a_rank_of_a_restatement_ranks_the_figure_from_the_day_of_the_restatement() -> None:
    first, second = progress("20bn EUR"), progress("30bn EUR", stated_on="2024-07-15")
    again = restated(first, "21bn EUR", stated_on="2024-09-01")
    given(MADE, first, second, again, ranked(again, "preferred")).then(as_of="2024-08-31", actual="30bn EUR").then(
        as_of="2024-09-01", actual="21bn EUR"
    )


def test_members_figures_are_restated_too() -> None:
    whole = exceeded("over 50bn EUR")
    part = share("Europe", "more than 50 percent:aid", of=whole)
    given(MADE, whole, part, restated(whole, "over 60bn EUR", stated_on="2025-03-01")).then(
        as_of="2025-03-01", shares=[{"bound": "over 30bn EUR", "derived": True}]
    ).then(as_of="2025-02-12", shares=[{"bound": "over 25bn EUR"}])


# --- retractions


def test_a_retraction_that_is_retracted_takes_nothing_back() -> None:
    report = progress("20bn EUR")
    back = retracted(report, stated_on="2024-08-01")
    given(MADE, report, back, retracted(back, stated_on="2024-09-01")).then(as_of="2024-08-31", actual=None).then(
        as_of="2024-09-01", actual="20bn EUR"
    )


def test_a_retracted_revision_reaffirmation_or_milestone_is_gone() -> None:
    more, moved = revised(target="at least 60bn EUR", stated_on="2024-03-01"), reaffirmed(stated_on="2024-03-02")
    given(MADE, more, moved, retracted(more, stated_on="2024-04-01")).then(
        as_of="2024-04-01", target="at least 40bn EUR", past_targets=[], no_flag="revised_target"
    )
    done = reached("base", stated_on="2024-03-01")
    given(pledge(None, kind="milestone"), scheduled("base"), done, retracted(done, stated_on="2024-04-01")).then(
        as_of="2024-03-31", status="met"
    ).then(as_of="2024-04-01", status="announced")


def test_a_retraction_of_record_keeping_undoes_it_from_its_own_day() -> None:
    """A correction made on the word of a source that takes it back."""
    report = progress("209bn EUR")
    mended = corrected(report, {"figure": {"quantity": {"value": "20900000000"}}}, source="Ministry")
    record = given(MADE, report, mended, retracted(mended, stated_on="2024-09-01", recorded="2026-07-01"))
    record.then(as_of="2024-08-31", actual="20.9bn EUR").then(as_of="2024-09-01", actual="209bn EUR")
    gone = voided(report, source="Ministry")
    given(MADE, report, gone, retracted(gone, stated_on="2024-09-01", recorded="2026-07-01")).then(
        as_of="2024-08-31", actual=None
    ).then(as_of="2024-09-01", actual="209bn EUR")
    other = progress("30bn EUR", stated_on="2024-07-02")
    rank = ranked(report, "preferred", source="Ministry")
    given(MADE, report, other, rank, retracted(rank, stated_on="2024-09-01", recorded="2026-07-01")).then(
        as_of="2024-08-31", actual="209bn EUR"
    ).then(as_of="2024-09-01", actual="30bn EUR")


def test_a_void_of_a_retraction_of_a_void_voids_again() -> None:
    report = progress("20bn EUR")
    gone = voided(report, source="Ministry")
    back = retracted(gone, stated_on="2024-09-01", recorded="2026-07-01")
    given(MADE, report, gone, back, voided(back, recorded="2026-08-01")).then(as_of="2024-10-01", actual=None).then(
        as_of="2024-10-01", known_at="2026-07-31", actual="20bn EUR"
    )


def test_a_retraction_moved_by_a_correction_acts_from_its_new_day() -> None:
    report = progress("20bn EUR")
    back = retracted(report, stated_on="2024-10-01")
    mended = corrected(back, {"stated_on": "2024-08-01"})
    record = given(MADE, report, back, mended)
    assert acts_from(record, mended) == "2024-08-01"
    record.then(as_of="2024-08-01", actual=None).then(as_of="2024-08-01", known_at="2025-01-01", actual="20bn EUR")


def test_a_retraction_corrected_to_another_statement() -> None:
    right, wrong = progress("20bn EUR"), progress("30bn EUR", stated_on="2024-07-02")
    back = retracted(wrong, stated_on="2024-08-01")
    given(MADE, right, wrong, back, corrected(back, {"event": right})).then(as_of="2024-08-01", actual="30bn EUR").then(
        as_of="2024-08-01", known_at="2025-01-01", actual="20bn EUR"
    )


def test_a_figure_names_all_that_made_it_what_it_is() -> None:
    report = progress("209bn EUR")
    mended = corrected(report, {"figure": {"quantity": "20.9bn EUR"}})
    first = restated(report, "21bn EUR", stated_on="2024-08-01")
    second = restated(first, "22bn EUR", stated_on="2024-09-01")
    rank = ranked(second, "preferred")
    record = given(MADE, report, mended, first, second, rank)
    view = PledgeHistory(record.events).view(date(2024, 10, 1))
    assert view is not None
    (found,) = [item for item in view.items if item.id == record.id(report)]
    assert found.causes == tuple(record.id(posted) for posted in (report, mended, first, second, rank))
