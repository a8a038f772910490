"""The choice of the figure at its edges, found by changing the rules one by one (`make mutate`)."""

from typing import Any

import pytest

from tests.support.facts import first_half, pledge, progress, quarter, ranked, source, until, year
from tests.support.given import given

IN_AUGUST = until("2024-08-01", start="2024-01-01")


def test_a_target_is_met_on_the_day_on_which_the_increments_together_reach_it() -> None:
    promise = pledge("at least 40bn EUR", window=until("2024-10-15", start="2024-01-01"))
    one = progress("25bn EUR", basis="increment", period=quarter(1, of=2024), stated_on="2024-05-01")
    two = progress("20bn EUR", basis="increment", period=quarter(3, of=2024), stated_on="2024-11-01")
    more = progress("9bn EUR", basis="increment", period=quarter(4, of=2024), stated_on="2025-02-01")
    record = given(promise, one, two, more)
    record.then(as_of="2024-10-31", status="overdue", actual="25bn EUR")
    on_time: dict[str, Any] = {"schedule": ("kept_on_time", "kept_on_time"), "no_flag": "late"}
    record.then(as_of="2024-12-01", status="exceeded", actual="45bn EUR", **on_time)
    record.then(as_of="2025-03-01", actual="54bn EUR", because={"status": [promise, one, two, more]}, **on_time)


@pytest.mark.parametrize(("earlier", "later"), [("committed", "disbursed"), ("disbursed", "committed")])
def test_of_two_stages_that_reach_the_target_the_earlier_one_settles_it(earlier: str, later: str) -> None:
    given(
        pledge("at least 40bn EUR", window=IN_AUGUST),
        progress("41bn EUR", stage=earlier, period=first_half(2024), stated_on="2024-07-10"),
        progress("45bn EUR", stage=later, period=year(2024), stated_on="2025-01-10"),
    ).then(as_of="2025-02-01", status="exceeded", schedule=("kept_on_time", "kept_on_time"), no_flag="late")


def test_one_increment_that_reaches_the_target_settles_it_whatever_follows() -> None:
    given(
        pledge("at least 40bn EUR", window=until("2024-05-01", start="2024-01-01")),
        progress("45bn EUR", basis="increment", period=quarter(1, of=2024), stated_on="2024-05-01"),
        progress("9bn EUR", basis="increment", period=quarter(3, of=2024), stated_on="2024-11-01"),
    ).then(as_of="2024-12-01", actual="54bn EUR", schedule=("kept_on_time", "kept_on_time"), no_flag="late")


def test_the_first_day_counts_on_which_the_better_total_reached_the_target() -> None:
    given(
        pledge("at least 40bn EUR", window=until("2024-10-01", start="2024-01-01")),
        progress("41bn EUR", period=first_half(2024), stated_on="2024-07-11"),
        progress("39bn EUR", period=first_half(2024), stated_on="2024-07-10", source=source("NATO", tier="official")),
        progress("42bn EUR", period=until("2024-09-30", start="2024-01-01"), stated_on="2024-11-10"),
        progress("45bn EUR", period=year(2024), stated_on="2025-01-10"),
    ).then(as_of="2025-02-01", schedule=("kept_on_time", "kept_on_time"), no_flag="late")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"period": quarter(1, of=2024)}, "a later period"),
        ({"source": source("Other", tier="other")}, "the tier of its source"),
        ({"quantity": "over 20bn EUR"}, "exactness"),
        ({"stated_on": "2024-07-20"}, "a later date"),
        ({"source": source("Other")}, "a later version"),
    ],
)
def test_a_figure_is_told_what_the_chosen_one_has_before_it(other: dict[str, Any], why: str) -> None:
    fields: dict[str, Any] = {"quantity": "20bn EUR", "period": first_half(2024), "stated_on": "2024-08-01"}
    one, chosen = progress(**{**fields, **other}), progress(**fields)
    record = given(pledge(), one, chosen)
    why = f"{record.id(chosen)} goes before it by {why}"
    record.figure(one, as_of="2024-09-01", chosen=False, outcome="outranked", why=why)


def test_a_figure_of_a_lesser_stage_is_told_so() -> None:
    one = progress("20bn EUR", stage="committed", period=first_half(2024))
    two = progress("21bn EUR", stage="disbursed", period=first_half(2024))
    record = given(pledge(), one, two)
    record.figure(one, as_of="2024-09-01", outcome="stage", why="disbursed says more than committed")


def test_of_one_day_the_better_total_says_whether_the_target_is_reached() -> None:
    given(
        pledge("at least 40bn EUR", window=IN_AUGUST),
        progress("41bn EUR", period=first_half(2024), stated_on="2024-07-11"),
        progress("39bn EUR", period=first_half(2024), stated_on="2024-07-10", source=source("NATO", tier="official")),
        progress("45bn EUR", period=year(2024), stated_on="2025-01-10"),
    ).then(as_of="2025-02-01", status="exceeded", schedule=("kept_late", "kept_late"), flag="late")


