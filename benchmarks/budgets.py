"""Rows b4–b10: work that has a budget of seconds, which no test can hold on a machine that has other work."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from api.http.access_keys import create_key, revoke_key
from benchmarks.harness import ADMIN, PYTHON, Row, compared, free_port, tracker_server, wait_until
from projections.tables import open_engine
from tests.support.hostile_words import HOSTILE_PIECES, hostile_texts
from tests.support.long_records import SHAPES, decide, fold, follow, long_record
from tests.support.stores import postgres_database, postgres_server
from tracker.quantity_words import read
from tracker.quantity_words_tables import UnclearWords

SHAPES_DECIDED = ("increment", "cumulative", "mixed")
"""Shapes of records whose facts are decided on and followed one by one."""

T = TypeVar("T")


def rows(folder: Path, *, rounds: int, events: int, followed: int, appends: int) -> list[Row]:
    """The rows: so many events of one pledge are folded, so many followed one by one, so many streamed."""
    found = [*_long_records(rounds, events, followed), _hostile_words()]
    with postgres_server(folder) as server, postgres_database(server) as url:
        environment = os.environ | {"TRACKER_DATABASE_URL": url}
        subprocess.run([str(Path(PYTHON).with_name("tracker")), "init"], env=environment, check=True)
        return [*found, *_two_processes(url, rounds, appends), _end(url, rounds)]


def budget(row: str, name: str, taken: Sequence[float], seconds: float, of: str = "") -> Row:
    """The row of work that may take so many seconds; the median of the rounds counts."""
    return compared(row, name, taken, [seconds], "budget", 1.0, better="lower", unit="s", of=of)


def _seconds(work: Callable[[T], object], given: T) -> float:
    started = time.perf_counter()
    work(given)
    return time.perf_counter() - started


def _slowest(work: Callable[[T], object], given: Sequence[T], rounds: int) -> list[float]:
    """The seconds of each round with what takes longest."""
    return max(([_seconds(work, each) for _ in range(rounds)] for each in given), key=statistics.median)


def _long_records(rounds: int, events: int, followed: int) -> Iterator[Row]:
    folded = _slowest(fold, [long_record(shape, events) for shape in SHAPES], rounds)
    yield budget("b4", "events of one pledge folded", folded, events / 10_000, f"{events:,} events")
    decided = _slowest(decide, [long_record(shape, events) for shape in SHAPES_DECIDED], rounds)
    yield budget("b5", "facts of one pledge decided on", decided, events / 2_000, f"{events:,} facts")
    one_by_one = _slowest(follow, [long_record(shape, followed) for shape in SHAPES_DECIDED], 1)
    yield budget("b6", "events followed one by one", one_by_one, followed / 50, f"{followed:,} events")


def _hostile_words() -> Row:
    def refuse(text: str) -> None:
        try:
            read(text)
        except UnclearWords:
            return
        raise RuntimeError(f"{text!r} was understood")

    texts = [text for piece in HOSTILE_PIECES for text in hostile_texts(piece)]
    return budget("b7", "hostile words refused, the slowest", _slowest(refuse, texts, 3), 0.05)


def _two_processes(url: str, rounds: int, appends: int) -> Iterator[Row]:
    """What one process hears of another on PostgreSQL: events at once, keys within a second."""
    port, other = free_port(), free_port()
    with tracker_server(url, port), tracker_server(url, other, "--no-projector"):
        fact = {"stated_on": "2025-01-15", "source": {"publisher": "Bench", "tier": "other"}}
        opening = {"type": "PledgeMade", "title": "Talk", "pledgor": {"name": "Bench"}, "kind": "qualitative"}
        post(port, "/v1/pledges", {"pledge": "talk", "fact": {**fact, **opening}})
        stream = _stream(other, after=0)
        _until_event(stream, 1)
        heard = []
        for number in range(appends):
            post(port, "/v1/pledges/talk/events", {**fact, "type": "StatementMade", "summary": f"{number}"})
            heard.append(_seconds(lambda position: _until_event(stream, position), number + 2))
        stream.close()
        yield budget("b8", "event on another process's stream", heard, 0.1)
        engine, noticed = open_engine(url), []
        for number in range(rounds):
            key = create_key(engine, f"reader-{number}", "reader")
            _until_status(other, key, 200)
            revoke_key(engine, f"reader-{number}")
            noticed.append(_seconds(lambda key: _until_status(other, key, 401), key))
        engine.dispose()
        yield budget("b9", "key revoked in another process", noticed, 1.0)


def _end(url: str, rounds: int) -> Row:
    taken = []
    for _ in range(rounds):
        port = free_port()
        with tracker_server(url, port):
            stream = _stream(port, after=0)
            _until_event(stream, 1)
            told = time.perf_counter()
        taken.append(time.perf_counter() - told)
        stream.close()
    return budget("b10", "end of a server with an open stream", taken, 2.0)


def post(port: int, path: str, body: object) -> None:
    """Record something without waiting for the projection."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json", "Prefer": "respond-async"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", path, json.dumps(body), headers)
    response = connection.getresponse()
    if response.status != 201:
        raise RuntimeError(response.read().decode())
    connection.close()


def _until_status(port: int, key: str, status: int) -> None:
    """Ask with a key until the answer has this status."""
    wait_until(lambda: _status(port, key) == status)


def _status(port: int, key: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/v1/pledges?limit=1", headers={"Authorization": f"Bearer {key}"})
    status = connection.getresponse().status
    connection.close()
    return status


def _stream(port: int, *, after: int) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/v1/events/stream?after={after}")
    return connection.getresponse()


def _until_event(stream: http.client.HTTPResponse, position: int) -> None:
    """Read on until the event with this position has come."""
    while (line := stream.readline()) != b"id: %d\n" % position:
        if not line:
            raise RuntimeError("the stream has ended")
