"""Ten minutes of mixed load on one server: its memory stays flat, and how long requests take.

    python -m benchmarks.soak [--minutes 10] [--database-url postgresql://…]

It begins with a record of 10,000 events, and with as many answers in the cache as it takes: both are bounded, and the
first minutes would show nothing but how they fill. Then writers record, readers ask for lists, pledges, summaries and
the log at clocks of their own, streams are open, and a stream is closed and opened anew all the time. Memory is that of
the server and its projector together (USS where the machine tells it, so that what they share is counted once for
neither), looked at every few seconds.

It ends with 1 if the memory grew by more than GROWTH since the end of the warming up, if an answer was none of those
expected, or if no event came by a stream.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import httpx
import psutil

from tests.support.api import made, progress, statement
from tests.support.servers import KEY, serving
from tests.support.shell import with_tables

GROWTH = 0.05
"""By how much of itself the memory may grow after the warming up."""

WARM_SHARE = 0.2
"""The share of the time that is warming up: two minutes of ten."""

LOOK_SECONDS = 3.0
"""Seconds between two looks at the memory."""

WRITERS, READERS, STREAMS = 2, 4, 20
"""Threads that record and read, and streams that are open."""

PLEDGES, FACTS = 200, 49
"""Pledges that are written to, none of which is new, and how many facts each has besides its first one."""

CACHED_DAYS = 400
"""Days of which a long list is asked for in the beginning: together they are more than the cache takes."""

PAUSE_SECONDS = 0.02
"""Seconds between two requests of one thread, so that the server is busy and not drowned."""

EXPECTED = frozenset({200, 201, 304, 409, 422})
"""Codes of answers that are no fault: a figure of chance may be refused."""


@dataclass
class Soak:
    """What was found."""

    address: str
    stopped: threading.Event = field(default_factory=threading.Event)
    took: dict[str, list[float]] = field(default_factory=lambda: {"read": [], "write": []})
    wrong: list[str] = field(default_factory=list)
    events: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, kind: str, client: httpx.Client, method: str, path: str, **given: object) -> None:
        """One request, with its time."""
        began = time.perf_counter()
        try:
            answer = client.request(method, path, **given)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            self.wrong.append(f"{method} {path}: {error!r}")
            return
        with self.lock:
            self.took[kind].append(time.perf_counter() - began)
        if answer.status_code not in EXPECTED:
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")

    def write(self, chance: random.Random, client: httpx.Client) -> None:
        """Record one fact."""
        pledge = f"soaked-{chance.randrange(PLEDGES)}"
        figure = f"{chance.randrange(1, 40)}bn EUR"
        fact = (
            progress(figure, stated_on="2024-07-10") if chance.random() < 0.2 else statement(summary=uuid.uuid4().hex)
        )
        self.ask("write", client, "POST", f"/v1/pledges/{pledge}/events", json=fact)

    def read(self, chance: random.Random, client: httpx.Client) -> None:
        """One read of those that people and programs make."""
        pledge, day = f"soaked-{chance.randrange(PLEDGES)}", f"2024-{chance.randrange(1, 13):02}-15"
        path = chance.choice(
            (
                f"/v1/pledges/{pledge}", f"/v1/pledges/{pledge}?as_of={day}", "/v1/pledges?limit=50",
                f"/v1/pledges?as_of={day}&limit=20&sort=-changed", f"/v1/summary?as_of={day}", f"/pledges/{pledge}",
                f"/v1/events?limit=100&after={chance.randrange(1, PLEDGES)}", "/", f"/v1/pledges/{pledge}/history",
            )
        )  # fmt: skip
        self.ask("read", client, "GET", path)

    def stream(self, seconds: float) -> None:
        """Read a stream for some seconds, again and again."""
        address = f"{self.address}/v1/events/stream"
        while not self.stopped.is_set():
            until = time.monotonic() + seconds
            with (
                suppress(httpx.HTTPError),
                httpx.stream("GET", address, timeout=30) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    self.wrong.append(f"GET /v1/events/stream: {answer.status_code}")
                    self.stopped.wait(PAUSE_SECONDS)
                    continue
                for line in answer.iter_lines():
                    self.events += line.startswith("id:")
                    if time.monotonic() > until or self.stopped.is_set():
                        break


def memory(pid: int) -> int:
    """Bytes of a process and those below it."""
    found = 0
    with suppress(psutil.NoSuchProcess):
        whole = psutil.Process(pid)
        for process in (whole, *whole.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found += process.memory_full_info().uss
    return found


def fill(client: httpx.Client) -> None:
    """Record the facts that are there in the beginning, and fill the cache of answers."""
    for number in range(PLEDGES):
        facts = [made(title=f"Number {number}"), *(statement(summary=uuid.uuid4().hex) for _ in range(FACTS))]
        items = [{"pledge": f"soaked-{number}", "fact": fact} for fact in facts]
        client.post("/v1/events", json=items).raise_for_status()
    for days in range(CACHED_DAYS):
        day = date(2024, 12, 31) - timedelta(days)
        client.get(f"/v1/pledges?limit={PLEDGES}&as_of={day}").raise_for_status()


def soaked(address: str, pid: int, seconds: float) -> tuple[Soak, list[tuple[float, int]]]:
    """Load a server for so long; what was found, and its memory over the time."""
    soak = Soak(address)
    with httpx.Client(base_url=address, headers=KEY, timeout=60) as client:
        fill(client)

    def work(step: Callable[[random.Random, httpx.Client], None], seed: int) -> None:
        chance = random.Random(seed)
        with httpx.Client(base_url=address, headers=KEY, timeout=60) as client:
            while not soak.stopped.is_set():
                step(chance, client)
                time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=work, args=(soak.write, seed)) for seed in range(WRITERS)]
    threads += [threading.Thread(target=work, args=(soak.read, 100 + seed)) for seed in range(READERS)]
    threads += [threading.Thread(target=soak.stream, args=(5 + number,)) for number in range(STREAMS)]
    for thread in threads:
        thread.start()
    seen, began = [], time.monotonic()
    try:
        while (at := time.monotonic() - began) < seconds:
            seen.append((at, memory(pid)))
            time.sleep(LOOK_SECONDS)
    finally:
        soak.stopped.set()
        for thread in threads:
            thread.join()
    return soak, seen


def growth(seen: list[tuple[float, int]], seconds: float) -> tuple[float, float, float]:
    """The memory at the end of the warming up, at the end, and by how much of itself it grew: medians of a tenth."""
    tenth = seconds / 10
    warm = [size for at, size in seen if WARM_SHARE * seconds <= at < WARM_SHARE * seconds + tenth]
    last = [size for at, size in seen if at >= seconds - tenth]
    before, after = statistics.median(warm), statistics.median(last)
    return before, after, after / before - 1


def main() -> int:
    """Run it and say what was found; the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--database-url", default="")
    given = arguments.parse_args()
    seconds = 60 * given.minutes
    with tempfile.TemporaryDirectory(prefix="tracker-soak-") as folder:
        shell = with_tables(given.database_url or f"sqlite:///{folder}/tracker.db", Path(folder))
        with serving(shell) as server:
            soak, seen = soaked(server.address, server.process.pid, seconds)
    before, after, grown = growth(seen, seconds)
    print(f"memory {before / 1e6:.0f} MB after warming up, {after / 1e6:.0f} MB at the end: {100 * grown:+.1f} %")
    for kind, took in soak.took.items():
        cuts = statistics.quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
        print(f"{kind}s: {len(took)}, p50 {1000 * cuts[49]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms")
    print(f"{soak.events} events came by streams; {len(soak.wrong)} answers were none of those expected")
    for line in soak.wrong[:10]:
        print(f"  {line}")
    return int(grown > GROWTH or bool(soak.wrong) or not soak.events)


if __name__ == "__main__":
    sys.exit(main())
