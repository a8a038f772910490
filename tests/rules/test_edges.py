"""Headline, schedule, evidence and claims at their edges, found by changing the rules one by one (`make mutate`)."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.support.facts import (
    Posted,
    corrected,
    exceeded,
    first_half,
    group,
    member,
    met,
    missed,
    not_reached,
    pledge,
    progress,
    reached,
    revised,
    scheduled,
    statement,
    tally,
    until,
    year,
)
from tests.support.given import given
from tracker.rules.status import complete, derive

ONE = reached("one", stated_on="2024-05-01", source="News")
ONE_AGAIN = reached("one", stated_on="2024-06-01", source="Other")
TWO = reached("two", stated_on="2024-07-01", source="News")
NOT_TWO = not_reached("two", stated_on="2024-08-01", source="Other")
TWO_TOO_LATE = not_reached("two", stated_on="2025-02-01", source="News")
THREE = scheduled("three", stated_on="2024-02-01", source="Third")


@pytest.mark.parametrize(
    ("steps", "as_of", "status", "schedule", "evidence"),
    [
        ([ONE], "2024-06-10", "met", "kept_on_time", "single_source"),
        ([ONE, ONE_AGAIN], "2024-06-10", "met", "kept_on_time", "corroborated"),
        ([THREE, ONE], "2024-06-10", "in_progress", "open", "single_source"),
        ([ONE, ONE_AGAIN, TWO], "2024-07-10", "met", "kept_on_time", "single_source"),
        ([ONE, ONE_AGAIN, TWO, NOT_TWO], "2024-08-10", "in_progress", "open", "single_source"),
        ([ONE, ONE_AGAIN, TWO, NOT_TWO], "2025-01-10", "partly_met", "closed", "single_source"),
        ([THREE, ONE], "2025-01-10", "partly_met", "closed", "single_source"),
        ([ONE, TWO_TOO_LATE], "2025-03-01", "partly_met", "closed", "single_source"),
        ([NOT_TWO], "2025-01-10", "missed", "closed", "single_source"),
        ([THREE], "2024-06-10", "announced", "open", "none"),
        ([THREE], "2025-01-10", "overdue", "overdue", "none"),
    ],
)
def test_milestones_by_what_is_decided_of_them(
    steps: list[Posted], as_of: str, status: str, schedule: str, evidence: str
) -> None:
    promise = pledge(None, kind="milestone", window=until("2024-12-31"))
    given(promise, *steps).then(as_of=as_of, status=status, schedule=(schedule, schedule), evidence=evidence)


BE = member("BE", "met", stated_on="2024-06-01")
CA = member("CA", "met", stated_on="2024-07-01")
FR = member("FR", "met", stated_on="2025-02-01")
FR_LATE = member("FR", "met", on="2025-01-15", stated_on="2025-02-01")
FR_MUCH_LATER = member("FR", "met", stated_on="2025-07-01")
NOT = [member(code, "not_met", stated_on="2024-06-01") for code in ("BE", "CA", "FR")]


@pytest.mark.parametrize(
    ("reports", "as_of", "status", "schedule"),
    [
        ([], "2024-06-10", "announced", "open"),
        ([BE], "2024-06-10", "in_progress", "open"),
        ([BE], "2025-01-10", "partly_met", "closed"),
        ([BE, CA], "2024-08-01", "met", "kept_on_time"),
        ([BE, CA, NOT[2]], "2025-01-10", "met", "kept_on_time"),
        ([BE, CA, member("FR", "not_met", stated_on="2025-02-01")], "2025-03-01", "met", "kept_on_time"),
        ([BE, CA, FR], "2025-03-01", "exceeded", "kept_on_time"),
        ([BE, FR], "2025-03-01", "met", "kept_on_time"),
        ([BE, FR_LATE], "2025-03-01", "met", "kept_late"),
        ([BE, FR_MUCH_LATER], "2025-08-01", "met", "kept_late"),
        ([tally(met=2, stated_on="2024-09-01")], "2025-01-10", "met", "kept_on_time"),
        ([tally(met=2, on="2025-01", stated_on="2025-02-01")], "2025-03-01", "met", "kept_late"),
        ([tally(members_met=["BE", "CA"], stated_on="2024-09-01"), FR], "2025-03-01", "met", "kept_on_time"),
        (NOT, "2025-01-10", "missed", "closed"),
        (NOT[:1], "2025-01-10", "overdue", "overdue"),
    ],
)
def test_a_count_is_reached_on_the_day_of_the_last_member_that_was_needed(
    reports: list[Posted], as_of: str, status: str, schedule: str
) -> None:
    promise = pledge(None, kind="ratio", window=until("2024-12-31"), group=group("BE CA FR", "count_at_least", count=2))
    given(promise, *reports).then(as_of=as_of, status=status, schedule=(schedule, schedule))


@pytest.mark.parametrize(
    ("reports", "as_of", "status", "schedule"),
    [
        ([BE, CA], "2024-08-01", "in_progress", "open"),
        ([BE, CA], "2025-01-10", "partly_met", "closed"),
        ([BE, CA, NOT[2]], "2025-01-10", "partly_met", "closed"),
        ([BE, CA, FR], "2025-03-01", "met", "kept_on_time"),
        (NOT, "2025-01-10", "missed", "closed"),
        (NOT[:1], "2025-01-10", "overdue", "overdue"),
    ],
)
def test_each_member_is_asked_at_the_close(reports: list[Posted], as_of: str, status: str, schedule: str) -> None:
    promise = pledge(None, kind="ratio", window=until("2024-12-31"), group=group("BE CA FR"))
    given(promise, *reports).then(as_of=as_of, status=status, schedule=(schedule, schedule))


@pytest.mark.parametrize(
    ("claim", "figure", "unproven"),
    [
        (met, "39bn EUR", True),
        (met, "40bn EUR", False),
        (met, "41bn EUR", False),
        (met, "50bn UAH", True),
        (exceeded, "39bn EUR", True),
        (exceeded, "40bn EUR", True),
        (exceeded, "41bn EUR", False),
        (exceeded, "50bn UAH", True),
    ],
)
def test_a_bare_claim_is_proven_by_what_it_claims(claim: Any, figure: str, unproven: bool) -> None:
    flags = {"single_source"} | ({"unproven_claim"} if unproven else set())
    said = claim(stated_on="2024-08-01")
    given(pledge(window=year(2024)), progress(figure, period=first_half(2024)), said).then(
        as_of="2024-09-01", flags=flags
    )


@pytest.mark.parametrize(
    ("claim", "figure", "unproven"),
    [
        (met, "39bn EUR", True),
        (met, "40bn EUR", False),
        (exceeded, "40bn EUR", True),
        (exceeded, "41bn EUR", False),
        (met, "50bn UAH", True),
    ],
)
def test_a_bare_claim_answers_the_target_of_its_day(claim: Any, figure: str, unproven: bool) -> None:
    said = claim(stated_on="2024-08-01")
    raised = revised(target="at least 60bn EUR", stated_on="2024-09-01")
    given(pledge(window=year(2024)), progress(figure, period=first_half(2024)), said, raised).then(
        as_of="2024-10-01", status="in_progress", **{"flag" if unproven else "no_flag": "unproven_claim"}
    )


@pytest.mark.parametrize(
    ("claim", "figure", "conflict"),
    [
        (met, "3 count:plants", True),
        (met, "2 count:plants", False),
        (exceeded, "2 count:plants", True),
        (exceeded, "1 count:plants", False),
        (missed, "3 count:plants", False),
        (missed, "2 count:plants", True),
        (missed, "1 count:plants", True),
    ],
)
def test_a_claim_about_less_is_contradicted_by_more(claim: Any, figure: str, conflict: bool) -> None:
    promise = pledge("up to 2 count:plants", kind="count", direction="down", window=year(2024))
    given(promise, claim(figure)).then(as_of="2025-03-01", **{"flag" if conflict else "no_flag": "assertion_conflict"})


@pytest.mark.parametrize(
    ("figure", "status"), [("1 EUR", "partly_met"), ("0 EUR", "missed"), ("up to 0.5 EUR", "partly_met")]
)
def test_an_admission_is_missed_only_if_nothing_came(figure: str, status: str) -> None:
    given(pledge(window=year(2024)), progress(figure, period=first_half(2024)), missed()).then(
        as_of="2025-03-01", status=status
    )


def test_everybody_of_a_group_without_a_deadline_has_met_it_on_the_last_report() -> None:
    promise = pledge(None, kind="ratio", group=group("BE CA"))
    record = given(promise, BE, CA)
    record.then(as_of="2024-05-01", status="announced").then(as_of="2024-06-01", status="in_progress")
    record.then(as_of="2024-07-01", status="met", evidence="single_source")


@pytest.mark.parametrize(
    ("reports", "evidence"),
    [
        ([BE, CA], "single_source"),
        ([BE, CA, tally(met=2, source="Other")], "corroborated"),
        ([BE, CA, tally(met=2, source="News")], "single_source"),
        ([BE, CA, tally(met=1, source="Other")], "single_source"),
        ([BE, CA, tally(met=2, source="Other", nature="projection")], "single_source"),
        ([tally(met=2, source="Other"), tally(met=2, source="Third")], "corroborated"),
    ],
)
def test_a_groups_result_is_corroborated_by_another_origin_with_the_same_count(
    reports: list[Posted], evidence: str
) -> None:
    promise = pledge(None, kind="ratio", window=until("2024-12-31"), group=group("BE CA"))
    given(promise, *reports).then(as_of="2025-03-01", evidence=evidence)


@pytest.mark.parametrize(
    ("target", "trajectory"), [("at least 10bn EUR", "on_track"), ("under 10bn EUR", "on_track"), ("0 EUR", "ahead")]
)
def test_the_first_day_of_the_window_counts_as_elapsed(target: str, trajectory: str) -> None:
    promise = pledge(target, window=until("2024-01-10", start="2024-01-01"))
    figure = progress("1bn EUR", period=until("2024-01-01"), stated_on="2024-01-10")
    given(promise, figure).then(as_of="2024-01-10", trajectory=trajectory)


def test_what_took_a_statement_away_is_why_it_is_stale() -> None:
    promise, talk = pledge(stated_on="2024-01-10"), statement(stated_on="2024-06-01")
    moved = corrected(talk, {"stated_on": "2024-02-01"})
    given(promise, talk, moved).then(as_of="2024-08-01", flags=["stale"], because={"stale": [promise, talk, moved]})


@pytest.mark.parametrize("known_at", [None, datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)])
def test_a_body_is_completed_with_the_clocks(known_at: datetime | None) -> None:
    record = given(pledge())
    status = derive(record.events, date(2025, 3, 1))
    assert status is not None
    body = complete(status.body, as_of=date(2025, 3, 1), known_at=known_at, position=7, version=1)
    known = None if known_at is None else "2025-01-02T03:04:05.678901Z"
    clocks = {"as_of": "2025-03-01", "known_at": known, "position": 7, "version": 1}
    assert json.loads(body) == json.loads(status.body) | clocks