@pytest.mark.parametrize(
    ("euro", "other", "actual", "ratio"),
    [
        ("1bn EUR", "9bn UAH", "at least 1bn EUR", "at least 0.025"),
        ("1bn EUR", "0 UAH", "at least 1bn EUR", "at least 0.025"),
        ("41bn EUR", "-9bn UAH", "41bn EUR", None),
        ("9bn UAH", "8bn UAH", "17bn UAH", None),
    ],
)
def test_money_without_a_rate_bounds_the_sum_unless_it_went_back(
    euro: str, other: str, actual: str, ratio: str | None
) -> None:
    one = progress(euro, basis="increment", period=quarter(1, of=2024))
    two = progress(other, basis="increment", period=quarter(2, of=2024), reason="handed back")
    given(pledge(), one, two).then(as_of="2024-08-01", status="in_progress", actual=actual, ratio=ratio)


@pytest.mark.parametrize(
    ("own", "firmer", "actual", "stage"),
    [
        ("at least 20bn EUR", "over 20bn EUR", "over 20bn EUR", "disbursed"),
        ("over 20bn EUR", "over 20bn EUR", "over 20bn EUR", "committed"),
        ("over 20bn EUR", "at least 20bn EUR", "over 20bn EUR", "committed"),
        ("20bn EUR", "between 21 and 22bn EUR", "at least 21bn EUR", "disbursed"),
        ("20bn EUR", "about 20bn EUR", "20bn EUR", "committed"),
    ],
)
def test_a_firmer_figure_counts_only_if_it_lies_above(own: str, firmer: str, actual: str, stage: str) -> None:
    one = progress(own, stage="committed", period=first_half(2024))
    two = progress(firmer, stage="disbursed", period=first_half(2024))
    given(pledge(), one, two).then(as_of="2024-08-01", actual=actual, stage=stage)


def test_a_firmer_figure_keeps_its_words() -> None:
    one = progress("20bn EUR", stage="committed", period=first_half(2024))
    for words in ("over €21bn", "at least €21bn"):
        two = progress(words, stage="disbursed", period=first_half(2024))
        document = given(pledge(), one, two).document("2024-08-01")
        assert document is not None
        assert document["actual"]["text"] == words


def test_every_overlap_is_named_and_the_sum_has_its_stage_and_period() -> None:
    promise = pledge()
    whole = progress("10bn EUR", basis="increment", stage="allocated", period=first_half(2024))
    parts = [progress(f"{n}bn EUR", basis="increment", stage="allocated", period=quarter(n, of=2024)) for n in (1, 2)]
    later = progress("5bn EUR", basis="increment", stage="allocated", period=until("2024-12-31", start="2024-06-01"))
    given(promise, whole, *parts, later).then(
        as_of="2025-01-01",
        actual="6bn EUR",
        stage="allocated",
        flag="overlap",
        because={"overlap": [promise, whole, *parts, later]},
        period={"start": "2024-01-01", "end": "2024-12-31"},
    )


def test_a_projection_that_a_reviewer_deprecates_is_not_shown() -> None:
    forecast = progress("60bn EUR", nature="projection", stated_on="2024-08-01")
    given(pledge(), forecast).then(as_of="2024-09-01", projection={"event": forecast})
    given(pledge(), forecast, ranked(forecast, "deprecated")).then(as_of="2024-09-01", projection=None)


THREE_YEARS = until("2024-12-31", start="2022-01-01")


def test_a_shorter_total_before_whole_years_is_no_part_of_the_whole() -> None:
    half = progress("10bn EUR", period=first_half(2022), stated_on="2022-07-10")
    years = [progress(f"{n}0bn EUR", period=year(2020 + n), stated_on=f"{2021 + n}-01-10") for n in (3, 4)]
    promise = pledge("at least 200bn EUR", window=THREE_YEARS, stated_on="2022-01-01")
    given(promise, half, years[0]).then(as_of="2024-02-01", actual="30bn EUR", no_flag="added_totals")
    record = given(promise, half, *years).then(as_of="2025-02-01", actual="70bn EUR", flag="added_totals")
    preferred = ranked(half, "preferred", stated_on="2025-02-02")
    record.accepts(preferred).then(as_of="2025-02-02", actual="10bn EUR", no_flag="added_totals")


def test_a_shorter_total_after_whole_years_adds_to_them() -> None:
    years = [progress(f"{n}0bn EUR", period=year(2020 + n), stated_on=f"{2021 + n}-01-10") for n in (1, 2)]
    half = progress("5bn EUR", period=first_half(2023), stated_on="2023-07-10")
    window = until("2024-12-31", start="2021-01-01")
    given(pledge("at least 100bn EUR", window=window, stated_on="2021-01-01"), *years, half).then(
        as_of="2023-08-01", actual="35bn EUR", flag="added_totals"
    )


