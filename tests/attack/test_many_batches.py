"""However many large batches arrive at once, the process holds a bounded number of their bytes, and goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPResponse

import httpx
import pytest

from api.http.body_room import FREE_BYTES, ROOM_BYTES, BodyRoom
from api.http.problems import TooMuchAtOnce
from attack.batches import JSON, MAX_BYTES, MEBIBYTE, WORST, filled
from tests.support.api import ADMIN, MONITOR, made
from tests.support.served import Served, serving
from tests.support.waiting import HANG_SECONDS

HEAD = (
    "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    f"Authorization: Bearer {ADMIN}\r\nContent-Length: {{size}}\r\n\r\n"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


def sent(served: Served, body: bytes, size: int | None = None) -> socket.socket:
    """A connection on which a head and a body were sent, or as much of it as was taken; `size` if more is to come."""
    connection = served.connect()
    connection.settimeout(HANG_SECONDS)
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(HEAD.format(size=size or len(body)).encode())
        connection.sendall(body)
    return connection


def answered(connection: socket.socket, rest: bytes = b"") -> httpx.Response:
    """The answer, after the rest of the body."""
    with connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(rest)
        answer = HTTPResponse(connection, method="POST")
        answer.begin()
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())


def must_be_refused(answer: httpx.Response) -> None:
    """503, with the seconds to wait."""
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["title"] == "Too much at once"
    assert int(answer.headers["retry-after"]) >= 1


def test_the_third_large_body_is_refused_while_two_are_held(served: Served) -> None:
    body = filled(b"[", b" ", b"]")
    held = [sent(served, body[:-1], len(body)) for _ in range(2)]
    must_be_refused(answered(sent(served, body)))
    small = {"pledge": "aid-2024", "fact": made()}
    headers = MONITOR | {"Content-Type": JSON}
    one = httpx.post(f"{served.address}/v1/events", content=json.dumps([small]), headers=headers, timeout=HANG_SECONDS)
    assert one.status_code == 201, one.text  # what is small has room
    assert [answered(connection, body[-1:]).status_code for connection in held] == [422, 422]


def test_eight_large_ones_at_once_stay_within_the_room(served: Served) -> None:
    body = WORST["many items"][1]()
    before = served.forget_peak()
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: answered(sent(served, body)), range(8)))
    grown = served.peak_bytes() - before
    print(f"8 × {len(body) / MEBIBYTE:.0f} MiB: {[a.status_code for a in answers]}, {grown / MEBIBYTE:.0f} MiB")
    assert grown <= ROOM_BYTES + MAX_BYTES
    assert {413} <= {answer.status_code for answer in answers} <= {413, 503}
    for answer in answers:
        if answer.status_code == 503:
            must_be_refused(answer)
    assert answered(sent(served, body)).status_code == 413  # all that was held is given back


def test_a_body_that_breaks_off_gives_back_what_it_held(served: Served) -> None:
    body = filled(b"[", b" ", b"]")
    for _ in range(4):
        sent(served, body[: 60 * MEBIBYTE], len(body)).close()
    assert answered(sent(served, body)).status_code == 422


def test_what_is_small_is_never_refused_and_what_is_taken_is_given_back() -> None:
    room = BodyRoom(1000)
    with room.taken() as first, room.taken() as second:
        first.grow(FREE_BYTES)
        second.grow(FREE_BYTES)
        assert room.held == 0
        first.grow(600)
        second.grow(400)
        with pytest.raises(TooMuchAtOnce):
            first.grow(1)
        assert (room.held, first.counted, second.counted) == (1000, 600, 400)
    assert room.held == 0
    with room.taken() as third:
        third.grow(FREE_BYTES + 1000)
    assert room.held == 0
