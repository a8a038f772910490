"""What is read from a folded pledge: when each figure counted, by which target it was judged, what a replay prints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.support.facts import assessed, first_half, met, pledge, progress, quarter, revised, until, year
from tests.support.given import Given, given
from tracker.rules.counted import counted_spans
from tracker.rules.days import ends_between
from tracker.rules.judged import judged_target
from tracker.rules.replayed import replayed
from tracker.rules.status import StatusFold

pytestmark = pytest.mark.usefixtures("every_record_holds")

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def counted(record: Given) -> dict[str, tuple[str, str | None]]:
    """By the last digit of an event's id since when and until when it counted."""
    return {
        id_[-1]: (span.since.isoformat(), None if span.until is None else span.until.isoformat())
        for id_, span in counted_spans(StatusFold(record.events)).items()
    }


def test_a_figure_counts_from_the_day_it_is_said_until_another_takes_its_place() -> None:
    record = given(
        pledge("at least 40bn EUR", window=year(2024)),
        progress("10bn EUR", stated_on="2024-04-10", period=quarter(1, 2024)),
        progress("21bn EUR", stated_on="2024-07-10", period=first_half(2024)),
        progress("30bn EUR", stated_on="2024-08-01", nature="projection"),
    )
    assert counted(record) == {"2": ("2024-04-10", "2024-07-10"), "3": ("2024-07-10", None)}


def test_every_part_of_a_sum_counts_as_long_as_the_sum_is_asked() -> None:
    record = given(
        pledge("at least 40bn EUR", window=year(2024)),
        progress("10bn EUR", stated_on="2024-04-10", period=quarter(1, 2024), basis="increment"),
        progress("11bn EUR", stated_on="2024-07-10", period=quarter(2, 2024), basis="increment"),
    )
    assert counted(record) == {"2": ("2024-04-10", None), "3": ("2024-07-10", None)}


def test_nothing_counts_on_a_pledge_without_facts_or_figures() -> None:
    assert counted_spans(StatusFold(())) == {}
    assert counted(given(pledge("at least 40bn EUR"))) == {}


def target(record: Given, as_of: str) -> str | None:
    document = record.document(as_of)
    assert document is not None
    found = judged_target(document)
    return None if found is None else f"{found['value']} {found['unit']}"


def test_a_target_that_is_lowered_after_the_close_judges_nothing() -> None:
    record = given(
        pledge("at least 40bn EUR", window=until("2024-12-31", start="2024-01-01")),
        met("35bn EUR", stated_on="2025-01-10", period=year(2024)),
        revised(target="at least 30bn EUR", stated_on="2025-02-01"),
    )
    record.then(as_of="2025-03-01", status="partly_met", flag="revised_after_close")
    assert target(record, "2025-01-31") == "40000000000 EUR"
    assert target(record, "2025-03-01") == "40000000000 EUR"


def test_a_target_that_is_lowered_before_the_close_judges_and_so_does_the_last_one_on_the_day_of_the_close() -> None:
    lowered = pledge("at least 40bn EUR", window=until("2024-12-31"))
    for day in ("2024-06-01", "2024-12-31"):
        assert target(given(lowered, revised(target="at least 30bn EUR", stated_on=day)), "2025-03-01") == (
            "30000000000 EUR"
        )
    twice = given(
        lowered,
        revised(target="at least 30bn EUR", stated_on="2024-06-01"),
        revised(target="at least 20bn EUR", stated_on="2025-02-01"),
    )
    assert target(twice, "2025-03-01") == "30000000000 EUR"


def test_the_target_of_the_close_judges_by_the_latest_reading_of_the_deadline() -> None:
    record = given(
        pledge("at least 40bn EUR", window=until("2024-12-31", start="2024-01-01", latest="2025-06-30")),
        revised(target="at least 30bn EUR", stated_on="2025-03-01"),
        revised(target="at least 20bn EUR", stated_on="2025-08-01"),
    )
    assert target(record, "2025-09-01") == "30000000000 EUR"


