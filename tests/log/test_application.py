"""The tracker on both stores: decisions, batches, idempotency, and many writers at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic_core import from_json

from tracker.application import Tracker
from tracker.errors import BatchRefused, IdempotencyMismatch
from tracker.event import Event, event_id
from tracker.fact_reading import read_fact
from tracker.requests import Draft, Recorded, Request

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOURCE = {"publisher": "Gazette", "tier": "official"}


@pytest.fixture
def tracker(database_url: str) -> Iterator[Tracker]:
    tracker = Tracker(database_url)
    yield tracker
    tracker.close()


def made(**fields: Any) -> dict[str, Any]:
    return {
        "type": "PledgeMade",
        "stated_on": "2024-07-10",
        "source": SOURCE,
        "title": "Aid",
        "pledgor": {"name": "NATO"},
        "kind": "money",
        "target": "at least 40bn EUR",
        **fields,
    }


def progress(amount: str, stated_on: str = "2024-10-16", **fields: Any) -> dict[str, Any]:
    figure = {"quantity": amount, "stage": "committed", "basis": "cumulative"}
    return {"type": "ProgressReported", "stated_on": stated_on, "source": SOURCE, "figure": figure, **fields}


def draft(pledge: str, fact: dict[str, Any], expected: int | None = None) -> Draft:
    return Draft(pledge, read_fact(fact), event_id(NOW, secrets.token_bytes(10)), expected)


def request(*drafts: Draft, key: str | None = None, payload: bytes = b"p" * 32, opens: bool = False) -> Request:
    return Request(drafts, "alice", NOW, key, payload if key else None, opens)


def refusals(refused: pytest.ExceptionInfo[BatchRefused]) -> list[tuple[int, str]]:
    return [(index, refusal.code) for index, refusal in refused.value.refusals]


def test_a_fact_is_stored_as_posted_with_its_place_in_the_log(tracker: Tracker) -> None:
    recorded = tracker.record(request(draft("aid", made())))
    (event,) = recorded.events
    assert (event.version, event.position, from_json(event.state)["recorded_by"]) == (1, 1, "alice")
    (known,) = tracker.events_of("aid").events
    assert known.line == event.state
    assert Event.read(event.state, 1) == known


def test_a_batch_is_recorded_as_a_whole_or_not_at_all(tracker: Tracker) -> None:
    with pytest.raises(BatchRefused) as refused:
        tracker.record(
            request(
                draft("aid", made()),
                draft("aid", progress("1bn EUR")),
                draft("aid", progress("5 percent:gdp", "2024-11-01")),
                draft("other", progress("1bn EUR")),
            )
        )
    assert refusals(refused) == [(2, "unit_mismatch"), (3, "not_opened")]
    assert tracker.log.head() == 0
    assert tracker.record(request(draft("aid", made()), draft("aid", progress("1bn EUR")))).events[-1].position == 2


def test_what_follows_a_refused_opening_is_not_refused_again(tracker: Tracker) -> None:
    with pytest.raises(BatchRefused) as refused:
        tracker.record(request(draft("aid", made(target="5 percent:gdp")), draft("aid", progress("1bn EUR"))))
    assert refusals(refused) == [(0, "unit_mismatch")]


def test_a_preview_decides_and_writes_nothing(tracker: Tracker) -> None:
    tracker.record(request(draft("aid", made())))
    ((event,), warnings) = tracker.preview(request(draft("aid", progress("1bn EUR"))))
    assert warnings == ()
    assert (event.version, event.position) == (2, 2)
    with pytest.raises(BatchRefused):
        tracker.preview(request(draft("none", progress("1bn EUR"))))
    assert tracker.log.head() == 1
    assert tracker.record(request(draft("aid", progress("1bn EUR")))).events[0].version == 2


def test_another_version_than_expected_is_a_conflict(tracker: Tracker) -> None:
    tracker.record(request(draft("aid", made())))
    with pytest.raises(BatchRefused) as refused:
        tracker.record(request(draft("aid", progress("1bn EUR"), expected=2)))
    assert refusals(refused) == [(0, "version_conflict")]
    assert tracker.record(request(draft("aid", progress("1bn EUR"), expected=1))).events[0].version == 2


def test_a_taken_slug_cannot_be_opened_again(tracker: Tracker) -> None:
    tracker.record(request(draft("aid", made()), opens=True))
    with pytest.raises(BatchRefused) as refused:
        tracker.record(request(draft("aid", made()), opens=True))
    assert refusals(refused) == [(0, "pledge_exists")]


def test_the_same_key_and_payload_give_the_first_answer(tracker: Tracker) -> None:
    first = tracker.record(request(draft("aid", made()), draft("aid", progress("1bn EUR")), key="k"))
    replayed = tracker.replay("k", b"p" * 32)
    assert replayed == Recorded(first.events, replayed=True)
    with pytest.raises(IdempotencyMismatch):
        tracker.replay("k", b"q" * 32)
    assert tracker.replay("unused", b"p" * 32) is None


def test_one_key_from_many_callers_records_once(tracker: Tracker) -> None:
    def send(_: int) -> Recorded:
        return tracker.record(request(draft("aid", made()), key="k"))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(48)))
    assert tracker.log.head() == 1
    assert {answer.events[0].event_id for answer in answers} == {tracker.events_of("aid").events[0].id}
    assert sum(not answer.replayed for answer in answers) == 1


def test_one_key_with_two_payloads_at_once_records_one_of_them(tracker: Tracker) -> None:
    def send(number: int) -> str:
        try:
            tracker.record(request(draft(f"aid-{number}", made()), key="k", payload=bytes([number]) * 32))
        except IdempotencyMismatch:
            return "mismatch"
        return "recorded"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, range(8)))
    assert sorted(outcomes) == ["mismatch"] * 7 + ["recorded"]
    assert tracker.log.head() == 1


def test_many_writers_in_two_processes_lose_and_double_nothing(database_url: str) -> None:
    """Two trackers on one store are what two processes are: each has its own writer and its own cache."""
    trackers = [Tracker(database_url), Tracker(database_url)]
    try:
        trackers[0].record(request(draft("aid", made())))

        def send(number: int) -> int:
            fact = progress(f"{number + 1}m EUR", stated_on=f"2024-{1 + number % 9:02}-{1 + number // 9:02}")
            return trackers[number % 2].record(request(draft("aid", fact))).events[0].position

        with ThreadPoolExecutor(16) as pool:
            positions = list(pool.map(send, range(120)))
        assert sorted(positions) == list(range(2, 122))
        assert [event.version for event in trackers[0].events_of("aid").events] == list(range(1, 122))
    finally:
        for each in trackers:
            each.close()


def test_of_one_report_sent_by_two_analysts_at_once_one_is_refused(database_url: str) -> None:
    trackers = [Tracker(database_url), Tracker(database_url)]
    try:
        trackers[0].record(request(draft("aid", made())))
        trackers[1].record(request(draft("aid", progress("2bn EUR", "2024-09-01"))))

        def send(number: int) -> str:
            try:
                trackers[number % 2].record(request(draft("aid", progress("1bn EUR"))))
            except BatchRefused as refused:
                return refused.refusals[0][1].code
            return "recorded"

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(send, range(8)))
        assert sorted(outcomes) == ["duplicate_fact"] * 7 + ["recorded"]
    finally:
        for each in trackers:
            each.close()


def test_a_refusal_is_judged_on_what_the_log_has_now(database_url: str) -> None:
    """The cache of one process does not refuse what another process has made right."""
    here, there = Tracker(database_url), Tracker(database_url)
    try:
        here.record(request(draft("aid", made())))
        report = here.record(request(draft("aid", progress("1bn EUR")))).events[0]
        void = {"type": "EventVoided", "stated_on": "2024-10-20", "event": report.event_id, "reason": "a test"}
        there.record(request(draft("aid", void)))
        assert here.record(request(draft("aid", progress("1bn EUR")))).events[0].version == 4
    finally:
        here.close()
        there.close()


def test_a_closed_tracker_finishes_what_it_was_handed(database_url: str) -> None:
    tracker = Tracker(database_url)
    tracker.record(request(draft("aid", made())))
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(tracker.record, request(draft("aid", progress(f"{n + 1}m EUR", f"2024-01-{n + 1:02}"))))
            for n in range(8)
        ]
        positions = sorted(each.result().events[0].position for each in sent)
    tracker.close()
    assert positions == list(range(2, 10))
