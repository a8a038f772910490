"""Facts refused for their place in the stream or for the fact that they act on."""

from __future__ import annotations

import pytest

from tests.support.facts import (
    Posted,
    captured,
    corrected,
    exceeded,
    group,
    member,
    missed,
    pledge,
    progress,
    ranked,
    restated,
    retracted,
    share,
    statement,
    superseded,
    voided,
)
from tests.support.given import Given, given

pytestmark = pytest.mark.usefixtures("every_record_holds")

# --- the stream


def test_the_first_fact_of_a_pledge_is_its_making() -> None:
    Given().refuses(progress("1 EUR"), "not_opened", "/type")


def test_a_pledge_is_made_once() -> None:
    given(pledge()).refuses(pledge(), "pledge_exists")


def test_nothing_can_be_recorded_once_the_making_is_voided() -> None:
    promise = pledge()
    given(promise, voided(promise)).refuses(progress("1 EUR"), "already_voided", event=promise).refuses(
        pledge(), "pledge_exists"
    )


def test_a_pledge_cannot_take_its_own_place_or_be_its_own_part() -> None:
    given(pledge()).refuses(superseded("aid", stated_on="2024-03-01"), "invalid_fact", "/by")
    Given().refuses(pledge(part_of="aid"), "invalid_fact", "/part_of")


# --- references


def test_a_reference_is_to_an_event_of_this_pledge() -> None:
    elsewhere = progress("1bn EUR")
    given(pledge(), elsewhere, slug="other")
    here = given(pledge())
    for fact in (
        restated(elsewhere, "2bn EUR", stated_on="2024-08-01"),
        retracted(elsewhere, stated_on="2024-08-01"),
        corrected(elsewhere, {"summary": "x"}),
        voided(elsewhere),
        ranked(elsewhere, "preferred"),
        captured(elsewhere),
    ):
        here.refuses(fact, "unknown_event", "/event")
    here.refuses(share("some", "50 percent:aid", of=elsewhere), "unknown_event", "/of")


def refused_reference(fact: Posted, *others: Posted, pointer: str = "/event") -> None:
    given(*others).refuses(fact, "wrong_event_type", pointer)


def test_only_facts_with_a_figure_are_restated_ranked_or_shared_out() -> None:
    promise, talk, admission = pledge(), statement(stated_on="2024-03-01"), missed()
    for target in (promise, talk, admission):
        record = (promise, talk, admission)
        refused_reference(restated(target, "1bn EUR", stated_on="2025-03-01"), *record)
        refused_reference(ranked(target, "preferred"), *record)
        refused_reference(share("some", "50 percent:aid", of=target, stated_on="2025-03-01"), *record, pointer="/of")


def test_a_members_figure_and_a_restatement_can_be_restated_and_ranked() -> None:
    result = member("BE", "met", "2.1bn EUR")
    again = restated(result, "2.2bn EUR", stated_on="2025-03-01")
    given(
        pledge(group=group("BE FR", "aggregate")),
        result,
        again,
        restated(again, "2.3bn EUR", stated_on="2025-04-01"),
        ranked(again, "preferred"),
    )


def test_only_what_a_source_said_is_retracted_and_never_the_promise_itself() -> None:
    promise, report = pledge(), progress("1bn EUR")
    rank = ranked(report, "preferred")
    refused_reference(retracted(promise, stated_on="2024-08-01"), promise)
    refused_reference(retracted(rank, stated_on="2026-08-01"), promise, report, rank)


def test_corrections_and_voids_are_not_corrected_and_voids_not_voided() -> None:
    promise, report, wrong = pledge(), progress("1bn EUR"), progress("2bn EUR", stated_on="2024-08-01")
    mended, void = corrected(report, {"summary": "one"}), voided(wrong)
    record = (promise, report, wrong, mended, void)
    refused_reference(corrected(mended, {"reason": "two"}), *record)
    refused_reference(corrected(void, {"reason": "two"}), *record)
    refused_reference(voided(void), *record)
    given(*record, voided(mended))


def test_only_facts_with_a_source_are_captured() -> None:
    report = progress("1bn EUR")
    rank = ranked(report, "preferred")
    refused_reference(captured(rank), pledge(), report, rank)


def test_nothing_acts_on_what_is_voided() -> None:
    report = progress("1bn EUR")
    record = given(pledge(), report, voided(report))
    for fact in (voided(report), corrected(report, {"summary": "x"}), ranked(report, "preferred")):
        record.refuses(fact, "already_voided", "/event", event=report)
    record.refuses(share("some", "50 percent:aid", of=report), "already_voided", "/of", event=report)


def test_a_corrected_reference_still_points_back() -> None:
    """Otherwise two facts could act on each other for ever."""
    report = progress("1bn EUR")
    first = restated(report, "2bn EUR", stated_on="2024-08-01")
    second = restated(first, "3bn EUR", stated_on="2024-09-01")
    record = given(pledge(), report, first, second)
    record.refuses(corrected(first, {"event": second}), "unknown_event", "/changes/event")
    record.refuses(corrected(first, {"event": first}), "unknown_event", "/changes/event")
    record.refuses(corrected(first, {"event": pledge()}), "unknown_event", "/changes/event")


def test_a_share_may_be_corrected_to_a_figure_recorded_after_it() -> None:
    part, whole = share("some", "more than 50 percent:aid"), exceeded("over 50bn EUR")
    record = given(pledge(), part, whole, corrected(part, {"of": whole}))
    document = record.document("2025-02-12")
    assert document is not None
    assert document["shares"][0]["bound"] == {"op": "gt", "value": "25000000000", "unit": "EUR"}
