"""`make bench`: every row is a ratio, taken in one run on one machine: ours to the peer's in turn, or to a budget.

python -m benchmarks.run [--quick] [--longest 10000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import (
    budgets,
    first_reads,
    growth,
    heavy_pledge,
    ledger,
    page_weight,
    polling,
    rebuilding,
    verify,
    writes,
)
from benchmarks.harness import Row, tell, tell_heading, write

GROWN = {"quick": (0, 30, 300), "full": (0, 1_000, 10_000, 100_000)}
"""Pledges of the stores that are compared with each other; the longest one is asked for the other rows, too."""


def main() -> None:
    """Measure; print the rows of each part once it is measured, and write them to benchmarks/latest.json."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="small scale")
    parser.add_argument("--longest", type=int, help="pledges of the longest store, at least those of the second")
    given = parser.parse_args()
    quick, longest = given.quick, given.longest
    scale = "quick" if quick else "full"
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found: list[growth.Grown] = []
        lengths = [pledges for pledges in GROWN[scale] if longest is None or pledges <= longest]
        for pledges in lengths:
            with _told(f"a store of {pledges:,} pledges"):
                found.append(
                    growth.measured(
                        folder,
                        pledges,
                        load_seconds=0.5 if quick else 5.0,
                        reads=10 if quick else 40,
                        appends=2 if quick else 10,
                    )
                )
        url = f"sqlite:///{folder}/{lengths[-1]}.db"
        is_full = tuple(lengths) == GROWN["full"]
        if not quick:
            print(growth.table(found[1:]), flush=True)
            Path("docs/growth.svg").write_text(growth.picture(found[1:]), "utf-8")
        tell_heading()
        for title, part in _parts(folder, url, found, quick=quick, is_full=is_full):
            with _told(title):
                measured = list(part())
            tell(measured)
            rows += measured
            write(rows, scale=scale, path=Path(__file__).with_name("latest.json"))


def _parts(
    folder: Path, url: str, found: list[growth.Grown], *, quick: bool, is_full: bool
) -> list[tuple[str, Callable[[], Iterable[Row]]]]:
    """What is measured after the stores of several lengths, the longest of which has this address."""
    longest = found[-1].pledges
    return [
        ("rows 4, 8, 9 and 14", lambda: growth.rows(found, folder, full=is_full)),
        (
            "row 12",
            lambda: first_reads.rows(url, pledges=longest, appends=2 if quick else 10, full=is_full),
        ),
        (
            "rows 1 to 3",
            lambda: polling.rows(
                folder,
                url,
                pledges=longest,
                seconds=0.4 if quick else 3.0,
                rounds=1 if quick else 5,
                appends=20 if quick else 200,
            ),
        ),
        (
            "rows 5, 5s, 6 and 11",
            lambda: writes.rows(
                folder,
                rounds=1 if quick else 5,
                seconds=0.4 if quick else 5.0,
                facts_at_once=1_000 if quick else 10_000,
                pledges=100 if quick else 1_000,
                is_warmed=not quick,
            ),
        ),
        (
            "row 7",
            lambda: rebuilding.rows(
                folder,
                pledges=300 if quick else 10_000,
                peer_pledges=100 if quick else 1_000,
            ),
        ),
        ("row 13", lambda: heavy_pledge.rows(folder, *((100, 50) if quick else (10_000, 200)))),
        (
            "rows b4 to b10",
            lambda: budgets.rows(
                folder,
                rounds=1 if quick else 3,
                events=1_000 if quick else 10_000,
                followed=200 if quick else 1_000,
                appends=20 if quick else 200,
            ),
        ),
        ("row 10", lambda: verify.rows(folder, pledges=1_000 if quick else 10_000, rounds=1 if quick else 3)),
        ("row 15", lambda: page_weight.rows(folder)),
        ("rows of the ledger", lambda: ledger.rows(url, appends=20 if quick else 200, reads=100 if quick else 1_000)),
    ]


@contextmanager
def _told(title: str) -> Iterator[None]:
    """Say what is measured, and how many seconds it has taken once it is done."""
    print(f"{title} …", end="", file=sys.stderr, flush=True)
    started = time.perf_counter()
    yield
    print(f" {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
