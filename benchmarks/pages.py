"""What the pages over many pledges take of a processor, and weigh: first seen, after an append, and from then on.

    python -m benchmarks.pages --database-url sqlite:///pages.db --pledges 20000

An empty store is filled with synthetic pledges first. It prints Markdown rows for docs/performance.md: milliseconds of
the processor time of the process that answers, medians of some rounds, and bytes of the page over the wire.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.generate import load, slug
from benchmarks.harness import run_tracker
from tests.support.api import Api, running
from tests.support.pages import BROWSER
from tests.support.waiting import wait_until
from tracker.log.open import open_recorder

PAGES = (
    ("overview", "/"),
    ("the second page", "/?page=2"),
    ("by progress, page 400", "/?sort=-ratio&page=400"),
    ("one status", "/?status=overdue"),
    ("one party", "/?pledgor=DE"),
    ("a tag and a flag", "/?tag=energy&flag=late"),
    ("words", "/?q=energy"),
    ("on a day in the past", "/?as_of=2024-05-31"),
    ("with its totals", "/?totals=true"),
    ("two days compared", "/compare?from=2025-01-01&to=2025-06-30"),
)
"""The pages that are measured."""

TALK = {"type": "StatementMade", "stated_on": "2026-06-30", "source": {"publisher": "Bench", "tier": "media"}}


@dataclass(frozen=True, slots=True)
class PageCost:
    """Milliseconds of processor time that a page took, and its bytes over the wire."""

    milliseconds: float
    size: int


def cost(api: Api, path: str) -> PageCost:
    """The cost of a page that is asked for once."""
    started = time.process_time()
    answer = api.get(path, headers={**BROWSER, "Accept-Encoding": "gzip"})
    taken = 1_000 * (time.process_time() - started)
    if answer.status_code != 200:
        raise SystemExit(f"{path} is answered with {answer.status_code}")
    return PageCost(taken, int(answer.headers.get("content-length", len(answer.content))))


def run(url: str, pledges: int, rounds: int) -> None:
    """Fill the store if it is empty, and print a row for each page."""
    log = open_recorder(url)
    is_empty = not log.head()
    log.close()
    if is_empty:
        load(url, pledges)
        run_tracker({"TRACKER_DATABASE_URL": url}, "rebuild")
    with running(url) as api:
        first = cost(api, "/")
        wait_until(lambda: not api.services.timeline.is_reading_traits)
        cost(api, "/?sort=title")  # what has just been read is put in order with the first question
        print(f"| page, {pledges:,} pledges | after an append, ms | from then on, ms | bytes |\n|--|--:|--:|--:|")
        print(f"| overview, first seen by a process | {first.milliseconds:,.0f} | | {first.size:,} |", flush=True)
        for name, path in PAGES:
            cold, warm = _rounds(api, path, rounds)
            print(f"| {name} | {_median(cold):,.0f} | {_median(warm):,.0f} | {warm[-1].size:,} |", flush=True)


def _rounds(api: Api, path: str, rounds: int) -> tuple[list[PageCost], list[PageCost]]:
    """The page after an append, and again at the same position, where no cache has its answer."""
    cold, warm = [], []
    for number in range(rounds):
        api.add({**TALK, "summary": f"{path} {time.time_ns()}"}, slug(number))
        cold.append(cost(api, path))
        api.services.response_cache.forget()
        warm.append(cost(api, path))
    return cold, warm


def _median(costs: Sequence[PageCost]) -> float:
    return statistics.median(one.milliseconds for one in costs)


def main() -> None:
    """Measure the pages on the store of `--database-url`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--pledges", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    run(args.database_url, args.pledges, args.rounds)


if __name__ == "__main__":
    main()
