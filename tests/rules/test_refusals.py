"""What is refused, with its code and its place; and what looks as if it should be and is not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.facts import (
    Posted,
    captured,
    corrected,
    group,
    member,
    met,
    pledge,
    progress,
    quarter,
    ranked,
    reaffirmed,
    restated,
    revised,
    scheduled,
    share,
    source,
    statement,
    tally,
    until,
    voided,
    withdrawn,
)
from tests.support.given import Given, given
from tracker.errors import FutureStatement, InvalidFact
from tracker.fact_reading import read_fact
from tracker.pledge import Pledge
from tracker.quantity import Quantity

pytestmark = pytest.mark.usefixtures("every_record_holds")

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
