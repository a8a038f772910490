"""A stranger's request is bounded before anything else is done with it, on both parsers of the default server."""

import time
from collections.abc import Iterator

import pytest

from api.http import server
from attack.heads import GET, HEADS, KEY, MEBIBYTE, POST
from tests.support.served import H11, SHORT, Served, received, serving, status


@pytest.fixture(scope="module", params=["httptools", "h11"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), prelude=H11 if request.param == "h11" else "") as found:
        yield found


@pytest.fixture(scope="module", params=["httptools", "h11"])
def hasty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    prelude = SHORT + (H11 if request.param == "h11" else "")
    with serving(tmp_path_factory.mktemp("hasty"), prelude=prelude) as found:
        yield found


def test_the_bounds_are_those_that_are_promised() -> None:
    assert (server.MAX_HEAD_BYTES, server.MAX_HEADERS, server.MAX_ADDRESS_BYTES) == (65536, 100, 16384)
    assert (server.HEAD_SECONDS, server.BODY_SECONDS, server.IDLE_SECONDS) == (15, 60, 75)


@pytest.mark.parametrize(
    ("sent", "wanted"),
    HEADS.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_too_much_is_refused_while_it_arrives_and_nobody_waits(
    served: Served, sent: str, wanted: tuple[list[bytes], int]
) -> None:
    pieces, code = wanted
    cost = served.attacked(lambda: served.answer(*pieces))
    # h11 calls what is too long malformed where it cannot tell more.
    assert status(cost.answer) in {code, 400 if "trailer" in sent or "lines" in sent else code}, cost.answer
    assert cost.grown < 8 * MEBIBYTE


def test_a_hundred_headers_and_a_long_address_are_served(served: Served) -> None:
    path = b"/health/live?" + b"a" * 15_000
    head = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + b"X-A: b\r\n" * 98
    assert b"400" in served.answer(head + b"\r\n").splitlines()[0]  # of the application: no such parameter
    assert b"200 OK" in served.answer(GET + b"Connection: close\r\n" + b"X-A: b\r\n" * 98 + b"\r\n")
    large = b"X-A: " + b"a" * 60 * 1024 + b"\r\n"
    assert b"200 OK" in served.answer(GET + b"Connection: close\r\n" + large + b"\r\n")


def test_requests_of_one_connection_are_bounded_one_by_one(served: Served) -> None:
    last = GET + b"Connection: close\r\n\r\n"
    answers = served.answer((GET + b"X-A: b\r\n" * 90 + b"\r\n") * 20 + last)
    assert answers.count(b"HTTP/1.1 200 OK") == 21


def test_a_socket_is_no_way_in(served: Served) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    head = upgrade + b"dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with served.connect() as connection:
        connection.sendall(b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n" + head)
        answer = connection.recv(65536)
        assert b" 404 " in answer.splitlines()[0]
        assert b"x-content-type-options: nosniff" in answer
        assert b"referrer-policy" in answer


def test_half_a_head_is_given_up(hasty: Served) -> None:
    assert status(hasty.answer(b"GET /health/live HTTP/1.1\r\nHost:")) == 408
    assert hasty.answer() == b""


def test_a_head_that_drips_is_given_up(hasty: Served) -> None:
    with hasty.connect() as connection:
        for letter in b"GET /healthy":
            connection.sendall(bytes([letter]))
            time.sleep(0.05)  # the drip itself
        assert status(received(connection)) == 408


def test_half_a_body_is_given_up(hasty: Served) -> None:
    head = POST + KEY + b"Content-Length: 5000\r\n\r\n"
    assert status(hasty.answer(head + b"{")) == 408
    assert status(hasty.answer(head)) == 408


def test_a_body_that_drips_is_given_up(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.sendall(POST + KEY + b"Content-Length: 5000\r\n\r\n")
        for _ in range(10):
            connection.sendall(b" ")
            time.sleep(0.05)  # the drip itself
        assert status(received(connection)) == 408


def test_a_body_that_goes_on_is_read_however_long_it_takes(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.sendall(POST + KEY + b"Connection: close\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(10):
            connection.sendall(b" " * 2000)
            time.sleep(0.15)  # slower than the bound, each piece within it
        assert b" 400 " in received(connection).splitlines()[0]  # twenty thousand spaces are no JSON


def test_the_rest_of_a_body_that_nobody_reads_has_an_end(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.sendall(POST + b"Content-Length: 50000000\r\n\r\n{")
        assert b" 401 " in received(connection).splitlines()[0]


def test_an_early_answer_is_read_by_who_wants_the_connection_closed(
    served: Served, request: pytest.FixtureRequest
) -> None:
    """As proxies send to a server whose connections they do not keep."""
    if "h11" in request.node.name:
        pytest.skip("h11 closes at once")
    size = 8 * MEBIBYTE
    head = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size
    with served.connect() as connection:
        connection.sendall(head)
        connection.sendall(b" " * size)  # it would be broken off if the connection were closed
        answer = received(connection)
    assert b" 401 " in answer.splitlines()[0]
    assert b"connection: close" in answer


def test_an_idle_connection_is_closed_and_a_used_one_is_kept(hasty: Served) -> None:
    with hasty.connect() as connection:
        for _ in range(3):
            connection.sendall(GET + b"\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
        began = time.monotonic()
        assert received(connection) == b""
        assert time.monotonic() - began >= 0.8


def test_220_idle_connections_keep_nobody_out(served: Served) -> None:
    connections = [served.connect() for _ in range(220)]
    for connection in connections[:110]:
        connection.sendall(b"GET / HTTP/1.1\r\n")
    cost = served.attacked(lambda: served.answer(GET + b"Connection: close\r\n\r\n"))
    assert b"200 OK" in cost.answer
    for connection in connections:
        connection.close()
