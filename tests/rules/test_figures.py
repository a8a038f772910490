"""Which figure counts, and what several of them add up to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    first_half,
    pledge,
    progress,
    quarter,
    quarterly,
    ranked,
    revised,
    share,
    source,
    until,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")


def chosen(as_of: str, *facts: Any, promise: Any = None) -> str:
    """The words of the actual."""
    document = given(promise or pledge(window=year(2024)), *facts).document(as_of)
    assert document is not None
    return str(document["actual"]["text"])


# --- the order


def test_the_rank_goes_before_everything() -> None:
    old = progress("20bn EUR", period=first_half(2024), source=source("Blog", "other"))
    new = progress(
        "30bn EUR", period=quarter(3, of=2024), stated_on="2024-10-01", source=source("Ministry", "official")
    )
    assert chosen("2024-12-01", old, new) == "30bn EUR"
    assert chosen("2024-12-01", old, new, ranked(old, "preferred")) == "20bn EUR"
    assert chosen("2024-12-01", old, new, ranked(new, "deprecated")) == "20bn EUR"
    assert chosen("2024-12-01", old, new, ranked(old, "preferred"), ranked(old, "normal")) == "30bn EUR"


def test_then_the_later_end_of_the_period_whenever_it_was_said() -> None:
    year_end = progress("30bn EUR", period=quarter(3, of=2024), stated_on="2024-10-01")
    late = progress("20bn EUR", period=first_half(2024), stated_on="2024-11-01")
    assert chosen("2024-12-01", year_end, late) == "30bn EUR"


def test_a_figure_without_a_period_stands_on_the_day_it_was_said() -> None:
    half = progress("20bn EUR", period=first_half(2024), stated_on="2024-11-01")
    assert chosen("2024-12-01", half, progress("21bn EUR", stated_on="2024-07-02", source="Other")) == "21bn EUR"
    assert chosen("2024-12-01", half, progress("19bn EUR", stated_on="2024-06-29", source="Other")) == "20bn EUR"


def test_then_the_tier_of_the_source() -> None:
    tiers = ("official", "primary", "media", "other")
    facts = [
        progress(f"{20 + n}bn EUR", period=first_half(2024), source=source(tier, tier)) for n, tier in enumerate(tiers)
    ]
    for n in range(len(facts)):
        assert chosen("2024-12-01", *reversed(facts[n:])) == f"{20 + n}bn EUR"


def test_then_exact_before_bounded_before_approximate() -> None:
    about = progress("about 20bn EUR", period=first_half(2024), source="A")
    over = progress("over 20bn EUR", period=first_half(2024), source="B")
    exact = progress("20.9bn EUR", period=first_half(2024), source="C")
    assert chosen("2024-12-01", exact, over, about) == "20.9bn EUR"
    assert chosen("2024-12-01", about, over) == "over 20bn EUR"


def test_then_the_latest_said_and_of_one_day_the_last_recorded() -> None:
    first = progress("20bn EUR", period=first_half(2024), stated_on="2024-07-02")
    second = progress("21bn EUR", period=first_half(2024), stated_on="2024-07-01")
    third = progress("22bn EUR", period=first_half(2024), stated_on="2024-07-02")
    assert chosen("2024-12-01", second, first) == "20bn EUR"
    assert chosen("2024-12-01", first, second) == "20bn EUR"
    assert chosen("2024-12-01", first, third, second) == "22bn EUR"


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        ({"nature": "projection"}, "projection"),
        ({"attribution": "Europe"}, "other_attribution"),
        ({"period": until("2023-12-31")}, "before_window"),
    ],
)
def test_what_takes_no_part_is_kept_with_the_reason(other: dict[str, Any], outcome: str) -> None:
    report = progress("20bn EUR", **other)
    given(pledge(window=year(2024)), report).then(as_of="2024-08-01", status="announced", actual=None).figure(
        report, as_of="2024-08-01", chosen=False, outcome=outcome
    )


def test_a_period_that_reaches_into_the_window_takes_part() -> None:
    given(pledge(window=year(2024)), progress("20bn EUR", period=until("2024-01-31", start="2023-07-01"))).then(
        as_of="2024-08-01", actual="20bn EUR"
    )


# --- stages


def test_committed_money_is_not_replaced_by_less_that_was_paid_out() -> None:
    given(
        pledge("100bn EUR", window=year(2024)),
        progress("100bn EUR", stage="committed"),
        progress("40bn EUR", stage="disbursed", stated_on="2024-09-01"),
    ).then(as_of="2024-09-01", status="met", actual="100bn EUR", stage="committed")


def test_more_money_at_a_firmer_stage_says_at_least_that() -> None:
    given(
        pledge("100bn EUR", window=year(2024)),
        progress("20.9bn EUR", stage="committed"),
        progress("50bn EUR", stage="disbursed", stated_on="2024-09-01"),
    ).then(as_of="2024-09-01", actual="at least 50bn EUR", stage="disbursed", ratio="at least 0.5")


def test_over_stays_over_at_a_firmer_stage() -> None:
    given(
        pledge(window=year(2024)),
        progress("20.9bn EUR", stage="committed"),
        progress("over 50bn EUR", stage="disbursed", stated_on="2024-09-01"),
    ).then(as_of="2024-09-01", status="exceeded", actual="over 50bn EUR", ratio="over 1.25")


def test_a_stage_below_the_required_one_does_not_count() -> None:
    committed, loose = progress("50bn EUR", stage="committed"), progress("45bn EUR", stated_on="2024-07-02")
    given(pledge(window=year(2024), required_stage="allocated"), committed, loose).then(
        as_of="2024-08-01", status="announced", actual=None, evidence="none"
    ).figure(committed, as_of="2024-08-01", outcome="stage").figure(loose, as_of="2024-08-01", outcome="stage").accepts(
        progress("30bn EUR", stage="disbursed", stated_on="2024-08-02")
    ).then(as_of="2024-08-02", status="in_progress", actual="at least 30bn EUR", stage="disbursed")


def test_without_a_required_stage_the_unspecified_joins_the_lowest_reported() -> None:
    given(
        pledge(window=year(2024)),
        progress("20bn EUR", stage="committed", period=quarter(1, of=2024)),
        progress("30bn EUR", period=first_half(2024), stated_on="2024-07-02"),
        progress("10bn EUR", stage="disbursed", period=first_half(2024), stated_on="2024-07-02"),
    ).then(as_of="2024-08-01", actual="30bn EUR", stage="committed")


def test_a_revised_required_stage_asks_another_series() -> None:
    given(
        pledge(window=year(2024)),
        progress("50bn EUR", stage="committed"),
        progress("10bn EUR", stage="disbursed", stated_on="2024-07-02"),
        revised(required_stage="disbursed", stated_on="2024-09-01"),
    ).then(as_of="2024-08-31", status="exceeded", actual="50bn EUR").then(
        as_of="2024-09-01", status="in_progress", actual="10bn EUR", past_targets=[]
    )


def test_delivered_goods_are_as_firm_as_money_paid_out() -> None:
    given(
        pledge("1m count:155mm-rounds", kind="count", required_stage="disbursed"),
        progress("300k count:155mm-rounds", stage="delivered"),
    ).then(as_of="2024-08-01", actual="300k count:155mm-rounds", stage="delivered")


@pytest.mark.parametrize(("earlier", "later"), [("delivered", "disbursed"), ("disbursed", "delivered")])
@pytest.mark.parametrize("required", ["delivered", "disbursed"])
def test_goods_delivered_and_money_paid_out_answer_one_question(required: str, earlier: str, later: str) -> None:
    given(
        pledge("1m count:155mm-rounds", kind="count", required_stage=required),
        progress("200k count:155mm-rounds", stage=earlier, period=first_half(2024)),
        progress("300k count:155mm-rounds", stage=later, period=quarter(3, of=2024), stated_on="2024-10-01"),
    ).then(as_of="2024-11-01", actual="300k count:155mm-rounds", stage=later)


# --- increments


def test_increments_add_up_with_their_bounds() -> None:
    parts = quarterly("10bn EUR", "over 5bn EUR", "7bn EUR")
    given(pledge(window=year(2024)), *parts).then(
        as_of="2024-12-01",
        actual="over 22bn EUR",
        ratio="over 0.55",
        status="in_progress",
        period=until("2024-09-30", start="2024-01-01"),
    ).then(as_of="2024-07-09", actual="10bn EUR").figure(
        parts[1], as_of="2024-12-01", outcome="part_of_sum", chosen=True
    )


def test_the_same_increment_told_twice_is_counted_once() -> None:
    first, again = quarterly("10bn EUR")[0], quarterly("10bn EUR", source="Other")[0]
    given(pledge(window=year(2024)), first, again, *quarterly("10bn EUR", "5bn EUR")[1:]).then(
        as_of="2024-12-01", actual="15bn EUR", no_flag="overlap"
    ).figure(first, as_of="2024-12-01", chosen=False, outcome="corroborates")


def test_increments_that_partly_overlap_are_not_added() -> None:
    first, second = quarterly("10bn EUR", "5bn EUR")
    across = progress(
        "8bn EUR", basis="increment", period=until("2024-05-31", start="2024-03-01"), stated_on="2024-06-10"
    )
    given(pledge(window=year(2024)), first, second, across).then(
        as_of="2024-12-01", actual="15bn EUR", flag="overlap"
    ).figure(across, as_of="2024-12-01", outcome="overlap", chosen=False)


def test_increments_without_a_period_count_for_their_day() -> None:
    given(
        pledge(window=year(2024)),
        progress("10bn EUR", basis="increment", stated_on="2024-03-01"),
        progress("5bn EUR", basis="increment", stated_on="2024-03-02"),
        progress("5bn EUR", basis="increment", stated_on="2024-03-02", source="Other"),
    ).then(as_of="2024-12-01", actual="15bn EUR", flags=["stale", "single_source"])


def test_increments_in_two_currencies_are_added_in_the_unit_of_the_target() -> None:
    euro, _ = quarterly("10bn EUR", "1bn EUR")
    dollar = quarterly("1bn USD", "10bn USD")[1]
    record = given(pledge(window=year(2024)), euro, dollar)
    record.then(as_of="2024-12-01", flag="converted")
    document = record.document("2024-12-01")
    assert document is not None
    assert document["actual"]["unit"] == "EUR"
    assert document["conversion"]["date"] == "2024-06-28"


def test_an_increment_without_a_rate_leaves_a_lower_bound() -> None:
    parts = [quarterly("50bn EUR")[0], quarterly("1bn EUR", "5bn UAH")[1]]
    given(pledge(window=year(2024)), *parts).then(
        as_of="2024-12-01", actual="at least 50bn EUR", status="exceeded"
    ).figure(parts[1], as_of="2024-12-01", chosen=False, outcome="unconverted")
    few = [quarterly("30bn EUR")[0], parts[1], *quarterly("1 EUR", "1 EUR", "1 EUR", "1bn EUR")[3:]]
    given(pledge(window=year(2024)), *few).then(as_of="2025-12-01", actual="at least 31bn EUR", status="indeterminate")


def test_a_negative_sum_is_shown_and_is_missed() -> None:
    back = progress("-4bn EUR", basis="increment", period=year(2024), stated_on="2025-01-10", reason="handed back")
    given(pledge(window=year(2024)), back).then(as_of="2025-02-01", actual="-4000000000 EUR", status="missed")


@pytest.mark.parametrize(
    ("whole", "bound"),
    [
        ("8bn EUR", "over 4bn EUR"),
        ("up to 8bn EUR", "over 0 EUR"),
        ("0 EUR", "over 0 EUR"),
        ("-4bn EUR", None),
    ],
)
def test_a_share_of_what_may_be_below_zero_bounds_nothing(whole: str, bound: str | None) -> None:
    report = progress(whole, basis="increment", period=year(2024), stated_on="2025-01-10", reason="handed back")
    part = share("Europe", "more than 50 percent:assistance")
    given(pledge(window=year(2024)), report, part).then(as_of="2025-03-01", shares=[{"bound": bound}])


def test_a_share_is_one_of_the_figure_that_it_names() -> None:
    first = progress("10bn EUR", period=quarter(1, of=2024), stated_on="2024-04-10")
    part = share("Europe", "more than 50 percent:assistance", of=first)
    given(pledge(window=year(2024)), first, progress("30bn EUR", period=first_half(2024)), part).then(
        as_of="2025-03-01", actual="30bn EUR", shares=[{"of": first, "bound": "over 5bn EUR"}]
    )
