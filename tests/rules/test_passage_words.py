"""Passages of sources: the amounts and days that our readers find in them, and what they do not guess."""

import pytest

from tracker.passage_words import MAX_FOUND_AMOUNTS, amounts_in, dates_in


def said(passage: str, *units: str) -> list[tuple[str, str]]:
    return [(one.text, str(one.quantity)) for one in amounts_in(passage, frozenset(units))]


@pytest.mark.parametrize(
    ("passage", "found"),
    [
        ("Allies gave more than €50 billion in aid.", [("more than €50 billion", "over 50000000000 EUR")]),
        ("It is (roughly $11bn).", [("roughly $11bn", "about 11000000000 USD")]),
        ("At least 2% of GDP, they said", [("At least 2% of GDP", "at least 2 percent:gdp")]),
        ("from 10 to 12bn EUR this year", [("from 10 to 12bn EUR", "between 10000000000 and 12000000000 EUR")]),
        ("Half of the 40bn EUR came late", [("Half of the 40bn EUR", "20000000000 EUR")]),
        ("20.9bn EUR. And 3 million euros or more!",
         [("20.9bn EUR", "20900000000 EUR"), ("3 million euros or more", "at least 3000000 EUR")]),
        ("In 2024 they met on 10 October 2025.", []),
        ("Nobody counted 1.5 million of them.", []),
        ("It may be 1.234 EUR.", []),  # a thousand and more, or one and a bit
        ("It cost 5 dollars in 5 dollars", []),
        ("", []),
    ],
)  # fmt: skip
def test_an_amount_is_the_longest_run_of_words_that_reads_as_one(passage: str, found: list[tuple[str, str]]) -> None:
    assert said(passage) == found


def test_what_the_pledge_counts_is_known() -> None:
    assert said("some 4,500 homes stand") == []
    assert said("some 4,500 homes stand", "count:homes") == [("some 4,500 homes", "about 4500 count:homes")]
    (one,) = amounts_in("some 4,500 homes stand", frozenset({"count:homes"}))
    assert one.words == "some 4,500 count:homes"


def test_an_amount_that_is_said_twice_is_found_once() -> None:
    assert said("€1bn and then €1bn") == [("€1bn", "1000000000 EUR")]


@pytest.mark.parametrize(
    ("passage", "found"),
    [
        ("on 10 October 2025", ["2025-10-10"]),
        ("on October 10th, 2025,", ["2025-10-10"]),
        ("2025-10-10", ["2025-10-10"]),
        ("in Oct. 2025", ["2025-10"]),
        ("the 3rd of May 2025", ["2025-05-03"]),
        ("in Q3 2025, or 2025-H1", ["2025-Q3", "2025-H1"]),
        ("the first half of 2025", ["2025-H1"]),
        ("10/11/2025", []),  # two days
        ("31 February 2025", ["2025-02"]),
        ("third half of 2025", []),
        ("in 2025", []),
    ],
)
def test_a_day_is_one_that_can_be_read_in_one_way(passage: str, found: list[str]) -> None:
    assert [one.partial for one in dates_in(passage)] == found


def test_a_long_passage_is_looked_through_within_bounds() -> None:
    assert len(amounts_in(" ".join(f"€{number}bn" for number in range(1, 500)))) == MAX_FOUND_AMOUNTS


def test_a_passage_that_says_nothing_is_given_up() -> None:
    """Each number begins runs of words that may be ranges: to try them all takes seconds of a processor."""
    noise = "5-6-7-8-9 " * 100
    assert said(f"€5bn, {noise}") == [("€5bn", "5000000000 EUR")]
    assert said(f"{noise}, €5bn") == []
