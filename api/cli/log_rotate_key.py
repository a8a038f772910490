"""`tracker log rotate-key`: changing the key that signs checkpoints, with both keys' signatures in between."""

from __future__ import annotations

import click

from api.cli.group import fail
from api.cli.stores import opened_stores
from api.cli.terminal import say
from projections.ledger.faults import LedgerFault
from projections.ledger.keys import KeyFile


@click.command("rotate-key")
@click.option("--finish", is_flag=True, help="Sign with the new key alone from now on; the old one is deleted.")
def rotate_key(finish: bool) -> None:
    """Make a new key that signs checkpoints beside the old one, or end the change.

    Run it where the process that projects has its state directory; a server that is running signs with both keys within
    a second. Tell the new verifier key to the readers, give them time, then run it with --finish. The verifier key of
    the new key stands alone on the last line.

    \b
    Examples:
      tracker log rotate-key
      tracker log rotate-key --finish
    """
    with opened_stores(must_exist=True) as stores:
        keys, origin = stores.settings.signing_keys(), stores.ledger.origin
        if not isinstance(keys, KeyFile):
            raise click.UsageError(
                "the keys are those of TRACKER_SIGNING_KEY: put the new key before the old one there, with a space in"
                " between, and restart; later take the old one out"
            )
        try:
            before = keys.of(origin, stores.ledger.state().keys)
            if finish and len(before) == 1:
                fail("there is one key only: `tracker log rotate-key` begins a change")
            after = keys.drop_older(origin) if finish else keys.add(origin)
        except (LedgerFault, OSError) as error:
            fail(str(error))
    if finish:
        say(f"Checkpoints of {origin} are signed by one key from now on:")
    else:
        say(f"Checkpoints of {origin} are signed by {len(after)} keys from now on, the new one first:")
    click.echo(str(after[0].verifier))
