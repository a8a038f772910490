"""The database's own log as it is published, for the commands that export it and prove its events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from api.cli.group import fail
from api.cli.stores import Stores, opened_stores
from api.cli.terminal import progress, say
from projections.ledger.faults import LedgerFault
from projections.ledger.reader import Ledger
from projections.ledger.remembered import RememberedCheckpoints
from tracker.tiles import Fetch, TileMissing
from tracker.verification.log_verification import CHECKPOINT_PATH, KEY_PATH

SIGN_SECONDS = 30.0
"""Seconds that another process, which projects, may take to sign what is recorded; it does within one."""

LOOK_SECONDS = 0.05
"""Seconds between two looks at whether it has."""


@contextmanager
def opened_ledger() -> Iterator[Ledger]:
    """The ledger, once all that is recorded is signed: by this process if no other one projects.

    Raises: CommandFailed if nothing is signed, or the store is an older copy of what was recorded or published.
    """
    with opened_stores(must_exist=True) as stores:
        if (refusal := stores.log.guard.refusal) is not None:
            fail(refusal.detail)
        _have_signed(stores, stores.log.head())
        _must_have_what_was_published(stores)
        yield stores.ledger


@contextmanager
def opened_own_log() -> Iterator[Fetch]:
    """What reads the files of the published log out of the database, as it would be served."""
    with opened_ledger() as ledger:

        def fetch(path: str) -> bytes:
            if path not in (CHECKPOINT_PATH, KEY_PATH):
                return ledger.fetch(path)
            published = ledger.checkpoint()
            if published is None:
                raise TileMissing("nothing was signed yet")
            if path == CHECKPOINT_PATH:
                return published.note
            return "".join(f"{key}\n" for key in ledger.state().keys).encode()

        yield fetch


def _must_have_what_was_published(stores: Stores) -> None:
    """Hold the ledger against the last checkpoint that the state directory has of it.

    Raises: CommandFailed if the ledger does not begin with what was published then, or its last checkpoint was changed.
    """
    ledger = stores.ledger
    last = ledger.checkpoint()
    if last is not None and (doubt := last.doubt(ledger.origin, ledger.state().keys)):
        fail(doubt)
    try:
        kept = RememberedCheckpoints(stores.settings.state_directory).last(ledger.origin)
    except LedgerFault as fault:
        fail(f"{fault}.")
    if kept is None:
        return
    size = ledger.size()
    if kept.size > size:
        fail(
            f"a checkpoint of {kept.size} events was published, and the store has one of {size}: an older copy was put"
            " back. Put the right one back, or run `tracker log fork`."
        )
    if ledger.tree(kept.size).root() != kept.root:
        fail(f"the first {kept.size} events are not those of the checkpoint that was published.")


def _have_signed(stores: Stores, head: int) -> None:
    """Have all events up to `head` signed, by the keys of today. The log alone is read, and nothing is projected."""
    ledger, signer, waiting, until = stores.ledger, stores.signer(), Event(), time.monotonic() + SIGN_SECONDS
    runner = stores.runner(signer)
    try:
        with progress("Signing", head) as advance:
            shown = 0
            while not signer.is_settled():
                signs_here = runner.sign_once()
                if fault := ledger.state().fault:
                    fail(f"nothing is signed: {fault}")
                size = ledger.size()
                advance(size - shown)
                shown = size
                if signs_here:
                    continue
                if ledger.checkpoint() is not None and size >= head:
                    return  # who projects follows a change of the keys within a second
                if time.monotonic() > until:
                    say(f"The process that projects has signed {size} of {head} events; what is signed is used.")
                    return
                waiting.wait(LOOK_SECONDS)
    finally:
        runner.stop()
