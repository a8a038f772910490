"""The rules and the oracle give the same answers at every boundary of random streams, on both clocks.

The oracle tells the law once more, without `tracker.rules`. `make fuzz` compares 100,000 points.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.rules.oracle.fuzz import read, run, stream
from tests.rules.oracle.streams import boundaries
from tests.support.profiles import is_mutating
from tracker.event import Event
from tracker.pledge import Pledge
from tracker.rules.flags import FLAGS
from tracker.rules.status import StatusFold

POINTS = 400 if is_mutating() else 2_000
MUCH_LATER = datetime(2060, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("first_seed", [0, 100_000])
def test_the_rules_and_the_oracle_agree(first_seed: int) -> None:
    found = run(POINTS // 2, first_seed, step=17)
    assert found.points == POINTS // 2
    assert not found.differences, found.examples


def test_some_of_the_streams_compared_have_targets_and_figures_below_zero_and_at_it() -> None:
    facts = [event["fact"] for seed in range(120) for event in stream(seed)]
    targets = [Decimal(fact["target"]["value"]) for fact in facts if "target" in fact]
    figures = [Decimal(fact["figure"]["quantity"]["value"]) for fact in facts if "figure" in fact]
    for amounts in (targets, figures):
        assert min(amounts) < 0
        assert sum(amount <= 0 for amount in amounts) > 5


def value(document: dict[str, Any], name: str) -> Any:
    """What the causes of a name cause."""
    if name == "actual":
        return [document[part] for part in ("actual", "stage", "period")]
    return name in document["flags"] if name in FLAGS else document.get(name)


def posted_alone(events: list[Event]) -> list[Event]:
    """The events as if nothing else had ever been recorded; each has to be accepted."""
    pledge, found = Pledge(events[0].pledge), list[Event]()
    for version, event in enumerate(events, 1):
        pledge.check(event.fact, MUCH_LATER)
        alone = Event(event.id, event.pledge, version, event.recorded_at, event.recorded_by, event.fact, version)
        pledge.apply(alone)
        found.append(alone)
    return found


@pytest.mark.parametrize("seed", range(20 if is_mutating() else 120))
def test_the_causes_suffice_and_can_be_posted_alone(seed: int) -> None:
    raw = stream(seed)
    events = [read(event) for event in raw]
    days: list[date] = boundaries(raw)
    fold = StatusFold(events)
    for day in days[seed % 13 :: max(1, len(days) // 6)]:
        whole = fold.status(day)
        if whole is None:
            continue
        alone: dict[tuple[str, ...], dict[str, Any] | None] = {}
        for name, causes in whole.because.items():
            if causes not in alone:
                chosen = posted_alone([event for event in events if event.id in causes])
                status = StatusFold(chosen).status(day)
                alone[causes] = None if status is None else status.document
            found = alone[causes]
            assert found is not None, (day, name)
            own, other = (json.loads(json.dumps(value(d, name))) for d in (whole.document, found))
            assert own == other, (day, name)
