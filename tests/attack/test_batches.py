"""What one key sends costs no more than it is worth: memory, time, the answer, and how long others wait."""

from collections.abc import Iterator

import httpx
import pytest

from attack.batches import JSON, MAX_BYTES, MAX_FACTOR, MEBIBYTE, ROOM, SIZE, WORST, largest
from tests.support.api import MONITOR, Api, problem, statement
from tests.support.served import STALL_SECONDS, Served, serving
from tests.support.waiting import HANG_SECONDS


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.mark.parametrize("name", WORST)
def test_a_batch_costs_what_it_is_worth(served: Served, name: str) -> None:
    media_type, make, wanted = WORST[name]
    body = make()

    def attack() -> bytes:
        headers = MONITOR | {"Content-Type": media_type, "Idempotency-Key": "the worst"}
        answer = httpx.post(f"{served.address}/v1/events", content=body, headers=headers, timeout=HANG_SECONDS)
        assert answer.status_code == wanted, answer.text[:500]
        assert len(answer.json()["errors"]) <= 100
        assert answer.json()["total"] >= len(answer.json()["errors"])
        return answer.content

    cost = served.attacked(attack)
    assert len(cost.answer) < 64 * 1024
    assert cost.stall_seconds <= STALL_SECONDS
    assert cost.grown <= min(MAX_BYTES, MAX_FACTOR * len(body) + ROOM)


@pytest.mark.parametrize("name", ["long texts", "many instalments"])  # `make attack` sends the others too
def test_the_largest_batch_that_is_recorded_costs_what_it_is_worth(served: Served, name: str) -> None:
    body = largest(name)
    assert 10 * MEBIBYTE < len(body) < SIZE

    def attack() -> bytes:
        headers = MONITOR | {"Content-Type": JSON, "Prefer": "respond-async"}
        answer = httpx.post(f"{served.address}/v1/events", content=body, headers=headers, timeout=HANG_SECONDS)
        assert answer.status_code == 201, answer.text[:500]
        assert answer.json()["recorded"] == 10_000
        return answer.content

    cost = served.attacked(attack)
    assert cost.grown <= MAX_BYTES
    assert cost.stall_seconds <= STALL_SECONDS


def test_a_hundred_problems_are_told_and_all_are_counted(lite: Api) -> None:
    lite.open()
    bad = [{"pledge": "aid-2024", "fact": {"type": "StatementMade", "x": 1}}] * 250
    body = problem(lite.post("/v1/events", [{"pledge": "aid-2024", "fact": statement()}, *bad]), 422, "invalid_fact")
    assert len(body["errors"]) == 100
    assert body["errors"][0]["pointer"].startswith("/1/fact/")
    each = problem(lite.post("/v1/events", bad[:1]), 422, "invalid_fact")
    assert body["total"] == 250 * each["total"] == 250 * len(each["errors"])
    assert "250 item(s)" in body["detail"]
    fact = statement(**{f"x{number}": 1 for number in range(150)})
    one = problem(lite.post("/v1/pledges/aid-2024/events", fact), 422, "invalid_fact")
    assert (len(one["errors"]), one["total"]) == (100, 150)


@pytest.mark.parametrize("type_", [None, 1, {}, {"a": []}, [], ["PledgeMade"], True, "", "object"])
def test_a_type_of_any_kind_is_refused_in_a_batch(lite: Api, type_: object) -> None:
    item = {"pledge": "aid-2024", "fact": {"type": type_}}
    problem(lite.post("/v1/events", [item]), 422, "invalid_fact", "/0/fact/type")


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        (b'[{"a":1},\n {"b":1,"b":2}]', 2, 9),
        (b"[1,\n2 3]", 2, 3),
        (b"[1,]", 1, 4),
        (b"[1] 2", 1, 5),
        (b"[1", 1, 3),
        (b"[1,\n\n  nul]", 3, 6),
        (b'["\xff"]', 1, 2),
        (b'[1, "\\ud800"]', 1, 12),
        (b"[NaN]", 1, 2),
    ],
)
def test_what_is_wrong_in_a_batch_is_told_with_its_place(lite: Api, body: bytes, line: int, column: int) -> None:
    found = problem(lite.post("/v1/events", body), 400, "malformed")
    assert found["line"] == line, found
    assert abs(found["column"] - column) <= 3, found
