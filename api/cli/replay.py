"""`tracker replay`: the statuses folded from the log itself, beside what the read models have."""

from __future__ import annotations

import sys

import click

from api.cli.clock_options import clocked, clocks_of, say_clocks
from api.cli.group import fail
from api.cli.stores import Stores, opened_stores, timeline_at
from api.cli.terminal import answer, progress, say, write_pieces
from projections import verify
from projections.queries import Clocks


@click.command()
@click.option("--compare", "comparing", is_flag=True, help="Compare with the projection; exit 1 on any difference.")
@clocked
def replay(comparing: bool, **clocks: str | None) -> None:
    """Fold the log itself, pledge by pledge, and print each status as a line of JSON, or compare it.

    \b
    Examples:
      tracker replay --as-of 2024-12-31
      tracker replay --compare --known-at 2026-11-21T16:00:00Z
    """
    with opened_stores(must_exist=True) as stores:
        at = clocks_of(stores, clocks)
        if comparing:
            _compare(stores, at)
        else:
            replayed = verify.replay(stores.log, at)
            lines = (pledge.document + b"\n" for pledge in replayed if pledge.document is not None)
            write_pieces(lines, sys.stdout.buffer)


def _compare(stores: Stores, at: Clocks) -> None:
    timeline = timeline_at(stores, at.position)
    pledges = mismatches = 0
    with progress("Comparing", None) as advance:
        for mismatch in verify.compare(stores.log, timeline, at):
            pledges += 1
            advance(1)
            if mismatch is not None:
                mismatches += 1
                answer(str(mismatch))
    say_clocks(at)
    if mismatches:
        fail(f"{mismatches} of {pledges} pledges differ between the log and the projection.")
    say(f"{pledges} pledges compared, no difference.")
