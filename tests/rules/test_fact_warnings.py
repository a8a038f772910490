"""What is odd about a fact is told, and nothing is refused for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import (
    Posted,
    corrected,
    member,
    pledge,
    progress,
    revised,
    source,
    statement,
    tally,
    voided,
)
from tests.support.given import Given, given
from tracker.fact_reading import read_fact
from tracker.fact_warnings import FactWarning, warnings_of

FIRST = progress("20.9bn EUR", stated_on="2024-07-01")
PAID = progress("5m EUR", basis="increment", stage="disbursed", stated_on="2024-07-01", source="Donor")
BOUND = {"name": "Allies", "code": "ramstein-group"}
SLIP = {"name": "Allies", "code": "ramstien-group"}


def spoken(code: str) -> Posted:
    """A statement by a party with this code."""
    return statement(stated_on="2024-10-01", speaker={"name": "Somebody", "code": code})


def found(known: Given, fact: Posted) -> list[FactWarning]:
    """The warnings of a fact that may be recorded."""
    read = read_fact(known.resolved(fact.fact))
    warned = list(warnings_of(read, known.pledge))
    known.record(fact)
    return warned


@pytest.mark.parametrize(
    ("fact", "code", "pointer"),
    [
        (progress("209bn EUR", stated_on="2024-10-01"), "tenfold", "/figure/quantity"),
        (progress("2.09bn EUR", stated_on="2024-10-01"), "tenfold", "/figure/quantity"),
        (progress("21bn USD", stated_on="2024-10-01"), "new_currency", "/figure/quantity/unit"),
        (revised(target="400bn EUR", stated_on="2024-10-01"), "tenfold", "/target"),
        (revised(target="44bn USD", stated_on="2024-10-01"), "new_currency", "/target/unit"),
        (spoken("GER"), "party_code", "/speaker/code"),
        (spoken("DEU"), "party_code", "/speaker/code"),
        (
            revised(stated_on="2024-10-01", pledgor={"name": "Allies", "code": "ramstien-group"}),
            "party_code",
            "/pledgor/code",
        ),
        (
            spoken("ramstein-grup"),
            "party_code",
            "/speaker/code",
        ),
        (statement(stated_on="2024-10-16", source=source(published_on="2024-09")), "source_date", "/stated_on"),
        (statement(stated_on="2024-03-16", source=source(published_on="2024-Q3")), "source_date", "/stated_on"),
        (
            progress("5m EUR", basis="increment", stage="disbursed", stated_on="2024-08-05", source="Receiver"),
            "likely_duplicate",
            "",
        ),
        (tally(members_met=["FR", "GER"]), "party_code", "/members_met/1"),
        (tally(members_not_met=["ramstein-grup"]), "party_code", "/members_not_met/0"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_fact_is_recorded_and_its_oddity_told(fact: Posted, code: str, pointer: str) -> None:
    warned = found(given(pledge(pledgor=BOUND), FIRST, PAID), fact)
    assert [(each.code, each.pointer) for each in warned] == [(code, pointer)]
    assert len(warned[0].message) > 20


@pytest.mark.parametrize(
    "fact",
    [
        progress("208bn EUR", stated_on="2024-10-01"),
        progress("209bn EUR", stated_on="2024-10-01", stage="delivered"),
        progress("209bn EUR", stated_on="2024-10-01", nature="projection"),
        revised(target="399bn EUR", stated_on="2024-10-01"),
        spoken("IMF"),
        spoken("ramstein-office"),
        statement(stated_on="2024-10-16", source=source(published_on="2024-10")),
        statement(stated_on="2024-10-16", source=source(published_on="2024")),
        statement(stated_on="2024-10-16", source=source(published_on="2025-01-15")),
        progress("5m EUR", basis="increment", stage="disbursed", stated_on="2024-11-05", source="Receiver"),
        progress("5m EUR", basis="increment", stage="disbursed", stated_on="2024-08-01", source="Donor"),
        voided(FIRST),
    ],
)
def test_what_is_not_odd_is_not_told(fact: Posted) -> None:
    assert found(given(pledge(pledgor=BOUND), FIRST, PAID), fact) == []


def test_states_are_two_letters_and_a_letter_apart() -> None:
    known = given(pledge(pledgor={"name": "Denmark", "code": "DK"}))
    assert found(known, spoken("DE")) == []


def test_numbered_codes_are_one_figure_apart_and_mean_it() -> None:
    known = given(pledge(group={"rule": "each_member", "members": ["town-1", "town-2"]}), member("town-1", "met"))
    assert found(known, member("town-2", "met")) == []


def test_one_payment_told_twice_with_its_reference_is_no_question() -> None:
    def paid(publisher: str, **more: Any) -> Posted:
        where = source(publisher, reference="T-1")
        return progress("5m EUR", basis="increment", source=where, **more)

    known = given(pledge(), paid("Donor", stated_on="2024-07-01"))
    assert found(known, paid("Receiver", stated_on="2024-08-01")) == []


def test_a_warning_names_the_event_that_it_is_held_against() -> None:
    known = given(pledge(), FIRST)
    (warned,) = found(known, progress("20.9m EUR", stated_on="2024-10-01"))
    assert warned.event == known.id(FIRST)
    assert warned.json("/3/fact")["pointer"] == "/3/fact/figure/quantity"


def test_a_voided_figure_is_no_measure() -> None:
    known = given(pledge(), FIRST, voided(FIRST, stated_on="2024-08-01"))
    assert found(known, progress("20.9m EUR", stated_on="2024-10-01")) == []


def test_a_correction_is_looked_at_as_the_fact_that_it_makes() -> None:
    known = given(pledge(), FIRST, later := progress("25bn EUR", stated_on="2024-10-01"))
    changes = {"figure": {"quantity": {"op": "eq", "value": "250000000", "unit": "EUR"}}}
    (warned,) = found(known, corrected(later, changes, stated_on="2024-11-01"))
    assert (warned.code, warned.pointer, warned.event) == ("tenfold", "/changes/figure/quantity", known.id(FIRST))


def test_a_correction_is_not_blamed_for_what_it_leaves() -> None:
    known = given(pledge(), FIRST, odd := progress("250bn EUR", stated_on="2024-10-01"))
    assert found(known, corrected(odd, {"summary": "As it was printed."}, stated_on="2024-11-01")) == []


def test_a_new_pledge_is_looked_at_alone() -> None:
    fact = read_fact(pledge(pledgor={"name": "Germany", "code": "GER"}).fact)
    assert [each.code for each in warnings_of(fact, given().pledge)] == ["party_code"]


def test_the_same_words_of_a_source_without_an_address_are_asked_about() -> None:
    first = statement(stated_on="2024-10-01", summary="They plant.")
    known = given(pledge(), first)
    (warned,) = found(known, statement(stated_on="2024-10-01", summary="They plant."))
    assert (warned.code, warned.event) == ("likely_duplicate", known.id(first))
    assert found(known, statement(stated_on="2024-10-01", summary="They water.")) == []
    assert found(known, statement(stated_on="2024-10-01", summary="They plant.", source=source("Gazette"))) == []
