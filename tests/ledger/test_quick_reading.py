"""What the quick look accepts, the close look accepts: it spares time and is never the more generous of the two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from pydantic_core import from_json, to_json

from tests.support.api import made, statement
from tests.support.published_logs import entry, event_uuid
from tests.support.streams import random_stream
from tests.support.trees import flipped
from tracker.facts import FACT_TYPES
from tracker.verification import quick_reading
from tracker.verification.quick_reading import surely_well_formed
from tracker.verification.recorded_events import IllFormed, look_closely, read_entry

STREAMS = 60
CHANGES = 12_000
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 2**70, "", " ", "x", "0", "-0.10", "1e5", "٣", "2024-02-30", "0999-01-01",
    "2024-1-1",
    "20240101", "2024-W01-1", "2024-01-01\n", "1\n", "NaN", "at_least", "ongoing", "\x00", "é", "\U0001f600",
    [], {}, [None], {"": None}, {"type": "PledgeMade"},
)  # fmt: skip
"""Values that a field may not have, or may."""


RARE = (
    statement(type="PledgeSuperseded", by="another-pledge"),
    statement(type="ConditionReported", condition="audit", state="fulfilled"),
)
"""Facts of types that the streams have seldom."""


@cache
def lines() -> tuple[bytes, ...]:
    """Entries with facts of every type."""
    streams = [event for seed in range(STREAMS) for event in random_stream(seed)]
    random = tuple(replace(event, id=event_uuid(number)).line for number, event in enumerate(streams))
    return (*random, *(entry(number, "aid", number, fact) for number, fact in enumerate(RARE, start=2)))


def is_well_formed(line: bytes) -> bool:
    """What the close look says alone."""
    try:
        look_closely(line)
    except IllFormed:
        return False
    return True


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of an object and item of an array in a JSON value, as `(container, key)`."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])


def changed(line: bytes, random: Random) -> bytes:
    """An entry in which one value is another, one is gone, one is new, or one bit is."""
    if random.random() < 0.2:
        return flipped(line, random.randrange(8 * len(line)))
    event = from_json(line)
    container, key = random.choice(list(places(event)))
    how = random.random()
    if how < 0.2:
        del container[key]
    elif how < 0.4 and isinstance(container, dict):
        container[random.choice(("position", "type", "note", "start", "value", key))] = random.choice(STRANGE)
    elif how < 0.6:
        other = from_json(random.choice(lines()))
        source, name = random.choice(list(places(other)))
        container[key] = source[name]
    else:
        container[key] = random.choice(STRANGE)
    return to_json(event)


def test_entries_of_every_type_of_fact_need_no_close_look() -> None:
    assert {from_json(line)["fact"]["type"] for line in lines()} == set(FACT_TYPES)
    assert [line for line in lines() if surely_well_formed(line) is None] == []


def test_whatever_the_quick_look_accepts_the_close_look_accepts() -> None:
    random = Random(20261126)
    accepted = refused = 0
    for _ in range(CHANGES):
        line = changed(random.choice(lines()), random)
        is_sure = surely_well_formed(line) is not None
        assert is_well_formed(line) or not is_sure, line
        accepted += is_sure
        refused += not is_sure
    assert accepted > CHANGES // 20
    assert refused > CHANGES // 20


@pytest.mark.parametrize(
    "line",
    [
        entry(0, "p", 1, made()).replace(b'"fact":', b'"fact": '),
        entry(0, "p", 1, made()).replace(b'"alice"', b'"al\\u0069ce"'),
        entry(0, "p", 1, made()).replace(b'"stated_on":"2024', b'"stated_on":"0999'),
    ],
)
def test_what_the_quick_look_is_not_sure_of_may_be_well_formed(line: bytes) -> None:
    assert surely_well_formed(line) is None
    assert read_entry(line).pledge == "p"


def test_a_type_with_an_older_shape_is_always_looked_at_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    line = entry(1, "p", 2, statement())
    assert surely_well_formed(line)
    monkeypatch.setattr(quick_reading, "_OLDER", frozenset({"StatementMade"}))
    assert surely_well_formed(line) is None
