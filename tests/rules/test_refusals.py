"""What is refused, with its code and its place; and what looks as if it should be and is not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.given import (
    Given,
    Posted,
    captured,
    corrected,
    exceeded,
    first_half,
    given,
    group,
    member,
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
    scheduled,
    share,
    source,
    statement,
    superseded,
    tally,
    until,
    voided,
    withdrawn,
    year,
)
from tracker.errors import FutureStatement, InvalidFact
from tracker.fact_reading import read_fact
from tracker.pledge import Pledge
from tracker.quantity import Quantity

pytestmark = pytest.mark.usefixtures("every_record_holds")


# --- the stream


def test_the_first_fact_of_a_pledge_is_its_making() -> None:
    Given().refuses(progress("1 EUR"), "not_opened", "/type")


def test_a_pledge_is_made_once() -> None:
    given(pledge()).refuses(pledge(), "pledge_exists")


def test_nothing_can_be_recorded_once_the_making_is_voided() -> None:
    promise = pledge()
    given(promise, voided(promise)).refuses(progress("1 EUR"), "already_voided", event=promise).refuses(
        pledge(), "pledge_exists"
    )


def test_a_pledge_cannot_take_its_own_place_or_be_its_own_part() -> None:
    given(pledge()).refuses(superseded("aid", stated_on="2024-03-01"), "invalid_fact", "/by")
    Given().refuses(pledge(part_of="aid"), "invalid_fact", "/part_of")


# --- references


def test_a_reference_is_to_an_event_of_this_pledge() -> None:
    elsewhere = progress("1bn EUR")
    given(pledge(), elsewhere, slug="other")
    here = given(pledge())
    for fact in (
        restated(elsewhere, "2bn EUR", stated_on="2024-08-01"),
        retracted(elsewhere, stated_on="2024-08-01"),
        corrected(elsewhere, {"summary": "x"}),
        voided(elsewhere),
        ranked(elsewhere, "preferred"),
        captured(elsewhere),
    ):
        here.refuses(fact, "unknown_event", "/event")
    here.refuses(share("some", "50 percent:aid", of=elsewhere), "unknown_event", "/of")


def refused_reference(fact: Posted, *others: Posted, pointer: str = "/event") -> None:
    given(*others).refuses(fact, "wrong_event_type", pointer)


def test_only_facts_with_a_figure_are_restated_ranked_or_shared_out() -> None:
    promise, talk, admission = pledge(), statement(stated_on="2024-03-01"), missed()
    for target in (promise, talk, admission):
        record = (promise, talk, admission)
        refused_reference(restated(target, "1bn EUR", stated_on="2025-03-01"), *record)
        refused_reference(ranked(target, "preferred"), *record)
        refused_reference(share("some", "50 percent:aid", of=target, stated_on="2025-03-01"), *record, pointer="/of")


def test_a_members_figure_and_a_restatement_can_be_restated_and_ranked() -> None:
    result = member("BE", "met", "2.1bn EUR")
    again = restated(result, "2.2bn EUR", stated_on="2025-03-01")
    given(
        pledge(group=group("BE FR", "aggregate")),
        result,
        again,
        restated(again, "2.3bn EUR", stated_on="2025-04-01"),
        ranked(again, "preferred"),
    )


def test_only_what_a_source_said_is_retracted_and_never_the_promise_itself() -> None:
    promise, report = pledge(), progress("1bn EUR")
    rank = ranked(report, "preferred")
    refused_reference(retracted(promise, stated_on="2024-08-01"), promise)
    refused_reference(retracted(rank, stated_on="2026-08-01"), promise, report, rank)


def test_corrections_and_voids_are_not_corrected_and_voids_not_voided() -> None:
    promise, report, wrong = pledge(), progress("1bn EUR"), progress("2bn EUR", stated_on="2024-08-01")
    mended, void = corrected(report, {"summary": "one"}), voided(wrong)
    record = (promise, report, wrong, mended, void)
    refused_reference(corrected(mended, {"reason": "two"}), *record)
    refused_reference(corrected(void, {"reason": "two"}), *record)
    refused_reference(voided(void), *record)
    given(*record, voided(mended))


def test_only_facts_with_a_source_are_captured() -> None:
    report = progress("1bn EUR")
    rank = ranked(report, "preferred")
    refused_reference(captured(rank), pledge(), report, rank)


def test_nothing_acts_on_what_is_voided() -> None:
    report = progress("1bn EUR")
    record = given(pledge(), report, voided(report))
    for fact in (voided(report), corrected(report, {"summary": "x"}), ranked(report, "preferred")):
        record.refuses(fact, "already_voided", "/event", event=report)
    record.refuses(share("some", "50 percent:aid", of=report), "already_voided", "/of", event=report)


def test_a_corrected_reference_still_points_back() -> None:
    """Otherwise two facts could act on each other for ever."""
    report = progress("1bn EUR")
    first = restated(report, "2bn EUR", stated_on="2024-08-01")
    second = restated(first, "3bn EUR", stated_on="2024-09-01")
    record = given(pledge(), report, first, second)
    record.refuses(corrected(first, {"event": second}), "unknown_event", "/changes/event")
    record.refuses(corrected(first, {"event": first}), "unknown_event", "/changes/event")
    record.refuses(corrected(first, {"event": pledge()}), "unknown_event", "/changes/event")


def test_a_share_may_be_corrected_to_a_figure_recorded_after_it() -> None:
    part, whole = share("some", "more than 50 percent:aid"), exceeded("over 50bn EUR")
    record = given(pledge(), part, whole, corrected(part, {"of": whole}))
    document = record.document("2025-02-12")
    assert document is not None
    assert document["shares"][0]["bound"] == {"op": "gt", "value": "25000000000", "unit": "EUR"}


# --- the same report twice


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


# --- basis and unit


def test_one_series_has_one_basis() -> None:
    running = progress("20bn EUR", stage="committed")
    given(pledge(), running).refuses(
        progress("5bn EUR", stage="committed", basis="increment", stated_on="2024-08-01"),
        "mixed_basis",
        "/figure/basis",
        event=running,
    ).accepts(progress("5bn EUR", stage="disbursed", basis="increment", stated_on="2024-08-01")).accepts(
        progress("5bn EUR", stage="committed", basis="increment", attribution="Europe", stated_on="2024-08-01")
    ).accepts(
        progress("5bn EUR", stage="committed", basis="increment", nature="projection", stated_on="2024-08-01")
    ).refuses(progress("5bn USD", stage="committed", basis="increment", stated_on="2024-08-01"), "mixed_basis")


def test_a_basis_typed_wrongly_is_corrected_or_restated() -> None:
    step = progress("20bn EUR", period=quarter(1, of=2024))
    record = given(pledge(), step)
    record.accepts(corrected(step, {"figure": {"basis": "increment"}}))
    record.accepts(progress("5bn EUR", basis="increment", period=quarter(2, of=2024), stated_on="2024-08-01"))
    record.then(as_of="2024-08-01", actual="25bn EUR")
    record.refuses(corrected(step, {"figure": {"basis": "cumulative"}}), "mixed_basis", "/changes")
    other = progress("20bn EUR", period=quarter(1, of=2024))
    given(
        pledge(),
        other,
        restated(other, "20bn EUR", basis="increment", period=quarter(1, of=2024), stated_on="2024-07-02"),
    )


def test_a_unit_must_compare_with_the_target() -> None:
    given(pledge()).refuses(progress("5m count:trees"), "unit_mismatch", "/figure/quantity/unit").refuses(
        progress("50 percent:gdp"), "unit_mismatch", "/figure/quantity/unit"
    ).accepts(progress("20bn USD")).refuses(met("5m count:trees"), "unit_mismatch", "/figure/quantity/unit")
    given(pledge(None), progress("5m count:trees"))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("money", "5m count:trees"),
        ("count", "5m EUR"),
        ("ratio", "5m count:trees"),
        ("milestone", "5m EUR"),
        ("qualitative", "5 percent:gdp"),
    ],
)
def test_a_target_fits_the_kind(kind: str, target: str) -> None:
    Given().refuses(pledge(target, kind=kind), "unit_mismatch", "/target")
    given(pledge(None, kind=kind)).refuses(revised(target=target, stated_on="2024-03-01"), "unit_mismatch", "/target")


def test_a_revised_target_measures_the_same() -> None:
    given(pledge("5m count:trees", kind="count")).refuses(
        revised(target="5m count:shrubs", stated_on="2024-03-01"), "unit_mismatch", "/target"
    )
    given(pledge(), revised(target="45bn USD", stated_on="2024-03-01"))


def test_a_corrected_kind_fits_the_targets_that_were_set_later() -> None:
    promise = pledge(None)
    given(promise, revised(target="40bn EUR", stated_on="2024-03-01")).refuses(
        corrected(promise, {"kind": "count"}), "unit_mismatch", "/changes/kind"
    )


# --- members


def test_a_member_is_one_of_the_group() -> None:
    given(pledge()).refuses(member("BE", "met"), "invalid_fact", "/member")
    given(pledge(group=group("BE FR"))).refuses(member("DE", "met"), "invalid_fact", "/member").refuses(
        tally(members_met=["BE", "DE"]), "invalid_fact", "/members_met/1"
    ).refuses(tally(members_not_met=["US"]), "invalid_fact", "/members_not_met/0").accepts(
        revised(group=group("BE FR DE"), stated_on="2024-05-01")
    ).accepts(member("DE", "met"))


# --- time


def test_nothing_is_stated_later_than_today_anywhere_on_earth() -> None:
    """In Kiribati (UTC+14) it is tomorrow from 10 o'clock UTC on."""
    open_ = Pledge("aid")
    fact = read_fact(given().resolved(pledge(stated_on="2024-01-11").fact))
    open_.check(fact, datetime(2024, 1, 10, 10, tzinfo=UTC))
    with pytest.raises(FutureStatement) as refusal:
        open_.check(fact, datetime(2024, 1, 10, 9, 59, tzinfo=UTC))
    assert (refusal.value.code, refusal.value.pointer) == ("future_statement", "/stated_on")


