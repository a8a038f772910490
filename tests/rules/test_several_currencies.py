"""Figures in several currencies: how they are converted, and when they are set side by side as they are said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import first_half, pledge, progress, quarter, source, until, year
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")


def payment(quantity: str, publisher: str, reference: str | None = None) -> Any:
    """What was paid in the first quarter, with the id of the transaction if its publisher gives one."""
    where = source(publisher) if reference is None else source(publisher, reference=reference)
    return progress(quantity, basis="increment", period=quarter(1, of=2024), source=where)


# --- rates


@pytest.mark.parametrize(
    ("said", "target", "how"),
    [
        ("5bn USD", "at least 10bn EUR", {"rate": "1.0705", "to_rate": None}),
        ("5bn EUR", "at least 10bn USD", {"rate": "1.0705", "to_rate": None}),
        ("5bn USD", "at least 10bn GBP", {"rate": "1.0705", "to_rate": "0.84638"}),
        ("5bn GBP", "at least 10bn USD", {"rate": "0.84638", "to_rate": "1.0705"}),
    ],
)
def test_a_conversion_names_the_rates_as_published_by_the_euro(said: str, target: str, how: dict[str, Any]) -> None:
    currencies = {"from": said[-3:], "to": target[-3:], "date": "2024-06-28", "provider": "ECB"}
    given(pledge(target, window=year(2024)), progress(said, period=first_half(2024))).then(
        as_of="2024-08-01", flag="converted", conversion={**currencies, **how}
    )


def test_between_two_currencies_the_amount_goes_by_the_euro() -> None:
    report = progress("1070.50 USD", period=first_half(2024))
    given(pledge("at least 846.38 GBP", window=year(2024)), report).then(
        as_of="2024-08-01", status="met", ratio="1"
    ).figure(report, as_of="2024-08-01", converted="846.38 GBP")


def test_of_increments_without_any_rate_those_in_the_currency_of_the_first_count() -> None:
    hryvnias = progress("9bn UAH", basis="increment", period=quarter(2, of=2024))
    tenge = progress("8bn KZT", basis="increment", period=quarter(1, of=2024))
    record = given(pledge(window=year(2024)), tenge, hryvnias)
    record.then(as_of="2024-08-01", actual="at least 9bn UAH", ratio=None)
    record.figure(tenge, as_of="2024-08-01", outcome="unconverted", chosen=False)


# --- disputes and unit errors


def test_a_figure_is_set_beside_those_of_another_currency_although_two_pairs_of_that_lie_further_out() -> None:
    """50bn EUR lie between two pairs of dollars, each of which is a dispute of its own."""
    of_the_half = {"period": first_half(2024)}
    dollars = [progress(f"{number}bn USD", source=str(number), **of_the_half) for number in (30, 35, 80, 85)]
    euros = progress("50bn EUR", source="E", **of_the_half)
    record = given(pledge(), *dollars, euros)
    record.then(as_of="2024-08-01", flag="disputed")
    conflicts = {row["event"]: row["conflicts"] for row in record.figures("2024-08-01")}
    assert record.id(dollars[-1]) in conflicts[record.id(euros)]


def test_two_dollar_figures_are_not_converted_to_be_compared_although_a_euro_figure_stands_beside_them() -> None:
    """55.3bn USD are 49.4bn EUR at the rate of September and 53.2bn EUR at that of December."""
    of_the_year = {"period": year(2024)}
    given(
        pledge("at least 100bn EUR", window=year(2024)),
        progress("55.3bn USD", stated_on="2024-09-30", source="One", **of_the_year),
        progress("55.3bn USD", stated_on="2025-01-13", source="Two", **of_the_year),
        progress("between 49 and 54bn EUR", stated_on="2025-01-13", source="Three", **of_the_year),
    ).then(as_of="2025-02-01", no_flag="disputed", evidence="corroborated")


@pytest.mark.parametrize(
    ("reference", "other", "is_error"),
    [("T-1", "T-1", False), ("T-1", "T-2", True), ("T-1", None, True), (None, "T-2", True), (None, None, True)],
)
def test_the_same_digits_in_two_currencies_are_no_error_in_one_transaction(
    reference: str | None, other: str | None, is_error: bool
) -> None:
    flag = {"flag" if is_error else "no_flag": "suspected_unit_error"}
    given(pledge(), payment("5.3m EUR", "Donor", reference), payment("5.3m USD", "Receiver", other)).then(
        as_of="2024-08-01", **flag
    )


def test_two_reports_of_one_transaction_never_dispute_each_other() -> None:
    reports = [payment(words, words, "T-1") for words in ("5m EUR", "9m EUR")]
    given(pledge(), *reports).then(as_of="2024-08-01", no_flag="disputed")


def test_one_transaction_in_two_currencies_does_not_hide_the_same_digits_in_a_third_report() -> None:
    reports = [
        payment(words, name, reference)
        for words, name, reference in (
            ("5.3m EUR", "Donor", "T-1"), ("5.3m USD", "Receiver", "T-1"), ("5.3m GBP", "Third", None)
        )
    ]  # fmt: skip
    given(pledge(), *reports).then(as_of="2024-08-01", flag="suspected_unit_error")


def test_every_pair_of_the_same_digits_is_named() -> None:
    promise = pledge("at least 100bn EUR", window=year(2024))
    halves = [progress(f"20.9bn {unit}", period=first_half(2024), source=unit) for unit in ("EUR", "USD")]
    years = [progress(f"31.5bn {unit}", period=year(2024), source=unit) for unit in ("EUR", "USD")]
    given(promise, *halves, *years).then(
        as_of="2025-02-01",
        flag="suspected_unit_error",
        because={"suspected_unit_error": [promise, *halves, *years]},
    )


# --- stages without a target


@pytest.mark.parametrize(
    ("own", "firmer", "actual", "stage"),
    [
        ("20bn EUR", "30bn USD", "at least 30bn USD", "disbursed"),
        ("20bn USD", "20bn EUR", "at least 20bn EUR", "disbursed"),
        ("20bn EUR", "20bn USD", "20bn EUR", "committed"),
        ("20bn EUR", "30bn UAH", "20bn EUR", "committed"),
        ("20bn UAH", "30bn EUR", "20bn UAH", "committed"),
    ],
)
def test_without_a_target_a_firmer_figure_lies_above_by_its_worth_in_euros(
    own: str, firmer: str, actual: str, stage: str
) -> None:
    one = progress(own, stage="committed", period=first_half(2024))
    two = progress(firmer, stage="disbursed", period=first_half(2024))
    given(pledge(None, window=year(2024)), one, two).then(as_of="2024-08-01", actual=actual, stage=stage)


@pytest.mark.parametrize(
    ("own", "firmer", "actual", "stage"),
    [
        (["20bn EUR"], ["25bn USD", "1bn USD"], "at least 26bn USD", "disbursed"),
        (["20bn EUR"], ["15bn USD", "5bn USD"], "20bn EUR", "committed"),
        (["20bn USD", "10bn USD"], ["25bn EUR"], "30bn USD", "committed"),
        (["20bn USD", "10bn USD"], ["30bn EUR"], "at least 30bn EUR", "disbursed"),
        (["20bn UAH", "10bn UAH"], ["30bn EUR"], "30bn UAH", "committed"),
    ],
)
def test_without_a_target_a_sum_is_worth_in_euros_what_all_its_parts_are(
    own: list[str], firmer: list[str], actual: str, stage: str
) -> None:
    reports = [
        progress(words, basis="increment", stage=name, period=quarter(number, of=2024), stated_on="2024-07-10")
        for name, amounts in (("committed", own), ("disbursed", firmer))
        for number, words in enumerate(amounts, 1)
    ]
    given(pledge(None, window=year(2024)), *reports).then(as_of="2024-08-01", actual=actual, stage=stage)


@pytest.mark.parametrize(("target", "actual"), [(None, "11bn RUB"), ("at least 1bn EUR", "at least 5bn RUB")])
def test_a_sum_of_one_currency_needs_its_rates_only_to_be_compared(target: str | None, actual: str) -> None:
    """The last rate of the rouble is that of 1 March 2022."""
    february, march = {"start": "2022-02-01", "end": "2022-02-28"}, {"start": "2022-03-01", "end": "2022-03-31"}
    paid = [
        progress(words, basis="increment", period=period, stated_on="2022-04-10")
        for words, period in (("5bn RUB", february), ("6bn RUB", march))
    ]
    given(pledge(target, window=year(2022), stated_on="2022-01-10"), *paid).then(as_of="2022-05-01", actual=actual)


def test_the_largest_amount_is_converted_to_the_cent() -> None:
    largest = {"op": "eq", "value": "1" + "0" * 29, "unit": "USD"}
    report = progress(largest, period=first_half(2024))
    given(pledge(window=year(2024)), report).figure(
        report, as_of="2024-08-01", converted={"op": "eq", "value": "93414292386735170481083605791.69", "unit": "EUR"}
    )


@pytest.mark.parametrize(
    ("worth", "actual", "stage"),
    [("21bn EUR", "at least 300bn UAH", "disbursed"), ("19bn EUR", "20bn EUR", "committed")],
)
def test_without_a_target_a_firmer_figure_is_worth_what_its_source_says(worth: str, actual: str, stage: str) -> None:
    own = progress("20bn EUR", stage="committed", period=first_half(2024))
    firmer = progress("300bn UAH", equivalent=worth, stage="disbursed", period=first_half(2024))
    given(pledge(None, window=year(2024)), own, firmer).then(as_of="2024-08-01", actual=actual, stage=stage)


def test_a_firmer_figure_lies_above_by_what_both_come_to_in_the_currency_of_the_target() -> None:
    """100bn EUR were 113.26bn USD at the end of 2021; 109bn USD were 111.8bn EUR in September 2022."""
    own = progress("109bn USD", stage="committed", period=until("2022-09-28"), stated_on="2022-10-01")
    firmer = progress("100bn EUR", stage="disbursed", period=until("2021-12-31"), stated_on="2022-10-01")
    given(pledge("at least 200bn USD", stated_on="2021-01-10"), own, firmer).then(
        as_of="2022-11-01", actual="at least 100bn EUR", stage="disbursed"
    )


def test_figures_of_two_currencies_are_compared_in_that_of_the_target_if_it_is_one() -> None:
    """46bn EUR are some 50bn USD at the rate of the day, and 60bn USD by what the source says itself."""
    of_the_half = {"period": first_half(2024)}
    euros = progress("46bn EUR", equivalent={"op": "eq", "value": "60000000000", "unit": "USD"}, **of_the_half)
    dollars = progress("50bn USD", source="Other", **of_the_half)
    given(pledge("at least 100bn USD"), euros, dollars).then(as_of="2024-08-01", flag="disputed")
    given(pledge("at least 100bn EUR"), euros, dollars).then(as_of="2024-08-01", no_flag="disputed")


@pytest.mark.parametrize(
    ("figure", "target"),
    [("9788000 CHF", "10000000 EUR"), ("8574217.2 GBP", "9990000 EUR"), ("85742172 GBP", "99900000 EUR")],
)
def test_an_amount_that_comes_out_even_is_what_it_comes_to(figure: str, target: str) -> None:
    """At 0.9788 CHF and 0.85828 GBP for one EUR; the inverse of neither has an end."""
    half = {"start": "2023-01-01", "end": "2023-06-30"}
    promise = pledge(f"at least {target}", window=half, stated_on="2023-01-01")
    given(promise, progress(figure, period=half, stated_on="2023-07-01")).then(
        as_of="2023-08-01", status="met", ratio="1"
    )
