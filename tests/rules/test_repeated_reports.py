"""The same report is recorded once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    corrected,
    exceeded,
    first_half,
    group,
    member,
    met,
    pledge,
    progress,
    share,
    source,
    tally,
    voided,
    year,
)
from tests.support.given import given

pytestmark = pytest.mark.usefixtures("every_record_holds")
URL = "https://news.example/1"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"url": URL}, {"url": URL}),
        ({"url": URL, "published_on": "2024-07-01"}, {"url": URL, "published_on": "2024-07-02"}),
        ({}, {}),
        ({"published_on": "2024-07-01"}, {}),
        ({"published_on": "2024-07", "locator": "p. 2"}, {"published_on": "2024-07", "locator": "p. 2"}),
        ({"url": URL}, {"url": "https://news.example/2"}),
        ({"tier": "media"}, {"tier": "official", "origin": "Ministry"}),
    ],
)
def test_the_same_publisher_and_address_or_date_and_place_is_the_same_report(first: Any, again: Any) -> None:
    report = progress("20bn EUR", source=source(**first))
    given(pledge(), report).refuses(
        progress("EUR 20 billion", source=source("NEWS", **again)), "duplicate_fact", "", event=report
    )


@pytest.mark.parametrize(
    "other",
    [
        {"source": source("Other")},
        {"source": source(published_on="2024-07-02")},
        {"source": source(locator="p. 3")},
        {"stated_on": "2024-07-02"},
        {"stage": "committed"},
        {"nature": "provisional"},
        {"period": first_half(2024)},
        {"attribution": "Europe"},
    ],
)
def test_another_date_place_or_part_of_the_figure_is_another_report(other: dict[str, Any]) -> None:
    given(pledge(), progress("20bn EUR"), progress("20bn EUR", **other))


def test_a_claim_and_a_report_with_one_figure_are_two() -> None:
    given(pledge(), progress("41bn EUR", stated_on="2025-02-12"), met("41bn EUR"), exceeded("41bn EUR"))


def test_tallies_shares_and_member_results_are_recorded_once() -> None:
    whole = exceeded("over 50bn EUR")
    record = given(pledge(window=year(2024), group=group("BE FR DE")), whole)
    for fact in (
        lambda: tally(met=2, total=3),
        lambda: tally(members_met=["BE", "FR"]),
        lambda: share("Europe", "more than 50 percent:aid", of=whole),
        lambda: member("BE", "met", "2bn EUR"),
    ):
        first = fact()
        record.accepts(first).refuses(fact(), "duplicate_fact", event=first)
    record.accepts(member("FR", "met", "2bn EUR")).accepts(tally(met=2, total=3, nature="projection"))
    record.accepts(member("FR", "met")).accepts(member("FR", "met"))


def test_a_voided_report_may_be_recorded_anew() -> None:
    report = progress("20bn EUR")
    given(pledge(), report, voided(report), progress("20bn EUR")).then(as_of="2024-07-01", actual="20bn EUR")


def test_a_correction_cannot_make_two_reports_one() -> None:
    report, other = progress("20bn EUR"), progress("21bn EUR", source="Other")
    given(pledge(), report, other).refuses(
        corrected(other, {"figure": {"quantity": {"value": "20000000000"}}, "source": {"publisher": "News"}}),
        "duplicate_fact",
        "/changes",
        event=report,
    )


def test_one_article_supports_two_pledges() -> None:
    article = source(url=URL)
    for slug in ("aid", "loans"):
        given(pledge(source=article), progress("1bn EUR", source=article), slug=slug)
