"""Units, currencies and the rates between them. Hard cases of docs/hard-cases.md."""

from __future__ import annotations

import pytest

from tests.support.facts import (
    corrected,
    exceeded,
    pledge,
    progress,
    restated,
    until,
    year,
)
from tests.support.given import given
from tests.support.hard_cases import annual, case, half

pytestmark = pytest.mark.usefixtures("every_record_holds")


@case(6)
def test_the_same_digits_in_two_currencies_are_a_suspected_unit_error() -> None:
    """Two outlets give 20.9bn for the same months, one in euro and one in dollars.

    Flagged as a suspected unit error, with both reports named, until one is corrected.
    """
    euro, dollar = progress("20.9bn EUR", **half()), progress("20.9bn USD", **half(source="Other"))
    promise = pledge(window=year(2024))
    given(promise, euro, dollar).then(
        as_of="2024-10-16", flag="suspected_unit_error", because={"suspected_unit_error": [promise, euro, dollar]}
    ).figure(dollar, as_of="2024-10-16", conflicts=[euro]).accepts(
        corrected(dollar, {"figure": {"quantity": {"unit": "EUR"}}})
    ).then(as_of="2024-10-16", flags=[], evidence="corroborated").then(
        as_of="2024-10-16", known_at="2024-12-31", flag="suspected_unit_error"
    )


@case(7)
def test_another_currency_is_compared_at_the_rate_of_the_end_of_its_period() -> None:
    """55bn dollars and "over 50bn" euro, both for the year 2024.

    The dollars are converted at the rate of 31 December 2024 for the comparison and the ratio; not disputed.
    """
    given(
        pledge(window=year(2024)),
        progress("55bn USD", **annual(source="Other")),
        exceeded("over 50bn EUR", **annual()),
    ).then(
        as_of="2025-02-12",
        status="exceeded",
        actual="55bn USD",
        ratio="1.323515",
        evidence="corroborated",
        flags=["converted"],
        conversion={"from": "USD", "to": "EUR", "rate": "1.0389", "date": "2024-12-31", "provider": "ECB"},
    )


@case(14)
def test_nominal_and_real_growth_are_two_measures() -> None:
    """485bn dollars, "nearly 20 %" more; later 486bn and "19.4 % in real terms".

    The amount is restated and history has both; the two growth figures have two units and meet nowhere.
    """
    first = progress("485bn USD", **annual())
    nominal = progress("nearly 20 percent:nominal-growth", **annual(stage="unspecified", basis="level"))
    real = progress("19.4 percent:real-growth", **annual(stage="unspecified", basis="level", stated_on="2025-06-30"))
    later = restated(first, "486bn USD", **annual(stated_on="2025-06-30"))
    record = given(pledge(target=None), first, nominal, later, real)
    record.then(as_of="2025-02-12", status="not_measurable", actual="485bn USD", other_measures=[{"event": nominal}])
    record.then(
        as_of="2025-06-30",
        status="not_measurable",
        actual="486bn USD",
        other_measures=[{"event": nominal}, {"event": real}],
        flags=["single_source"],
    ).figure(first, as_of="2025-06-30", quantity="486bn USD", as_recorded={"quantity": "485bn USD"})
    assert [step[0] for step in record.history("2025-06-30")] == [
        "PledgeMade",
        "ProgressReported",
        "ProgressReported",
        "FigureRestated",
        "ProgressReported",
    ]


@case(26)
def test_rounds_of_one_calibre_and_of_all_are_two_units() -> None:
    """A promise counts rounds of 155 mm; a report counts rounds of all calibres.

    Two units: the report is refused here, and without a target kept beside the actual, never added.
    """
    rounds = pledge("1m count:155mm-rounds", kind="count")
    given(rounds).refuses(progress("1.5m count:rounds"), "unit_mismatch", "/figure/quantity/unit")
    some, all_ = progress("300k count:155mm-rounds", stated_on="2024-07-02"), progress("1.5m count:rounds")
    given(pledge(None, kind="count"), all_, some).then(
        as_of="2024-07-02", actual="300k count:155mm-rounds", other_measures=[{"event": all_}]
    )