def test_an_imprecise_date_is_judged_by_its_own_day() -> None:
    given(pledge(stated_on="2024-01-10", precision="year", recorded="2024-01-10")).does_not_exist(
        as_of="2024-12-30"
    ).then(as_of="2024-12-31", status="announced")


def test_a_correction_cannot_move_a_fact_into_the_future() -> None:
    report = progress("1bn EUR")
    given(pledge(), report).refuses(
        corrected(report, {"stated_on": "2026-06-03"}), "future_statement", "/changes/stated_on"
    )


# --- shape


def test_a_fact_is_at_most_48_kib() -> None:
    texts = dict.fromkeys(("title", "locator", "origin"), "ä" * 300)
    names = [f"member-{number}-{'x' * 110}" for number in range(400)]
    given(pledge(), statement(source=source(**texts), stated_on="2024-02-01")).refuses(
        revised(group=group(" ".join(names)), stated_on="2024-02-01"), "too_large"
    )


@pytest.mark.parametrize(
    ("fact", "pointer"),
    [
        (progress("1bn EUR", period={"start": "2024-07-01", "end": "2024-06-30"}), "/figure/period"),
        (progress("1bn EUR", colour="red"), "/colour"),
        (progress("1bn EUR", period={"start": "2024-01-01", "until": "2024-06-30"}), "/figure/period/until"),
        (progress("1bn EUR", stated_on="01.07.2024"), "/stated_on"),
        (progress("1bn EUR", stated_on="2024-02-30"), "/stated_on"),
        (progress("1bn EUR", precision="week"), "/precision"),
        (progress("1bn EUR", quote="x" * 301), "/quote"),
        (progress("1bn XXQ"), "/figure/quantity"),
        (progress({"op": "eq", "value": 20, "unit": "EUR"}), "/figure/quantity/value"),
        (progress({"op": "eq", "value": "1e9", "unit": "EUR"}), "/figure/quantity/value"),
        (progress({"op": "between", "value": "2", "upper": "1", "unit": "EUR"}), "/figure/quantity"),
        (progress("1bn EUR", stage="promised"), "/figure/stage"),
        (progress("-1bn EUR", basis="increment"), ""),
        (met("-1bn EUR", basis="increment"), ""),
        (statement(stance="loves", stated_on="2024-07-01"), "/stance"),
        (share("Europe", "5bn EUR"), ""),
        (tally(total=3), ""),
        (tally(met=3, members_met=["BE"]), ""),
        (tally(members_met=["BE"], members_not_met=["BE"]), ""),
        (tally(met=True), "/met"),
        (member("QQ", "met"), "/member"),
        (revised(stated_on="2024-07-01"), ""),
        (revised(required_stage="unspecified", stated_on="2024-07-01"), ""),
        (scheduled("base", due="2024-13"), "/due"),
        (reaffirmed(stated_on="2024-07-01", source={"publisher": "News"}), "/source/tier"),
        (withdrawn(stated_on="2024-07-01", reason=None), "/reason"),
    ],
)
def test_a_fact_has_the_shape_of_its_type(fact: Posted, pointer: str) -> None:
    given(pledge()).refuses(fact, "invalid_fact", pointer)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"window": {"start": "2024-12-31", "end": "2024-01-01"}}, "/window"),
        ({"window": {"end": "2024-12-31", "latest": "2024-06-30"}}, "/window"),
        ({"window": {}}, "/window"),
        ({"pledgor": {"name": "Nowhere", "code": "QQ"}}, "/pledgor/code"),
        ({"group": {"rule": "count_at_least", "members": ["BE"]}}, "/group"),
        ({"group": {"rule": "each_member", "members": ["BE"], "count": 1}}, "/group"),
        ({"group": {"rule": "each_member", "members": ["BE", "BE"]}}, "/group"),
        ({"group": {"rule": "each_member", "members": ["BE"], "opted_out": ["FR"]}}, "/group"),
        ({"required_stage": "unspecified"}, ""),
        ({"tags": ["a", "a"]}, ""),
        ({"measurable": "no"}, "/measurable"),
    ],
)
def test_a_promise_is_consistent(fields: dict[str, Any], pointer: str) -> None:
    Given().refuses(pledge(**fields), "invalid_fact", pointer)


