"""Every row of docs/words.md is what the code does."""

import re

import pytest

from tests.support.paths import ROOT
from tracker.quantity import plain
from tracker.quantity_words import read
from tracker.quantity_words_tables import UnclearWords

PAGE = (ROOT / "docs" / "words.md").read_text("utf-8")
UNDERSTOOD, REFUSED = PAGE.split("## What is refused")


def rows(part: str) -> list[tuple[str, str]]:
    cells = [line.split(" | ") for line in part.splitlines() if line.startswith("| `")]
    return [
        (words, said.rstrip(" |").strip("`"))
        for row in cells
        for words in re.findall("`([^`]+)`", row[0])
        for said in row[1:]
    ]


@pytest.mark.parametrize(("words", "said"), rows(UNDERSTOOD))
def test_the_page_says_what_is_understood(words: str, said: str) -> None:
    quantity = read(words)
    upper = "" if quantity.upper is None else f"and {plain(quantity.upper)} "
    assert f"{quantity.op} {plain(quantity.value)} {upper}{quantity.unit}" == said


@pytest.mark.parametrize(("words", "reason"), rows(REFUSED))
def test_the_page_says_what_is_refused_and_why(words: str, reason: str) -> None:
    with pytest.raises(UnclearWords) as refused:
        read(words)
    message = str(refused.value)
    assert all(part in message for part in reason.split(": ")), message
