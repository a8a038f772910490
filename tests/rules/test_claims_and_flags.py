"""The trajectory, what speakers claim, and the flags beside the status."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    corrected,
    exceeded,
    first_half,
    met,
    missed,
    pledge,
    progress,
    reached,
    reaffirmed,
    retracted,
    revised,
    source,
    statement,
    until,
    voided,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

# --- trajectory


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("20.9bn EUR", "on_track"),
        ("18bn EUR", "on_track"),
        ("17.8bn EUR", "behind"),
        ("21.8bn EUR", "on_track"),
        ("22bn EUR", "ahead"),
        ("over 22bn EUR", "ahead"),
        ("over 15bn EUR", "unknown"),
        ("up to 15bn EUR", "behind"),
        ("about 20bn EUR", "on_track"),
        ("about 18bn EUR", "unknown"),
    ],
)
def test_the_trajectory_compares_with_the_linear_share_of_the_window(words: str, expected: str) -> None:
    """182 of 366 days: 19.89bn of 40bn are expected by the end of June, and a tenth of it either way is on track."""
    window = {**year(2024), "latest": "2025-07-31"}
    given(pledge(window=window), progress(words, period=first_half(2024))).then(as_of="2024-07-01", trajectory=expected)


def test_the_trajectory_is_unknown_without_a_start_a_target_or_for_levels() -> None:
    half = {"period": first_half(2024)}
    given(pledge(window=until("2024-12-31")), progress("20bn EUR", **half)).then(
        as_of="2024-08-01", trajectory="unknown"
    )
    given(pledge(None, window=year(2024)), progress("20bn EUR", **half)).then(as_of="2024-08-01", trajectory="unknown")
    given(
        pledge("2 percent:gdp", kind="ratio", window=year(2024)), progress("1 percent:gdp", basis="level", **half)
    ).then(as_of="2024-08-01", trajectory="unknown")
    given(pledge(window=year(2024))).then(as_of="2024-08-01", trajectory="unknown")


def test_what_speakers_claim_of_the_trajectory_stands_beside_ours() -> None:
    claim = statement(trajectory="on_track", speaker={"name": "Minister"}, stated_on="2024-08-01")
    given(pledge(window=year(2024)), progress("10bn EUR", period=first_half(2024)), claim).then(
        as_of="2024-08-01",
        trajectory="behind",
        claimed_trajectory=[{"trajectory": "on_track", "speaker": {"name": "Minister"}, "event": claim}],
        status="in_progress",
    )


# --- claims and flags


@pytest.mark.parametrize(
    ("claim", "conflict", "status"),
    [
        (exceeded("40bn EUR"), True, "met"),
        (exceeded("at least 40bn EUR"), False, "met"),
        (exceeded("about 40bn EUR"), False, "indeterminate"),
        (met("39bn EUR"), True, "partly_met"),
        (met("about 40bn EUR"), False, "indeterminate"),
        (met("over 50bn EUR"), False, "exceeded"),
        (missed("41bn EUR"), True, "exceeded"),
        (missed("39bn EUR"), False, "partly_met"),
        (missed("0 EUR"), False, "missed"),
        (met("5bn EUR", attribution="Europe"), False, "announced"),
    ],
)
def test_the_figure_of_a_claim_decides_and_a_contradiction_is_flagged(claim: Any, conflict: bool, status: str) -> None:
    given(pledge(), claim).then(
        as_of="2025-02-12", status=status, **{"flag" if conflict else "no_flag": "assertion_conflict"}
    )


def test_the_figure_of_a_claim_is_final_unless_it_says_otherwise() -> None:
    promise = pledge(window=year(2024))
    early = {"period": first_half(2024), "stated_on": "2024-07-10"}
    given(promise, met("39bn EUR", **early)).then(as_of="2024-08-01", status="partly_met")
    given(promise, met("39bn EUR", final=False, **early)).then(as_of="2024-08-01", status="in_progress")


def test_a_claim_without_a_figure_is_unproven_until_a_figure_proves_it() -> None:
    promise = pledge(window=year(2024))
    for claim, words, proven in (
        (met(stated_on="2024-09-01"), "40bn EUR", True),
        (exceeded(stated_on="2024-09-01"), "40bn EUR", False),
        (exceeded(stated_on="2024-09-01"), "41bn EUR", True),
    ):
        given(promise, claim, progress(words, stated_on="2024-10-01")).then(
            as_of="2024-09-30", status="announced", flag="unproven_claim"
        ).then(as_of="2024-10-01", **{"no_flag" if proven else "flag": "unproven_claim"})


def test_provisional_is_flagged() -> None:
    report = progress("20bn EUR", nature="provisional")
    given(pledge(), report).then(as_of="2024-08-01", flags=["provisional", "single_source"])
    given(pledge(), report, progress("21bn EUR", stated_on="2024-07-02")).then(
        as_of="2024-08-01", no_flag="provisional"
    )


def test_stale_is_180_days_without_a_word_while_open() -> None:
    record = given(pledge(window=year(2025)), reaffirmed(stated_on="2024-03-01"))
    record.then(as_of="2024-08-27", no_flag="stale").then(as_of="2024-08-28", flag="stale", status="announced")
    record.accepts(statement(stated_on="2024-09-01")).then(as_of="2024-09-01", no_flag="stale")
    record.accepts(progress("50bn EUR", stated_on="2024-09-02")).then(as_of="2026-01-01", no_flag="stale")


def test_a_statement_that_moved_leaves_the_pledge_stale_where_it_was() -> None:
    promise, talk = pledge(window=year(2025)), statement(stated_on="2024-05-01")
    given(promise, talk, corrected(talk, {"stated_on": "2024-09-01"})).then(as_of="2024-07-08", flag="stale").then(
        as_of="2024-07-08", known_at="2024-12-31", no_flag="stale"
    )


def test_evidence_counts_origins_not_publishers() -> None:
    half = {"period": first_half(2024)}
    briefing = {"origin": "Ministry"}
    given(pledge()).then(as_of="2024-08-01", evidence="none")
    given(
        pledge(),
        progress("20bn EUR", source=source("A", **briefing), **half),
        progress("20bn EUR", source="Ministry", **half),
    ).then(as_of="2024-08-01", evidence="single_source", flag="single_source")
    given(pledge(), progress("20bn EUR", source="A", **half), progress("about 20bn EUR", source="B", **half)).then(
        as_of="2024-08-01", evidence="corroborated", no_flag="single_source"
    )
    given(pledge(), progress("20bn EUR", source="A"), progress("21bn EUR", source="B", stated_on="2024-07-02")).then(
        as_of="2024-08-01", evidence="single_source"
    )


@pytest.mark.parametrize(
    ("window", "day", "words", "expected"),
    [
        (until("2024-01-10", start="2024-01-01"), "2024-01-01", "4bn EUR", "on_track"),
        (until("2024-01-10", start="2024-01-01"), "2024-01-01", "4.4bn EUR", "on_track"),
        (until("2024-01-10", start="2024-01-01"), "2024-01-01", "3.6bn EUR", "on_track"),
        (until("2024-01-10", start="2024-01-01"), "2024-01-01", "4.41bn EUR", "ahead"),
        (until("2024-01-01", start="2024-01-01"), "2024-01-01", "36bn EUR", "on_track"),
        (until("2024-01-10", start="2024-01-02"), "2024-01-01", "4bn EUR", "unknown"),
    ],
)
def test_the_trajectory_counts_the_days_of_the_window_with_its_first_and_its_last(
    window: dict[str, str], day: str, words: str, expected: str
) -> None:
    given(pledge(window=window, stated_on="2024-01-01"), progress(words, stated_on=day)).then(
        as_of=day, trajectory=expected
    )


def test_a_claim_is_proven_by_what_kept_the_target_of_its_day() -> None:
    raised = revised(target="at least 60bn EUR", stated_on="2024-09-01")
    given(pledge(window=year(2024)), progress("45bn EUR"), met(stated_on="2024-07-05"), raised).then(
        as_of="2024-10-01", status="in_progress", no_flag="unproven_claim"
    )


def test_a_claim_that_more_was_done_is_not_proven_by_what_was_promised() -> None:
    record = given(pledge(window=year(2024)), progress("40bn EUR"), exceeded(stated_on="2024-07-05"))
    record.then(as_of="2024-10-01", status="met", flag="unproven_claim")


@pytest.mark.parametrize(("end", "is_stale"), [("2022-12-31", True), ("2023-01-01", False)])
def test_of_a_window_longer_than_three_years_nothing_need_be_said_for_longer(end: str, is_stale: bool) -> None:
    given(pledge(stated_on="2020-01-01", window=until(end, start="2020-01-01"))).then(
        as_of="2020-08-01", **{"flag" if is_stale else "no_flag": "stale"}
    )


def test_a_quarter_of_a_short_window_is_counted_in_whole_days() -> None:
    """The first quarter of 2024 has 91 days, of which 22 are a quarter."""
    record = given(pledge(stated_on="2024-01-01", window=until("2024-03-31", start="2024-01-01")))
    record.then(as_of="2024-03-08", schedule=("open", "open"))
    record.then(as_of="2024-03-09", schedule=("due_soon", "due_soon"))


@pytest.mark.parametrize("taking", ["voided", "retracted", "corrected"])
def test_what_took_a_later_statement_away_is_among_the_causes_of_being_stale(taking: str) -> None:
    promise, said = pledge(stated_on="2023-01-10"), statement(stated_on="2024-01-01")
    taken = {
        "voided": voided(said, stated_on="2024-02-01"),
        "retracted": retracted(said, stated_on="2024-02-01"),
        "corrected": corrected(said, {"stated_on": "2023-02-01"}, stated_on="2024-02-01"),
    }[taking]
    given(promise, said, taken).then(as_of="2026-08-01", flag="stale", because={"stale": [promise, said, taken]})


def test_a_step_beside_a_target_is_no_cause_of_the_headline() -> None:
    promise, report = pledge(), progress("20bn EUR")
    given(promise, report, reached("plan agreed", stated_on="2024-07-05")).then(
        as_of="2024-08-01", because={"status": [promise, report]}
    )


def test_what_took_a_statement_away_is_a_cause_of_being_stale_although_something_was_said_after_it() -> None:
    promise, said = pledge(stated_on="2023-01-10"), statement(stated_on="2024-01-01")
    back, later = retracted(said, stated_on="2024-02-01"), statement(stated_on="2024-03-01")
    given(promise, said, back, later).then(
        as_of="2026-08-01", flag="stale", because={"stale": [promise, said, back, later]}
    )
