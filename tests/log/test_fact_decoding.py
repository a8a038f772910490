"""Stored facts are decoded and never checked: what validation accepts comes out the same, what tables lost too."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.rules.test_any_record import records
from tests.support.given import Given
from tracker.errors import InvalidFact, UnreadableEvent
from tracker.event import Event, fact_json
from tracker.fact_decoding import Undecodable, Upcast, decode_fact
from tracker.fact_reading import read_fact
from tracker.facts import FACT_ADAPTER, AnyFact, ProgressReported
from tracker.merge_patch import corrected, corrected_on_record

RECORDED = [
    json.loads(line)["fact"]
    for line in (Path(__file__).parent / "recorded_lines" / "1.ndjson").read_bytes().splitlines()
]
PROGRESS = next(fact for fact in RECORDED if fact["type"] == "ProgressReported")
LOST = "ZZQ"
"""A currency that no table has, as one that the table of some day has lost."""


def _named_figure(fact: Any) -> dict[str, Any]:
    return {("figure" if name == "amount" else name): value for name, value in fact.items()}


AMOUNT = Upcast("ProgressReported", 1, lambda fact: "amount" in fact, _named_figure)
"""A version that never was: in it a report's figure was its amount."""


def changed(fact: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The fact with another value in one place."""
    whole = copy.deepcopy(fact)
    *parents, name = path.split(".")
    place = whole
    for parent in parents:
        place = place[parent]
    place[name] = value
    return whole


def assert_decoded_as_validated(stored: dict[str, Any]) -> None:
    decoded, validated = decode_fact(stored), FACT_ADAPTER.validate_python(stored)
    assert decoded == validated
    assert decoded.model_fields_set == validated.model_fields_set
    assert json.dumps(fact_json(decoded)) == json.dumps(fact_json(validated))


@pytest.mark.parametrize("stored", RECORDED, ids=[fact["type"] for fact in RECORDED])
def test_a_fact_with_every_field_is_decoded_as_it_is_validated(stored: dict[str, Any]) -> None:
    assert_decoded_as_validated(stored)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(records())
def test_any_fact_is_decoded_as_it_is_validated(record: Given) -> None:
    for event in record.events:
        assert_decoded_as_validated(json.loads(event.line)["fact"])


def test_a_code_that_left_its_table_is_read_and_cannot_be_posted() -> None:
    stored = changed(changed(PROGRESS, "figure.quantity.unit", LOST), "speaker", {"name": "Nobody", "code": "QQ"})
    fact = decode_fact(stored)
    assert fact_json(fact) == stored
    with pytest.raises(InvalidFact):
        read_fact(stored)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("type", "PledgeGilded", "type: this version knows no fact of type 'PledgeGilded'"),
        ("type", None, "type: this version knows no fact of type None"),
        ("gilt", 1, "gilt: this version knows no such field"),
        ("figure.shine", 1, "figure.shine: this version knows no such field"),
        ("figure.stage", "gilded", "figure.stage: this version knows no 'gilded' here"),
        ("figure.stage", ["pledged"], "figure.stage: this version knows no ['pledged'] here"),
        ("figure.quantity.value", "12,5", "figure.quantity.value: '12,5' is no decimal"),
        ("figure.quantity.value", "NaN", "figure.quantity.value: 'NaN' is no decimal"),
        ("figure.quantity.value", 12, "figure.quantity.value: 12 is no decimal"),
        ("figure.quantity", "12bn EUR", "figure.quantity: a JSON object is wanted here"),
        ("figure.final", "yes", "figure.final: true or false is wanted here, not 'yes'"),
        ("stated_on", "soon", "stated_on: 'soon' is no date"),
        ("summary", {"en": "x"}, "summary: a JSON string is wanted here, not {'en': 'x'}"),
        ("source", {"tier": "media"}, "source.publisher: this field is missing"),
    ],
)
def test_what_this_version_has_no_place_for_is_told_with_its_place(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(Undecodable) as undecodable:
        decode_fact(changed(PROGRESS, path, value))
    assert str(undecodable.value) == sentence


def test_a_place_in_a_list_is_told_by_its_number() -> None:
    group = next(fact for fact in RECORDED if "group" in fact)
    with pytest.raises(Undecodable, match=r"^group\.members\.1: a JSON string is wanted here, not 7$"):
        decode_fact(changed(group, "group.members", ["BE", 7]))


@pytest.mark.parametrize("line", [b"not json", b"[]", b"{}", b'{"id":1}', b'{"pledge":"aid","fact":{}}', b"\xff"])
def test_a_line_that_is_no_event_says_so_and_never_fails_otherwise(line: bytes) -> None:
    with pytest.raises(UnreadableEvent) as unreadable:
        Event.read(line, 7, "aid")
    assert (unreadable.value.position, unreadable.value.pledge, unreadable.value.line) == (7, "aid", line)
    assert unreadable.value.reason


def test_an_older_shape_is_changed_into_todays_before_it_is_decoded() -> None:
    older = {("amount" if name == "figure" else name): value for name, value in PROGRESS.items()}
    assert "amount" in older
    assert decode_fact(older, (AMOUNT,)) == decode_fact(PROGRESS)
    with pytest.raises(Undecodable):
        decode_fact(older)


def test_a_recorded_correction_in_an_older_shape_changes_what_it_is_today() -> None:
    fact = decode_fact(PROGRESS)
    older, todays = ({name: {"quantity": {"value": "61"}}} for name in ("amount", "figure"))
    assert corrected_on_record(fact, [older], (AMOUNT,)) == corrected_on_record(fact, [todays])
    mended = corrected_on_record(fact, [older, {"summary": "Mended."}, {"amount": {"final": None}}], (AMOUNT,))
    assert isinstance(mended, ProgressReported)
    assert (str(mended.figure.quantity.value), mended.summary, mended.figure.final) == ("61", "Mended.", None)
    with pytest.raises(InvalidFact):
        corrected_on_record(fact, [older])
    # It is about facts of that type alone.
    with pytest.raises(InvalidFact):
        corrected_on_record(decode_fact(RECORDED[0]), [older], (AMOUNT,))


# --- corrections of what today's tables would refuse


def lost() -> AnyFact:
    return decode_fact(changed(PROGRESS, "figure.quantity.unit", LOST))


def test_a_correction_of_a_fact_in_a_lost_currency_applies_and_is_never_dropped() -> None:
    fact = corrected_on_record(lost(), [{"figure": {"quantity": {"value": "61"}}}])
    assert fact_json(fact)["figure"]["quantity"] == {"op": "eq", "value": "61", "unit": LOST}


def test_a_recorded_correction_into_a_currency_that_was_lost_since_applies() -> None:
    fact = corrected_on_record(decode_fact(PROGRESS), [{"figure": {"quantity": {"unit": LOST}}}])
    assert fact_json(fact)["figure"]["quantity"]["unit"] == LOST


def test_a_correction_of_a_fact_that_no_rule_of_today_allows_applies() -> None:
    before_its_start = decode_fact(changed(PROGRESS, "figure.period", {"start": "2024-06-30", "end": "2024-01-01"}))
    assert corrected_on_record(before_its_start, [{"summary": "Mended."}]).summary == "Mended."


def test_a_new_correction_is_not_refused_for_what_it_does_not_touch() -> None:
    assert corrected(lost(), [], {"summary": "Mended."}).summary == "Mended."
    with pytest.raises(InvalidFact):
        corrected(lost(), [], {"figure": {"quantity": {"unit": "QQQ"}}})
    with pytest.raises(InvalidFact):
        corrected(decode_fact(PROGRESS), [], {"figure": {"quantity": {"unit": LOST}}})
