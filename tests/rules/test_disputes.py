"""What is wrong between the figures, and how other currencies compare."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    corrected,
    first_half,
    pledge,
    progress,
    quarter,
    ranked,
    retracted,
    source,
    until,
    voided,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")

# --- disputes, units, falls


@pytest.mark.parametrize(
    ("one", "other", "disputed"),
    [
        ("20.9bn EUR", "20.95bn EUR", False),
        ("20.9bn EUR", "21bn EUR", False),
        ("20.9bn EUR", "21.1bn EUR", True),
        ("20bn EUR", "30bn EUR", True),
        ("20bn EUR", "21bn EUR", False),
        ("20.9bn EUR", "22bn EUR", True),
        ("20.94bn EUR", "20.96bn EUR", True),
        ("over 20bn EUR", "19bn EUR", True),
        ("over 20bn EUR", "19.5bn EUR", False),
        ("over 20bn EUR", "over 25bn EUR", False),
        ("over 20.5bn EUR", "19bn EUR", True),
        ("nearly 20bn EUR", "20.9bn EUR", True),
        ("nearly 20bn EUR", "20.5bn EUR", False),
        ("2.04 percent:gdp", "2 percent:gdp", False),
    ],
)
def test_figures_of_one_period_dispute_each_other_beyond_rounding(one: str, other: str, disputed: bool) -> None:
    percent = "percent" in one
    promise = pledge("2 percent:gdp", kind="ratio") if percent else pledge()
    basis = {"basis": "level"} if percent else {}
    first = progress(one, period=first_half(2024), **basis)
    second = progress(other, period=first_half(2024), source="Other", **basis)
    record = given(promise, first, second)
    record.then(as_of="2024-08-01", evidence="disputed" if disputed else "corroborated")
    record.then(as_of="2024-08-01", **{"flag" if disputed else "no_flag": "disputed"})
    record.figure(first, as_of="2024-08-01", conflicts=[second] if disputed else [])


@pytest.mark.parametrize(
    "other",
    [{"period": quarter(2, of=2024)}, {"stage": "disbursed"}, {"attribution": "Europe"}, {"nature": "projection"}],
)
def test_another_period_stage_or_part_is_no_dispute(other: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"period": first_half(2024), "stage": "committed", **other}
    first = progress("20.9bn EUR", stage="committed", period=first_half(2024))
    given(pledge(), first, progress("30bn EUR", **fields)).then(as_of="2024-08-01", no_flag="disputed")


def test_figures_without_a_stage_are_of_the_series_that_they_join() -> None:
    first = progress("20.9bn EUR", period=first_half(2024))
    given(pledge(), first, progress("30bn EUR", stage="committed", period=first_half(2024))).then(
        as_of="2024-08-01", flag="disputed"
    )
    agreeing = progress("21bn EUR", stage="committed", period=first_half(2024), source="Other")
    given(pledge(), first, agreeing).then(as_of="2024-08-01", evidence="corroborated")


def test_figures_without_a_period_dispute_each_other_on_one_day_only() -> None:
    first = progress("21bn EUR")
    given(pledge(), first, progress("29bn EUR", source="Other")).then(as_of="2024-08-01", flag="disputed")
    given(pledge(), first, progress("29bn EUR", stated_on="2024-07-02")).then(as_of="2024-08-01", no_flag="disputed")


def test_a_reviewer_settles_a_dispute() -> None:
    first, second = (
        progress("21bn EUR", period=first_half(2024)),
        progress("29bn EUR", period=first_half(2024), source="B"),
    )
    for rank in (ranked(first, "preferred"), ranked(second, "deprecated")):
        given(pledge(window=year(2024)), first, second, rank).then(
            as_of="2024-08-01", actual="21bn EUR", no_flag="disputed"
        ).then(as_of="2024-08-01", known_at="2024-08-01", actual="29bn EUR", flag="disputed")


def test_a_preference_settles_its_own_period_only() -> None:
    first, second = (
        progress("21bn EUR", period=first_half(2024)),
        progress("29bn EUR", period=first_half(2024), source="B"),
    )
    later = [
        progress(words, period=quarter(3, of=2024), stated_on="2024-10-01", source=name)
        for words, name in (("35bn EUR", "A"), ("38bn EUR", "B"))
    ]
    given(pledge(), first, second, *later, ranked(first, "preferred")).then(as_of="2024-11-01", flag="disputed")


def test_every_pair_that_conflicts_is_named() -> None:
    low, other, high = (
        progress(words, period=first_half(2024), source=words) for words in ("21bn EUR", "20.9bn EUR", "29bn EUR")
    )
    given(pledge(), low, other, high).figure(other, as_of="2024-08-01", conflicts=[high]).figure(
        low, as_of="2024-08-01", conflicts=[high]
    )


@pytest.mark.parametrize("later_first", [False, True])
def test_of_two_that_are_equally_high_the_one_said_last_is_named(later_first: bool) -> None:
    of_the_half = {"period": first_half(2024)}
    early = progress("50bn EUR", stated_on="2024-07-01", source="A", **of_the_half)
    late = progress("50bn EUR", stated_on="2024-07-05", source="B", **of_the_half)
    low = progress("40bn EUR", stated_on="2024-07-01", source="C", **of_the_half)
    equals = [late, early] if later_first else [early, late]
    given(pledge(), *equals, low).figure(low, as_of="2024-08-01", conflicts=[late])


@pytest.mark.parametrize("wider_first", [False, True])
def test_of_two_ranges_that_begin_alike_the_shorter_is_named_in_whatever_order_they_were_recorded(
    wider_first: bool,
) -> None:
    short, wide = (
        progress(f"between 50bn and {upper}bn EUR", period=first_half(2024), source="A") for upper in (60, 70)
    )
    low = progress("40bn EUR", period=first_half(2024), source="C")
    ranges = [wide, short] if wider_first else [short, wide]
    given(pledge(), *ranges, low).figure(low, as_of="2024-08-01", conflicts=[short])


def test_what_lies_under_a_number_is_lower_than_the_number() -> None:
    """50bn is at most 51.25bn with its slack, under 50bn is less than that, and 51.3bn is at least that."""
    equals = [progress("50bn EUR", period=first_half(2024), source=name) for name in ("A", "B")]
    under = progress("under 50bn EUR", period=first_half(2024), source="C")
    above = progress("51.3bn EUR", period=first_half(2024), source="D")
    given(pledge("at least 100bn EUR"), *equals, under, above).figure(under, as_of="2024-08-01", conflicts=[above])


def test_the_disputes_of_every_period_are_named() -> None:
    promise = pledge("at least 100bn EUR", window=year(2024))
    halves = [progress(words, period=first_half(2024), source=words) for words in ("21bn EUR", "29bn EUR")]
    years = [progress(words, period=year(2024), source=words) for words in ("40bn EUR", "48bn EUR")]
    given(promise, *halves, *years).then(
        as_of="2025-02-01", flag="disputed", because={"disputed": [promise, *halves, *years]}
    )


def test_what_a_reviewer_prefers_settles_the_dispute_of_all_others() -> None:
    best, *others = (
        progress(words, period=first_half(2024), source=words) for words in ("21bn EUR", "29bn EUR", "35bn EUR")
    )
    given(pledge(), best, *others, ranked(best, "preferred")).then(as_of="2024-08-01", no_flag="disputed")


def test_a_total_falls_below_the_highest_that_it_covers_whatever_was_said_in_between() -> None:
    highest = progress("50bn EUR", period=until("2024-04-30", start="2024-03-01"))
    bound = progress("at least 30bn EUR", period=until("2024-05-31", start="2024-01-01"))
    lower = progress("40bn EUR", period=first_half(2024))
    given(pledge(), highest, bound, lower).figure(lower, as_of="2024-08-01", conflicts=[highest])


def test_a_total_falls_below_one_that_it_covers_although_a_longer_one_was_higher() -> None:
    short = progress("10bn EUR", period=until("2024-03-31", start="2024-03-01"))
    longer = progress("20bn EUR", period=until("2024-04-30", start="2024-01-01"))
    lower = progress("9bn EUR", period=until("2024-05-31", start="2024-02-01"))
    given(pledge(), short, longer, lower).figure(lower, as_of="2024-08-01", conflicts=[short])


def test_a_total_falls_below_the_highest_that_it_covers_and_not_below_a_lower_or_a_longer_one() -> None:
    reports = [
        progress(words, period=until(end, start=start))
        for words, start, end in (
            ("50bn EUR", "2024-01-01", "2024-01-31"),
            ("40bn EUR", "2024-01-15", "2024-02-29"),
            ("45bn EUR", "2024-02-01", "2024-03-31"),
        )
    ]
    lower = progress("42bn EUR", period=until("2024-04-30", start="2024-01-15"))
    given(pledge("at least 100bn EUR"), *reports, lower).figure(lower, as_of="2024-08-01", conflicts=[reports[2]])


def test_a_total_falls_below_an_earlier_one_although_a_range_in_between_reaches_lower() -> None:
    given(
        pledge(),
        progress("10bn EUR", stated_on="2024-07-01"),
        progress("between 8bn and 12bn EUR", stated_on="2024-07-02"),
        progress("9bn EUR", stated_on="2024-07-03"),
    ).then(as_of="2024-07-02", no_flag="falling_total").then(as_of="2024-07-03", flag="falling_total")


def test_an_increment_since_ever_disputes_a_total_of_the_same_time() -> None:
    increment = progress("20bn EUR", basis="increment", stage="committed", period=until("2024-06-30"))
    given(pledge(), increment, progress("30bn EUR", period=until("2024-06-30"), source="Other")).then(
        as_of="2024-08-01", flag="disputed"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, {"start": "2024-07-01", "end": "2024-07-01"}),
        ({"start": "2024-06-01"}, {"start": "2024-06-01", "end": "2024-07-01"}),
    ],
)
def test_an_increment_without_an_end_is_of_the_time_up_to_the_day_on_which_it_was_said(
    one: dict[str, str] | None, other: dict[str, str]
) -> None:
    fields: dict[str, Any] = {"basis": "increment", "stated_on": "2024-07-01"}
    first = progress("5bn EUR", **fields, **({} if one is None else {"period": one}))
    given(pledge(), first, progress("9bn EUR", period=other, source="Other", **fields)).then(
        as_of="2024-08-01", flag="disputed"
    )


def test_zero_in_two_currencies_is_no_unit_error() -> None:
    given(pledge(), progress("0 EUR"), progress("0 USD", source="Other")).then(
        as_of="2024-08-01", no_flag="suspected_unit_error"
    )


def test_a_total_that_falls_within_rounding_does_not_fall() -> None:
    given(pledge(), progress("20.9bn EUR"), progress("about 20bn EUR", stated_on="2024-08-01")).then(
        as_of="2024-08-01", no_flag="falling_total"
    )


@pytest.mark.parametrize("basis", ["level", "increment"])
def test_levels_and_increments_may_fall(basis: str) -> None:
    given(
        pledge(),
        progress("20.9bn EUR", basis=basis, stated_on="2024-07-01"),
        progress("10bn EUR", basis=basis, stated_on="2024-08-01"),
    ).then(as_of="2024-08-01", no_flag="falling_total")


def test_a_fall_is_settled_by_correcting_retracting_or_voiding_one_of_the_two() -> None:
    first, second = progress("48bn EUR", stated_on="2024-07-01"), progress("33bn EUR", stated_on="2024-08-01")
    given(pledge(), first, second).then(as_of="2024-08-01", flag="falling_total").then(
        as_of="2024-07-31", no_flag="falling_total"
    )
    for settled in (
        corrected(first, {"figure": {"quantity": {"value": "30000000000"}}}),
        retracted(first, stated_on="2024-08-01"),
        voided(second),
        ranked(second, "preferred"),
    ):
        given(pledge(), first, second, settled).then(as_of="2024-08-01", no_flag="falling_total")


# --- other currencies


def test_a_currency_without_a_rate_stays_as_it_is() -> None:
    final = progress("55bn UAH", period=year(2024), stated_on="2025-02-01")
    given(pledge(window=year(2024)), final).then(
        as_of="2025-02-01",
        status="indeterminate",
        actual="55bn UAH",
        ratio=None,
        trajectory="unknown",
        no_flag="converted",
        conversion={"from": "UAH", "to": "EUR", "rate": None, "date": None},
    )


def test_the_rate_is_the_last_published_on_or_before_the_day() -> None:
    given(pledge(window=year(2024)), progress("55bn USD", period=first_half(2024))).then(
        as_of="2024-08-01", conversion={"date": "2024-06-28", "rate": "1.0705"}
    )
    given(pledge(), progress("55bn USD", stated_on="2023-06-30", recorded="2024-02-01")).then(
        as_of="2024-08-01", conversion={"date": "2023-06-30", "rate": "1.0866"}
    )


def test_a_report_in_another_currency_is_shown_as_it_was_said() -> None:
    report = progress("over 55bn USD", period=first_half(2024))
    record = given(pledge(window=year(2024)), report)
    record.then(as_of="2024-08-01", actual="over 55bn USD", status="exceeded")
    record.figure(report, as_of="2024-08-01", converted="over 51377860812.70 EUR")


def test_a_total_falls_below_an_open_end_that_it_only_reaches() -> None:
    """Over 50bn is over 48.75bn with its slack, and 48.7bn is 48.75bn at most."""
    over = progress("over 50bn EUR", period=until("2024-03-31", start="2024-01-01"))
    reaching = progress("48.7bn EUR", period=until("2024-06-30", start="2024-01-01"), source="B")
    given(pledge("at least 100bn EUR"), over, reaching).then(as_of="2024-08-01", flag="falling_total")


def test_figures_dispute_each_other_although_none_of_them_is_the_actual() -> None:
    """The first has no low end, and so says nothing as the figure of a firmer stage."""
    promise = pledge(
        "at least 40 percent:below-baseline", kind="count", baseline={"quantity": "100 count:mtco2e"},
        window=year(2024), required_stage="committed",
    )  # fmt: skip
    fields: dict[str, Any] = {
        "stage": "delivered", "basis": "level", "period": year(2024), "stated_on": "2025-02-01",
    }  # fmt: skip
    reports = [
        progress("at least 120 percent:below-baseline", source=source("Office", "official"), **fields),
        progress("50 percent:below-baseline", source=source("News", "media"), **fields),
    ]
    given(promise, *reports).then(as_of="2025-08-01", actual=None, flag="disputed")


def test_of_two_ranges_that_begin_alike_one_may_end_at_nothing() -> None:
    low = progress("-10 EUR", period=first_half(2024), source="L")
    short, wide = (
        progress(quantity, period=first_half(2024), source="A")
        for quantity in ({"op": "between", "value": "-3", "upper": end, "unit": "EUR"} for end in ("0", "1"))
    )
    given(pledge(), low, wide, short).figure(low, as_of="2024-08-01", conflicts=[short])
