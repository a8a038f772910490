"""`tracker log fork`: the log's identity, for its operator."""

from __future__ import annotations

import click

from api.cli.stores import opened_stores
from api.cli.terminal import say

MAX_REASON_CHARACTERS = 500
"""Characters of a reason, at most."""


@click.command()
@click.option("--reason", required=True, help="Why, in a sentence; it is shown to all readers of the log.")
def fork(reason: str) -> None:
    """Give the log a new id, after an older copy was put back or a replica took over that lagged.

    What was recorded and is gone stays gone. Readers are told that this is another history and begin anew. A server
    that is running goes on within two seconds. The new id stands alone on the last line.

    \b
    Example:
      tracker log fork --reason "restored from the backup of 2026-11-20"
    """
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= MAX_REASON_CHARACTERS:
        raise click.UsageError(f"--reason is a sentence of 1 to {MAX_REASON_CHARACTERS} characters")
    with opened_stores(must_exist=True) as stores:
        forked = stores.log.fork(reason)
        stores.memory.keep(at_once=True)
    say(f"The log was {forked.forked_from} up to position {forked.position}. From here on it is:")
    click.echo(forked.log)
