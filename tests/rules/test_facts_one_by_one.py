"""A record that grows by one fact at a time answers as one that is read as a whole, whatever was asked in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from tests.support.facts import (
    Posted,
    assessed,
    corrected,
    first_half,
    group,
    member,
    pledge,
    progress,
    restated,
    retracted,
    revised,
    share,
    statement,
    year,
    yearly,
)
from tests.support.given import Given, given
from tracker.event import Event
from tracker.facts import MemberReported, ProgressReported
from tracker.rules.explanations import attestation
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusFold, derive

MADE = pledge("at least 40bn EUR", window=year(2024))


def day(text: str) -> date:
    return date.fromisoformat(text)


def grown(events: Sequence[Event]) -> StatusFold:
    """The fold of the events taken in one by one, asked for all its statuses after each."""
    fold = StatusFold(())
    for event in events:
        fold = fold.followed_by(event)
        fold.segments()
    return fold


# --- one by one, or all at once

WHOLE = progress("20bn EUR", period=first_half(2024), stated_on="2024-07-01")
RECORDS: dict[str, list[Posted]] = {
    "two reports of one day": [
        progress("10bn EUR", stated_on="2024-07-01"),
        progress("41bn EUR", stated_on="2024-09-01"),
        statement(stated_on="2024-07-01"),
        statement(stated_on="2024-09-01"),
    ],
    "an earlier report that is found later": [
        progress("41bn EUR", stated_on="2024-09-01"),
        progress("10bn EUR", stated_on="2024-05-01"),
        statement(stated_on="2024-06-01"),
    ],
    "a share of a report": [
        WHOLE,
        share("Europe", "more than 50 percent:aid", of=WHOLE, stated_on="2024-08-01"),
        statement(stated_on="2024-09-01"),
    ],
    "an assessment": [
        progress("10bn EUR", stated_on="2024-07-01"),
        assessed("stalled", stated_on="2024-08-01"),
        statement(stated_on="2024-07-15"),
    ],
    "a milder target, and a report of the time before it that is found later": [
        revised(target="at least 30bn EUR", stated_on="2024-06-01"),
        progress("41bn EUR", stated_on="2024-05-31"),
    ],
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_grew_fact_by_fact_says_what_it_says_as_a_whole(name: str) -> None:
    record = given(MADE, *RECORDS[name])
    fold, whole = grown(record.events), StatusFold(record.events)
    assert fold.boundaries() == whole.boundaries()
    assert fold.deadlines() == whole.deadlines()
    assert fold.segments() == whole.segments()


def test_a_report_of_the_eve_that_is_found_later_tells_how_the_target_had_been_answered_by_then() -> None:
    record = given(MADE, *RECORDS["a milder target, and a report of the time before it that is found later"])
    for known, status in ((2, "announced"), (3, "exceeded")):
        found = grown(record.events[:known]).status(day("2024-08-01"))
        assert found is not None
        assert [past["status"] for past in found.document["past_targets"]] == [status]


def test_without_a_fact_there_is_no_stretch_of_any_status() -> None:
    assert StatusFold(()).segments() == []


# --- the days on which a status may change


def test_a_day_on_which_a_deadline_passes_and_something_is_said_counts_once() -> None:
    record = given(MADE, statement(stated_on="2025-01-01"))
    found = StatusFold(record.events).boundaries()
    assert found.count(day("2025-01-01")) == 1
    assert found == sorted(set(found))


def test_what_a_document_has_whatever_the_day_is_made_once_until_something_is_said() -> None:
    record = given(MADE, progress("10bn EUR", stated_on="2024-07-01"), statement(stated_on="2025-02-01"))
    fold = StatusFold(record.events)
    found = [fold.status(day(on)) for on in ("2024-07-01", "2025-01-01", "2025-02-01")]
    outlines = [status.outline for status in found if status is not None]
    assert outlines[0] is outlines[1]
    assert outlines[2] is not outlines[1]


def test_the_figure_of_a_period_is_shown_once_the_period_has_begun() -> None:
    record = given(
        pledge("at least 10bn EUR", recurrence=yearly(2024)),
        progress("8bn EUR", period=year(2024), stated_on="2024-07-01"),
        progress("20bn EUR", period=year(2025), stated_on="2024-07-02"),
    )
    fold = StatusFold(record.events)
    found = [fold.status(day(on)) for on in ("2024-12-31", "2025-01-01")]
    assert [status and (str(status.ratio), status.trajectory) for status in found] == [
        ("80 %", "behind"),
        ("200 %", "ahead"),
    ]


# --- what is named, and in what order


def reversed_ids(record: Given) -> list[Event]:
    """The events of a record with ids whose order is not that of recording."""
    return [replace(event, id=str(UUID(int=1000 - event.version))) for event in record.events]


def test_causes_are_named_in_the_order_of_recording_whatever_their_ids() -> None:
    events = reversed_ids(given(MADE, progress("10bn EUR"), progress("41bn EUR", stated_on="2024-09-01")))
    status = derive(events, day("2024-10-01"))
    assert status is not None
    assert status.because["status"] == (events[0].id, events[2].id)


def test_what_attests_a_status_is_named_in_the_order_of_recording_whatever_its_ids() -> None:
    events = reversed_ids(given(MADE, *(progress("10bn EUR", source=name) for name in ("News", "Other"))))
    assert attestation(events, day("2024-10-01")).events == (events[1].id, events[2].id)


def test_what_was_corrected_to_act_on_another_fact_acts_on_both() -> None:
    report, result = progress("20bn EUR"), member("FR", "met", "3bn EUR", stated_on="2024-07-01")
    of_report = restated(report, "21bn EUR", stated_on="2024-08-01")
    of_result = restated(result, "4bn EUR", stated_on="2024-08-01")
    back = retracted(of_report, stated_on="2024-09-01")
    record = given(
        pledge(group=group("FR DE")), report, result, of_report, of_result, back, corrected(back, {"event": of_result})
    )
    view = PledgeHistory(record.events).view(day("2024-10-01"))
    assert view is not None
    assert record.id(back) in view.acting_on(ProgressReported)
    assert record.id(back) in view.acting_on(MemberReported)


def test_a_day_has_its_own_causes_whatever_day_was_asked_before() -> None:
    promise = pledge("at least 10bn EUR", window=None, recurrence=yearly(2024), measurable=False)
    reports = [
        progress(words, period=year(number), stated_on=said)
        for words, number, said in (("8bn EUR", 2024, "2024-07-01"), ("20bn EUR", 2025, "2024-07-02"))
    ]
    events = given(promise, *reports).events
    fold = StatusFold(events)
    assert fold.status(day("2024-12-31")) == StatusFold(events).status(day("2024-12-31"))
    assert fold.status(day("2025-01-01")) == StatusFold(events).status(day("2025-01-01"))
