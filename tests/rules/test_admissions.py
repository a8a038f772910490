"""An admission, `PledgeMissed` without a figure, and other claims without one, whatever answers (DOMAIN §6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    group,
    member,
    met,
    missed,
    pledge,
    progress,
    reached,
    revised,
    scheduled,
    tally,
    until,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

BOTH = group("BE FR")


@pytest.mark.parametrize(
    ("said", "status", "flag"),
    [
        ([], "missed", None),
        ([member("BE", "not_met", stated_on="2024-09-01")], "missed", None),
        ([member("BE", "met", stated_on="2024-09-01")], "partly_met", None),
        ([tally(met=1, not_met=1, stated_on="2024-09-01")], "partly_met", None),
        ([member(code, "met", stated_on="2024-09-01") for code in ("BE", "FR")], "met", "assertion_conflict"),
    ],
)
def test_an_admission_decides_a_group_by_what_its_members_did(said: list[Any], status: str, flag: str | None) -> None:
    told = given(pledge(None, kind="ratio", window=year(2024), group=BOTH), *said, missed(stated_on="2025-02-01"))
    told.then(as_of="2025-02-01", status=status, **({} if flag is None else {"flag": flag}))
    told.then(as_of="2025-01-31", status=status if flag else "partly_met" if status == "partly_met" else "overdue")


def test_an_admission_decides_a_group_while_its_window_is_open() -> None:
    made = pledge(None, kind="ratio", window=year(2024), group=BOTH)
    given(made, missed(stated_on="2024-06-01")).then(as_of="2024-06-01", status="missed", schedule=("closed", "closed"))
    given(made, member("BE", "met", stated_on="2024-05-01"), missed(stated_on="2024-06-01")).then(
        as_of="2024-05-01", status="in_progress"
    ).then(as_of="2024-06-01", status="partly_met")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ([], "missed"),
        ([reached("built", partly=True, stated_on="2024-05-01")], "partly_met"),
        ([reached("built", stated_on="2024-05-01")], "partly_met"),
    ],
)
def test_an_admission_decides_steps_by_those_that_were_reached(said: list[Any], status: str) -> None:
    steps = [scheduled(name, due="2024-12", stated_on="2024-02-01") for name in ("built", "manned")]
    made = pledge(None, kind="milestone", window=None)
    given(made, *steps, *said, missed(stated_on="2024-06-01")).then(as_of="2024-06-01", status=status).then(
        as_of="2024-05-31", status="in_progress" if said else "announced"
    )


def test_steps_that_are_all_reached_stand_against_an_admission() -> None:
    given(
        pledge(None, kind="milestone", window=None),
        scheduled("built", due="2024-12", stated_on="2024-02-01"),
        reached("built", stated_on="2024-05-01"),
        missed(stated_on="2024-06-01"),
    ).then(as_of="2024-06-01", status="met", flag="assertion_conflict")


def test_an_admission_is_held_against_the_figure_that_had_kept_the_target_of_its_day() -> None:
    record = given(
        pledge("at least 30bn EUR", window=year(2024)),
        progress("35bn EUR", stated_on="2024-07-01"),
        missed(stated_on="2024-08-01"),
        revised(target="at least 40bn EUR", stated_on="2024-09-01"),
    )
    record.then(as_of="2024-08-31", status="exceeded", flag="assertion_conflict")
    record.then(as_of="2024-10-01", status="in_progress", flag="assertion_conflict")


def test_what_ends_before_the_window_starts_proves_no_claim_about_an_earlier_target() -> None:
    given(
        pledge("at least 40bn EUR", window=year(2024)),
        progress("45bn EUR", period=until("2023-12-31", start="2023-07-01"), stated_on="2024-02-01"),
        met(stated_on="2024-08-01"),
        revised(target="at least 50bn EUR", stated_on="2024-09-01"),
    ).then(as_of="2024-10-01", status="announced", flag="unproven_claim")


def test_members_of_a_group_that_is_judged_as_one_contradict_no_admission() -> None:
    promise = pledge("at least 40bn EUR", window=year(2024), group=group("BE FR", "aggregate"))
    reports = [member(code, "met", stated_on="2024-09-01") for code in ("BE", "FR")]
    given(promise, *reports, missed(stated_on="2025-02-01")).then(
        as_of="2025-02-01", status="missed", no_flag="assertion_conflict"
    )


def test_an_admission_is_held_against_the_figure_in_the_currency_of_its_day() -> None:
    given(
        pledge("at least 30bn EUR", window=year(2024)),
        progress("35bn EUR", stated_on="2024-07-01"),
        missed(stated_on="2024-08-01"),
        revised(target="at least 60bn USD", stated_on="2024-09-01"),
    ).then(as_of="2024-10-01", status="in_progress", flag="assertion_conflict")


def test_a_level_of_the_whole_window_stands_against_an_admission() -> None:
    given(
        pledge("at least 2 percent:gdp", kind="ratio", window=year(2024)),
        progress("3 percent:gdp", basis="level", period=year(2024), stated_on="2025-01-20"),
        missed(stated_on="2025-02-01"),
    ).then(as_of="2025-02-01", status="exceeded", flag="assertion_conflict")


def test_a_figure_of_the_whole_contradicts_no_admission_that_not_every_member_kept_it() -> None:
    promise = pledge("at least 2 percent:gdp", kind="ratio", window=year(2024), group=BOTH)
    whole = progress("2.5 percent:gdp", basis="level", final=True, stated_on="2025-01-20")
    given(promise, whole, member("BE", "met", stated_on="2025-01-20"), missed(stated_on="2025-02-01")).then(
        as_of="2025-02-01", status="partly_met", no_flag="assertion_conflict"
    )


def test_a_figure_that_was_final_before_the_target_was_raised_proves_nothing_about_the_raised_one() -> None:
    record = given(
        pledge("at least 2 percent:gdp", kind="ratio", window=year(2024)),
        progress("3 percent:gdp", basis="level", final=True, stated_on="2024-06-01"),
        revised(target="at least 2.5 percent:gdp", stated_on="2024-07-01"),
        missed(stated_on="2024-08-01"),
        met(stated_on="2024-09-01", source="Other"),
    )
    record.then(as_of="2024-06-30", status="exceeded")
    record.then(as_of="2024-08-01", status="partly_met", no_flag="assertion_conflict")
    record.then(as_of="2024-09-01", flag="unproven_claim")
