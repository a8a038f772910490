"""Rows 16–18: how soon an append is signed, and how soon a tile and a bundle are answered."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

from benchmarks.budgets import budget, post
from benchmarks.generate import slug
from benchmarks.harness import Row, free_port, tracker_server, wait_until

LOOK_SECONDS = 0.002
"""Seconds between two looks at the checkpoint."""


def rows(url: str, *, appends: int, reads: int) -> Iterator[Row]:
    """The rows on a store with 50 synthetic pledges at least."""
    port = free_port()
    with tracker_server(url, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        head = int(json.loads(_get(connection, "/v1/log"))["head"])
        wait_until(lambda: _size(connection) >= head)
        signed = []
        for number in range(appends):
            fact = {
                "type": "StatementMade",
                "stated_on": "2025-01-15",
                "source": {"publisher": "Bench", "tier": "other", "locator": f"ledger/{number}"},
            }
            began = time.perf_counter()
            post(port, f"/v1/pledges/{slug(number % 50)}/events", fact)
            while _size(connection) < head + number + 1:
                time.sleep(LOOK_SECONDS)
            signed.append(time.perf_counter() - began)
        yield budget("16", "an append until it is signed", signed, 1.0)
        for row, name, path in (("17", "a full tile", "tile/0/"), ("18", "256 entries", "tile/entries/")):
            taken = []
            for number in range(reads):
                began = time.perf_counter()
                _get(connection, f"/ledger/{path}{number % min(head // 256, 1000):03d}")
                taken.append(time.perf_counter() - began)
            yield budget(row, f"{name} answered", taken, 0.05)
        connection.close()


def _size(connection: http.client.HTTPConnection) -> int:
    """The size of the last checkpoint."""
    return int(_get(connection, "/ledger/checkpoint").split(b"\n")[1])


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")
    return body