@case(33)
def test_an_amount_without_a_currency_is_refused() -> None:
    """The source gives "over 50 billion" and no currency.

    Refused with what is missing; nothing is guessed.
    """
    given(pledge(window=year(2024))).refuses(
        progress("over 50 billion", **annual()), "invalid_fact", "/figure/quantity"
    ).refuses(progress({"op": "gt", "value": "50000000000"}, **annual()), "invalid_fact", "/figure/quantity/unit")


@case(36)
def test_a_rate_alone_makes_no_total_fall() -> None:
    """20.9m USD for nine months, then 21.2m USD for the year; the target is in euros, and the dollar fell in between.

    Two figures of one currency are never converted to be compared: not falling, not disputed.
    """
    given(
        pledge("at least 40m EUR", window=year(2024)),
        progress("20.9m USD", period=until("2024-09-30", start="2024-01-01"), stated_on="2024-10-10"),
        progress("21.2m USD", period=until("2024-12-10", start="2024-01-01"), stated_on="2024-12-12"),
    ).then(as_of="2024-12-12", actual="21.2m USD", evidence="single_source", flags=["converted", "single_source"])


@case(44)
def test_a_replay_never_knows_a_later_rate() -> None:
    """In October dollars are reported for the whole year; the target is in euros.

    They are compared at October's rate, on that day and for ever, not at that of the year's end.
    """
    said = progress("50bn USD", period=year(2024), stated_on="2024-10-16")
    rate = {"from": "USD", "to": "EUR", "rate": "1.0897", "date": "2024-10-16", "provider": "ECB"}
    given(pledge(window=year(2024)), said).then(as_of="2024-10-16", flag="converted", conversion=rate).then(
        as_of="2025-12-31", conversion=rate, actual="50bn USD"
    )


@case(45)
def test_what_the_source_itself_says_it_comes_to_goes_before_a_rate() -> None:
    """8bn SEK are reported, 760m USD by the source's own words; the target is in dollars.

    Compared as 760m USD, and the provider of the conversion is the source.
    """
    said = progress("8bn SEK", equivalent="760m USD", **annual())
    given(pledge("at least 750m USD", window=year(2024)), said).then(
        as_of="2025-02-12",
        status="exceeded",
        actual="8bn SEK",
        ratio="1.013333",
        flag="converted",
        conversion={"from": "SEK", "to": "USD", "provider": "source"},
    )


@case(56)
def test_what_can_be_compared_goes_before_what_cannot() -> None:
    """5m LKR, which has no rate, are reported after "over 15,000 USD"; the target is 15,000 USD.

    The figure that can be compared with the target is chosen.
    """
    dollars = progress("over 15000 USD", stated_on="2024-05-02")
    rupees = progress("5m LKR", stated_on="2024-06-03")
    given(pledge("15000 USD", window=year(2024)), dollars, rupees).then(
        as_of="2024-06-03", status="exceeded", actual="over 15000 USD"
    ).figure(rupees, as_of="2024-06-03", chosen=False, outcome="outranked")


@case(60)
def test_constant_prices_are_another_measure() -> None:
    """20bn USD are reported, and the same as 17bn at the prices of 2020.

    Two measures: neither disputes nor adds to the other, and the second is listed beside the actual.
    """
    constant = progress("17bn USD:constant-2020", **annual(source="Institute"))
    given(pledge("at least 40bn USD", window=year(2024)), progress("20bn USD", **annual()), constant).then(
        as_of="2025-02-12",
        actual="20bn USD",
        evidence="single_source",
        flags=["single_source"],
        other_measures=[{"event": constant}],
    )


@case(61)
def test_a_currency_that_the_euro_replaced_is_read_as_before() -> None:
    """10m BGN are promised and reported in 2025; the euro replaces the lev in January 2026.

    Recorded and read as before, and compared with euros at the irrevocable rate.
    """
    promise = pledge("10m BGN", window=year(2025), stated_on="2025-01-10")
    given(promise, progress("10m BGN", period=year(2025), stated_on="2026-02-12")).then(
        as_of="2026-02-12", status="met", target="10m BGN", actual="10m BGN"
    )
    in_euros = pledge("5m EUR", window=year(2025), stated_on="2025-01-10")
    given(in_euros, progress("10m BGN", basis="increment", stated_on="2026-03-02")).then(
        as_of="2026-03-02", status="exceeded", conversion={"rate": "1.95583", "date": "2026-01-01"}
    )
