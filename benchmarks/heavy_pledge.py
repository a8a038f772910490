"""Row 13: one heavy pledge beside others.

    python -m benchmarks.heavy_pledge [--quick]

All on SQLite. Row 13 is of fewer facts than its goal is: newest first every fact is weighed on every day after it,
and ten thousand would take hours.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.harness import Row, compared, report, wait_until
from benchmarks.one_pledge import facts
from projections.queries import Clocks
from projections.runner import ProjectionRunner
from projections.tables import open_engine
from projections.timeline import Timeline
from tracker.application import Tracker
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.requests import Draft, Request

ORDERS = {"oldest first": 5.0, "newest first": 10.0, "shuffled": 10.0}
"""In which order the facts of one pledge are recorded, and how many times as long as many pledges it may take."""

BATCH_FACTS = 500
"""Facts recorded in one request."""

SEEN_SECONDS = 1.0
"""Seconds within which another pledge's fact is to be seen while a heavy one is folded."""


def rows(folder: Path, count: int) -> Iterator[Row]:
    """The row of so many facts on one pledge, in each order."""
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


def main() -> None:
    """Measure these rows alone."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        found = list(rows(Path(folder), 100 if quick else 400))
        report(found, scale="quick" if quick else "full", path=Path(folder) / "latest.json")


if __name__ == "__main__":
    main()
