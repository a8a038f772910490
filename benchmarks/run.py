"""`make bench`: every row is a ratio, taken in one run on one machine: ours to the peer's in turn, or to a budget.

python -m benchmarks.run [--quick]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import budgets, ledger, polling, read_models, writes
from benchmarks.harness import Row, report


def main() -> None:
    """Measure, print one table and write benchmarks/latest.json."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="small scale, under a minute")
    quick = parser.parse_args().quick
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += polling.rows(
            Path(folder),
            pledges=1_000 if quick else 10_000,
            seconds=0.8 if quick else 3.0,
            rounds=3 if quick else 5,
            appends=40 if quick else 200,
        )
        rows += writes.rows(
            Path(folder),
            rounds=1 if quick else 5,
            seconds=1.0 if quick else 5.0,
            facts_at_once=1_000 if quick else 10_000,
        )
        rows += read_models.rows(Path(folder), **read_models.sizes(quick=quick))
        rows += budgets.rows(
            Path(folder),
            rounds=1 if quick else 3,
            events=1_000 if quick else 10_000,
            followed=200 if quick else 1_000,
            appends=20 if quick else 200,
        )
        rows += ledger.rows(
            Path(folder),
            pledges=1_000 if quick else 10_000,
            appends=20 if quick else 200,
            reads=100 if quick else 1_000,
        )
    report(rows, scale="quick" if quick else "full", path=Path(__file__).with_name("latest.json"))


if __name__ == "__main__":
    main()
