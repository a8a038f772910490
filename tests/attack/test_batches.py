"""What one key sends costs no more than it is worth: memory, time, the answer, and how long others wait."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.attack.served import Served, serving
from tests.support.api import MONITOR, Api, made, problem, statement

MEBIBYTE = 2**20
SIZE = 64 * MEBIBYTE - 1024
MAX_BYTES = 400 * MEBIBYTE
MAX_FACTOR = 10
ROOM = 16 * MEBIBYTE
"""Bytes that a request may take whatever its size: threads, buffers and what is imported at first use."""

JSON = "application/json"
NDJSON = "application/x-ndjson"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


def filled(opening: bytes, part: bytes, closing: bytes, size: int = SIZE) -> bytes:
    return opening + part * ((size - len(opening) - len(closing)) // len(part)) + closing


def wrong_fields(size: int) -> bytes:
    fact = {"type": "StatementMade", **{f"f{number}": 1 for number in range(4_000)}}
    item = json.dumps({"pledge": "aid-2024", "fact": fact}).encode()
    return b"[" + b",".join([item] * (size // (len(item) + 1))) + b"]"


def wide(size: int) -> bytes:
    """An object with as many names as fit, the first of them twice."""
    names = b",".join(b'"%07d":1' % number for number in range(size // 11))
    return b'[{"a":1,' + names + b',"a":2}]'


WORST = {
    "many items": (JSON, lambda: filled(b"[{}", b",{}", b"]"), 413),
    "many lists": (JSON, lambda: filled(b"[[]", b",[]", b"]"), 413),
    "many wrong fields": (JSON, lambda: wrong_fields(SIZE), 422),
    "many wrong fields in one item": (JSON, lambda: wrong_fields(60_000), 422),
    "one string": (JSON, lambda: filled(b'["', b"a", b'"]'), 413),
    "one string, escaped": (JSON, lambda: filled(b'["', b"\\u20ac", b'"]'), 413),
    "one string and no list": (JSON, lambda: filled(b'"', b"a", b'"'), 413),
    "one item of lists": (JSON, lambda: filled(b'[{"a":[[]', b",[]", b"]}]"), 413),
    "a name twice in a wide object": (JSON, lambda: wide(SIZE), 413),
    "a name twice in the last item": (
        JSON,
        lambda: filled(b"[" + b"[" * 9 + b"1" + b"]" * 9, b',["' + b"a" * 9_000 + b'"]', b',{"a":1,"a":2}]'),
        400,
    ),
    "a name twice, deep": (JSON, lambda: b"[" + b'{"a":' * 150 + b'{"b":1,"b":2}' + b"}" * 150 + b"]", 400),
    "deep": (JSON, lambda: filled(b"", b"[", b""), 400),
    "deep objects": (JSON, lambda: filled(b"[", b'{"a":', b""), 400),
    "spaces": (JSON, lambda: filled(b"[", b" ", b"]"), 422),
    "blank lines": (NDJSON, lambda: filled(b"", b"\n", b""), 422),
    "many lines": (NDJSON, lambda: filled(b"{}", b"\n{}", b""), 413),
    "one line": (NDJSON, lambda: filled(b'"', b"a", b'"'), 413),
    "a large number": (JSON, lambda: filled(b"[", b"1", b"]"), 400),
    "emoji": (JSON, lambda: filled(b'["x"', ',"😀😀😀"'.encode() * 800, b"]"), 413),
    "long items": (JSON, lambda: filled(b'["x"', b',"' + b"a" * 200_000 + b'"', b"]"), 422),
}


@pytest.mark.parametrize("name", WORST)
def test_a_batch_costs_what_it_is_worth(served: Served, name: str) -> None:
    media_type, make, wanted = WORST[name]
    body = make()

    def attack() -> bytes:
        headers = MONITOR | {"Content-Type": media_type, "Idempotency-Key": "the worst"}
        answer = httpx.post(f"{served.address}/v1/events", content=body, headers=headers, timeout=120)
        assert answer.status_code == wanted, answer.text[:500]
        assert len(answer.json()["errors"]) <= 100
        assert answer.json()["total"] >= len(answer.json()["errors"])
        return answer.content

    answer, grown = served.attacked(attack)
    assert len(answer) < 64 * 1024
    assert grown <= min(MAX_BYTES, MAX_FACTOR * len(body) + ROOM)


def test_the_largest_batch_that_is_recorded_costs_what_it_is_worth(served: Served) -> None:
    items = [{"pledge": f"aid-{number}", "fact": made(summary="Aid. " * 1_000)} for number in range(10_000)]
    body = json.dumps(items).encode()
    assert 50 * MEBIBYTE < len(body) < SIZE
    before = served.forget_peak()
    answer = httpx.post(
        f"{served.address}/v1/events", content=body, headers=MONITOR | {"Content-Type": JSON}, timeout=300
    )
    assert answer.status_code in (201, 422), answer.text[:500]
    print("largest", answer.status_code, len(body), (served.peak_bytes() - before) / MEBIBYTE)
    assert served.peak_bytes() - before <= MAX_BYTES


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
