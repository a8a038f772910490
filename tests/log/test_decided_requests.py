"""Facts that were decided on before: appended as they are, unless somebody else was at their pledges meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.version_two import PLEDGES
from tracker.application import Tracker
from tracker.errors import VersionConflict
from tracker.event import Event, event_line, fact_line
from tracker.fact_reading import read_fact
from tracker.facts import AnyFact
from tracker.pledge import Pledge
from tracker.requests import DecidedFact, DecidedRequest, Draft, Request

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOURCE = {"publisher": "Gazette", "tier": "media"}
MADE = {"type": "PledgeMade", "stated_on": "2024-01-01", "title": "P", "pledgor": {"name": "P"}, "kind": "money"}


@pytest.fixture
def tracker(database_url: str) -> Any:
    """A log on either store."""
    with_tables = Tracker(database_url)
    yield with_tables
    with_tables.close()


def made() -> AnyFact:
    return read_fact({**MADE, "source": SOURCE})


def said(day: int) -> AnyFact:
    return read_fact({"type": "StatementMade", "stated_on": f"2024-01-{day:02d}", "source": SOURCE})


def decided(*facts: tuple[int, AnyFact], key: str = "k") -> DecidedRequest:
    rows = [DecidedFact("p", version, f"id-{key}-{version}", fact.type, fact_line(fact)) for version, fact in facts]
    return DecidedRequest(rows, "import", NOW, key, key.encode())


def test_a_line_made_of_a_facts_json_is_the_line_of_its_event() -> None:
    facts = [read_fact(fact) for pledge in PLEDGES.values() for fact in pledge]
    assert len({fact.type for fact in facts}) > 5
    for fact in facts:
        event = Event("id", "p", 7, NOW, 'B "ob" é', fact)
        assert event_line("id", "p", 7, NOW, 'B "ob" é', fact_line(fact)) == event.line


def test_what_was_decided_on_is_appended_and_the_writer_goes_on_behind_it(tracker: Tracker) -> None:
    tracker.record(Request((Draft("p", made(), "id-0"),), "desk", NOW))
    recorded = tracker.record_decided(decided((2, said(2)), (3, said(3))))
    assert [(row.version, row.key, row.key_index) for row in recorded.events] == [(2, "k", 0), (3, "k", 1)]
    tracker.record(Request((Draft("p", said(4), "id-4", expected_version=3),), "desk", NOW))
    assert [event.version for event in tracker.events_of("p").events] == [1, 2, 3, 4]
    assert tracker.replay("k", b"k") is not None


def test_it_is_not_appended_once_somebody_else_was_at_the_pledge(tracker: Tracker) -> None:
    tracker.record(Request((Draft("p", made(), "id-0"),), "desk", NOW))
    tracker.record(Request((Draft("p", said(5), "id-5"),), "desk", NOW))
    for facts in ([(2, said(2))], [(4, said(2))], [(3, said(2)), (5, said(3))]):
        with pytest.raises(VersionConflict):
            tracker.record_decided(decided(*facts))
    assert tracker.version("p") == 2
    tracker.record_decided(decided((3, said(2))))
    with pytest.raises(VersionConflict):  # its key is taken
        tracker.record_decided(decided((4, said(3))))


def test_a_pledge_of_many_facts_decides_by_all_of_them() -> None:
    pledge = Pledge("p")
    figure = {"quantity": "5 EUR", "basis": "increment", "stage": "disbursed"}
    facts = [made(), *(read_fact({"type": "ProgressReported", "stated_on": "2024-02-01", "figure": figure,
                                  "source": {**SOURCE, "locator": str(n)}}) for n in range(200))]  # fmt: skip
    for version, fact in enumerate(facts, start=1):
        pledge.check(fact, NOW)
        pledge.apply(Event(f"id-{version}", "p", version, NOW, "x", fact))
    assert [pledge.facts[f"id-{n}"].fact for n in (1, 2, 64, 65, 66, 129, 201)] == [
        facts[n - 1] for n in (1, 2, 64, 65, 66, 129, 201)
    ]
    correction = {"type": "EventCorrected", "stated_on": "2024-03-01", "event": "id-3", "reason": "r"}
    fact = read_fact({**correction, "changes": {"figure": {"quantity": {"value": "6"}}}})
    pledge.check(fact, NOW)
    pledge.apply(Event("id-202", "p", 202, NOW, "x", fact))
    assert str(pledge.facts["id-3"].fact.figure.quantity) == "6 EUR"  # type: ignore[union-attr]
    assert str(pledge.facts["id-3"].posted.figure.quantity) == "5 EUR"  # type: ignore[union-attr]
    with pytest.raises(Exception, match="recorded already as id-50"):
        pledge.check(facts[49], NOW)
