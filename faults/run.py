"""`make faults`: put real processes through every fault, and write the table of docs/reliability.md.

python -m faults.run [--times 100] [--only KEY …] [--store sqlite] [--print]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from faults import report
from faults.catalogue import BOTH, FAULTS, Fault
from faults.places import PostgresPlace, SqlitePlace
from faults.trial import Row, Trial
from tests.support import made_pages
from tests.support.outages import can_mount

DOCUMENT = Path(__file__).parents[1] / "docs" / "reliability.md"


def tries(fault: Fault, times: int) -> int:
    """How often a fault is tried if `kill -9` is tried so many times."""
    return max(1, round(times * fault.share))


def run(fault: Fault, place: SqlitePlace | PostgresPlace, times: int) -> Row:
    """Try one fault on one kind of store; whatever ends the trial early is told in its row."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        trial = Trial(fault.name, place, Path(folder), times)
        try:
            fault.run(trial)
        except Exception as error:
            traceback.print_exc()
            trial.row.broken.append(f"the trial ended early: {type(error).__name__}: {str(error)[:300]}")
        return trial.row


def rows(faults: Iterable[Fault], stores: Iterable[str], times: int) -> Iterator[Row]:
    """The rows of all these faults, as they come."""
    with (
        tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder,
        closing(PostgresPlace(Path(folder))) as postgres,
    ):
        places = {"sqlite": SqlitePlace(), "postgres": postgres}
        mounts = can_mount(Path(folder))
        for fault, store in ((fault, store) for fault in faults for store in stores if store in fault.stores):
            if fault.needs_mount and not mounts:
                print(f"{fault.key}: not tried, since this user may not mount a file system")
                continue
            yield run(fault, places[store], tries(fault, times))


def main() -> None:
    """Try the faults, write the table, and exit 1 if something that must hold did not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100, help="how often the server is killed; other faults less")
    parser.add_argument("--only", nargs="*", choices=[fault.key for fault in FAULTS], help="only these faults")
    parser.add_argument("--store", nargs="*", choices=BOTH, default=BOTH, help="only these stores")
    parser.add_argument("--print", action="store_true", help="leave the document as it is")
    given = parser.parse_args()
    began = time.monotonic()
    chosen = [fault for fault in FAULTS if not given.only or fault.key in given.only]
    found: list[Row] = []
    for row in rows(chosen, given.store, given.times):
        found.append(row)
        print(row, flush=True)
        if not given.print:  # what was tried stands there even if the run is stopped
            made_pages.write(DOCUMENT, "make faults", report.table(found, time.monotonic() - began))
    print(report.table(found, time.monotonic() - began))
    sys.exit(0 if all(row.holds for row in found) else 1)


if __name__ == "__main__":
    main()
