"""The rows of members beside a tally: where the two agree, where both cannot be right, and which of them counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import Posted, group, member, missed, pledge, progress, tally, year
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

FOUR = "BE FR NL PL"


def each(rule: str = "each_member", members: str = FOUR, **more: Any) -> Posted:
    """Two percent of GDP in 2024, promised by each of four members."""
    return pledge("at least 2 percent:gdp", kind="ratio", window=year(2024), group=group(members, rule, **more))


def rows(met: str = "", not_met: str = "", **more: Any) -> list[Posted]:
    """A report for each of the members that are named by their codes."""
    verdicts = [(code, "met") for code in met.split()] + [(code, "not_met") for code in not_met.split()]
    return [member(code, verdict, **more) for code, verdict in verdicts]


# --- where rows and tally agree


@pytest.mark.parametrize(
    ("said", "reports"),
    [
        (tally(members_met=["BE", "FR"]), rows(met="BE")),
        (tally(members_met=["BE", "FR"], members_not_met=["NL"]), rows(met="BE", not_met="NL")),
        (tally(members_met=["BE", "FR"]), rows(met="BE FR", not_met="NL")),
        (tally(met=2, not_met=2), rows(met="BE FR", not_met="NL PL")),
        (tally(met=2, not_met=2, total=4, not_applicable=0), rows(met="BE FR", not_met="NL PL")),
        (tally(not_met=2), rows(met="BE FR", not_met="NL PL")),
        (tally(met=2), rows(met="BE FR", not_met="NL PL")),
    ],
)
def test_rows_and_a_tally_that_say_the_same_are_no_mismatch(said: Posted, reports: list[Posted]) -> None:
    given(each(), said, *reports).then(as_of="2025-02-01", no_flag="tally_mismatch")


@pytest.mark.parametrize(
    ("words", "met", "fits"),
    [
        ("under 3 count:members", "BE FR", True),
        ("under 3 count:members", "BE FR NL", False),
        ("under 2.5 count:members", "BE FR", True),
        ("under 2.5 count:members", "BE FR NL", False),
        ("up to 2.7 count:members", "BE FR", True),
        ("up to 2.7 count:members", "BE FR NL", False),
        ("at most 60 percent:members", "BE FR", True),
        ("at most 60 percent:members", "BE FR NL", False),
    ],
)
def test_an_upper_bound_of_a_tally_leaves_room_for_whole_members_only(words: str, met: str, fits: bool) -> None:
    flag = {"no_flag" if fits else "flag": "tally_mismatch"}
    given(each(), tally(met=words), *rows(met=met)).then(as_of="2025-02-01", **flag)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("under 1 count:members", "missed"),
        ("up to 0.6 count:members", "missed"),
        ("under 20 percent:members", "missed"),
        ("up to 1 count:members", "overdue"),
        ("under 2 count:members", "overdue"),
        ("under 1.5 count:members", "overdue"),
        ("at most 25 percent:members", "overdue"),
    ],
)
def test_a_tally_of_less_than_one_member_is_a_tally_of_none(words: str, status: str) -> None:
    given(each(), tally(met=words)).then(as_of="2025-02-01", status=status)


@pytest.mark.parametrize(("count", "status"), [(3, "met"), (4, "in_progress")])
def test_a_percentage_is_one_of_those_who_did_not_opt_out(count: int, status: str) -> None:
    promise = each("count_at_least", f"{FOUR} IS", count=count, opted_out=["IS"])
    given(promise, tally(met="at least 75 percent:members", stated_on="2024-06-01")).then(
        as_of="2024-06-01", status=status, members={"eligible": 4, "opted_out": 1}
    )


def test_without_a_group_and_a_total_no_number_of_members_is_too_large() -> None:
    given(pledge("at least 2 percent:gdp", kind="ratio"), tally(met=700, not_met=900)).then(
        as_of="2025-02-01", members={"met": 700, "not_met": 900, "total": None}, no_flag="tally_mismatch"
    )


@pytest.mark.parametrize(("met", "eligible"), [("BE FR NL", 3), (FOUR, 4)])
def test_a_tally_sets_members_aside_only_beside_rows_that_are_not_complete(met: str, eligible: int) -> None:
    given(each(), *rows(met=met), tally(met=3, not_applicable=1)).then(
        as_of="2025-02-01", members={"eligible": eligible}
    )


# --- which of them is shown


def test_the_total_is_that_of_the_group_whatever_a_tally_says() -> None:
    given(each(), tally(met=2, total=5)).then(
        as_of="2025-02-01", members={"total": 4, "eligible": 4}, flag="tally_mismatch"
    )


def test_a_tally_names_who_met_it() -> None:
    named = tally(members_met=["BE", "FR"], members_not_met=["NL"])
    record = given(each(), member("FR", "met", stated_on="2025-01-20"), named)
    assert record.members("2025-02-01") == {"BE": "met", "FR": "met", "NL": "not_met", "PL": "not_reported"}


def test_a_members_report_is_shown_with_its_reason() -> None:
    record = given(each(), member("PL", "not_applicable", reason="no armed forces"))
    assert record.member_rows("2025-02-01")[3]["reason"] == "no armed forces"


# --- since when it is kept


def test_complete_rows_date_the_result_although_a_tally_was_said_later() -> None:
    reports = rows(met=FOUR, on="2024-11", stated_on="2024-12-01")
    late = tally(met=4, on="2025-02", stated_on="2025-03-01")
    given(each(), *reports, late).then(as_of="2025-06-01", status="met", schedule=("kept_on_time", "kept_on_time"))


def test_of_a_count_only_members_that_met_it_say_since_when() -> None:
    given(
        each("count_at_least", count=2),
        member("BE", "not_met", on="2024-06", stated_on="2024-07-01"),
        member("FR", "met", on="2024-11", stated_on="2024-12-01"),
        member("NL", "met", on="2025-02", stated_on="2025-03-01"),
    ).then(as_of="2025-06-01", status="met", schedule=("kept_late", "kept_late"))


# --- claims about members


def test_all_members_that_met_it_stand_against_an_admission_while_the_window_is_open() -> None:
    given(each(), *rows(met=FOUR, stated_on="2024-05-01"), missed(stated_on="2024-06-01")).then(
        as_of="2024-06-01", status="in_progress", flag="assertion_conflict"
    )


@pytest.mark.parametrize(
    ("verdict", "figure", "conflict"),
    [
        ("met", "1.5 percent:gdp", False),
        ("met", "2.5 percent:gdp", True),
        ("not_met", "1.5 percent:gdp", True),
        ("not_met", "2.5 percent:gdp", False),
    ],
)
def test_under_a_ceiling_a_members_figure_contradicts_its_verdict_the_other_way(
    verdict: str, figure: str, conflict: bool
) -> None:
    ceiling = pledge(
        "at most 2 percent:gdp", kind="ratio", direction="down", window=year(2024), group=group(FOUR, "each_member")
    )
    given(ceiling, member("BE", verdict, figure, basis="level")).then(
        as_of="2025-02-01", **{"flag" if conflict else "no_flag": "assertion_conflict"}
    )


def test_a_member_that_is_said_not_to_have_met_what_its_figure_exceeds_is_flagged() -> None:
    given(each(), member("BE", "not_met", "2.5 percent:gdp", basis="level")).then(
        as_of="2025-02-01", flag="assertion_conflict"
    )


# --- natures


@pytest.mark.parametrize(
    ("of_the_report", "of_the_figure", "status", "flags"),
    [
        ("actual", "actual", "met", []),
        ("actual", "projection", "announced", []),
        ("actual", "estimate", "met", ["estimated"]),
        ("provisional", "actual", "met", ["provisional"]),
        ("projection", "actual", "announced", []),
    ],
)
def test_a_members_report_is_of_the_nature_of_its_figure_unless_it_says_another(
    of_the_report: str, of_the_figure: str, status: str, flags: list[str]
) -> None:
    figure = {"quantity": "2.1 percent:gdp", "basis": "level", "nature": of_the_figure}
    report = member("BE", "met", stated_on="2024-06-01", nature=of_the_report, figure=figure)
    record = given(each("count_at_least", count=1), report)
    document = record.then(as_of="2024-07-01", status=status).document("2024-07-01")
    assert document is not None
    assert [flag for flag in document["flags"] if flag in ("estimated", "provisional")] == flags


def test_a_tally_that_is_expected_is_among_the_causes_of_what_is_shown_of_the_members() -> None:
    promise, expected = each(), tally(met=3, nature="projection", stated_on="2024-06-01")
    given(promise, expected).then(as_of="2024-07-01", members={"projected": 3}, because={"status": [promise, expected]})


def test_a_tally_that_does_not_decide_leaves_the_nature_of_the_figure_alone() -> None:
    given(pledge(), progress("20bn EUR"), tally(met=2, nature="provisional")).then(
        as_of="2025-08-01", no_flag="provisional"
    )