def test_a_statement_has_a_source_and_record_keeping_needs_none() -> None:
    report = progress("1bn EUR")
    given(pledge(), report).refuses(
        Posted({"type": "StatementMade", "stated_on": "2024-07-01"}), "invalid_fact", "/source"
    )
    given(pledge(), report, ranked(report, "preferred"), captured(report))


def test_a_correction_is_checked_as_the_fact_is() -> None:
    report = progress("20bn EUR")
    record = given(pledge(), report)
    record.refuses(corrected(report, {"type": "PledgeMet"}), "invalid_fact", "/changes")
    record.refuses(corrected(report, {}), "invalid_fact", "/changes")
    record.refuses(corrected(report, {"figure": {"stage": "promised"}}), "invalid_fact", "/changes/figure/stage")
    record.refuses(corrected(report, {"figure": None}), "invalid_fact", "/changes/figure")
    record.refuses(corrected(report, {"colour": "red"}), "invalid_fact", "/changes/colour")
    record.refuses(
        corrected(report, {"figure": {"quantity": {"unit": "count:trees"}}}),
        "unit_mismatch",
        "/changes/figure/quantity/unit",
    )


def test_a_correction_is_voided_only_if_the_later_ones_still_fit() -> None:
    report = progress("20bn EUR")
    first = corrected(report, {"figure": {"quantity": {"op": "between", "upper": "22000000000"}}})
    second = corrected(report, {"figure": {"quantity": {"upper": "23000000000"}}})
    given(pledge(), report, first, second).then(as_of="2024-07-01", actual="between 20bn and 23bn EUR").refuses(
        voided(first), "invalid_fact", "/event"
    ).accepts(voided(second)).accepts(voided(first)).then(as_of="2024-07-01", actual="20bn EUR")


