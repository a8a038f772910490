"""`tracker log verify`: a published log is believed, or the first position is named that is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, TypeVar, cast

import click

from api.cli.log_answers import doubting, parse_keys, read_given, shown_checkpoint, shown_key, shown_name
from api.cli.log_sources import opened_source
from api.cli.terminal import answer, progress, say, write_pieces
from api.http import system_clock
from tracker.checkpoint import Checkpoint
from tracker.in_processes import each_in_processes
from tracker.merkle import MerkleError
from tracker.points_in_time import read_day, read_instant
from tracker.signed_note import MAX_NOTE_BYTES, NoKnownSignature, VerifierKey
from tracker.tiles import TILE_WIDTH, Fetch, TileMissing
from tracker.verification.doubts import LogDoubted
from tracker.verification.log_verification import (
    CHECKPOINT_PATH,
    LogVerification,
    Work,
    must_be_signed,
    published_keys,
)
from tracker.verification.replayed_log import KeptEvents

ReadT = TypeVar("ReadT")

SHORT_LOG_EVENTS = 100_000
"""Events that are verified sooner than other processes have begun."""

MAX_PROCESSES = 4
"""Processes that look at entries, at most: one that puts the pieces together keeps no more busy."""

NO_KEY = (
    "No --key was given, so the key was taken from the log itself. That shows that the log agrees with itself, not"
    " whose it is: compare the key with the one that its operator has published elsewhere, and give it next time."
)
"""What is said when the key comes from where the log comes from."""


@click.command()
@click.argument("where", metavar="DIR_OR_URL")
@click.option(
    "--checkpoint",
    "older",
    type=click.Path(path_type=Path),
    help="A checkpoint of the same log that you kept: the log must begin with all it covers.",
)
@click.option("--key", "keys", multiple=True, metavar="VKEY", help="The log's verifier key; twice while it is changed.")
@click.option(
    "--checkpoint-key",
    "older_keys",
    multiple=True,
    metavar="VKEY",
    help="A key of the older checkpoint alone, if the log's key was changed since.",
)
@click.option(
    "--max-withheld",
    type=click.IntRange(min=0),
    metavar="N",
    help="Doubt a log of which more lines than this are withheld; for a job that runs every night.",
)
@click.option("--as-of", metavar="DAY", help="Print the statuses as of this day, from the verified bytes.")
@click.option("--known-at", metavar="INSTANT", help="Print the statuses as they were known then.")
@click.option("--at-position", type=click.IntRange(min=0), metavar="N", help="… as known at this place in the log.")
def verify(
    where: str,
    older: Path | None,
    keys: tuple[str, ...],
    older_keys: tuple[str, ...],
    max_withheld: int | None,
    as_of: str | None,
    known_at: str | None,
    at_position: int | None,
) -> None:
    """Verify a published log from its files, with no database.

    Checked are the signature, every entry against its leaf, the root over all leaves, that each entry is an event as
    the tracker writes it, positions and versions without gaps, and the older checkpoint. On any doubt it ends with exit
    code 1, and the first position that is wrong and why. With a clock the statuses of all pledges are folded from the
    very same bytes and printed, a line of JSON each, as `tracker replay` does. If the line of the event at
    --at-position is withheld, --known-at beside it says when it was recorded.

    \b
    Examples:
      tracker log verify https://pledges.example.org/ledger --key "$KEY"
      tracker log verify published --checkpoint kept.checkpoint
      tracker log verify published --as-of 2024-12-31 --known-at 2026-11-21T16:00:00Z
    """
    given, given_older = parse_keys(keys), parse_keys(older_keys, "--checkpoint-key")
    if given_older and older is None:
        raise click.UsageError("--checkpoint-key is the key of a checkpoint that --checkpoint names")
    day = _read(read_day, "--as-of", as_of)
    instant = _read(read_instant, "--known-at", known_at)
    replaying = day is not None or instant is not None or at_position is not None
    tell = say if replaying else answer
    with doubting(), opened_source(where) as fetch:
        checkpoint, known, signers = _signed(fetch, given)
        before = None if older is None else _older(older, [*known, *given_older])
        if at_position is not None and at_position > checkpoint.size:
            raise click.UsageError(f"--at-position is beyond the log, which has {checkpoint.size} events")
        walk = LogVerification(checkpoint, fetch, older=before)
        with TemporaryFile(prefix="tracker-verify-") as file:
            kept = KeptEvents(cast(BinaryIO, file), known_at=instant, at_position=at_position) if replaying else None
            _walk(walk, kept, max_withheld)
            _tell_verified(walk, before, signers, tell)
            if not given:
                say(NO_KEY)
                for key in known:
                    say(str(key) if shown_name(key.name) == key.name else shown_key(key))
            if kept is not None:
                _tell_unknown_instant(kept, at_position)
                _print_statuses(walk, kept, day or system_clock.now().date())


def _read(read: Callable[[str], ReadT], option: str, text: str | None) -> ReadT | None:
    try:
        return None if text is None else read(text)
    except ValueError as wrong:
        raise click.UsageError(f"{option} {wrong}") from None


def _signed(fetch: Fetch, given: list[VerifierKey]) -> tuple[Checkpoint, list[VerifierKey], tuple[VerifierKey, ...]]:
    """The checkpoint, the keys that it is read with, and those of them that have signed it."""
    try:
        note = fetch(CHECKPOINT_PATH)
    except TileMissing:
        raise LogDoubted("there is no checkpoint; the address of a tracker's log ends in /ledger") from None
    keys = given or published_keys(fetch)
    checkpoint, signers = must_be_signed(note, keys)
    return checkpoint, keys, signers


def _older(file: Path, keys: list[VerifierKey]) -> Checkpoint:
    """The checkpoint that the caller kept, once a key of the log is seen to have signed it."""
    note = read_given(file, MAX_NOTE_BYTES, "--checkpoint")
    try:
        older, _ = must_be_signed(note, keys)
    except NoKnownSignature:
        raise LogDoubted(
            "the older checkpoint is not of this log, or not signed by a key that was given: if the log's key was"
            " changed since, give the older one by --checkpoint-key"
        ) from None
    except MerkleError as wrong:
        raise LogDoubted(f"the older checkpoint is not of this log: {wrong.detail}") from None
    return older


def _walk(walk: LogVerification, kept: KeptEvents | None, max_withheld: int | None) -> None:
    with progress("Verifying", walk.checkpoint.size) as advance:
        for number, event in enumerate(walk.events(_work(walk.checkpoint.size)), start=1):
            if event is None:
                if max_withheld is not None and walk.versions.withheld > max_withheld:
                    raise LogDoubted(f"its line is withheld, and more than {max_withheld} are", number)
            elif kept is not None:
                kept.keep(event)
            if number % TILE_WIDTH == 0:
                advance(TILE_WIDTH)


def _work(size: int) -> Work:
    """How the entries are looked at: those of a long log in a process for each processor."""
    processes = min(os.cpu_count() or 1, MAX_PROCESSES) if size > SHORT_LOG_EVENTS else 1
    return partial(each_in_processes, processes=processes)


def _tell_verified(
    walk: LogVerification, older: Checkpoint | None, signers: tuple[VerifierKey, ...], tell: Callable[[str], None]
) -> None:
    versions, size = walk.versions, walk.checkpoint.size
    tell(f"verified: {shown_checkpoint(walk.checkpoint)}")
    tell(f"signed by {', '.join(map(shown_key, signers))}")
    last = f", the last recorded at {walk.last_recorded_at}" if walk.last_recorded_at else ""
    tell(f"{size - versions.withheld} events of {versions.pledges} pledges{last}")
    if versions.withheld:
        more = "1 more event exists" if versions.withheld == 1 else f"{versions.withheld} more events exist"
        tell(f"{more}, proven by leaves alone; what is not shown is withheld, or was blanked by who serves it")
    if walk.last_recorded_at and read_instant(walk.last_recorded_at) > system_clock.now():
        say("That is later than it is now by the clock of this machine: either this clock is wrong, or that one was.")
    if older is not None:
        tell(f"it begins with the {older.size} events of the older checkpoint, unchanged")


def _tell_unknown_instant(kept: KeptEvents, at_position: int | None) -> None:
    """Say so if nobody can tell from the files when the event at the position was recorded.

    Raises: click.UsageError if the instant that was given for it cannot be.
    """
    try:
        is_known = kept.known_at() is not None
    except ValueError as wrong:
        raise click.UsageError(f"--known-at: {wrong}") from None
    if at_position and not is_known:
        say(
            f"The line of the event at position {at_position} is withheld, so its instant is not known here, and"
            " known_at is null: give the instant, as the tracker answers it, by --known-at beside --at-position"
        )


def _print_statuses(walk: LogVerification, kept: KeptEvents, as_of: date) -> None:
    """The statuses of all pledges but those of which an event is surely withheld."""
    incomplete = walk.versions.incomplete
    left_out = 0

    def lines() -> Iterator[bytes]:
        nonlocal left_out
        with progress("Folding", len(kept.pledges)) as advance:
            for pledge, document, unread in kept.statuses(as_of):
                advance(1)
                if pledge in incomplete:
                    left_out += 1
                elif document is not None:
                    if unread:
                        say(f"{pledge}: {unread} of its events could not be taken in by this version's rules")
                    yield document + b"\n"

    write_pieces(lines(), sys.stdout.buffer)
    if left_out:
        say(f"pledges left out, since an event of theirs is withheld and they cannot be folded here: {left_out}")
    if walk.versions.unplaced:
        say(
            "withheld events that may be the last ones of any pledge, whose status would then be another:"
            f" {walk.versions.unplaced}"
        )
