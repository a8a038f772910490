"""A long record is folded in time that grows with its length, not with its square."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.support.streams import recorded
from tracker.event import Event
from tracker.fact_reading import read_fact
from tracker.facts import AnyFact
from tracker.pledge import Pledge
from tracker.rules.status import StatusFold

NOW = datetime(2060, 1, 1, tzinfo=UTC)
TODAY = date(2060, 1, 1)
FIRST = date(2010, 1, 1)
SHAPES = ["increment", "cumulative", "mixed", "revised"]

MADE: dict[str, Any] = {
    "type": "PledgeMade",
    "stated_on": "2010-01-01",
    "source": {"publisher": "NATO", "tier": "official"},
    "title": "A long promise",
    "pledgor": {"name": "NATO"},
    "kind": "money",
    "target": "at least 40bn EUR",
    "window": {"start": "2010-01-01", "end": "2059-12-31"},
}


def report(number: int, basis: str) -> dict[str, Any]:
    day = (FIRST + timedelta(days=number)).isoformat()
    amount = "5000000" if basis == "increment" else str(number * 5_000_000)
    return {
        "type": "ProgressReported",
        "stated_on": day,
        "source": {"publisher": f"Paper {number % 7}", "tier": "media"},
        "figure": {
            "quantity": {"op": "eq", "value": amount, "unit": "EUR"},
            "stage": "committed",
            "basis": basis,
            "period": {"start": day if basis == "increment" else "2010-01-01", "end": day},
        },
    }


def mixed(number: int) -> dict[str, Any]:
    """Reports in between corrections, statements, ranks and revisions."""
    previous = f"{number - 1:08x}-0000-7000-8000-{number - 1:012x}"
    raw = report(number, "cumulative")
    kept = {"stated_on": raw["stated_on"], "event": previous, "reason": "we looked again"}
    match number % 6:
        case 4:
            return {"type": "StatementMade", "stated_on": raw["stated_on"], "source": raw["source"]}
        case 1:
            return {"type": "FigureRanked", "rank": "normal", **kept} if number > 3 else raw
        case 3:
            return {"type": "EventCorrected", "changes": {"summary": "in other words"}, **kept}
        case _:
            return raw


def revised(number: int) -> dict[str, Any]:
    """A new window every other day."""
    raw = report(number, "cumulative")
    window = {"start": "2010-01-01", "end": f"2059-{number % 12 + 1:02}-01"}
    terms = {"type": "PledgeRevised", "stated_on": raw["stated_on"], "source": raw["source"], "reason": "moved"}
    return raw if number % 2 else {**terms, "window": window}


def facts(shape: str, count: int) -> list[AnyFact]:
    """So many facts about one pledge, in the order in which they were said."""
    others = {"mixed": mixed, "revised": revised}

    def make(number: int) -> dict[str, Any]:
        return others[shape](number) if shape in others else report(number, shape)

    return [read_fact(MADE), *(read_fact(make(number)) for number in range(2, count + 1))]


def seconds(run: Callable[[], object]) -> float:
    """The best of three, in time of this process alone."""
    found = []
    for _ in range(3):
        begin = time.process_time()
        run()
        found.append(time.process_time() - begin)
    return min(found)


def fold(events: list[Event]) -> None:
    status = StatusFold(events).status(TODAY)
    assert status is not None
    assert status.body


@pytest.mark.parametrize("shape", SHAPES)
def test_ten_thousand_events_are_folded_in_a_second_and_in_proportion(shape: str) -> None:
    events = recorded(facts(shape, 10_000))
    tenth = seconds(lambda: fold(events[:1_000]))
    whole = seconds(lambda: fold(events))
    assert whole < 1.0
    assert whole < 30 * tenth


@pytest.mark.parametrize("shape", ["increment", "cumulative", "mixed"])
def test_ten_thousand_facts_are_decided_on_in_a_few_seconds(shape: str) -> None:
    events = recorded(facts(shape, 10_000))

    def decide(events: list[Event]) -> None:
        pledge = Pledge("a-pledge")
        for event in events:
            pledge.check(event.fact, NOW)
            pledge.apply(event)

    begin = time.process_time()
    decide(events)
    assert time.process_time() - begin < 5.0


@pytest.mark.parametrize("shape", ["increment", "cumulative", "mixed"])
def test_a_thousand_events_are_folded_one_after_the_other_in_seconds(shape: str) -> None:
    followed, begin = StatusFold(()), time.process_time()
    for event in recorded(facts(shape, 1_000)):
        followed = followed.followed_by(event)
        assert followed.segments(followed.acts_from(event))
    assert time.process_time() - begin < 20.0