# --- not refused


def test_facts_after_a_withdrawal_are_recorded() -> None:
    given(pledge(), withdrawn(stated_on="2024-03-01"), progress("1bn EUR")).then(as_of="2024-07-01", status="withdrawn")


def test_one_article_supports_two_pledges() -> None:
    article = source(url=URL)
    for slug in ("aid", "loans"):
        given(pledge(source=article), progress("1bn EUR", source=article), slug=slug)


def test_progress_before_the_promise_and_other_currencies_are_recorded() -> None:
    given(pledge(), progress("1bn USD", period=until("2023-12-31"), stated_on="2024-01-01"))


@pytest.mark.parametrize("title", [" ", "\u2003 ", "\x00", "a\x00b", "\n"])
def test_a_title_of_spaces_or_with_controls_is_none(title: str) -> None:
    with pytest.raises(InvalidFact) as refused:
        read_fact({
            "type": "PledgeMade", "stated_on": "2024-01-01", "title": title, "pledgor": {"name": "A"}, "kind": "money",
            "source": {"publisher": "P", "tier": "media"},
        })  # fmt: skip
    assert refused.value.pointer == "/title"


@pytest.mark.parametrize("unit", ["XXX", "XTS"])
def test_no_currency_is_no_unit(unit: str) -> None:
    with pytest.raises(ValidationError):
        Quantity(op="eq", value=Decimal(1), unit=unit)
