"""Deadlines that pass or move, conditions, instalments and periods. Hard cases of docs/hard-cases.md."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.facts import (
    condition,
    condition_reported,
    first_half,
    instalment,
    pledge,
    progress,
    reaffirmed,
    revised,
    statement,
    until,
    withdrawn,
    year,
    yearly,
)
from tests.support.given import given
from tests.support.hard_cases import case, half
from tracker.rules.status import StatusFold, complete

pytestmark = pytest.mark.usefixtures("every_record_holds")


@case(4)
def test_a_half_year_figure_does_not_decide_the_year() -> None:
    """Only the figure for six months is known when the last reading of the deadline has passed.

    Overdue, not missed: nobody has said how it ended.
    """
    given(
        pledge(window={**year(2024), "latest": "2025-07-31"}),
        progress("20.9bn EUR", **half()),
    ).then(as_of="2025-07-31", status="in_progress", schedule=("due_soon", "due_soon"), flag="stale").then(
        as_of="2025-08-01", status="overdue", actual="20.9bn EUR", schedule=("overdue", "overdue"), no_flag="stale"
    )


@case(17)
def test_a_moved_deadline_leaves_the_first_one_visible() -> None:
    """The deadline is moved from March to December; the target is reached in June.

    In between the first deadline is overdue, the one in force open, and the headline not overdue. Met in June, it is
    late by the first deadline and on time by the second.
    """
    promise = pledge(window=until("2024-03-31", start="2024-01-01"))
    moved = revised(window=until("2024-12-31"), stated_on="2024-03-01")
    given(promise, moved).then(
        as_of="2024-05-01",
        status="announced",
        schedule=("open", "overdue"),
        window=year(2024),
        original={"window": until("2024-03-31", start="2024-01-01")},
        past_targets=[],
    ).accepts(progress("41bn EUR", period=first_half(2024))).then(
        as_of="2024-07-01",
        status="exceeded",
        schedule=("kept_on_time", "kept_late"),
        flags=["late", "single_source"],
    )
    given(promise).then(as_of="2024-05-01", status="overdue", schedule=("overdue", "overdue"))


@case(18)
def test_a_promise_repeated_is_no_new_money() -> None:
    """At the next summit the promise is repeated.

    The target is the same, the actual too; only the date of the last statement changes.
    """
    record = given(
        pledge(window=year(2024)),
        progress("20.9bn EUR", **half()),
        reaffirmed(stated_on="2024-11-20"),
    )
    for day in ("2024-11-19", "2024-11-20"):
        record.then(as_of=day, status="in_progress", target="at least 40bn EUR", actual="20.9bn EUR", past_targets=[])
    record.then(as_of="2024-11-20", last_stated_on="2024-11-20", flags=["single_source"])


@case(19)
def test_the_promise_for_the_next_year_is_another_pledge() -> None:
    """35bn are promised for 2025 as well, and reported on.

    Another pledge with its own figures; none of them enters the one for 2024.
    """
    this = given(pledge(window=year(2024)), progress("20.9bn EUR", **half()), slug="aid-2024")
    following = given(
        pledge("35bn EUR", window=year(2025), stated_on="2024-12-04"),
        progress("20bn EUR", period=first_half(2025), stated_on="2025-07-10"),
        slug="aid-2025",
    )
    this.then(as_of="2025-08-01", actual="20.9bn EUR", target="at least 40bn EUR")
    following.then(as_of="2025-08-01", actual="20bn EUR", target="35bn EUR")


@case(34)
def test_a_deadline_passes_without_an_event() -> None:
    """The last reading of the deadline is 31 July 2025; nobody says anything.

    On 1 August the pledge is overdue, with the same events and another document, so another entity tag.
    """
    record = given(pledge(window={**year(2024), "latest": "2025-07-31"}), statement(stated_on="2025-07-01"))
    record.then(as_of="2025-07-31", status="announced", schedule=("due_soon", "due_soon"))
    record.then(as_of="2025-08-01", status="overdue", schedule=("overdue", "overdue"))
    bodies = [
        complete(status.body, as_of=day, known_at=None, position=2, version=2)
        for day in (date(2025, 7, 31), date(2025, 8, 1))
        if (status := StatusFold(record.events).status(day)) is not None
    ]
    assert bodies[0] != bodies[1]
    assert date(2025, 8, 1) in StatusFold(record.events).boundaries()
    assert record.history("2025-08-01")[-1] == (None, "2025-08-01", "announced", "overdue")


@case(47)
def test_a_deadline_extended_after_it_passed_is_a_new_question() -> None:
    """30bn of 40bn stand at the end of March; in May the deadline moves to December.

    In progress again, and the past target says partly met under March.
    """
    march = until("2024-03-31", start="2024-01-01")
    given(
        pledge(window=march),
        progress("30bn EUR", period=march, stated_on="2024-04-10"),
        revised(window=until("2024-12-31"), stated_on="2024-05-02"),
    ).then(as_of="2024-05-01", status="partly_met", schedule=("closed", "closed")).then(
        as_of="2024-05-02",
        status="in_progress",
        schedule=("open", "overdue"),
        no_flag="revised_after_close",
        past_targets=[{"target": "at least 40bn EUR", "window": march, "until": "2024-05-02", "status": "partly_met"}],
    )


@case(50)
def test_a_withdrawal_can_be_taken_back() -> None:
    """The pledge is withdrawn in May and reaffirmed in June.

    Withdrawn in between, active from June, flagged as reinstated.
    """
    given(pledge(window=year(2024)), withdrawn(stated_on="2024-05-02"), reaffirmed(stated_on="2024-06-03")).then(
        as_of="2024-05-02", status="withdrawn", lifecycle="withdrawn", schedule=("closed", "closed")
    ).then(as_of="2024-06-03", status="announced", lifecycle="active", flags=["reinstated"])


@case(51)
def test_what_is_paid_is_held_against_what_was_due() -> None:
    """Instalments of 10bn, 20bn and 70bn are promised; 10bn are paid by the eve of the second.

    On track until then; the day after the second was due, an instalment is overdue.
    """
    plan = [instalment("2024-03", "10bn EUR"), instalment("2024-06-30", "20bn EUR"), instalment("2024-12", "70bn EUR")]
    paid = progress("10bn EUR", period=until("2024-06-29", start="2024-01-01"), stated_on="2024-06-29")
    given(pledge("100bn EUR", window=year(2024), instalments=plan), paid).then(
        as_of="2024-06-30",
        trajectory="on_track",
        no_flag="instalment_overdue",
        instalments=[{"state": "paid"}, {"state": "open"}, {"due": "2024-12", "state": "open"}],
    ).then(
        as_of="2024-07-01",
        trajectory="on_track",
        flag="instalment_overdue",
        instalments=[{"state": "paid"}, {"state": "overdue"}, {"state": "open"}],
    )


@case(52)
def test_each_period_of_a_recurring_promise_is_judged_by_itself() -> None:
    """100bn a year are promised for 2020 to 2022; 83bn, 90bn and 116bn are reported.

    A broken period from 2021 on; in the end one of three is kept, so partly met.
    """
    reports = [
        progress(f"{amount}bn USD", period=year(y), stated_on=f"{y + 1}-02-01")
        for y, amount in ((2020, 83), (2021, 90), (2022, 116))
    ]
    promise = pledge("100bn USD", recurrence=yearly(2020, 2022), window=None, stated_on="2019-12-01")
    given(promise, *reports).then(as_of="2021-01-31", status="announced", no_flag="broken_period").then(
        as_of="2021-02-01", status="in_progress", flag="broken_period", actual="83bn USD", ratio="0.83"
    ).then(
        as_of="2023-02-01",
        status="partly_met",
        actual="116bn USD",
        periods=[{"status": "partly_met"}, {"status": "partly_met"}, {"status": "exceeded", "ratio": "1.16"}],
        periods_tally={"total": 3, "closed": 3, "kept": 1, "not_kept": 2, "unreported": 0, "undecided": 0},
    )


@case(53)
def test_a_conditional_promise_has_no_deadline() -> None:
    """40bn are promised on the condition that parliament agrees; the deadline passes, and then it does.

    Conditional without a deadline until then; once the condition is fulfilled, overdue.
    """
    given(
        pledge(window=year(2024), conditions=[condition("parliament")]),
        condition_reported("parliament", "fulfilled", stated_on="2025-03-01"),
    ).then(
        as_of="2025-02-28",
        status="conditional",
        schedule=("no_deadline", "no_deadline"),
        flags=["conditional"],
        conditions=[{"condition": "parliament", "state": "open"}],
    ).then(as_of="2025-03-01", status="overdue", schedule=("overdue", "overdue"), no_flag="conditional")


@case(54)
def test_a_party_that_merges_has_its_old_name_before() -> None:
    """The donor merges into another in September 2020.

    As of 2019 the promise is the old one's, afterwards the new one's.
    """
    old, new = {"name": "DFID", "code": "dfid"}, {"name": "FCDO", "code": "fcdo"}
    given(
        pledge(pledgor=old, stated_on="2019-01-10", window=year(2021)), revised(pledgor=new, stated_on="2020-09-02")
    ).then(as_of="2019-12-31", pledgor=old).then(as_of="2020-09-02", pledgor=new, no_flag="revised_target")
