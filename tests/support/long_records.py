"""Long records of one pledge, and what is done with them: they are folded, decided on and followed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.streams import recorded
from tracker.event import Event
from tracker.fact_reading import read_fact
from tracker.facts import AnyFact
from tracker.pledge import Pledge
from tracker.rules.status import StatusFold

NOW = datetime(2060, 1, 1, tzinfo=UTC)
TODAY = date(2060, 1, 1)
FIRST = date(2010, 1, 1)
SHAPES = ("increment", "cumulative", "mixed", "revised")
"""What a long record is full of: figures of one basis, facts of all sorts, or new windows."""

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
    """The figure of one day; a running total or what was added."""
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


def long_record(shape: str, count: int) -> list[Event]:
    """So many events of one pledge."""
    return recorded(facts(shape, count))


def fold(events: list[Event]) -> None:
    """Derive today's status from nothing but the events."""
    status = StatusFold(events).status(TODAY)
    assert status is not None
    assert status.body


def decide(events: list[Event]) -> None:
    """Ask of each event whether it may be recorded, and take it in."""
    pledge = Pledge("a-pledge")
    for event in events:
        pledge.check(event.fact, NOW)
        pledge.apply(event)


def follow(events: list[Event]) -> None:
    """Take one event in after the other, and derive anew what each may have changed, as the projector does."""
    record = StatusFold(())
    for event in events:
        record = record.followed_by(event)
        assert record.segments(record.acts_from(event))
