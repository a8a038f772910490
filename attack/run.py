"""`make attack`: send everything that a stranger may send to the real product, and write docs/security.md.

python -m attack.run [--share 25] [--full "no key" admin …] [--store sqlite] [--no-costs] [--print]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from attack import exhaustion, report
from attack.trial import Findings, attacked, on_store
from tests.support import made_pages
from tests.support.served import Served
from tests.support.stores import postgres_database, postgres_server

DOCUMENT = Path(__file__).parents[1] / "docs" / "security.md"
STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
QUIET_SECONDS = 5.0
"""Seconds for which others are watched while nothing is sent."""


def trials(stores: list[str], full: list[str], share: int) -> Iterator[Findings]:
    """What came of a server on each store, with public reads and without."""
    for store in stores:
        for public_read in (True, False):
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attack-")))
                url = None
                if store == "postgres":
                    url = stack.enter_context(postgres_database(stack.enter_context(postgres_server(folder))))
                served, where = stack.enter_context(on_store(folder, url, public_read=public_read))
                yield attacked(
                    served,
                    where,
                    Findings(STORES[store], public_read),
                    full=full if public_read else (),
                    share=share,
                )


def costs() -> tuple[list[exhaustion.Row], float]:
    """What the worst heads and batches cost, and how long others waited while nothing was sent."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, on_store(Path(folder), None, public_read=True) as on:
        served: Served = on[0]
        with served.others() as waits:
            Event().wait(QUIET_SECONDS)
        quiet, rows = max(waits.seconds), []
        for row in (*exhaustion.heads(served), *exhaustion.batches(served)):
            rows.append(row)
            print(row.name, row.status, f"{row.cost.grown / 2**20:.0f} MiB", f"{row.cost.seconds:.1f} s", flush=True)
        return rows, quiet


def main() -> None:
    """Attack, write the tables, and exit 1 if something that must hold did not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=int, default=25, help="inputs of each route, for callers not named in --full")
    parser.add_argument("--full", nargs="*", default=["no key", "admin"], help="callers who send every input")
    parser.add_argument("--store", nargs="*", choices=list(STORES), default=list(STORES), help="only these stores")
    parser.add_argument("--no-costs", action="store_true", help="leave out what costs most")
    parser.add_argument("--print", action="store_true", help="leave the document as it is")
    given = parser.parse_args()
    began = time.monotonic()
    found: list[Findings] = []
    for one in trials(given.store, given.full, given.share):
        found.append(one)
        print(f"{one.store}, public reads {one.public_read}: {one.sent} requests, {len(one.broken)} broken", flush=True)
        for sentence in one.broken[:20]:
            print("  ", sentence, flush=True)
    rows, quiet = ([], 0.0) if given.no_costs else costs()
    text = report.text(found, rows, quiet, time.monotonic() - began)
    if not given.print:
        made_pages.write(DOCUMENT, "make attack", text)
    print(text)
    sys.exit(0 if "\nAll that must hold held." in text else 1)


if __name__ == "__main__":
    main()
