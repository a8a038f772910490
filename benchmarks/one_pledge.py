"""What one pledge with many facts costs: running totals and increments, recorded oldest first and newest first.

    python -m benchmarks.one_pledge --database-url sqlite:///one.db --facts 1000

The store must be empty. It prints Markdown rows for docs/scale.md. Projected is what holds now; what held between the
facts may be filled in afterwards (`projections.gaps`).
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select

from projections import table_writer
from projections.queries import TIMELINE, Clocks
from projections.runner import ProjectionRunner
from projections.tables import open_engine, table_set
from projections.timeline import Timeline
from tracker.application import Tracker
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.log.open import open_recorder
from tracker.requests import Draft, Request

Basis = Literal["cumulative", "increment"]

FIRST = date(1999, 1, 1)
SOURCE = {"publisher": "Ministry", "tier": "official"}
SAMPLED_READS = 50
"""Reads that are timed of one pledge."""

BATCH_FACTS = 500
"""Facts recorded in one request."""


def facts(count: int, basis: Basis, *, newest_first: bool) -> Iterator[dict[str, Any]]:
    """A pledge of 40bn, and then a figure for each day."""
    yield {
        "type": "PledgeMade",
        "stated_on": FIRST.isoformat(),
        "source": SOURCE,
        "title": "Assistance, told day by day",
        "pledgor": {"name": "Germany", "code": "DE"},
        "kind": "money",
        "target": {"op": "ge", "value": "40000000000", "unit": "EUR"},
        "window": {"start": FIRST.isoformat(), "end": "2049-12-31"},
    }
    numbers = range(1, count + 1)
    for number in reversed(numbers) if newest_first else numbers:
        day = (FIRST + timedelta(days=number)).isoformat()
        value, start = (number * 10**6, FIRST.isoformat()) if basis == "cumulative" else (10**6, day)
        yield {
            "type": "ProgressReported",
            "stated_on": day,
            "source": SOURCE,
            "figure": {
                "quantity": {"op": "eq", "value": str(value), "unit": "EUR"},
                "stage": "committed",
                "basis": basis,
                "period": {"start": start, "end": day},
            },
        }


def measure(url: str, pledge: str, name: str, drafts: list[Draft]) -> None:
    """Record the facts, project them, read the pledge at random points."""
    tracker = Tracker(url)
    engine, log = open_engine(url), tracker.log
    runner = ProjectionRunner(url, log, lambda: datetime.now(UTC), engine=engine)
    timeline = Timeline(engine, log)
    try:
        started = time.perf_counter()
        for at in range(0, len(drafts), BATCH_FACTS):
            tracker.record(Request(tuple(drafts[at : at + BATCH_FACTS]), by="benchmark", now=datetime.now(UTC)))
        recorded = time.perf_counter()
        head = log.head()
        while timeline.position() < head or timeline.stalled(Clocks(FIRST, head)):
            runner.run_once()
        projected = time.perf_counter()
        with engine.connect() as conn:
            table = table_set(next(s.number for s in table_writer.states(conn, TIMELINE) if s.active)).timeline
            rows, size = conn.execute(
                select(func.count(), func.sum(func.length(table.c.body))).where(table.c.pledge == pledge)
            ).one()
        spent = []
        for sample in range(SAMPLED_READS):
            day = FIRST + timedelta(days=1 + sample * (len(drafts) - 1) // SAMPLED_READS)
            begin = time.perf_counter()
            timeline.one(pledge, Clocks(day, head - (sample * len(drafts)) // SAMPLED_READS))
            spent.append(1000 * (time.perf_counter() - begin))
        took = f"{recorded - started:,.1f} s | {projected - recorded:,.1f} s"
        print(f"| {name} | {took} | {rows:,} | {size / 1e6:,.1f} MB | {statistics.median(spent):,.1f} ms |", flush=True)
    finally:
        runner.stop()
        engine.dispose()
        tracker.close()


def main() -> None:
    """Measure the four orders on the store of `--database-url`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--facts", type=int, default=1_000)
    args = parser.parse_args()
    run(args.database_url, args.facts)


def run(url: str, count: int) -> None:
    """One pledge of so many facts for each order, recorded in an empty store."""
    log = open_recorder(url)
    if log.head():
        sys.exit("the log is not empty")
    log.close()
    shapes: list[tuple[str, Basis, bool]] = [
        ("running totals, oldest first", "cumulative", False),
        ("increments of one sum, oldest first", "increment", False),
        ("running totals, newest first", "cumulative", True),
        ("increments of one sum, newest first", "increment", True),
    ]
    print("| facts of one pledge | recorded | projected | rectangles | their documents, packed | one read |")
    print("|--|--|--|--|--|--|")
    for place, (name, basis, newest_first) in enumerate(shapes):
        pledge = f"one-pledge-{place}"
        ordered = facts(count, basis, newest_first=newest_first)
        now = datetime.now(UTC)
        drafts = [Draft(pledge, read_fact(fact), event_id(now, secrets.token_bytes(10))) for fact in ordered]
        measure(url, pledge, f"{count:,} {name}", drafts)


if __name__ == "__main__":
    main()
