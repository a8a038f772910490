"""Row 12: sums, counts and short lists, the first after an append, beside the next one and a budget."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from functools import partial

from benchmarks.budgets import post
from benchmarks.harness import Row, answers, compared, free_port, tracker_server, wait_until
from benchmarks.one_pledge import facts

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


def rows(url: str, *, pledges: int, appends: int, full: bool) -> Iterator[Row]:
    """The rows on a store with so many synthetic pledges; goals are those of the full scale."""
    port = free_port()
    with tracker_server(url, port):
        made = next(facts(0, "increment", newest_first=False))
        first: dict[str, list[float]] = {name: [] for name, *_ in READS}
        second: dict[str, list[float]] = {name: [] for name, *_ in READS}
        # One after the other: a stream that is left after its first bytes is at work for some time yet.
        for place, (name, asked, _, _) in enumerate(READS):
            seconds(port, asked)  # once, so that what is kept is there
            for number in range(appends):
                pledge = f"read-{place}-{number}"
                post(port, "/v1/pledges", {"pledge": pledge, "fact": made})
                wait_until(partial(answers, f"http://127.0.0.1:{port}/v1/pledges/{pledge}"))
                first[name].append(seconds(port, asked))
                second[name].append(seconds(port, asked))
    for name, _, budget, is_compared in READS:
        title, of = f"{name}, after an append", f"{pledges:,} pledges"
        if is_compared:
            yield compared("12", title, first[name], second[name], "the second read", 10.0 if full else None,
                           better="lower", unit="s", of=of)  # fmt: skip
        goal = 1.0 if full else None
        yield compared("12", title, first[name], [budget], "budget", goal, better="lower", unit="s", of=of)


def seconds(port: int, path: str) -> float:
    """Seconds until the first bytes of an answer, which has come as a whole unless it is a stream.

    Raises: RuntimeError if the server failed.
    """
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read(1)
    taken = time.perf_counter() - started
    connection.close()
    if response.status >= 500:
        raise RuntimeError(f"{path}: {response.status}")
    return taken
