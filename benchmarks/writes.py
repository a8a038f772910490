"""Rows 5, 5s, 6 and 11: facts recorded over HTTP, one by one and in a batch, against a bare handler and the library.

python -m benchmarks.writes [--quick] [--rounds N] [--seconds S] [--store sqlite|postgres]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks import plain
from benchmarks.generate import load
from benchmarks.harness import ADMIN, PYTHON, Row, compared, free_port, report, running, tracker_server, wait_until
from benchmarks.write_load import Making, Writes, bare_write, facts, measure, tracker_write
from tests.support.stores import postgres_database, postgres_server

STORES = ("postgres", "sqlite")
CLIENTS = 32
PLEDGES = 1_000
ASYNC = "respond-async"


class Rounds(NamedTuple):
    """The rounds of one store, each with all its parts in turn."""

    ours: list[Writes]
    bare: list[Writes]
    soon: list[Writes]
    """Ours with `Prefer: respond-async`."""
    saves: list[float]
    """Plain `eventsourcing`, facts a second."""
    one: list[Writes]
    one_soon: list[Writes]
    """One client, without and with `respond-async`."""
    fsync: list[float]
    """Milliseconds of one fsync."""
    batch: list[float]
    saved_batch: list[float]
    copied: list[float]
    """Facts a second of 10,000 at once: ours, plain `eventsourcing`, and COPY (PostgreSQL)."""


def rows(
    folder: Path,
    *,
    rounds: int,
    seconds: float,
    facts_at_once: int,
    stores: tuple[str, ...] = STORES,
    pledges: int = PLEDGES,
    is_warmed: bool = True,
) -> Iterator[Row]:
    """The rows of each store: as many rounds, each of its parts for so many seconds; it has so many pledges before.

    A round before them, which is not counted, warms the caches of pledges, statements and pages.
    """
    for store in stores:
        with store_of(folder, store) as (url, bare_url, plain_url):
            load(url, pledges)
            numbers = range(-1 if is_warmed else 0, rounds)
            found = rounds_of(folder, url, bare_url, plain_url, numbers, seconds, facts_at_once)
        yield from _rows(store, found, facts_at_once)


def _rows(store: str, found: Rounds, count: int) -> Iterator[Row]:
    """The goals are those that two shared cores can reach, which docs/performance.md explains."""
    is_sqlite = store == "sqlite"
    row, name = ("5s" if is_sqlite else "5"), f"32 clients, {'SQLite' if is_sqlite else 'PostgreSQL'}"
    ours, bare = [r.rate for r in found.ours], [r.rate for r in found.bare]
    yield compared(row, f"{name}", ours, bare, "bare Litestar handler", 0.9 if is_sqlite else 0.7)
    late, bare_late = [r.p99 for r in found.ours], [r.p99 for r in found.bare]
    yield compared(row, f"{name}, p99", late, bare_late, "bare Litestar handler", 2.0, better="lower", unit="ms")
    soon = [r.rate for r in found.soon]
    yield compared(row, f"{name}, respond-async", soon, found.saves, "eventsourcing save", 0.7 if is_sqlite else 2.0)
    one, one_soon = [r.p50 for r in found.one], [r.p50 for r in found.one_soon]
    yield compared(
        "11", f"one client, {store}, p50", one, one_soon, "the same, respond-async", 2.0, better="lower", unit="ms"
    )
    bound = [2 * taken + 3 for taken in found.fsync]
    yield compared("11", f"one client, {store}, p50", one, bound, "2 fsync + 3 ms", 1.0, better="lower", unit="ms")
    saved, name, of = found.saved_batch, f"one batch, {store}", f"{count:,} facts"
    if saved:
        yield compared("6", name, found.batch, saved, "eventsourcing save", 2.0, unit="facts/s", of=of)
    if found.copied:
        yield compared("6", name, found.batch, found.copied, "COPY", None, unit="facts/s", of=of)


def rounds_of(
    folder: Path, url: str, bare_url: str, plain_url: str, rounds: range, seconds: float, facts_at_once: int
) -> Rounds:
    """Ours and the peers in turn, all servers up for the whole time; rounds below 0 are not counted."""
    found = Rounds([], [], [], [], [], [], [], [], [], [])
    port, bare = free_port(), free_port()
    with tracker_server(url, port), bare_server(bare_url, bare):
        wait_until(lambda: _lag(port) == 0)
        for number in rounds:
            kept = found if number >= 0 else Rounds([], [], [], [], [], [], [], [], [], [])
            one = min(1.0, seconds) if number < 0 else seconds
            kept.ours.append(_measure(port, tracker_write, f"ours-{number}", one))
            kept.bare.append(_measure(bare, bare_write, f"bare-{number}", one))
            kept.soon.append(_measure(port, tracker_write, f"soon-{number}", one, prefer=ASYNC))
            wait_until(lambda: _lag(port) == 0)
            kept.saves.append(plain.saves(plain_url, seed=f"plain-{number}", seconds=one, threads=CLIENTS))
            kept.one.append(_measure(port, tracker_write, f"one-{number}", one / 2, clients=1))
            kept.one_soon.append(_measure(port, tracker_write, f"one-soon-{number}", one / 2, clients=1, prefer=ASYNC))
            wait_until(lambda: _lag(port) == 0)
            kept.fsync.append(fsync(folder / "fsync"))
            if number >= 0:
                kept.batch.append(_batch(port, f"batch-{number}", facts_at_once))
                wait_until(lambda: _lag(port) == 0)
                if url.startswith("sqlite"):
                    kept.saved_batch.append(plain.batches(plain_url, seed=f"batch-{number}", count=facts_at_once))
                else:  # the library's save stands still: psycopg 3.3 pipelines more than the socket takes at once
                    kept.copied.append(copied(plain_url, f"batch-{number}", facts_at_once))
    return found


def _measure(
    port: int, making: Making, seed: str, seconds: float, *, clients: int = CLIENTS, prefer: str | None = None
) -> Writes:
    return measure(port, making, seed=seed, seconds=seconds, clients=clients, prefer=prefer)


def _batch(port: int, seed: str, count: int) -> float:
    items = [{"pledge": pledge, "fact": fact} for pledge, fact in islice(facts(seed), count)]
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json", "Prefer": ASYNC}
    body = json.dumps(items)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    started = time.perf_counter()
    connection.request("POST", "/v1/events", body, headers)
    response = connection.getresponse()
    said = response.read()
    taken = time.perf_counter() - started
    connection.close()
    if response.status != 201:
        raise RuntimeError(said[:500].decode())
    return count / taken


def copied(url: str, seed: str, count: int) -> float:
    """Facts a second of COPY into a table of bytes."""
    lines = [json.dumps(fact).encode() for _, fact in islice(facts(seed), count)]
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS copied (state bytea)")
        conn.commit()
        started = time.perf_counter()
        with conn.cursor().copy("COPY copied FROM STDIN (FORMAT BINARY)") as copy:
            for line in lines:
                copy.write_row((line,))
        conn.commit()
        return count / (time.perf_counter() - started)


def fsync(path: Path, times: int = 50) -> float:
    """Milliseconds of writing a page to the end of a file and waiting for the disk; the median."""
    taken = []
    with path.open("ab", buffering=0) as file:
        for _ in range(times):
            started = time.perf_counter()
            file.write(b"\x00" * 4096)
            os.fdatasync(file.fileno())
            taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def bare_server(url: str, port: int) -> AbstractContextManager[int]:
    """The bare handler on the server that `tracker serve` runs on."""
    options = ["--factory", "--port", str(port), "--log-level", "warning", "--no-access-log", "--no-server-header"]
    command = [PYTHON, "-m", "uvicorn", "benchmarks.bare_writes:app", *options]
    return running(command, port, "/ready", {"BENCH_DATABASE_URL": url})


@contextmanager
def store_of(folder: Path, store: str) -> Iterator[tuple[str, str, str]]:
    """Three fresh stores: for ours, the bare handler and the library."""
    if store == "sqlite":
        ours, bare, own = (f"sqlite:///{folder}/{name}.db" for name in ("writes", "bare", "plain"))
        yield ours, bare, own
        return
    with (
        postgres_server(folder) as server,
        postgres_database(server) as ours,
        postgres_database(server) as bare,
        postgres_database(server) as own,
    ):
        tracker = str(Path(PYTHON).with_name("tracker"))
        subprocess.run([tracker, "init"], env=os.environ | {"TRACKER_DATABASE_URL": ours}, check=True)
        yield ours, bare, own


def _lag(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/health/ready")
    found = json.loads(connection.getresponse().read())
    connection.close()
    return int(found.get("lag", 1))


def main() -> None:
    """Measure the rows of writes alone, and write benchmarks/latest.json."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--store", choices=STORES, action="append")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = list(
            rows(
                Path(folder),
                rounds=1 if given.quick else given.rounds,
                seconds=1.0 if given.quick else given.seconds,
                facts_at_once=1_000 if given.quick else 10_000,
                stores=tuple(given.store or STORES),
                pledges=100 if given.quick else PLEDGES,
                is_warmed=not given.quick,
            )
        )
    report(found, scale="quick" if given.quick else "full", path=Path(__file__).with_name("latest.json"))


if __name__ == "__main__":
    main()
