"""What is recorded is read for ever: one file of stored lines for each version of the rules, never to be changed."""

import json
from pathlib import Path

import pytest

from tracker.event import Event, event_json, served
from tracker.facts import FACT_TYPES

FILES = sorted(Path(__file__).with_name("recorded_lines").glob("*.ndjson"))
LINES = [line for file in FILES for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize("line", LINES, ids=[f"{n}-{json.loads(line)['fact']['type']}" for n, line in enumerate(LINES)])
def test_a_line_that_was_ever_recorded_is_read_and_served_as_it_is(line: bytes) -> None:
    event = Event.read(line, 7)
    assert event.type in FACT_TYPES
    assert event.position == 7
    assert json.loads(served(line, 7))["fact"] == json.loads(line)["fact"]


@pytest.mark.parametrize("line", FILES[-1].read_bytes().splitlines())
def test_a_line_of_this_version_is_written_again_byte_for_byte(line: bytes) -> None:
    event = Event.read(line, 1)
    assert event.line == line
    assert event_json(event) == {**json.loads(line), "position": 1}


def test_every_type_of_fact_has_a_recorded_line() -> None:
    """A new type of fact needs a line here, recorded by the version that brings it."""
    assert {json.loads(line)["fact"]["type"] for line in LINES} >= FACT_TYPES.keys()
