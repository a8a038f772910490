"""Pledges of named steps."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.facts import (
    Posted,
    corrected,
    group,
    not_reached,
    pledge,
    progress,
    reached,
    revised,
    scheduled,
    until,
    voided,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")


def steps(**more: Any) -> Posted:
    """A promise of named steps."""
    return pledge(None, kind="milestone", **more)


def test_it_is_met_when_every_scheduled_step_is_reached() -> None:
    given(
        steps(),
        scheduled("Law"),
        scheduled("Office"),
        reached("law", stated_on="2024-03-01"),
        reached("  OFFICE ", stated_on="2024-05-01"),
    ).then(as_of="2024-02-29", status="announced").then(
        as_of="2024-03-01", status="in_progress", milestones=[{"state": "reached"}, {"state": "scheduled"}]
    ).then(as_of="2024-05-01", status="met", schedule=("no_deadline", "no_deadline"))


def test_it_is_partly_met_when_the_window_closed_with_some() -> None:
    window = until("2024-06-30")
    given(steps(window=window), scheduled("law"), scheduled("office"), reached("law", stated_on="2024-03-01")).then(
        as_of="2024-06-30", status="in_progress", schedule=("due_soon", "due_soon")
    ).then(as_of="2024-07-01", status="partly_met", schedule=("closed", "closed"))
    given(steps(window=window), scheduled("law"), reached("law", partly=True, stated_on="2024-03-01")).then(
        as_of="2024-03-01", status="in_progress", milestones=[{"state": "partly_reached"}]
    ).then(as_of="2024-07-01", status="partly_met")
    given(steps(window=window), scheduled("law")).then(as_of="2024-07-01", status="overdue")
    given(steps(window=window), scheduled("law"), not_reached("law", stated_on="2024-07-01")).then(
        as_of="2024-07-01", status="missed"
    )


def test_without_a_window_the_last_due_is_the_deadline() -> None:
    record = given(steps(), scheduled("law", due="2024-03"), scheduled("office", due="2024-Q2"))
    record.then(as_of="2024-03-31", status="announced", no_flag="late")
    record.then(as_of="2024-04-01", status="announced", flag="late", schedule=("open", "no_deadline"))
    record.then(as_of="2024-06-30", schedule=("due_soon", "no_deadline")).then(
        as_of="2024-07-01", status="overdue", schedule=("overdue", "no_deadline"), no_flag="late"
    )


def test_a_step_that_was_never_scheduled_leaves_the_deadline_to_those_that_were() -> None:
    given(steps(), scheduled("law", due="2024-06"), reached("office", stated_on="2024-02-05")).then(
        as_of="2024-06-30", status="in_progress"
    ).then(as_of="2024-07-01", status="partly_met")


@pytest.mark.parametrize(
    ("due", "last"),
    [
        ("2025", "2025-12-31"),
        ("2025-H1", "2025-06-30"),
        ("2025-Q3", "2025-09-30"),
        ("2024-02", "2024-02-29"),
        ("2025-02-13", "2025-02-13"),
    ],
)
def test_a_fuzzy_due_lasts_until_its_last_day(due: str, last: str) -> None:
    record = given(steps(), scheduled("law", due=due))
    record.then(as_of=last, status="announced", milestones=[{"due": due, "late": False}])
    day_after = str(date.fromisoformat(last) + timedelta(days=1))
    record.then(as_of=day_after, status="overdue", milestones=[{"due": due, "late": True}], no_flag="late")


def test_the_last_step_makes_the_pledge_overdue_before_the_window_closes_and_others_do_not() -> None:
    window = until("2024-12-31")
    given(steps(window=window), scheduled("law", due="2024-03"), scheduled("office", due="2024-06")).then(
        as_of="2024-04-01", status="announced", flag="late"
    ).then(as_of="2024-07-01", status="overdue")
    given(
        steps(window=window),
        scheduled("law", due="2024-03"),
        scheduled("office", due="2024-06"),
        reached("office", stated_on="2024-05-01"),
    ).then(as_of="2024-07-01", status="in_progress", flag="late").then(as_of="2025-01-01", status="partly_met")


def test_a_step_reached_after_its_first_due_is_late() -> None:
    given(
        steps(),
        scheduled("law", due="2024-03"),
        scheduled("law", due="2024-06", stated_on="2024-03-15"),
        reached("law", on="2024-04-30", stated_on="2024-05-01"),
    ).then(
        as_of="2024-04-15", status="announced", no_flag="late", milestones=[{"due": "2024-06", "first_due": "2024-03"}]
    ).then(as_of="2024-05-01", status="met", flag="late", schedule=("kept_on_time", "no_deadline"))
    soon = reached("law", stated_on="2024-05-01")
    given(steps(), scheduled("law", due="2024-03"), soon).then(as_of="2024-05-01", status="met", no_flag="late")
    undated = reached("law", on="2024-07", stated_on="2024-08-01")
    given(steps(window=until("2024-06-30")), scheduled("law"), undated).then(
        as_of="2024-08-01", status="met", flag="late", schedule=("kept_late", "kept_late")
    )
    given(steps(), scheduled("law", due="2024-03"), reached("law", stated_on="2024-03-31")).then(
        as_of="2024-04-01", status="met", no_flag="late"
    )


def test_the_last_word_on_a_step_counts() -> None:
    given(
        steps(),
        scheduled("law"),
        not_reached("law", stated_on="2024-03-01"),
        reached("law", stated_on="2024-05-01"),
    ).then(as_of="2024-03-01", status="missed", milestones=[{"state": "missed"}]).then(as_of="2024-05-01", status="met")
    given(steps(), scheduled("law"), not_reached("law", partly=True, stated_on="2024-03-01")).then(
        as_of="2024-03-01", status="partly_met"
    )


def test_a_step_that_was_never_scheduled_counts_once_it_is_reported() -> None:
    given(steps(), reached("law", stated_on="2024-03-01")).then(as_of="2024-02-29", status="not_measurable").then(
        as_of="2024-03-01", status="met"
    )


def test_qualitative_pledges_may_have_steps_and_money_is_decided_by_its_figure() -> None:
    given(pledge(None, kind="qualitative"), scheduled("law"), reached("law", stated_on="2024-03-01")).then(
        as_of="2024-03-01", status="met"
    )
    given(pledge(), scheduled("law"), reached("law", stated_on="2024-03-01")).then(
        as_of="2024-03-01", status="announced", milestones=[{"state": "reached"}]
    )


def test_the_steps_of_what_is_not_measurable_give_it_no_deadline() -> None:
    path = pledge(None, kind="qualitative", measurable=False)
    given(path, scheduled("law", due="2024-03")).then(
        as_of="2024-05-01", status="not_measurable", schedule=("no_deadline", "no_deadline"), flags=[]
    )


@pytest.mark.parametrize(("stated_on", "status"), [("2024-06-30", "partly_met"), ("2024-07-01", "met")])
def test_a_step_that_is_scheduled_on_the_last_day_of_the_window_is_needed_and_later_ones_are_not(
    stated_on: str, status: str
) -> None:
    given(
        steps(window=until("2024-06-30")),
        scheduled("law"),
        reached("law", stated_on="2024-03-01"),
        scheduled("office", stated_on=stated_on),
    ).then(as_of="2024-07-01", status=status)


@pytest.mark.parametrize(
    ("stated_on", "past"),
    [("2024-06-30", []), ("2024-07-01", [{"window": {"end": "2024-06-30"}, "status": "announced"}])],
)
def test_a_window_that_is_given_after_the_last_step_was_due_leaves_what_stood_before(
    stated_on: str, past: list[dict[str, Any]]
) -> None:
    """On the day itself the steps are not yet closed; what stood is the answer of the evening before."""
    given(steps(), scheduled("law", due="2024-06"), revised(window=until("2024-12-31"), stated_on=stated_on)).then(
        as_of="2024-08-01", past_targets=past
    )


def test_a_step_that_is_scheduled_on_the_day_of_a_new_window_is_needed() -> None:
    given(
        steps(window=until("2024-06-30")),
        scheduled("law"),
        reached("law", stated_on="2024-03-01"),
        revised(window=until("2024-12-31"), stated_on="2024-08-01"),
        scheduled("office", stated_on="2024-08-01"),
    ).then(as_of="2024-07-31", status="met").then(as_of="2024-08-01", status="in_progress")


def test_a_step_that_waits_is_late_as_long_as_the_window_is_open() -> None:
    record = given(steps(window=until("2024-12-31")), scheduled("law", due="2024-03"), scheduled("office"))
    record.then(as_of="2024-03-31", no_flag="late").then(as_of="2024-04-01", flag="late")
    record.then(as_of="2024-12-31", status="announced", flag="late")
    record.then(as_of="2025-01-01", status="overdue", no_flag="late")


@pytest.mark.parametrize(
    "facts",
    [
        [steps(), scheduled("law")],
        [pledge(None, kind="qualitative"), scheduled("law")],
        [pledge(window=until("2024-12-31"), group=group("BE CA"))],
    ],
)
def test_a_figure_is_a_report_although_steps_or_members_decide(facts: list[Posted]) -> None:
    given(*facts).then(as_of="2024-06-30", status="announced", actual=None)
    given(*facts, progress("1bn EUR")).then(as_of="2024-07-01", status="in_progress", actual="1bn EUR")


def test_a_figure_of_a_group_is_provisional_although_its_members_decide() -> None:
    given(pledge(window=until("2024-12-31"), group=group("BE CA")), progress("1bn EUR", nature="provisional")).then(
        as_of="2024-07-01", flags=["provisional", "single_source"]
    )


def test_steps_that_do_not_decide_close_nothing() -> None:
    given(pledge(), scheduled("law", due="2024-03"), revised(target="at least 50bn EUR", stated_on="2024-06-01")).then(
        as_of="2024-07-01", target="at least 50bn EUR", flags=["revised_target"]
    )


def test_money_without_a_target_that_has_steps_is_judged_by_them() -> None:
    given(
        pledge(None, window=until("2024-12-31")),
        scheduled("the fund is open", stated_on="2024-02-01"),
        reached("the fund is open", stated_on="2024-06-01"),
    ).then(as_of="2024-06-01", status="met")


@pytest.mark.parametrize("kind", ["milestone", "qualitative"])
@pytest.mark.parametrize(("said", "status"), [(reached, "met"), (not_reached, "missed")])
def test_steps_decide_although_a_target_is_left_of_a_correction_that_was_voided(
    kind: str, said: Any, status: str
) -> None:
    """While the pledge was corrected to be about money it was given a target; the correction was voided since."""
    promise = pledge(None, kind=kind, window=year(2024))
    to_money = corrected(promise, {"kind": "money"}, stated_on="2024-02-01")
    raised, back = revised(target="at least 40bn EUR", stated_on="2024-03-01"), voided(to_money)
    step = said("law", stated_on="2024-05-01")
    record = given(promise, to_money, raised, back, step)
    record.then(as_of="2025-06-01", status=status, answers_by="steps")
    document = record.document("2025-06-01")
    assert document is not None
    assert record.id(step) in document["because"]["status"]
