"""Which figure counts, what it proves, and what is wrong between the figures."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.given import (
    corrected,
    exceeded,
    first_half,
    given,
    met,
    missed,
    pledge,
    progress,
    quarter,
    ranked,
    reaffirmed,
    restated,
    retracted,
    revised,
    source,
    statement,
    superseded,
    until,
    voided,
    withdrawn,
    year,
)

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


# --- increments


def steps(*amounts: str, **more: Any) -> list[Any]:
    """An increment for each quarter of 2024, said in the month after it."""
    days = ("2024-04-10", "2024-07-10", "2024-10-10", "2025-01-10")
    return [
        progress(words, basis="increment", period=quarter(n, of=2024), stated_on=days[n - 1], **more)
        for n, words in enumerate(amounts, start=1)
    ]


def test_increments_add_up_with_their_bounds() -> None:
    parts = steps("10bn EUR", "over 5bn EUR", "7bn EUR")
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
    first, again = steps("10bn EUR")[0], steps("10bn EUR", source="Other")[0]
    given(pledge(window=year(2024)), first, again, *steps("10bn EUR", "5bn EUR")[1:]).then(
        as_of="2024-12-01", actual="15bn EUR", no_flag="overlap"
    ).figure(first, as_of="2024-12-01", chosen=False, outcome="corroborates")


def test_increments_that_partly_overlap_are_not_added() -> None:
    first, second = steps("10bn EUR", "5bn EUR")
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
    euro, _ = steps("10bn EUR", "1bn EUR")
    dollar = steps("1bn USD", "10bn USD")[1]
    record = given(pledge(window=year(2024)), euro, dollar)
    record.then(as_of="2024-12-01", flag="converted")
    document = record.document("2024-12-01")
    assert document is not None
    assert document["actual"]["unit"] == "EUR"
    assert document["conversion"]["date"] == "2024-06-28"


def test_an_increment_without_a_rate_leaves_a_lower_bound() -> None:
    parts = [steps("50bn EUR")[0], steps("1bn EUR", "5bn UAH")[1]]
    given(pledge(window=year(2024)), *parts).then(
        as_of="2024-12-01", actual="at least 50bn EUR", status="exceeded"
    ).figure(parts[1], as_of="2024-12-01", chosen=False, outcome="unconverted")
    few = [steps("30bn EUR")[0], parts[1], *steps("1 EUR", "1 EUR", "1 EUR", "1bn EUR")[3:]]
    given(pledge(window=year(2024)), *few).then(as_of="2025-12-01", actual="at least 31bn EUR", status="indeterminate")


def test_a_negative_sum_is_shown_and_is_missed() -> None:
    back = progress("-4bn EUR", basis="increment", period=year(2024), stated_on="2025-01-10", reason="handed back")
    given(pledge(window=year(2024)), back).then(as_of="2025-02-01", actual="-4000000000 EUR", status="missed")


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


# --- final or not


def test_a_running_total_that_reached_its_target_has_met_it_before_the_end() -> None:
    given(pledge(window=year(2024)), progress("40bn EUR", period=first_half(2024))).then(
        as_of="2024-07-01", status="met", schedule=("kept_on_time", "kept_on_time")
    )


@pytest.mark.parametrize(
    ("promise", "report"),
    [
        ({"target": "at least 2 percent:gdp", "kind": "ratio"}, ("2.1 percent:gdp", {"basis": "level"})),
        ({"target": "at most 10m count:tonnes", "kind": "count", "direction": "down"}, ("9m count:tonnes", {})),
    ],
)
def test_a_level_and_a_reduction_are_met_at_the_end_only(promise: Any, report: Any) -> None:
    words, fields = report
    promised = pledge(**promise, window=year(2024))
    given(
        promised,
        progress(words, period=first_half(2024), **fields),
    ).then(as_of="2024-12-31", status="in_progress").then(as_of="2025-01-01", status="overdue").accepts(
        progress(words, period=year(2024), stated_on="2025-02-01", **fields)
    ).then(as_of="2025-02-01", status="exceeded")
    given(promised, progress(words, final=True, **fields)).then(as_of="2024-07-01", status="exceeded")


@pytest.mark.parametrize(
    ("words", "status"),
    [("12m count:tonnes", "missed"), ("10m count:tonnes", "met"), ("0 count:tonnes", "exceeded")],
)
def test_in_direction_down_less_is_better(words: str, status: str) -> None:
    given(
        pledge("at most 10m count:tonnes", kind="count", direction="down", window=year(2024)),
        progress(words, period=year(2024), stated_on="2025-02-01"),
    ).then(as_of="2025-02-01", status=status, trajectory="unknown")


def test_a_figure_below_the_target_is_final_once_the_latest_reading_of_the_end_has_passed() -> None:
    window = {**year(2024), "latest": "2025-07-31"}
    for end, final in (("2024-12-30", False), ("2024-12-31", True), ("2025-03-31", True)):
        report = progress("30bn EUR", period=until(end), stated_on="2025-04-01")
        given(pledge(window=window), report).then(as_of="2025-07-31", status="in_progress").figure(
            report, as_of="2025-07-31", final=False
        ).then(as_of="2025-08-01", status="partly_met" if final else "overdue").figure(
            report, as_of="2025-08-01", final=final
        )
    sure = progress("30bn EUR", period=year(2024), stated_on="2025-04-01", final=True)
    given(pledge(window=window), sure).then(as_of="2025-04-01", status="partly_met")


def test_zero_at_the_end_is_missed_and_something_is_partly_met() -> None:
    for words, status in (("0 EUR", "missed"), ("1bn EUR", "partly_met"), ("up to 1bn EUR", "partly_met")):
        given(pledge(window=year(2024)), progress(words, period=year(2024), stated_on="2025-02-01")).then(
            as_of="2025-02-01", status=status
        )


def test_an_admission_makes_the_chosen_figure_final() -> None:
    promise = pledge(window=year(2024))
    given(promise, progress("20.9bn EUR", period=first_half(2024)), missed(stated_on="2024-11-01")).then(
        as_of="2024-10-31", status="in_progress"
    ).then(as_of="2024-11-01", status="partly_met", schedule=("closed", "closed"))
    given(promise, missed(stated_on="2024-11-01")).then(as_of="2024-11-01", status="missed", actual=None)
    given(promise, progress("0 EUR"), missed(stated_on="2024-11-01")).then(as_of="2024-11-01", status="missed")
    given(promise, progress("up to 2bn EUR"), missed(stated_on="2024-11-01")).then(
        as_of="2024-11-01", status="partly_met"
    )


def test_a_target_raised_makes_earlier_figures_unfinal_and_one_lowered_does_not() -> None:
    final = progress("38bn EUR", final=True)
    promise = pledge(window=year(2024))
    given(promise, final, revised(target="at least 60bn EUR", stated_on="2024-08-01")).then(
        as_of="2024-07-31", status="partly_met"
    ).then(as_of="2024-08-01", status="in_progress", past_targets=[{"status": "partly_met", "until": "2024-08-01"}])
    given(promise, final, revised(target="at least 35bn EUR", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="exceeded", flag="revised_target", past_targets=[{"status": "partly_met"}]
    )
    given(promise, final, revised(window=until("2025-06-30"), stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="partly_met", past_targets=[], no_flag="revised_target"
    )
    given(promise, final, missed(stated_on="2024-07-02"), revised(target="50bn EUR", stated_on="2024-08-01")).then(
        as_of="2024-07-31", status="partly_met"
    ).then(as_of="2024-08-01", status="in_progress")


def test_after_the_close_neither_a_raise_nor_a_lowering_changes_the_answer() -> None:
    final = progress("38bn EUR", period=year(2024), stated_on="2025-02-01")
    for target in ("at least 60bn EUR", "at least 35bn EUR"):
        given(pledge(window=year(2024)), final, revised(target=target, stated_on="2025-03-01")).then(
            as_of="2025-03-01", status="partly_met", target=target, ratio="0.95", flag="revised_after_close"
        )


def test_in_direction_down_a_lowered_target_asks_anew() -> None:
    tonnes = pledge("at most 10m count:tonnes", kind="count", direction="down", window=year(2024))
    final = progress("9m count:tonnes", final=True)
    given(tonnes, final, revised(target="at most 8m count:tonnes", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="missed", past_targets=[{"status": "exceeded"}]
    )
    level = progress("9m count:tonnes", final=True, basis="level")
    given(tonnes, level, revised(target="at most 8m count:tonnes", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="in_progress", past_targets=[{"status": "exceeded"}]
    )
    given(tonnes, final, revised(target="at most 12m count:tonnes", stated_on="2024-08-01")).then(
        as_of="2024-08-01", status="exceeded"
    )


def test_several_revisions_of_one_day_are_one_and_leave_one_answer() -> None:
    promise, final = pledge(window=year(2024)), progress("30bn EUR", final=True)
    twice = [revised(target=words, stated_on="2024-08-01") for words in ("at least 50bn EUR", "at least 35bn EUR")]
    given(promise, final, *twice).then(
        as_of="2024-08-01", status="partly_met", past_targets=[{"target": "at least 40bn EUR", "status": "partly_met"}]
    )
    back = [revised(target=words, stated_on="2024-08-01") for words in ("at least 50bn EUR", "at least 40bn EUR")]
    given(promise, final, *back).then(
        as_of="2024-08-01", status="partly_met", past_targets=[], no_flag="revised_target"
    )
    apart = [
        revised(target="at least 50bn EUR", stated_on="2025-03-01"),
        revised(window=until("2025-12-31"), stated_on="2025-03-01"),
    ]
    for revisions in (apart, apart[::-1]):
        given(promise, progress("30bn EUR", period=year(2024), stated_on="2025-02-01"), *revisions).then(
            as_of="2025-03-01",
            status="in_progress",
            past_targets=[{"target": "at least 40bn EUR", "status": "partly_met"}],
            no_flag="revised_after_close",
        )


def test_each_raise_leaves_its_answer() -> None:
    given(
        pledge("10bn EUR", window=year(2024)),
        progress("12bn EUR", stated_on="2024-03-01"),
        revised(target="20bn EUR", stated_on="2024-04-01"),
        revised(target="25bn EUR", stated_on="2024-04-01"),
        revised(target="30bn EUR", stated_on="2024-05-01"),
    ).then(
        as_of="2024-05-01",
        target="30bn EUR",
        past_targets=[
            {"target": "10bn EUR", "until": "2024-04-01", "status": "exceeded"},
            {"target": "25bn EUR", "until": "2024-05-01", "status": "in_progress"},
        ],
    )


def test_a_target_raised_in_another_currency_is_compared_at_the_rates_of_the_day() -> None:
    promise, final = pledge("40bn EUR", window=year(2024)), progress("30bn EUR", final=True)
    for words, status in (("45bn USD", "in_progress"), ("42bn USD", "partly_met")):
        given(promise, final, revised(target=words, stated_on="2024-09-02")).then(as_of="2024-09-02", status=status)


def test_a_figure_is_said_on_the_day_of_its_latest_restatement() -> None:
    final = progress("41bn EUR", final=True)
    raised = revised(target="at least 60bn EUR", stated_on="2024-08-01")
    again = restated(final, "42bn EUR", final=True, stated_on="2024-09-02")
    given(pledge(window=year(2024)), final, raised, again).then(as_of="2024-08-01", status="in_progress").then(
        as_of="2024-09-02", status="partly_met", actual="42bn EUR"
    )


# --- late


def test_a_target_met_in_time_is_not_late_because_money_follows() -> None:
    promise, first = pledge(window=year(2024)), progress("41bn EUR", period=year(2024), stated_on="2025-02-01")
    more = progress("45bn EUR", period=until("2025-06-30", start="2024-01-01"), stated_on="2025-08-01")
    given(promise, first, more).then(
        as_of="2025-08-01", status="exceeded", actual="45bn EUR", no_flag="late", schedule=("kept_on_time",) * 2
    )
    given(promise, more).then(as_of="2025-08-01", status="exceeded", flag="late", schedule=("kept_late", "kept_late"))
    parts = steps("20bn EUR", "10bn EUR", "10bn EUR", "10bn EUR")
    after = progress("5bn EUR", basis="increment", period=quarter(1, of=2025), stated_on="2025-04-10")
    given(promise, *parts, after).then(as_of="2025-05-01", actual="55bn EUR", no_flag="late")
    given(promise, *parts[:3], after).then(as_of="2025-05-01", actual="45bn EUR", no_flag="late")
    given(promise, *parts[:2], after, progress("9bn EUR", basis="increment", stated_on="2025-04-20")).then(
        as_of="2025-05-01", actual="44bn EUR", flag="late"
    )


def test_a_figure_without_a_period_is_late_by_the_day_it_was_first_said() -> None:
    first = met("41bn EUR", stated_on="2024-12-20")
    again = restated(first, "42bn EUR", stated_on="2025-03-01")
    given(pledge(window=year(2024)), first, again).then(as_of="2025-03-01", actual="42bn EUR", no_flag="late")


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


# --- lifecycle


def test_a_withdrawn_pledge_is_withdrawn_whatever_it_reached() -> None:
    given(
        pledge(window=year(2024)),
        progress("50bn EUR"),
        superseded("other", stated_on="2024-09-01"),
        withdrawn(stated_on="2024-10-01"),
    ).then(as_of="2024-08-01", status="exceeded", lifecycle="active").then(
        as_of="2024-09-01", status="superseded", lifecycle="superseded", schedule=("closed",) * 2
    ).then(as_of="2024-10-01", status="withdrawn", lifecycle="withdrawn", actual="50bn EUR", trajectory="ahead")
    given(pledge(window=year(2024)), withdrawn(stated_on="2025-02-01")).then(as_of="2025-01-01", status="overdue").then(
        as_of="2025-02-01", status="withdrawn", schedule=("closed", "closed")
    )


def test_a_withdrawal_taken_back_revives_the_pledge() -> None:
    end = withdrawn(stated_on="2024-03-01")
    given(pledge(window=year(2024)), end, retracted(end, stated_on="2024-04-01")).then(
        as_of="2024-03-31", status="withdrawn"
    ).then(as_of="2024-04-01", status="announced", lifecycle="active")


@pytest.mark.parametrize(
    ("promise", "status"),
    [
        (pledge(None), "not_measurable"),
        (pledge(measurable=False), "not_measurable"),
        (pledge(None, kind="qualitative"), "not_measurable"),
        (pledge(None, kind="milestone"), "not_measurable"),
        (pledge(), "announced"),
    ],
)
def test_what_cannot_be_checked_is_not_measurable_and_its_actual_is_shown(promise: Any, status: str) -> None:
    given(promise).then(as_of="2024-08-01", status=status)


def test_without_a_target_the_measure_is_that_of_the_latest_figure_that_fits() -> None:
    growth = progress("20 percent:growth", basis="level", stated_on="2024-07-03")
    euro, dollar = progress("20bn EUR"), progress("485bn USD", stated_on="2024-07-02")
    given(pledge(None), euro, dollar, growth).then(
        as_of="2024-07-01", status="not_measurable", actual="20bn EUR", ratio=None
    ).then(as_of="2024-07-03", actual="485bn USD", other_measures=[{"event": growth}])


def test_a_forecast_or_a_part_does_not_choose_the_measure() -> None:
    rounds, forecast = (
        progress("300k count:155mm-rounds"),
        progress("1m count:rounds", nature="projection", stated_on="2024-08-01"),
    )
    part = progress("5k count:mortars", attribution="Europe", stated_on="2024-08-02")
    given(pledge(None, kind="count"), rounds, forecast, part).then(as_of="2024-09-01", actual="300k count:155mm-rounds")


# --- schedule


def test_the_schedule_goes_by_the_latest_reading_of_the_deadline() -> None:
    window = {**year(2024), "latest": "2025-07-31"}
    record = given(pledge(window=window))
    for day, state in (
        ("2025-06-30", "open"),
        ("2025-07-01", "due_soon"),
        ("2025-07-31", "due_soon"),
        ("2025-08-01", "overdue"),
    ):
        record.then(as_of=day, schedule=(state, state), status="overdue" if state == "overdue" else "announced")
    given(pledge()).then(as_of="2030-01-01", schedule=("no_deadline", "no_deadline"), status="announced")
    given(pledge(measurable=False, window=window)).then(as_of="2025-08-01", schedule=("overdue", "overdue"))


def test_a_deadline_that_moves_keeps_the_start_of_the_window() -> None:
    given(pledge(window=year(2024)), revised(window=until("2025-06-30"), stated_on="2024-06-01")).then(
        as_of="2024-06-01", window={"start": "2024-01-01", "end": "2025-06-30"}
    )
    given(pledge(window=year(2024)), revised(window=year(2025), stated_on="2024-06-01")).then(
        as_of="2024-06-01", window=year(2025)
    )
    given(pledge(window=year(2024)), revised(window={"text": "some day"}, stated_on="2024-06-01")).then(
        as_of="2024-06-01", window={"text": "some day"}, schedule=("no_deadline", "open")
    )
