"""Rows 1–3: an unchanged list, a list from memory, and a list after an append."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.generate import slug
from benchmarks.harness import ADMIN, PYTHON, Row, bare_server, compared, free_port, running, tracker_server, wait_until
from benchmarks.load import rate, request

LIST = "/v1/pledges?limit=100"


def rows(folder: Path, url: str, *, pledges: int, seconds: float, rounds: int, appends: int) -> list[Row]:
    """The three rows on a store with so many synthetic pledges."""
    port, bare, sette = free_port(), free_port(), free_port()
    body = folder / "body.json"
    with tracker_server(url, port):
        wait_until(lambda: lag(port) == 0)
        answer = read(port, LIST)[1]
        body.write_bytes(answer)
        _export(json.loads(answer)["items"], folder / "peer.db", pledges)
        ours: dict[str, list[float]] = {"304": [], "200": [], "cold": []}
        peer: dict[str, list[float]] = {"304": [], "200": [], "cold": []}
        command = [PYTHON, "-m", "datasette", str(folder / "peer.db"), "--port", str(sette), "--setting",
                   "max_returned_rows", "1000"]  # fmt: skip
        with bare_server(bare, body), running(command, sette, "/-/versions.json"):
            page = f"/peer/statuses.json?_size=100&_offset={min(100, pledges - 100)}"
            for number in range(rounds):
                unchanged = request(LIST, port, {"If-None-Match": read(port, LIST)[0]})
                ours["304"].append(rate(port, unchanged, status=304, seconds=seconds))
                peer["304"].append(rate(bare, request("/unchanged", bare), status=304, seconds=seconds))
                ours["200"].append(rate(port, request(LIST, port), status=200, seconds=seconds))
                peer["200"].append(rate(bare, request("/constant", bare), status=200, seconds=seconds))
                ours["cold"].append(_cold(port, appends, number))
                peer["cold"].append(_timed(sette, page, appends))
    return [
        compared("1", "unchanged list, If-None-Match: 304", ours["304"], peer["304"], "bare Litestar 304", 0.95),
        compared("2", "list of 100, warm: 200", ours["200"], peer["200"], "bare Litestar, the same bytes", 0.95),
        compared("3", "list of 100, first after an append", ours["cold"], peer["cold"], "Datasette", 4.0),
    ]


def lag(port: int) -> int:
    """How many events wait for the projector."""
    return int(json.loads(read(port, "/health/ready")[1])["lag"])


def read(port: int, path: str) -> tuple[str, bytes]:
    """The entity tag and the body of a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{response.status} {body[:300]!r}")
    return response.headers["ETag"] or "", body


def _cold(port: int, appends: int, number: int) -> float:
    """Reads a second of the list, each the first after an append."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    spent = 0.0
    for count in range(appends):
        today = datetime.now(UTC).date()
        fact = {
            "type": "StatementMade",
            "stated_on": (today if count % 2 else date(2025, 1, 1 + count % 28)).isoformat(),
            "source": {"publisher": "Bench", "tier": "other", "locator": f"{number}/{count}"},
        }
        connection.request("POST", f"/v1/pledges/{slug(count % 50)}/events", json.dumps(fact), headers)
        response = connection.getresponse()
        if response.status != 201:
            raise RuntimeError(response.read().decode())
        response.read()
        started = time.perf_counter()
        connection.request("GET", LIST)
        connection.getresponse().read()
        spent += time.perf_counter() - started
    connection.close()
    return appends / spent


def _timed(port: int, path: str, times: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    spent = 0.0
    for _ in range(times):
        started = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        spent += time.perf_counter() - started
        if response.status != 200:
            raise RuntimeError(body[:300].decode())
    connection.close()
    return times / spent


def _export(items: list[dict[str, object]], path: Path, count: int) -> None:
    """The same rows for the peer: a status a pledge, with the columns that are filtered on beside it."""
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE statuses (pledge TEXT PRIMARY KEY, title TEXT, status TEXT, kind TEXT, last_stated_on TEXT,"
            " document TEXT)"
        )
        for number in range(count):
            item = items[number % len(items)] | {"pledge": slug(number)}
            columns = [item[name] for name in ("pledge", "title", "status", "kind", "last_stated_on")]
            db.execute("INSERT INTO statuses VALUES (?, ?, ?, ?, ?, ?)", [*columns, json.dumps(item)])
    db.close()
