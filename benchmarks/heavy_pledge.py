"""Row 13: one heavy pledge beside others.

    python -m benchmarks.heavy_pledge [--quick]

All on SQLite. A pledge is projected once what holds now is right; what held between its facts is filled in afterwards
(`projections.gaps`), which is measured for fewer facts: newest first each is weighed on every day after it.
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
from typing import Any, NamedTuple

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


def rows(folder: Path, count: int, filled: int) -> Iterator[Row]:
    """The rows of so many facts on one pledge, in each order, and of fewer until each of their positions is filled."""
    many = _measured(folder / "many.db", [(f"pledge-{n % max(1, count // 10)}", n) for n in range(count)])
    for order, goal in ORDERS.items():
        one = _measured(folder / f"{order.replace(' ', '-')}.db", [("heavy", day) for day in _days(count, order)])
        yield compared("13", f"facts on one pledge, {order}", [one.now], [many.now], "ten facts a pledge",
                       goal, better="lower", unit="s", of=f"{count:,} facts")  # fmt: skip
        yield compared("13", f"others' facts seen meanwhile, {order}", [max(one.seen)], [SEEN_SECONDS], "budget", 1.0,
                       better="lower", unit="s")  # fmt: skip
    few = [("heavy", day) for day in _days(filled, "newest first")]
    one = _measured(folder / "filled.db", few, until_filled=True)
    yield compared("13", "facts on one pledge, newest first, each position", [one.all], [one.now], "what holds now",
                   None, better="lower", unit="s", of=f"{filled:,} facts")  # fmt: skip
    yield compared("13", "others' facts seen while it is filled", [max(one.seen)], [SEEN_SECONDS], "budget", 1.0,
                   better="lower", unit="s")  # fmt: skip


def _days(count: int, order: str) -> list[int]:
    days = list(range(1, count + 1))
    if order == "newest first":
        days.reverse()
    elif order == "shuffled":
        Random(7).shuffle(days)
    return days


class _Measured(NamedTuple):
    """Seconds until what holds now is projected, and until each position is; after how many others' facts are seen."""

    now: float
    all: float
    seen: list[float]


def _measured(path: Path, of: Sequence[tuple[str, int]], *, until_filled: bool = False) -> _Measured:
    """Record increments of pledges on days, project them, and record others meanwhile."""
    url = f"sqlite:///{path}"
    tracker, engine = Tracker(url), open_engine(url)
    runner = ProjectionRunner(url, tracker.log, lambda: datetime.now(UTC), engine=engine)
    timeline = Timeline(engine, tracker.log)
    made, *figures = facts(len(of) + 1, "increment", newest_first=False)
    drafts = [_draft(pledge, made) for pledge in dict.fromkeys(pledge for pledge, _ in of)]
    drafts += [_draft(pledge, figures[day]) for pledge, day in of]
    seen, now = list[float](), 0.0
    try:
        runner.catch_up()
        for at in range(0, len(drafts), BATCH_FACTS):
            tracker.record(Request(tuple(drafts[at : at + BATCH_FACTS]), by="benchmark", now=datetime.now(UTC)))
        started, head = time.perf_counter(), tracker.log.head()
        runner.start()
        while True:
            position = timeline.position()
            if not now and position >= head and not timeline.stalled(Clocks(datetime.now(UTC).date(), position)):
                now = time.perf_counter() - started
            done = now and (not until_filled or timeline.progress().waiting == 0)
            if done and seen:
                break
            name, said = f"other-{len(seen)}", time.perf_counter()
            tracker.record(Request((_draft(name, made),), by="benchmark", now=datetime.now(UTC)))
            runner.wake()
            wait_until(partial(_is_seen, timeline, name))
            seen.append(time.perf_counter() - said)
        return _Measured(now, time.perf_counter() - started, seen)
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
        found = list(rows(Path(folder), *((100, 50) if quick else (10_000, 200))))
        report(found, scale="quick" if quick else "full", path=Path(folder) / "latest.json")


if __name__ == "__main__":
    main()
