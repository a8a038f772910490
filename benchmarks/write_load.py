"""Clients that record facts: a process of its own, epoll, keep-alive; every fact is made before the clock starts."""

from __future__ import annotations

import json
import selectors
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, NamedTuple

from benchmarks.generate import pledge_events
from benchmarks.harness import ADMIN
from benchmarks.load import Client, complete, in_process

CREATED = b"HTTP/1.1 201"

MAX_RATE = 5_000
"""Writes a second that are made beforehand; a server that is faster than that ends the measurement with an error."""


class Writes(NamedTuple):
    """What a round of writes came to: requests a second, and the milliseconds of the median and of the slowest 1 %."""

    rate: float
    p50: float
    p99: float


def facts(seed: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Facts without an end, each with the slug of its pledge: those of `generate`, pledge by pledge, as recorded.

    The first of each pledge opens it. Corrections are left out, since they name ids that a server gives; late arrivals
    are among them. The same seed gives the same facts, and another seed other pledges.
    """
    for number in count():
        slug = f"bench-{seed}-{number}"
        for planned in sorted(pledge_events(number, zlib.crc32(seed.encode())), key=lambda event: event.recorded_at):
            if planned.fact["type"] != "EventCorrected":
                yield slug, planned.fact


def post(port: int, path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """A POST of JSON as bytes, with the key of the benchmarks."""
    own = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json", **(headers or {})}
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    return ("\r\n".join([*lines, *(f"{k}: {v}" for k, v in own.items())]) + "\r\n\r\n").encode() + body


def tracker_write(port: int, slug: str, fact: dict[str, Any], headers: dict[str, str]) -> bytes:
    """A fact as this API takes it."""
    if fact["type"] == "PledgeMade":
        return post(port, "/v1/pledges", json.dumps({"pledge": slug, "fact": fact}).encode(), headers)
    return post(port, f"/v1/pledges/{slug}/events", json.dumps(fact).encode(), headers)


def bare_write(port: int, slug: str, fact: dict[str, Any], headers: dict[str, str]) -> bytes:
    """A fact as the bare handler takes it."""
    return post(port, f"/facts/{slug}", json.dumps(fact).encode(), headers)


Making = Callable[[int, str, dict[str, Any], dict[str, str]], bytes]


def measure(port: int, making: Making, *, seed: str, seconds: float, clients: int, prefer: str | None = None) -> Writes:
    """Writes of so many clients, each sending its next fact when the last one is answered, from another process.

    Raises: RuntimeError if an answer is not 201.
    """
    return Writes(*in_process(_run, port, making, seed, seconds, clients, prefer))


def _run(
    port: int, making: Making, seed: str, seconds: float, clients: int, prefer: str | None
) -> tuple[float, float, float]:
    headers = {} if prefer is None else {"Prefer": prefer}
    each = int(MAX_RATE * seconds / clients) + 10
    coming = {
        number: [making(port, slug, fact, headers) for slug, fact in islice(facts(f"{seed}-{number}"), each)][::-1]
        for number in range(clients)
    }
    selector, sent = selectors.DefaultSelector(), {}
    messages: dict[int, list[bytes]] = {}
    for _ in range(clients):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ, Client(sock))
        messages[sock.fileno()] = coming.pop(len(coming) - 1)
    taken: list[float] = []
    started = time.perf_counter()
    for key in list(selector.get_map().values()):
        sent[key.fd] = time.perf_counter()
        key.data.sock.sendall(messages[key.fd].pop())
    until = started + seconds
    while (now := time.perf_counter()) < until:
        for key, _ in selector.select(timeout=5):
            client: Client = key.data
            if complete(client, CREATED):
                now = time.perf_counter()
                taken.append(now - sent[key.fd])
                sent[key.fd] = now
                client.sock.sendall(messages[key.fd].pop())
    for key in list(selector.get_map().values()):
        key.data.sock.close()
    taken.sort()
    return len(taken) / (now - started), 1000 * taken[len(taken) // 2], 1000 * taken[len(taken) * 99 // 100]
