"""What is not seen is refused in one-line texts, told by its name, and escaped where text is shown."""

import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from tests.support.api import made, statement
from tracker.errors import InvalidFact
from tracker.event import fact_json
from tracker.fact_decoding import decode_fact
from tracker.fact_reading import read_fact
from tracker.facts import FACT_ADAPTER
from tracker.merge_patch import corrected, corrected_on_record
from tracker.visible_text import escaped, unseen_in

HIDDEN = [*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F),
          *range(0x2060, 0x2070), 0xFEFF]  # fmt: skip
PLACES: list[tuple[str, dict[str, Any]]] = [
    ("/title", {"title": "a{}b"}),
    ("/pledgor/name", {"pledgor": {"name": "a{}b"}}),
    ("/source/publisher", {"source": {"publisher": "a{}b", "tier": "media"}}),
    ("/source/url", {"source": {"publisher": "a", "tier": "media", "url": "https://example.org/{}"}}),
    ("/source/locator", {"source": {"publisher": "a", "tier": "media", "locator": "{}p. 1"}}),
    ("/window/text", {"window": {"text": "this{}year"}}),
]


def with_character(value: Any, character: str) -> Any:
    if isinstance(value, dict):
        return {name: with_character(below, character) for name, below in value.items()}
    return value.replace("{}", character)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[0])
def test_a_character_that_is_not_seen_is_refused_on_one_line_by_its_name(place: tuple[str, dict[str, Any]]) -> None:
    pointer, fields = place
    for code in (0x1B, 0x9B, 0x202E, 0x2066, 0x200B, 0xFEFF):
        with pytest.raises(InvalidFact) as refused:
            read_fact(made(**with_character(fields, chr(code))))
        told = dict(refused.value.problems)
        if pointer != "/source/url" or code not in (0x1B,):
            assert f"U+{code:04X}" in told[pointer], (pointer, code)


def test_tags_have_nothing_that_is_not_seen() -> None:
    with pytest.raises(InvalidFact):
        read_fact(made(tags=["a\u200bb"]))


def test_every_control_direction_and_zero_width_character_counts() -> None:
    for code in HIDDEN:
        assert unseen_in(f"a{chr(code)}b") == f"U+{code:04X}"
    for text in ("Zürich", "Ελλάδα", "日本国", "العربية", "a\u00a0b", "€40 billion – “this year”", "👍🏽"):
        assert unseen_in(text) is None


def test_the_schema_accepts_exactly_what_is_read() -> None:
    schema = Draft202012Validator(FACT_ADAPTER.json_schema())

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.sampled_from(PLACES))
    def agree(text: str, place: tuple[str, dict[str, Any]]) -> None:
        raw = made(**with_character(place[1], text))
        try:
            read_fact(raw)
        except InvalidFact:
            assert not schema.is_valid(raw)
        else:
            assert schema.is_valid(raw)

    agree()
    for code in HIDDEN:
        assert not schema.is_valid(made(title=f"a{chr(code)}b"))


def test_a_recorded_fact_stays_readable_whatever_its_texts_hold() -> None:
    raw = made(title="a\u202eb")
    fact = decode_fact(fact_json(read_fact(made())) | {"title": raw["title"]})
    assert fact.model_dump(include={"title"}) == {"title": "a\u202eb"}
    assert corrected(fact, [], {"tags": ["x"]}).model_dump()["title"] == "a\u202eb"
    assert corrected_on_record(fact, [{"tags": ["x"]}]).model_dump()["title"] == "a\u202eb"
    with pytest.raises(InvalidFact, match=re.escape("U+202E")):
        corrected(read_fact(made()), [], {"title": "a\u202eb"})


def test_paragraphs_keep_their_lines() -> None:
    assert read_fact(statement(summary="one\n\ttwo")).model_dump()["summary"] == "one\n\ttwo"


@given(st.text(st.characters()))
def test_escaped_text_has_nothing_that_is_not_seen_but_line_ends_and_tabs(text: str) -> None:
    shown = escaped(text)
    assert unseen_in(shown.replace("\n", "").replace("\t", "")) is None
    assert not any(unicodedata.category(character) == "Cs" for character in shown)
    assert escaped(shown) == shown


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_says_the_same(text: str) -> None:
    assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text
