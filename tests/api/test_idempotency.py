"""The header `Idempotency-Key`: one request is recorded once, however often it is sent."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.resources import writes
from tests.support.api import EVENTS, Api, made, problem, progress, running, statement


def test_the_same_key_and_payload_give_the_first_answer_again(api: Api) -> None:
    body = {"pledge": "aid-2024", "fact": made()}
    first = api.post("/v1/pledges", body, headers={"Idempotency-Key": "open"})
    again = api.post("/v1/pledges", json.dumps(body, indent=1).encode(), headers={"Idempotency-Key": "open"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json() | {"replayed": True}
    assert again.headers["location"] == first.headers["location"]
    problem(
        api.post("/v1/pledges", body | {"pledge": "other"}, headers={"Idempotency-Key": "open"}),
        422, "idempotency_mismatch",
    )  # fmt: skip
    assert api.head() == 1


def test_a_replay_comes_before_everything_that_depends_on_the_log(api: Api) -> None:
    api.open()
    headers = {"Idempotency-Key": "h1", "If-Match": '"1"'}
    first = api.add(progress(), **headers)
    again = api.add(progress(), **headers)
    assert again == first | {"replayed": True}
    assert api.head() == 2


def test_the_scope_of_a_key_is_the_caller_the_method_and_the_path(api: Api) -> None:
    api.open("one")
    api.open("two")
    headers = {"Idempotency-Key": "same"}
    assert api.add(statement(), "one", **headers)["replayed"] is False
    assert api.add(statement(), "two", **headers)["replayed"] is False
    assert api.head() == 4


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_is_1_to_255_characters(kept: Api, key: str) -> None:
    problem(kept.post(EVENTS, statement(), headers={"Idempotency-Key": key}), 400, "invalid_parameter")


def test_one_request_sent_many_times_at_once_records_once(api: Api) -> None:
    api.open()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.add(progress(), **{"Idempotency-Key": "once"}), range(8)))
    assert sum(not answer["replayed"] for answer in answers) == 1
    assert len({answer["event"]["id"] for answer in answers}) == 1
    assert api.head() == 2


def test_a_retry_is_not_refused_for_the_version_that_its_first_sending_made(
    api: Api, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sending goes to another process, in the moment between the look for the key and that at If-Match."""
    api.open()
    headers = {"Idempotency-Key": "once", "If-Match": '"1"'}
    first: list[dict[str, Any]] = []
    expected = writes._expected

    def overtaken(*given: Any) -> int | None:
        monkeypatch.setattr(writes, "_expected", expected)
        first.append(other.add(progress(), **headers))
        return expected(*given)

    with running(database_url) as other:
        monkeypatch.setattr(writes, "_expected", overtaken)
        assert api.add(progress(), **headers) == first[0] | {"replayed": True}
    assert api.head() == 2
