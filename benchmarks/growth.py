"""Rows 4, 8, 9 and 14: what grows with the log, on stores of several lengths, and the same as pictures.

    python -m benchmarks.growth [--pledges 1000 10000 100000] [--svg docs/growth.svg]

Each store is loaded, rebuilt and asked in turn; the rows compare the longest with the shortest. All on SQLite.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import psutil

from benchmarks import growth_picture, simple_history
from benchmarks.budgets import post
from benchmarks.first_reads import seconds
from benchmarks.generate import FIRST_DAY, LAST_DAY, load
from benchmarks.harness import ADMIN, Row, answers, compared, free_port, run_tracker, tracker_server, wait_until
from benchmarks.load import in_process
from benchmarks.one_pledge import facts
from benchmarks.plain import replay_seconds
from benchmarks.write_load import measure, tracker_write
from tracker.log.open import open_recorder

CLIENTS = 32

FOLDED_PLEDGES = 200
"""Pledges that the library replays; the time for the whole log is that many times as long as the log is longer."""


@dataclass(frozen=True)
class Grown:
    """What was measured on a store of one length."""

    pledges: int
    events: int
    event_bytes: int
    """Bytes of the stored events themselves."""
    rebuilt: float
    """Events a second of `tracker rebuild`, the start of its processes included."""
    ready: float
    """Seconds from the start of the server to its first good answer."""
    resident: int
    """Bytes of the server's process when it is ready."""
    current: list[float]
    past: list[float]
    """Milliseconds of a list of 100: now, and at a random point on both clocks; no answer is kept."""
    summary: list[float]
    """Milliseconds of the summary, the first after an append; what is kept of it is there."""
    appended: float
    """Facts a second of 32 clients who wait for the projection."""
    disk: int
    """Bytes of log and read models, before the appends."""


def measured(folder: Path, pledges: int, *, load_seconds: float, reads: int, appends: int) -> Grown:
    """Load a store of so many pledges, rebuild it, and ask it; it stays in the folder."""
    path = folder / f"{pledges}.db"
    url = f"sqlite:///{path}"
    env = {"TRACKER_DATABASE_URL": url, "TRACKER_ADMIN_KEY": ADMIN}
    events = load(url, pledges)
    run_tracker(env, "init")
    took = run_tracker(env, "rebuild") if events else None
    disk, event_bytes = path.stat().st_size, _event_bytes(url)
    port, started = free_port(), time.perf_counter()
    with tracker_server(url, port) as pid:
        ready, resident = time.perf_counter() - started, psutil.Process(pid).memory_info().rss
        current, past = (_lists(port, events, reads, of_past=of_past) for of_past in (False, True))
        summary = []
        seconds(port, "/v1/summary")
        made = next(facts(0, "increment", newest_first=False))
        for number in range(appends):
            post(port, "/v1/pledges", {"pledge": f"new-{number}", "fact": made})
            wait_until(partial(answers, f"http://127.0.0.1:{port}/v1/pledges/new-{number}"))
            summary.append(1000 * seconds(port, "/v1/summary"))
        writes = measure(port, tracker_write, seed=f"grown-{pledges}", seconds=load_seconds, clients=CLIENTS)
    rate = events / took.seconds if took else 0.0
    return Grown(
        pledges, events, event_bytes, rate, ready, resident, current, past, summary, writes.rate, disk
    )  # fmt: skip


def _event_bytes(url: str) -> int:
    log, found, at = open_recorder(url), 0, 0
    while read := log.read(at, 10_000):
        found, at = found + sum(len(row.state) for row in read), read[-1].position
    log.close()
    return found


def _lists(port: int, events: int, reads: int, *, of_past: bool) -> list[float]:
    chance, taken = random.Random(7), []
    for _ in range(reads):
        clocks = f"as_of={date(2026, 11, 1) + timedelta(days=chance.randrange(5_000))}"
        if of_past and events:
            day = FIRST_DAY + timedelta(days=chance.randrange(400, (LAST_DAY - FIRST_DAY).days))
            clocks = f"as_of={day}&at_position={chance.randrange(events // 4, events)}"
        taken.append(1000 * seconds(port, f"/v1/pledges?limit=100&{clocks}"))
    return taken


