"""Groups of members."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    Posted,
    corrected,
    first_half,
    group,
    member,
    met,
    missed,
    pledge,
    progress,
    reached,
    restated,
    retracted,
    revised,
    scheduled,
    tally,
    voided,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")
WINDOW = year(2024)


def each(members: str = "BE FR DE", window: Any = WINDOW, **more: Any) -> Posted:
    """Two percent of GDP in 2024, promised by each member."""
    return pledge("at least 2 percent:gdp", kind="ratio", window=window, group=group(members, **more))


def verdicts(*codes: str, verdict: str = "met", **more: Any) -> list[Posted]:
    """The same verdict on some members."""
    return [member(code, verdict, **more) for code in codes]


# --- each member


def test_it_is_in_progress_while_the_window_is_open_even_if_all_met_it() -> None:
    given(each(), *verdicts("BE", "FR", "DE", stated_on="2024-06-01")).then(
        as_of="2024-05-31", status="announced"
    ).then(as_of="2024-12-31", status="in_progress", members={"met": 3}).then(
        as_of="2025-01-01", status="met", schedule=("kept_on_time", "kept_on_time")
    )


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([*verdicts("BE", "FR", "DE")], "met"),
        ([*verdicts("BE", "FR"), *verdicts("DE", verdict="not_met")], "partly_met"),
        ([*verdicts("BE", "FR", "DE", verdict="not_met")], "missed"),
        ([*verdicts("BE", "FR")], "partly_met"),
        ([*verdicts("BE", "FR", verdict="not_met")], "overdue"),
        ([], "overdue"),
        ([*verdicts("BE", "FR"), *verdicts("DE", verdict="opted_out")], "met"),
        ([*verdicts("BE", "FR"), *verdicts("DE", verdict="not_applicable")], "met"),
        ([*verdicts("BE", "FR"), *verdicts("DE", verdict="not_reported")], "partly_met"),
        ([tally(met=3)], "met"),
        ([tally(met=2, not_met=1)], "partly_met"),
        ([tally(met=0, not_met=3)], "missed"),
        ([tally(not_met=3)], "missed"),
        ([tally(met=1, not_met="about 1 count:members")], "partly_met"),
        ([tally(met=2)], "partly_met"),
        ([tally(not_met=1)], "overdue"),
        ([tally(not_met=1), *verdicts("BE")], "partly_met"),
        ([tally(met="two-thirds of members")], "partly_met"),
        ([tally(met=3, nature="projection")], "overdue"),
    ],
)
def test_after_the_window_the_members_decide(facts: list[Posted], status: str) -> None:
    given(each(), *facts).then(as_of="2025-02-01", status=status)


def test_without_a_window_all_members_have_met_it_or_it_goes_on() -> None:
    given(each(window=None), *verdicts("BE", "FR")).then(as_of="2030-01-01", status="in_progress").accepts(
        member("DE", "met", stated_on="2025-03-01")
    ).then(as_of="2025-03-01", status="met", schedule=("no_deadline", "no_deadline"))


def test_a_later_report_of_a_member_replaces_the_earlier_one() -> None:
    given(
        each(),
        member("BE", "not_met", stated_on="2025-01-10"),
        member("BE", "met", stated_on="2025-03-01"),
        member("BE", "not_met", stated_on="2025-02-01"),
    ).then(as_of="2025-02-28", members={"met": 0, "not_met": 1}).then(
        as_of="2025-03-01", members={"met": 1, "not_met": 0, "not_reported": 2}
    )


def test_a_report_goes_before_what_the_group_says_of_a_member() -> None:
    record = given(each(opted_out=["DE"]), member("DE", "met"))
    record.then(as_of="2025-02-01", members={"eligible": 3, "opted_out": 0, "met": 1})
    assert record.members("2025-01-31") == {"BE": "not_reported", "FR": "not_reported", "DE": "opted_out"}
    assert record.members("2025-02-01")["DE"] == "met"


def test_a_projected_member_result_is_no_result() -> None:
    given(
        each(),
        member("BE", "met", nature="projection"),
        member("FR", "met", {"op": "eq", "value": "2.1", "unit": "percent:gdp"}, nature=None),
    ).then(as_of="2025-02-01", members={"met": 1, "not_reported": 2})


def test_a_members_figure_is_never_the_groups() -> None:
    report = member("BE", "met", "2.1 percent:gdp", basis="level")
    given(each(), report).then(as_of="2025-02-01", actual=None).figure(report, as_of="2025-02-01", outcome="member")


def test_a_result_that_its_own_figure_contradicts_is_flagged() -> None:
    given(each(), member("BE", "met", "1.9 percent:gdp", basis="level")).then(
        as_of="2025-02-01", flag="assertion_conflict"
    )
    given(each(), member("BE", "not_met", "2 percent:gdp", basis="level")).then(
        as_of="2025-02-01", flag="assertion_conflict"
    )
    given(each(), member("BE", "not_met", "about 2 percent:gdp", basis="level")).then(
        as_of="2025-02-01", no_flag="assertion_conflict"
    )


# --- tallies


def test_a_complete_set_of_rows_beats_a_tally() -> None:
    given(each(), tally(met=3), *verdicts("BE", "FR"), *verdicts("DE", verdict="not_met")).then(
        as_of="2025-02-01", status="partly_met", members={"met": 2, "not_met": 1}, flag="tally_mismatch"
    )


def test_partial_rows_never_override_a_tally() -> None:
    given(each(), tally(met=2, not_met=1), *verdicts("BE")).then(
        as_of="2025-02-01", members={"met": 2, "not_met": 1, "not_reported": 0}, no_flag="tally_mismatch"
    )


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        (tally(met=1), verdicts("BE", "FR")),
        (tally(members_met=["BE"]), verdicts("BE", verdict="not_met")),
        (tally(members_not_met=["BE"]), verdicts("BE")),
        (tally(met=2, total=4), []),
        (tally(met=2, not_met=0, not_applicable=0), [*verdicts("BE", "FR"), *verdicts("DE", verdict="not_applicable")]),
    ],
)
def test_rows_and_tally_that_cannot_both_be_right_are_flagged(said: Posted, rows: list[Posted]) -> None:
    given(each(), said, *rows).then(as_of="2025-02-01", flag="tally_mismatch")


def test_a_tally_counts_no_more_members_than_are_bound() -> None:
    for said, pointer in (
        (tally(met=3, not_met=1), "/not_met"),
        (tally(met=4), "/met"),
        (tally(met="at least 4 count:members"), "/met"),
        (tally(met=3, not_applicable=1), "/met"),
    ):
        given(each()).refuses(said, "invalid_fact", pointer)
    given(each()).refuses(tally(met="about 2 count:states"), "invalid_fact", "/met/unit")


def test_a_tally_with_names_fills_the_rows() -> None:
    named = tally(met=2, members_not_met=["DE"])
    record = given(each(), member("BE", "met", "2.1 percent:gdp", basis="level"), named)
    assert record.members("2025-02-01") == {"BE": "met", "FR": "not_reported", "DE": "not_met"}
    row = record.member_rows("2025-02-01")[2]
    assert row["event"] == record.id(named)
    assert record.member_rows("2025-02-01")[0]["figure"]["quantity"]["value"] == "2.1"


def test_a_tally_without_a_group_gives_the_numbers_it_has() -> None:
    record = given(pledge("at least 2 percent:gdp", kind="ratio"), tally(met=22, not_met=9, total=32, not_applicable=1))
    record.then(as_of="2025-02-01", members={"eligible": 31, "met": 22, "not_met": 9, "not_reported": 0, "total": 32})
    assert record.members("2025-02-01") == {}


def test_a_count_in_words_is_shown_as_it_is() -> None:
    given(each(), tally(met="two-thirds of members")).then(
        as_of="2025-02-01", members={"met": "two-thirds of members", "not_reported": None, "eligible": 3}
    )


def test_the_latest_tally_counts_and_a_later_forecast_is_shown_beside_it() -> None:
    given(
        each(),
        tally(met=2, stated_on="2025-02-01"),
        tally(met=3, nature="projection", stated_on="2025-03-01"),
        tally(met=1, stated_on="2025-01-15"),
    ).then(as_of="2025-02-01", members={"met": 2, "projected": None}).then(
        as_of="2025-03-01", members={"met": 2, "projected": 3}
    )


def test_tallies_are_corrected_voided_and_retracted() -> None:
    said = tally(met=3)
    given(each(), said, corrected(said, {"met": 2, "not_met": 1})).then(as_of="2025-02-01", status="partly_met")
    given(each(), said, retracted(said, stated_on="2025-03-01")).then(as_of="2025-02-28", status="met").then(
        as_of="2025-03-01", status="overdue"
    )
    given(each(), said, voided(said)).then(as_of="2025-02-01", status="overdue")


def test_members_results_are_attested_by_origin() -> None:
    given(each(), tally(met=3)).then(as_of="2025-02-01", evidence="single_source")
    given(each(), tally(met=3), tally(met=3, source="Other")).then(as_of="2025-02-01", evidence="corroborated")


# --- other rules of a group


def test_a_count_at_least_is_met_by_that_many() -> None:
    promise = each("BE FR DE", rule="count_at_least", count=2)
    given(promise, *verdicts("BE", stated_on="2024-06-01")).then(as_of="2024-06-01", status="in_progress").accepts(
        member("FR", "met", stated_on="2024-07-01")
    ).then(as_of="2024-07-01", status="met").accepts(member("DE", "met", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="exceeded"
    )
    given(promise, *verdicts("BE"), *verdicts("FR", "DE", verdict="not_met")).then(
        as_of="2025-02-01", status="partly_met"
    )
    given(promise, *verdicts("BE", "FR", "DE", verdict="not_met")).then(as_of="2025-02-01", status="missed")
    given(promise).then(as_of="2025-02-01", status="overdue")


def test_an_aggregate_is_decided_by_the_figure() -> None:
    given(
        pledge(window=year(2024), group=group("BE FR", "aggregate")),
        *verdicts("BE", "FR", verdict="not_met", stated_on="2024-06-01"),
        progress("41bn EUR"),
    ).then(as_of="2024-08-01", status="exceeded", members={"not_met": 2})


def test_a_revised_group_asks_its_own_members() -> None:
    given(
        each("BE FR"),
        *verdicts("BE", "FR"),
        revised(group=group("BE FR DE"), stated_on="2024-11-01"),
    ).then(as_of="2024-10-31", members={"eligible": 2, "not_reported": 2}).then(
        as_of="2025-03-01", status="partly_met", members={"eligible": 3, "not_reported": 1}
    )
    after = revised(group=group("BE FR DE"), stated_on="2025-03-01")
    given(each("BE FR"), *verdicts("BE", "FR"), after).then(
        as_of="2025-03-01", status="met", members={"eligible": 2}, flag="revised_after_close"
    )


def test_a_restated_members_figure_is_the_one_that_is_shown() -> None:
    report = member("BE", "met", "2.1 percent:gdp", basis="level")
    record = given(each(), report, restated(report, "1.9 percent:gdp", basis="level", stated_on="2025-03-01"))
    assert record.member_rows("2025-03-01")[0]["figure"]["quantity"]["value"] == "1.9"
    record.then(as_of="2025-02-28", no_flag="assertion_conflict").then(as_of="2025-03-01", flag="assertion_conflict")


def test_a_claim_that_the_steps_or_members_prove_is_proven() -> None:
    given(
        pledge(None, kind="milestone"),
        scheduled("law"),
        met(stated_on="2024-03-01"),
        reached("law", stated_on="2024-05-01"),
    ).then(as_of="2024-03-01", flag="unproven_claim", status="announced").then(
        as_of="2024-05-01", status="met", no_flag="unproven_claim"
    )
    given(each(), *verdicts("BE", "FR", "DE"), met(stated_on="2025-02-01")).then(
        as_of="2025-02-01", status="met", no_flag="unproven_claim"
    )


def test_an_admission_decides_no_members_and_no_steps() -> None:
    given(each(), *verdicts("BE", "FR", "DE"), missed(stated_on="2025-02-01")).then(as_of="2025-02-01", status="met")


def test_a_group_with_a_total_shows_both() -> None:
    given(
        pledge(window=year(2024), group=group("BE FR")),
        progress("20bn EUR", period=first_half(2024)),
        member("BE", "met", stated_on="2024-07-01"),
    ).then(as_of="2024-08-01", status="in_progress", actual="20bn EUR", members={"met": 1, "not_reported": 1})
