"""`make faults`: put real processes through every fault, and write the table of docs/reliability.md.

python -m faults.run [--times 100] [--only KEY …] [--store sqlite] [--print]

Rows of the table that are not tried stay as they are, with their own date and commit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from importlib.util import find_spec
from multiprocessing import get_context
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


def run(fault: Fault, place: SqlitePlace | PostgresPlace, times: int, *, short: bool = False) -> Row:
    """Try one fault on one kind of store; whatever ends the trial early is told in its row.

    A short trial has fewer readers and less data.
    """
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        trial = Trial(fault.name, place, Path(folder), times, short=short)
        try:
            fault.run(trial)
        except Exception as error:
            traceback.print_exc()
            trial.row.broken.append(f"the trial ended early: {type(error).__name__}: {str(error)[:300]}")
        trial.row.run = report.this_run()
        return trial.row


def on_store(store: str, keys: Sequence[str], times: int) -> list[Row]:
    """The rows of these faults on one store, told as they come."""
    found: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True)))
        mounts = can_mount(folder)
        place = SqlitePlace() if store == "sqlite" else stack.enter_context(closing(PostgresPlace(folder)))
        for fault in (fault for fault in FAULTS if fault.key in keys and store in fault.stores):
            if fault.needs_mount and not mounts:
                print(f"{fault.key}: not tried, since this user may not mount a file system")
                continue
            if fault.needs_cluster and find_spec("patroni") is None:
                print(f"{fault.key}: not tried, since there is no Patroni: `make faults` has an environment with it")
                continue
            found.append(run(fault, place, tries(fault, times)))
            print(found[-1], flush=True)
    return found


def rows(keys: Sequence[str], stores: Sequence[str], times: int) -> list[Row]:
    """The rows of these faults in the order of the table. Each store is tried in a process of its own, side by side."""
    with ProcessPoolExecutor(len(stores), mp_context=get_context("spawn")) as pool:
        trying = [pool.submit(on_store, store, keys, times) for store in stores]
        found = [row for one in trying for row in one.result()]
    order = [fault.name for fault in FAULTS]
    return sorted(found, key=lambda row: order.index(row.fault))


def main() -> None:
    """Try the faults, write the table, and exit 1 if something that must hold did not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100, help="how often the server is killed; other faults less")
    parser.add_argument("--only", nargs="*", choices=[fault.key for fault in FAULTS], help="only these faults")
    parser.add_argument("--store", nargs="*", choices=BOTH, default=BOTH, help="only these stores")
    parser.add_argument("--print", action="store_true", help="leave the document as it is")
    given = parser.parse_args()
    found = rows(given.only or [fault.key for fault in FAULTS], given.store, given.times)
    table = report.Table() if given.print else report.Table.read(made_pages.read(DOCUMENT, "make faults"))
    table.take_in(found)
    if not given.print:
        made_pages.write(DOCUMENT, "make faults", table.text())
    print(table.text())
    sys.exit(0 if all(row.holds for row in found) else 1)


if __name__ == "__main__":
    main()
