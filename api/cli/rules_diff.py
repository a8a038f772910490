"""`tracker rules-diff`: which answers an upgrade of the rules moves."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
from pydantic_core import to_json
from rich.text import Text

from api.cli.clock_options import clocked, clocks_of
from api.cli.group import fail
from api.cli.stores import opened_stores, timeline_at
from api.cli.terminal import columns, say, show, write_pieces
from api.formats.csv_table import write_table
from projections.rules_diff import MovedAnswer, RulesDiff, ShownAnswer
from projections.rules_diff import rules_diff as compared

_NOTHING = ShownAnswer("", None, None)
_COLUMNS = ("pledge", *(f"{name}_{side}" for name in ShownAnswer._fields for side in ("before", "after")))


@click.command(name="rules-diff")
@click.option("--format", "format_", type=click.Choice(["table", "json", "csv"]), default="table",
              show_default=True, help="A table for reading, JSON, or CSV.")  # fmt: skip
@clocked
def rules_diff(format_: str, **clocks: str | None) -> None:
    """List the pledges that another version of the rules answers otherwise; exit 1 if there are any.

    The read models of the older version are kept from the rebuild that an upgrade makes until the next one. What was
    recorded since is left aside: both versions are asked for what was known when the older one last answered.

    \b
    Examples:
      tracker rules-diff
      tracker rules-diff --as-of 2024-12-31 --format csv
      tracker rules-diff --format json
    """
    with opened_stores(must_exist=True) as stores:
        at = clocks_of(stores, clocks)
        timeline_at(stores, at.position)
        found = compared(stores.engine, at.as_of, at.position, stores.log.withheld_since)
    if found is None:
        say("There are no read models of an older version: they are kept from an upgrade until the next rebuild.")
        return
    write_pieces(_written(found, format_), sys.stdout.buffer)
    if format_ == "table" and found.moved:
        table = columns(*_COLUMNS)
        for moved in found.moved:
            cells = _cells(moved)
            table.add_row(*(Text(cells[name] or "—") for name in _COLUMNS))
        show(table)
    say(f"as of {found.as_of}, position {found.position}; version {found.before}, now {found.after}")
    if found.left_aside:
        say(f"Not compared, because something of them was withheld since: {', '.join(found.left_aside)}.")
    if found.moved:
        fail(f"{len(found.moved)} of {found.pledges} pledges are answered otherwise.")
    say(f"{found.pledges} pledges compared, no difference.")


def _written(found: RulesDiff, format_: str) -> Iterator[bytes]:
    """What stdout has in JSON and in CSV; nothing for a table."""
    if format_ == "csv":
        yield from write_table(_COLUMNS, map(_cells, found.moved))
    elif format_ == "json":
        items = [
            {"pledge": moved.pledge, **{side: one and one._asdict() for side, one in _sides(moved)}}
            for moved in found.moved
        ]
        whole = {"items": items, "rules_version": {"before": found.before, "after": found.after}}
        asked = {"pledges": found.pledges, "left_aside": found.left_aside}
        clocks = {"as_of": found.as_of, "known_at": None, "position": found.position}
        yield to_json({**whole, **asked, **clocks}, indent=2) + b"\n"


def _sides(moved: MovedAnswer) -> tuple[tuple[str, ShownAnswer | None], ...]:
    return ("before", moved.before), ("after", moved.after)


def _cells(moved: MovedAnswer) -> dict[str, str]:
    """The cells of a row, empty where a version has nothing to say."""
    shown = {
        f"{name}_{side}": cell for side, one in _sides(moved) for name, cell in (one or _NOTHING)._asdict().items()
    }
    return {column: {"pledge": moved.pledge, **shown}[column] or "" for column in _COLUMNS}