def test_a_target_that_is_revised_on_the_day_of_the_close_judges_whatever_is_revised_later() -> None:
    record = given(
        pledge("at least 40bn EUR", window=until("2024-12-31", start="2024-01-01")),
        revised(target="at least 30bn EUR", stated_on="2024-12-31"),
        revised(target="at least 20bn EUR", stated_on="2025-02-01"),
    )
    assert target(record, "2025-03-01") == "30000000000 EUR"


def test_without_a_target_none_judges() -> None:
    assert target(given(pledge(None, kind="milestone", window=None)), "2025-03-01") is None


@pytest.mark.parametrize(
    ("since", "until_", "months", "ends"),
    [
        ("2024-01-01", "2024-03-31", 1, ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2024-01-31", "2024-03-30", 1, ["2024-01-31", "2024-02-29", "2024-03-30"]),
        ("2024-05-17", "2024-12-31", 3, ["2024-06-30", "2024-09-30", "2024-12-31"]),
        ("2024-11-30", "2026-02-01", 12, ["2024-12-31", "2025-12-31", "2026-02-01"]),
        ("2023-11-30", "2024-01-05", 6, ["2023-12-31", "2024-01-05"]),
        ("2024-02-03", "2024-02-03", 1, ["2024-02-03"]),
        ("2024-02-29", "2024-02-29", 1, ["2024-02-29"]),
        ("2024-02-04", "2024-02-03", 1, []),
    ],
)
def test_the_ends_of_periods_are_those_of_the_calendar(since: str, until_: str, months: int, ends: list[str]) -> None:
    found = ends_between(date.fromisoformat(since), date.fromisoformat(until_), months)
    assert [day.isoformat() for day in found] == ends


@dataclass(frozen=True)
class Row:
    """A row of the log."""

    position: int
    pledge: str
    version: int
    state: bytes


def rows(record: Given, *more: bytes) -> list[Row]:
    lines = [event.line for event in record.events] + list(more)
    return [Row(10 * number, record.slug, number, line) for number, line in enumerate(lines, 1)]


def printed(body: bytes | None) -> dict[str, Any]:
    assert body is not None
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_replay_prints_the_document_of_the_fold_with_its_clocks() -> None:
    record = given(pledge("at least 40bn EUR", window=year(2024)), progress("20.9bn EUR", stated_on="2024-07-10"))
    body, unread = replayed(rows(record), as_of=date(2024, 8, 1), known_at=NOON)
    found, document = printed(body), record.document("2024-08-01")
    assert unread == ()
    assert document is not None
    assert {name: found[name] for name in document} == json.loads(json.dumps(document, default=str))
    assert (found["as_of"], found["position"], found["version"]) == ("2024-08-01", 20, 2)
    assert found["known_at"].startswith("2026-01-01T12:00:00")


def test_a_replay_of_a_day_before_the_promise_prints_nothing() -> None:
    record = given(pledge("at least 40bn EUR"))
    assert replayed(rows(record), as_of=date(1990, 1, 1), known_at=None) == (None, ())
    assert replayed([], as_of=date(2024, 8, 1), known_at=None) == (None, ())


def test_a_replay_tells_what_it_could_not_read_and_that_it_is_stale() -> None:
    record = given(pledge("at least 40bn EUR", window=year(2024)))
    body, unread = replayed(rows(record, b'{"type": "Later"}'), as_of=date(2024, 8, 1), known_at=None)
    found = printed(body)
    assert found["flags"][-1] == "stale_projection"
    assert (found["position"], found["version"]) == (20, 2)
    assert [(event.position, event.pledge, event.line) for event in unread] == [(20, "aid", b'{"type": "Later"}')]


def test_an_assessment_is_shown_whole() -> None:
    issued = assessed(
        "Promise kept", rubric="Meter", rubric_version="3", reasoning="All of it was paid.", stated_on="2024-08-01"
    )
    record = given(pledge("at least 40bn EUR"), issued)
    document = record.document("2024-09-01")
    assert document is not None
    assert document["assessment"] == {
        "rating": "Promise kept",
        "rubric": "Meter",
        "rubric_version": "3",
        "reasoning": "All of it was paid.",
        "stated_on": "2024-08-01",
        "event": record.id(issued),
    }
