"""Rows 12, 13 and 14: the sums after an append, one heavy pledge beside others, and what the read models weigh.

    python -m benchmarks.read_models [--quick]

All on SQLite. Row 13 is of fewer facts than its goal is: newest first every fact is weighed on every day after it,
and ten thousand would take hours.
"""

from __future__ import annotations

import argparse
import http.client
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.budgets import post
from benchmarks.generate import load
from benchmarks.harness import Row, answers, compared, free_port, report, tracker_server, wait_until
from benchmarks.one_pledge import facts
from projections.queries import Clocks
from projections.runner import ProjectionRunner
from projections.tables import open_engine
from projections.timeline import Timeline
from tracker.application import Tracker
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.log.open import open_recorder
from tracker.requests import Draft, Request

ORDERS = {"oldest first": 5.0, "newest first": 10.0, "shuffled": 10.0}
"""In which order the facts of one pledge are recorded, and how many times as long as many pledges it may take."""

BATCH_FACTS = 500
"""Facts recorded in one request."""

SEEN_SECONDS = 1.0
"""Seconds within which another pledge's fact is to be seen while a heavy one is folded."""


READS: tuple[tuple[str, str, float, bool], ...] = (
    ("summary", "/v1/summary", 0.02, True),
    ("summary by pledgor", "/v1/summary?by=pledgor", 0.02, True),
    ("statuses over time", "/v1/statuses", 0.02, True),
    ("facets", "/v1/pledges?facets=true&limit=1", 0.05, False),
    ("a status that nothing has", "/v1/pledges?status=superseded", 0.05, False),
    ("-last_stated_on, long ago", "/v1/pledges?sort=-last_stated_on&as_of=2020-03-01", 0.05, False),
    ("-ratio, long ago", "/v1/pledges?sort=-ratio&as_of=2020-03-01", 0.05, False),
    ("a word that nothing has", "/v1/pledges?q=xylophone", 0.05, False),
    ("the first bytes of a difference over a week", "/v1/diff?from=2025-06-02&to=2025-06-09", 0.1, False),
)
"""What is read after an append, its address, its budget in seconds, and whether it is compared with the next read."""


def rows(folder: Path, *, pledges: int, appends: int, heavy: int) -> list[Row]:
    """The rows on so many synthetic pledges with so many appends, and on one pledge with so many facts."""
    return [*_sums_and_size(folder, pledges, appends), *_heavy(folder, heavy)]


def _sums_and_size(folder: Path, pledges: int, appends: int) -> Iterator[Row]:
    path, port = folder / "sums.db", free_port()
    load(f"sqlite:///{path}", pledges)
    with tracker_server(f"sqlite:///{path}", port):
        made = next(facts(0, "increment", newest_first=False))
        first: dict[str, list[float]] = {name: [] for name, *_ in READS}
        second: dict[str, list[float]] = {name: [] for name, *_ in READS}
        for _, asked, _, _ in READS:  # once, so that what is kept is there
            _seconds(port, asked)
        for number in range(appends):
            post(port, "/v1/pledges", {"pledge": f"new-{number}", "fact": made})
            wait_until(partial(answers, f"http://127.0.0.1:{port}/v1/pledges/new-{number}"))
            for name, asked, _, _ in READS:
                first[name].append(_seconds(port, asked))
                second[name].append(_seconds(port, asked))
    for name, _, budget, ratio in READS:
        title = f"{name} of {pledges:,} pledges after an append"
        if ratio:
            yield compared("12", title, first[name], second[name], "the second read", 10.0, better="lower", unit="s")
        yield compared("12", title, first[name], [budget], "budget", 1.0, better="lower", unit="s")
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log, bytes_, at = open_recorder(f"sqlite:///{path}"), 0, 0
    while read := log.read(at, 10_000):
        bytes_, at = bytes_ + sum(len(row.state) for row in read), read[-1].position
    log.close()
    yield compared("14", "log and read models on disk", [path.stat().st_size], [bytes_], "the bytes of the events",
                   4.0, better="lower", unit="bytes")  # fmt: skip


def _seconds(port: int, path: str) -> float:
    """Seconds until the first bytes of an answer, which has come as a whole unless it is a stream."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read(1)
    taken = time.perf_counter() - started
    connection.close()
    return taken


def _heavy(folder: Path, count: int) -> Iterator[Row]:
    many, _ = _projected(folder / "many.db", [(f"pledge-{n % max(1, count // 10)}", n) for n in range(count)])
    for order, goal in ORDERS.items():
        days = list(range(1, count + 1))
        if order == "newest first":
            days.reverse()
        elif order == "shuffled":
            Random(7).shuffle(days)
        path = folder / f"{order.replace(' ', '-')}.db"
        one, seen = _projected(path, [("heavy", day) for day in days])
        yield compared("13", f"{count:,} facts on one pledge, {order}", [one], [many],
                       f"{count:,} facts on {count // 10:,} pledges", goal, better="lower", unit="s")  # fmt: skip
        yield compared("13", f"others' facts seen meanwhile, {order}", [max(seen)], [SEEN_SECONDS], "budget", 1.0,
                       better="lower", unit="s")  # fmt: skip


def _projected(path: Path, of: Sequence[tuple[str, int]]) -> tuple[float, list[float]]:
    """Seconds until increments of pledges on days are projected, and after how many each of another pledge is seen."""
    url = f"sqlite:///{path}"
    tracker, engine = Tracker(url), open_engine(url)
    runner = ProjectionRunner(url, tracker.log, lambda: datetime.now(UTC), engine=engine)
    timeline = Timeline(engine, tracker.log)
    made, *figures = facts(len(of) + 1, "increment", newest_first=False)
    drafts = [_draft(pledge, made) for pledge in dict.fromkeys(pledge for pledge, _ in of)]
    drafts += [_draft(pledge, figures[day]) for pledge, day in of]
    seen: list[float] = []
    try:
        runner.catch_up()
        for at in range(0, len(drafts), BATCH_FACTS):
            tracker.record(Request(tuple(drafts[at : at + BATCH_FACTS]), by="benchmark", now=datetime.now(UTC)))
        started, head = time.perf_counter(), tracker.log.head()
        runner.start()
        while not (done := timeline.position() >= head and timeline.progress().waiting == 0) or not seen:
            name, said = f"other-{len(seen)}", time.perf_counter()
            tracker.record(Request((_draft(name, made),), by="benchmark", now=datetime.now(UTC)))
            runner.wake()
            wait_until(partial(_is_seen, timeline, name))
            seen.append(time.perf_counter() - said)
            if done:
                break
        return time.perf_counter() - started, seen
    finally:
        runner.stop()
        engine.dispose()
        tracker.close()


def _is_seen(timeline: Timeline, pledge: str) -> bool:
    return timeline.one(pledge, Clocks(datetime.now(UTC).date(), timeline.position())) is not None


def _draft(pledge: str, fact: dict[str, Any]) -> Draft:
    return Draft(pledge, read_fact(fact), event_id(datetime.now(UTC), secrets.token_bytes(10)))


def sizes(*, quick: bool) -> dict[str, int]:
    """The sizes of a quick run, and of a full one."""
    return {"pledges": 200 if quick else 100_000, "appends": 2 if quick else 10, "heavy": 100 if quick else 400}


def main() -> None:
    """Measure these rows alone."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder), **sizes(quick=quick))
        report(found, scale="quick" if quick else "full", path=Path(folder) / "latest.json")


if __name__ == "__main__":
    main()
