"""The peer without HTTP: plain `eventsourcing`, as its documentation sets it up, saving the same facts.

Each thread has a connection of its own (`POSTGRES_POOL_SIZE`), and each fact is one `save` and one transaction. On
SQLite the library chooses WAL by itself.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.generate import pledge_events, slug
from benchmarks.load import in_process
from benchmarks.write_load import MAX_RATE, facts


class PlainPledge(Aggregate):
    """A pledge that keeps nothing but what it was told."""

    @event("Opened")
    def __init__(self, slug: str) -> None:
        self.slug = slug

    @event("Recorded")
    def record(self, fact: dict[str, Any]) -> None:
        """Take in a fact."""


def saves(database_url: str, *, seed: str, seconds: float, threads: int) -> float:
    """Facts a second that so many threads save, one at a time, in a process of their own."""
    return in_process(_saves, database_url, seed, seconds, threads)


def batches(database_url: str, *, seed: str, count: int) -> float:
    """Facts a second of so many in one `save`."""
    return in_process(_batch, database_url, seed, count)


def _saves(database_url: str, seed: str, seconds: float, threads: int) -> float:
    app = Application[Any](env=environment(database_url, threads))
    each = int(MAX_RATE * seconds / threads) + 10
    given = [list(islice(facts(f"{seed}-{number}"), each)) for number in range(threads)]
    until = time.perf_counter() + seconds

    def work(number: int) -> int:
        saved, last, pledge = 0, "", PlainPledge("")
        for of, fact in given[number]:
            if time.perf_counter() >= until:
                break
            if of != last:
                last, pledge = of, PlainPledge(of)
            pledge.record(fact)
            app.save(pledge)
            saved += 1
        return saved

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        saved = sum(pool.map(work, range(threads)))
    rate = saved / (time.perf_counter() - started)
    app.close()
    return rate


def _batch(database_url: str, seed: str, count: int) -> float:
    app = Application[Any](env=environment(database_url, 1))
    opened: dict[str, PlainPledge] = {}
    given = list(islice(facts(seed), count))
    started = time.perf_counter()
    for of, fact in given:
        if of not in opened:
            opened[of] = PlainPledge(of)
        opened[of].record(fact)
    app.save(*opened.values())
    rate = count / (time.perf_counter() - started)
    app.close()
    return rate


def environment(database_url: str, connections: int) -> dict[str, str]:
    """The settings of the library for a store, with so many connections."""
    if database_url.startswith("sqlite"):
        return {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": database_url.removeprefix("sqlite:///"),
            "SQLITE_LOCK_TIMEOUT": "60",
        }
    parts = urlsplit(database_url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.removeprefix("/"),
        "POSTGRES_HOST": parse_qs(parts.query).get("host", [unquote(parts.hostname or "")])[0],
        "POSTGRES_PORT": str(parts.port or ""),
        "POSTGRES_USER": unquote(parts.username or ""),
        "POSTGRES_PASSWORD": unquote(parts.password or ""),
        "POSTGRES_POOL_SIZE": str(connections),
    }


def replay_seconds(folder: Path, pledges: int, *, rounds: int = 3) -> list[float]:
    """Seconds that replaying the aggregates of so many synthetic pledges takes, on SQLite, in a process of its own."""
    return in_process(_replay, f"sqlite:///{folder}/plain-replay.db", pledges, rounds)


def _replay(database_url: str, pledges: int, rounds: int) -> list[float]:
    app = Application[Any](env=environment(database_url, 1))
    opened = []
    for number in range(pledges):
        pledge = PlainPledge(slug(number))
        for planned in pledge_events(number):
            pledge.record(planned.fact)
        app.save(pledge)
        opened.append(pledge.id)
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        for own in opened:
            app.repository.get(own)
        taken.append(time.perf_counter() - started)
    app.close()
    return taken