def rows(found: Sequence[Grown], folder: Path, *, full: bool) -> Iterator[Row]:
    """The rows of stores of several lengths, the shortest first; goals are those of the full scale."""
    empty, short, long = found[0], found[1], found[-1]

    def goal(of: float) -> float | None:
        return of if full else None

    of = f"{long.events:,} events"
    lower = partial(compared, better="lower", of=of)
    name = "list of 100 at a random past"
    yield lower("4", name, long.past, long.current, "the current list", goal(1.5), unit="ms")
    folded = [1000 * taken * long.pledges / FOLDED_PLEDGES for taken in replay_seconds(folder, FOLDED_PLEDGES)]
    yield lower("4", name, long.past, folded, "plain eventsourcing replay", goal(1 / 1000), unit="ms")
    kept = in_process(simple_history.as_of_ms, str(folder / "history.db"), long.pledges, 10)
    yield lower("4", name, long.past, kept, "django-simple-history as_of", goal(1 / 5), unit="ms")

    beside = "a short log"
    both = f"{long.events:,} and {short.events:,} events"
    lower = partial(compared, better="lower", of=both)
    yield compared("8", "appends to a long log", [long.appended], [short.appended], beside, goal(0.9), of=both)
    yield lower("8", "list of a past day of a long log", long.past, short.past, beside, goal(1.3), unit="ms")
    yield lower("8", "summary after an append to a long log", long.summary, short.summary, beside, goal(1.5), unit="ms")

    beside = "budget, beside an empty store"
    lower = partial(compared, better="lower", of=of)
    more = [(long.resident - empty.resident) / 1e6]
    yield lower("9", "server at its start, more memory with a long log", more, [150], beside, goal(1.0), unit="MB")
    later = [max(0.0, long.ready - empty.ready)]
    yield lower("9", "server ready, later with a long log", later, [1.0], beside, goal(1.0), unit="s")

    yield lower("14", "log and read models on disk", [long.disk], [long.event_bytes], "the bytes of the events",
                goal(4.0), unit="bytes")  # fmt: skip


def table(found: Sequence[Grown]) -> str:
    """The growth as Markdown."""
    heads = [
        *("events", "appends, facts/s", "list of 100, now and at a past point", "summary after an append"),
        *("rebuild, events/s", "server ready after, memory", "disk an event"),
    ]
    lines = [f"| {' | '.join(heads)} |", "|--:" * len(heads) + "|"]
    for one in found:
        now, past, summary = (statistics.median(taken) for taken in (one.current, one.past, one.summary))
        lines.append(
            f"| {one.events:,} | {one.appended:,.0f} | {now:.1f} and {past:.1f} ms | {summary:.1f} ms |"
            f" {one.rebuilt:,.0f} | {one.ready:.1f} s, {one.resident / 1e6:.0f} MB |"
            f" {one.disk / one.events / 1000:.1f} kB |"
        )
    return "\n".join(lines)


def picture(found: Sequence[Grown]) -> str:
    """The growth as SVG."""
    series = {
        "appends, facts/s": [g.appended for g in found],
        "list of 100 at a past point, ms": [statistics.median(g.past) for g in found],
        "summary after an append, ms": [statistics.median(g.summary) for g in found],
        "rebuild, events/s": [g.rebuilt for g in found],
        "server when ready, MB": [g.resident / 1e6 for g in found],
        "log and read models, MB": [g.disk / 1e6 for g in found],
    }
    return growth_picture.drawn([g.events for g in found], series, datetime.now(UTC).date())


def main() -> None:
    """Measure stores of these lengths alone; print what was found as Markdown, and draw it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--pledges", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for pledges in given.pledges:
            found.append(measured(Path(folder), pledges, load_seconds=given.seconds, reads=40, appends=10))
            (Path(folder) / f"{pledges}.db").unlink()
    print(table(found))
    if given.svg:
        given.svg.write_text(picture(found), "utf-8")


if __name__ == "__main__":
    main()
