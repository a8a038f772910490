"""Batches over HTTP: they are recorded whole or not at all, and every bad item is named."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from api.http import drafts
from tests.support.api import SOURCE, Api, made, problem, progress, statement


def test_a_batch_is_recorded_whole_and_may_open_pledges(api: Api) -> None:
    items = [
        {"pledge": "aid-2024", "fact": made(), "expected_version": 0},
        {"pledge": "aid-2024", "fact": progress(), "expected_version": 1, "ref": "h1"},
        {"pledge": "aid-2025", "fact": made()},
        {"pledge": "aid-2024", "fact": {"type": "ShareReported", "stated_on": "2024-07-10", "source": SOURCE,
                                        "subset": "Europe", "share": "more than half", "of": {"ref": "h1"}}},
        {"pledge": "aid-2024", "fact": {"type": "EventVoided", "stated_on": "2024-08-01", "event": {"ref": "h1"},
                                        "reason": "wrong"}},
    ]  # fmt: skip
    answer = api.post("/v1/events", items)
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"recorded": 5, "first_position": 1, "last_position": 5, "replayed": False}
    events = api.get("/v1/events").json()["items"]
    assert [event["position"] for event in events] == [1, 2, 3, 4, 5]
    assert events[4]["fact"]["event"] == events[1]["id"] == events[3]["fact"]["of"]


def test_a_batch_may_be_lines(api: Api) -> None:
    lines = [{"pledge": "aid-2024", "fact": made()}, {"pledge": "aid-2024", "fact": progress()}]
    body = b"\n\n".join(json.dumps(line).encode() for line in lines) + b"\n"
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "lines"}
    assert api.post("/v1/events", body, headers=headers).json()["recorded"] == 2
    again = api.post("/v1/events", body, headers=headers)
    assert again.json() == {"recorded": 2, "first_position": 1, "last_position": 2, "replayed": True}
    broken = body + b'{"pledge": "aid-2024",\n'
    refused = problem(
        api.post("/v1/events", broken, headers={"Content-Type": "application/x-ndjson"}), 400, "malformed"
    )
    assert refused["line"] == 4


def test_a_bad_batch_lists_every_bad_item_and_records_none(api: Api) -> None:
    api.open()
    items = [
        {"pledge": "aid-2024", "fact": progress()},
        {"pledge": "aid-2024", "fact": progress("5m count:trees", stated_on="2024-07-11")},
        {"pledge": "unopened", "fact": progress()},
        {"pledge": "aid-2024", "fact": progress("nonsense")},
        {"pledge": "Bad Slug", "fact": made(), "extra": 1},
        {"pledge": "aid-2024", "fact": statement(), "expected_version": 9},
        {"pledge": "aid-2024", "fact": {"type": "EventVoided", "stated_on": "2024-08-01", "reason": "x",
                                        "event": {"ref": "nothing"}}},
        {"pledge": "aid-2024"},
        17,
    ]  # fmt: skip
    refused = problem(api.post("/v1/events", items), 422, "unit_mismatch")
    found = [(entry["pointer"], entry["code"]) for entry in refused["errors"]]
    assert ("/1/fact/figure/quantity/unit", "unit_mismatch") in found
    assert ("/2/fact/type", "not_opened") in found
    assert ("/3/fact/figure/quantity", "invalid_fact") in found
    assert ("/4/extra", "invalid_fact") in found
    assert ("/5/expected_version", "version_conflict") in found
    assert ("/6/fact/event", "unknown_event") in found
    assert ("/7/fact", "invalid_fact") in found
    assert ("/8", "invalid_fact") in found
    assert not [pointer for pointer, _ in found if pointer.startswith("/0")]
    assert api.head() == 1


@pytest.mark.parametrize("body", [{}, [], "x", 1, None])
def test_a_batch_is_a_list_of_one_or_more(kept: Api, body: Any) -> None:
    problem(kept.post("/v1/events", json.dumps(body).encode()), 422, "invalid_fact", "")


def test_a_batch_has_a_largest_size(kept: Api) -> None:
    item = {"pledge": "aid-2024", "fact": {}}
    problem(kept.post("/v1/events", [item] * 10_001), 413, "too_large")
    large = {"pledge": "aid-2024", "fact": statement(summary="x" * 50_000)}
    refused = problem(kept.post("/v1/events", [{"pledge": "new", "fact": made()}, large]), 413, "too_large")
    assert [entry["pointer"] for entry in refused["errors"]] == ["/1/fact"]


def test_if_match_on_a_batch_is_refused_rather_than_ignored(kept: Api) -> None:
    answer = kept.post("/v1/events", [{"pledge": "a", "fact": made()}], headers={"If-Match": '"1"'})
    problem(answer, 400, "invalid_parameter")


def test_a_forked_process_makes_ids_of_its_own() -> None:
    now = datetime.now(UTC)
    drafts.draft("aid-2024", statement(), now)  # draws for the ids to come
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, drafts.draft("aid-2024", statement(), now).id.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100).decode() != drafts.draft("aid-2024", statement(), now).id
    os.close(reading)
    os.close(writing)
