"""`tracker rules-diff`: which answers an upgrade of the rules moves."""

from __future__ import annotations

import csv
import sys
from itertools import chain

import click
from rich.text import Text

from api.cli.clock_options import clocked, clocks_of
from api.cli.group import fail
from api.cli.stores import opened_stores, timeline_at
from api.cli.terminal import columns, say, show
from projections.rules_diff import MovedAnswer, ShownAnswer
from projections.rules_diff import rules_diff as compared

_NOTHING = ShownAnswer("", None, None)
_COLUMNS = ("pledge", *(f"{name}_{side}" for name in ShownAnswer._fields for side in ("before", "after")))


@click.command(name="rules-diff")
@click.option("--format", "format_", type=click.Choice(["table", "csv"]), default="table", show_default=True,
              help="A table for reading, or CSV.")  # fmt: skip
@clocked
def rules_diff(format_: str, **clocks: str | None) -> None:
    """List the pledges that another version of the rules answers otherwise; exit 1 if there are any.

    The read models of the older version are kept from the rebuild that an upgrade makes until the next one. What was
    recorded since is left aside: both versions are asked for what was known when the older one last answered.

    \b
    Examples:
      tracker rules-diff
      tracker rules-diff --as-of 2024-12-31 --format csv
    """
    with opened_stores() as stores:
        at = clocks_of(stores, clocks)
        timeline_at(stores, at.position)
        found = compared(stores.engine, at.as_of, at.position)
    if found is None:
        say("There are no read models of an older version: they are kept from an upgrade until the next rebuild.")
        return
    rows = [_cells(moved) for moved in found.moved]
    if format_ == "csv":
        csv.writer(sys.stdout, lineterminator="\r\n").writerows([_COLUMNS, *rows])
    elif rows:
        table = columns(*_COLUMNS)
        for row in rows:
            table.add_row(*map(Text, row))
        show(table)
    say(f"as of {found.as_of}, position {found.position}; version {found.before}, now {found.after}")
    if rows:
        fail(f"{len(rows)} of {found.pledges} pledges are answered otherwise.")
    say(f"{found.pledges} pledges compared, no difference.")


def _cells(moved: MovedAnswer) -> list[str]:
    before, after = moved.before or _NOTHING, moved.after or _NOTHING
    return [moved.pledge, *(cell or "—" for cell in chain.from_iterable(zip(before, after, strict=True)))]
