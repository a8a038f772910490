"""A log of a million events on one store: load it, build the projection, ask it, fold it, and say what it took.

    python -m benchmarks.scale --database-url sqlite:///scale.db --pledges 100000

Every step is skipped that was done before, so an interrupted run goes on. It prints Markdown for docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from benchmarks.generate import FIRST_DAY, load
from benchmarks.harness import ADMIN, free_port, run_tracker, tracker_server
from projections.queries import Clocks, Filters
from projections.tables import open_engine
from projections.timeline import Timeline
from tracker.log.open import open_recorder

SAMPLED_READS = 40
"""Requests that are timed of each kind."""

SMALL_LOG_EVENTS = 100_000
"""Events below which a database rightly reads a whole table."""


def main() -> None:
    """Load, rebuild, read, compare; print the figures as Markdown rows."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--pledges", type=int, default=100_000)
    args = parser.parse_args()
    run(args.database_url, args.pledges)


def run(url: str, pledges: int) -> None:
    """All steps, as far as they were not done before."""
    env = {"TRACKER_DATABASE_URL": url, "TRACKER_ADMIN_KEY": ADMIN}
    started = time.perf_counter()
    log = open_recorder(url)
    head = log.head()
    log.close()
    if head == 0:
        head = load(url, pledges)
        _row(
            "load", f"{time.perf_counter() - started:,.0f} s", f"{head / (time.perf_counter() - started):,.0f} events/s"
        )
    run_tracker(env, "init")
    if _position(url) < head:
        took = run_tracker(env, "rebuild")
        rate = f"{head / took.seconds:,.0f} events/s"
        _row("rebuild", f"{took.seconds:,.0f} s", f"{rate}, peak {took.megabytes} MB a process")
    _reads(url, head)
    _plans(url, head)
    took = run_tracker(env, "replay", "--compare")
    _row("`tracker replay --compare`, no difference", f"{took.seconds:,.0f} s", f"peak {took.megabytes} MB")


def _row(work: str, took: str, more: str = "") -> None:
    print(f"| {work} | {took} | {more} |", flush=True)


def _position(url: str) -> int:
    log, engine = open_recorder(url), open_engine(url)
    try:
        return Timeline(engine, log).position()
    finally:
        engine.dispose()
        log.close()


def _reads(url: str, head: int) -> None:
    """Answers over HTTP that no cache can give: every request has clocks of its own."""
    port, choose = free_port(), random.Random(7)
    started = time.perf_counter()
    with tracker_server(url, port) as pid:
        _row("`tracker serve`, from start to ready", f"{time.perf_counter() - started:.1f} s", f"{_memory(pid)} MB")
        days = (date(2026, 6, 30) - FIRST_DAY).days

        def clocks() -> str:
            day = FIRST_DAY + timedelta(days=choose.randrange(400, days))
            return f"as_of={day}&at_position={choose.randrange(head // 4, head)}"

        def today() -> str:
            return f"as_of={date(2026, 11, 1) + timedelta(days=choose.randrange(5_000))}"

        paths: list[tuple[str, Callable[[], str]]] = [
            ("list of 100, now", lambda: f"/v1/pledges?limit=100&{today()}"),
            ("list of 100, random past on both clocks", lambda: f"/v1/pledges?limit=100&{clocks()}"),
            ("the same, sorted by -ratio", lambda: f"/v1/pledges?limit=100&sort=-ratio&{clocks()}"),
            ("the same, status=overdue", lambda: f"/v1/pledges?limit=100&status=overdue&{clocks()}"),
            ("the same, q=energy", lambda: f"/v1/pledges?limit=100&q=energy&{clocks()}"),
            ("one pledge, random past", lambda: f"/v1/pledges/pledge-{choose.randrange(1000):06d}?{clocks()}"),
        ]
        for name, path in paths:
            _timed(name, port, [path() for _ in range(SAMPLED_READS)])
        _timed("summary of all, random past", port, [f"/v1/summary?{clocks()}" for _ in range(3)])
        _timed("summary by pledgor, now", port, [f"/v1/summary?by=pledgor&{today()}" for _ in range(3)])
        _timed("diff over a week", port, [f"/v1/diff?from=2024-05-0{n}&to=2024-05-0{n + 7}" for n in (1, 2)])
        _row("memory of the server after these", f"{_memory(pid)} MB", "")


def _timed(name: str, port: int, paths: list[str]) -> None:
    spent = []
    for path in paths:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=600) as response:
                response.read()
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
        spent.append((time.perf_counter() - started) * 1000)
    spent.sort()
    worst = f"slowest {spent[-1]:,.0f} ms of {len(spent)}"
    _row(name, f"{statistics.median(spent):,.1f} ms", worst)


def _memory(pid: int) -> int:
    """Resident megabytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def _plans(url: str, head: int) -> None:
    """The plan of a page read at a past point: exits when it scans a table that is not small."""
    engine, log = open_engine(url), open_recorder(url)
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "EXPLAIN" not in statement and "body" in statement:
            seen.append(json.dumps([statement, parameters], default=str))

    try:
        event.listen(engine, "before_cursor_execute", note)
        Timeline(engine, log).page(Filters(), Clocks(date(2024, 5, 1), head // 2), limit=100)
        statement, parameters = json.loads(seen[-1])
        word = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        with engine.connect() as conn:
            rows = conn.exec_driver_sql(
                f"{word} {statement}", parameters if isinstance(parameters, dict) else tuple(parameters)
            ).fetchall()
            version = conn.execute(text("SELECT 1")).scalar()
        assert version == 1
        plan = "\n".join(str(row[-1]) for row in rows)
    finally:
        engine.dispose()
        log.close()
    print(f"\n``\n{plan}\n``\n", flush=True)
    if head > SMALL_LOG_EVENTS and any(
        scan in plan for scan in ("Seq Scan on timeline", "Seq Scan on catalogue", "SCAN timeline_")
    ):
        sys.exit("the page read scans a table")


if __name__ == "__main__":
    main()
