"""How words were read when the version of the rules was published: a digest of every reading and every refusal.

    python -m tests.rules.recorded_readings

writes `recorded_readings.txt` anew. That is right where words are read otherwise on purpose.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.rules.test_words_refused import REFUSED
from tests.rules.test_words_table import UNDERSTOOD, rows
from tracker.quantity_words import read
from tracker.quantity_words_tables import UnclearWords

FILE = Path(__file__).with_name("recorded_readings.txt")
BEFORE = ("over ", "at least ", "nearly ", "up to ", "about ", "between ", "a quarter of ", "half a ", "minus ")
BEHIND = (" or more", " at most", " and a half", " a year", " of GDP", "+", " euros", "%")
"""Words that are put around a phrasing."""

DIGITS = 5
"""Of each digest."""


def phrases() -> list[str]:
    """The phrasings of the tables of words, understood and refused."""
    refused = [line.partition(" => ")[0] for line in REFUSED.strip().splitlines() if line and not line.startswith("#")]
    return [*(words for words, _ in rows(UNDERSTOOD)), *refused]


def variants(words: str, beside: str) -> Iterator[str]:
    """A phrasing, what it is with other words around it, and with another one beside it."""
    yield words
    yield words.upper()
    yield words.lower().replace(" ", "")
    yield words.replace(" ", "\u00a0 ")
    for begins in (
        "over ",
        "at least ",
        "nearly ",
        "up to ",
        "about ",
        "between ",
        "a quarter of ",
        "half a ",
        "minus ",
    ):
        yield begins + words
    for ends in (" or more", " at most", " and a half", " a year", " of GDP", "+", " euros", "%"):
        yield words + ends
    yield f"{words} to {beside}"
    yield f"between {beside} and {words}"
    yield f"{words}-{beside}"


def reading(words: str) -> str:
    """What words are read as: the quantity with all its members, or the refusal."""
    try:
        return read(words).model_dump_json()
    except UnclearWords as unclear:
        return f"refused: {unclear}"


def digests(words: str, beside: str) -> list[str]:
    """The first digits of the SHA-256 of each reading."""
    found = (reading(variant) for variant in variants(words, beside))
    return [sha256(one.encode()).hexdigest()[:DIGITS] for one in found]


def pairs() -> list[tuple[str, str]]:
    """Each phrasing with the one behind it."""
    all_words = phrases()
    return list(zip(all_words, [*all_words[1:], all_words[0]], strict=True))


def recorded() -> list[list[str]]:
    """The digests that were written down: for each phrasing those of its variants, in their order."""
    return [line.split() for line in FILE.read_text().splitlines()]


def main() -> None:
    """Write down how words are read now."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    found = [digests(*pair) for pair in pairs()]
    FILE.write_text("".join(f"{' '.join(line)}\n" for line in found))
    print(f"{sum(map(len, found)):,} readings of {len(found)} phrasings: {FILE.name}")


if __name__ == "__main__":
    main()