def test_an_increment_with_the_reference_of_another_is_told_whose_transaction_it_is() -> None:
    first = progress("5m EUR", basis="increment", period=quarter(2, of=2024), source=source("Donor", reference="T-1"))
    again = progress("5m EUR", basis="increment", period=quarter(1, of=2024), source=source("Bank", reference="T-1"))
    record = given(pledge("at least 40m EUR"), first, again)
    why = f"is the transaction of {record.id(first)}"
    record.figure(again, as_of="2024-08-01", chosen=False, outcome="corroborates", why=why)


def test_what_is_reported_of_a_promise_that_is_not_measured_is_shown_all_the_same() -> None:
    for kind in ("qualitative", "milestone"):
        given(pledge(None, kind=kind), progress("5 count:laws")).then(
            as_of="2024-08-01", status="not_measurable", actual="5 count:laws"
        )


@pytest.mark.parametrize(
    ("start", "end", "actual"),
    [
        ("2024-01-01", "2024-12-31", "115bn EUR"),
        ("2024-01-01", "2024-12-30", "55bn EUR"),
        ("2023-07-01", "2024-06-30", "115bn EUR"),
        ("2023-07-02", "2024-06-30", "55bn EUR"),
    ],
)
def test_a_whole_year_lasts_to_the_eve_of_its_anniversary(start: str, end: str, actual: str) -> None:
    before = progress("60bn EUR", period=until(end, start=start), stated_on="2025-01-10")
    after = progress("55bn EUR", period=year(2025), stated_on="2026-01-10")
    promise = pledge("at least 200bn EUR", window=until("2025-12-31", start="2023-01-01"), stated_on="2023-01-01")
    given(promise, before, after).then(as_of="2026-02-01", actual=actual)


def test_what_is_promised_for_a_time_that_ends_on_the_day_the_window_starts_is_listed() -> None:
    promise = pledge(window=until("2024-12-31", start="2024-06-30"))
    on_the_day = progress("5bn EUR", stage="pledged", period=first_half(2024), stated_on="2024-07-01")
    before = progress("4bn EUR", stage="pledged", period=until("2024-06-29"), stated_on="2024-07-01")
    given(promise, on_the_day, before).then(as_of="2024-08-01", announced_amounts=[{"quantity": "5bn EUR"}])


def test_of_firmer_stages_that_say_the_same_the_one_next_to_what_is_required_answers() -> None:
    given(
        pledge(window=year(2024), required_stage="pledged"),
        progress("10bn EUR", stage="pledged", period=first_half(2024)),
        progress("30bn EUR", stage="allocated", period=first_half(2024)),
        progress("30bn EUR", stage="committed", period=first_half(2024)),
    ).then(as_of="2024-08-01", actual="at least 30bn EUR", stage="committed")


def test_what_is_promised_only_is_shown_of_the_window_alone() -> None:
    earlier = progress("30bn EUR", stage="pledged", period=year(2023))
    within = progress("3bn EUR", stage="pledged", period=year(2024))
    document = given(pledge(window=year(2024)), earlier, within).document("2024-08-01")
    assert document is not None
    assert [one["quantity"]["value"] for one in document["announced_amounts"]] == ["3000000000"]


@pytest.mark.parametrize(("baseline", "shown"), [({}, False), ({"baseline": {"quantity": "100 count:mtco2e"}}, True)])
def test_what_is_promised_against_a_baseline_is_shown_once_the_baseline_is_known(
    baseline: dict[str, Any], shown: bool
) -> None:
    promise = pledge("at least 40 percent:below-baseline", kind="count", window=year(2024), **baseline)
    said = progress("30 percent:below-baseline", stage="pledged", basis="level")
    document = given(promise, said).document("2024-08-01")
    assert document is not None
    assert ("announced_amounts" in document) == shown


def test_a_projection_is_of_the_measure_that_is_asked() -> None:
    promise = pledge("at least 100bn USD:constant-2020")
    for words, shown in (("80bn USD:constant-2020", True), ("80bn USD", False)):
        document = given(promise, progress(words, nature="projection")).document("2024-08-01")
        assert document is not None
        assert ("projection" in document) == shown


def test_a_projection_may_be_said_against_the_baseline_as_the_target_is() -> None:
    promise = pledge(
        "at least 40 percent:below-baseline", kind="count", baseline={"quantity": "100 count:mtco2e"}, window=year(2024)
    )
    expected = progress("35 percent:below-baseline", basis="level", nature="projection")
    document = given(promise, progress("90 count:mtco2e", basis="level"), expected).document("2024-08-01")
    assert document is not None
    assert document["projection"]["quantity"]["value"] == "35"
