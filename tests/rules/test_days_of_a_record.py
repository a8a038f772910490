"""The days of one record: which events had been said by a day, the stretches from a day on, what is due soon."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.facts import corrected, first_half, pledge, progress, scheduled, statement, year
from tests.support.given import Given, given
from tracker.rules.event_days import said_between, said_by
from tracker.rules.status import StatusFold

pytestmark = pytest.mark.usefixtures("every_record_holds")


def day(text: str) -> date:
    return date.fromisoformat(text)


def talk() -> tuple[Given, list[str]]:
    """A promise of January, and statements of the first of March, May and July; the second is moved to June."""
    second = statement(stated_on="2024-05-01")
    record = given(
        pledge(stated_on="2024-01-10"),
        statement(stated_on="2024-03-01"),
        second,
        statement(stated_on="2024-07-01"),
        corrected(second, {"stated_on": "2024-06-01"}),
    )
    return record, [event.id for event in record.events]


@pytest.mark.parametrize(
    ("as_of", "known"),
    [
        ("2024-01-09", []),
        ("2024-01-10", [0]),
        ("2024-02-29", [0]),
        ("2024-03-01", [0, 1]),
        ("2024-05-01", [0, 1, 4]),
        ("2024-06-01", [0, 1, 2, 4]),
        ("2024-07-01", [0, 1, 2, 3, 4]),
    ],
)
def test_what_had_been_said_by_a_day_includes_that_day(as_of: str, known: list[int]) -> None:
    """A correction that moves a statement acts from the earlier of its two days."""
    record, ids = talk()
    assert [event.id for event in said_by(record.events, day(as_of))] == [ids[number] for number in known]


def test_what_was_said_between_two_days_leaves_out_the_first_and_includes_the_last() -> None:
    record, ids = talk()
    found = said_between(record.events, day("2024-01-10"), day("2024-06-01"))
    assert [event.id for event in found] == [ids[1], ids[2], ids[4]]
    assert said_between(record.events, day("2024-03-01"), day("2024-03-01")) == []


def test_the_stretches_from_a_day_on_begin_with_that_day() -> None:
    record = given(
        pledge("at least 40bn EUR", window=year(2024)),
        progress("20.9bn EUR", period=first_half(2024), stated_on="2024-07-10"),
    )
    fold = StatusFold(record.events)
    since = day("2024-08-01")
    first, *rest = fold.segments(since)
    whole = [segment for segment in fold.segments() if segment.valid_to is None or segment.valid_to > since]
    assert (first.valid_from, first.valid_to) == (since, whole[0].valid_to)
    assert first.status.body == whole[0].status.body
    assert rest == whole[1:]


@pytest.mark.parametrize(("as_of", "state"), [("2024-02-13", "open"), ("2024-02-14", "due_soon")])
def test_steps_are_due_soon_by_the_start_of_the_window_although_only_they_say_when_it_ends(
    as_of: str, state: str
) -> None:
    """From January to February are 60 days, and a quarter of them is left on the 14th."""
    promise: Any = pledge(None, kind="milestone", window={"start": "2024-01-01"})
    given(promise, scheduled("law", due="2024-02")).then(as_of=as_of, schedule=(state, "no_deadline"))


def test_a_day_that_changes_nothing_ends_no_stretch_and_hides_none_after_it() -> None:
    """Once it is kept the deadline passes without a trace; what is said later still begins a stretch of its own."""
    record = given(
        pledge("at least 40bn EUR", window=year(2024)),
        progress("41bn EUR", period=first_half(2024), stated_on="2024-07-01"),
        progress("45bn EUR", period={"start": "2024-01-01", "end": "2025-06-30"}, stated_on="2025-08-01"),
    )
    fold = StatusFold(record.events)
    assert day("2025-01-01") in fold.boundaries()
    assert [(s.valid_from, s.valid_to, s.status.status) for s in fold.segments()] == [
        (day("2024-01-10"), day("2024-07-01"), "announced"),
        (day("2024-07-01"), day("2025-08-01"), "exceeded"),
        (day("2025-08-01"), None, "exceeded"),
    ]
