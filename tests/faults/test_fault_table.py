"""The table of docs/reliability.md: rows that are run again take the place of the old ones, and the others stay."""

from __future__ import annotations

import re

from faults.catalogue import FAULTS
from faults.report import Table, this_run
from faults.run import DOCUMENT
from faults.trial import Row
from tests.support import made_pages

DISK = "disk full"


def row(store: str, tried: int, run: str = "2026-01-02 03:04 | abcdef0 | 1", **more: object) -> Row:
    return Row(DISK, store, tried=tried, acknowledged=1_234, run=run, **more)  # type: ignore[arg-type]


def test_a_row_that_is_run_again_takes_the_place_of_the_old_one_with_all_that_was_said_of_it() -> None:
    table = Table()
    table.take_in([row("SQLite", 3), row("PostgreSQL", 4, broken=["it fell over"], remarks=["it was slow"])])
    before = table.text()
    assert "What did not hold" in before
    again = Table.read(before)
    again.take_in([row("PostgreSQL", 5, run="2026-02-03 04:05 | 0123456+ | 9", recovery=[1.0, 2.5])])
    after = again.text()
    assert (
        f"| {DISK} | PostgreSQL | 5 | 1,234 | 0 | 0 | – | – | 1.8 (≤ 2.5) | 2026-02-03 04:05 | 0123456+ | 9 |" in after
    )
    assert f"| {DISK} | SQLite | 3 | 1,234 | 0 | 0 | – | – | – | 2026-01-02 03:04 | abcdef0 | 1 |" in after
    for gone in ("| 4 |", "it fell over", "it was slow", "What did not hold"):
        assert gone not in after


def test_what_is_read_and_written_is_the_same() -> None:
    made = Table.read(made_pages.read(DOCUMENT, "make faults")).text()
    assert Table.read(made).text() == made


def test_the_page_has_a_row_of_every_fault_on_every_store_that_has_it() -> None:
    rows = Table.read(made_pages.read(DOCUMENT, "make faults")).rows
    names = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
    assert set(rows) == {(fault.name, names[store]) for fault in FAULTS for store in fault.stores}


def test_a_run_says_when_it_was_and_of_which_commit() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d \| ([0-9a-f]{7,}\+?|–) \| \d+", this_run())
