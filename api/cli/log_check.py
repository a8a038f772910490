"""`tracker log check`: one event's proof, checked with nothing but the file and a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from api.cli.log_answers import doubting, parse_keys, read_given, shown_checkpoint, shown_key
from api.cli.terminal import answer, say
from tracker.checkpoint import Checkpoint, open_checkpoint
from tracker.merkle import InvalidProof, leaf_hash, verify_inclusion
from tracker.signed_note import SignedNote, VerifierKey
from tracker.tlog_proof import MAX_PROOF_BYTES, TlogProof
from tracker.verification.recorded_events import IllFormed, read_entry

NO_KEY = (
    "NOBODY'S SIGNATURE WAS CHECKED, for no --key was given. Anybody can make a file that agrees with itself: give the"
    " key that the log's operator has published."
)
"""What is said when there is no key."""

NOT_PROVEN = (
    "Not proven by it: that what the event says is true, that no later event corrects it, and that everybody is shown"
    " the same log (for that, verify the log against a checkpoint that you kept)."
)
"""What a proof of one event does not show."""

MAX_EVENT_BYTES = 1_000_000
"""The longest file with an event that is read."""

_POSITION = re.compile(rb',"position":[0-9]+\}$')


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, metavar="VKEY", help="The log's verifier key; twice while it is changed.")
@click.option(
    "--event",
    "event_file",
    type=click.Path(path_type=Path),
    help="The event, if the file has none in it: its stored line, or as `/v1/events` answers it.",
)
def check(file: Path, keys: tuple[str, ...], event_file: Path | None) -> None:
    """Check the proof of one event, offline.

    FILE is a tlog-proof (c2sp.org/tlog-proof), as `tracker log prove` writes it, with the event in it. The event is
    printed, with the place in the log that is proven for it. Exit code 1 if it is not proven.

    \b
    Examples:
      tracker log check event-2.tlog-proof --key "$KEY"
      tracker log check withheld.tlog-proof --key "$KEY" --event line.json
    """
    given = parse_keys(keys)
    data = read_given(file, MAX_PROOF_BYTES, "FILE")
    with doubting():
        proof = TlogProof.parse(data)
        if event_file is None and proof.extra is None:
            raise click.UsageError("the file has no event in it; give the event's line with --event")
        lines = [proof.extra or b""] if event_file is None else list(_stored_lines(event_file))
        checkpoint, line = _proven(proof, lines, given)
        signers = SignedNote.parse(proof.checkpoint).verified_by(given) if given else ()
    position = proof.index + 1
    answer(f"{'proven' if given else 'consistent'}: this is the event at position {position} of the log")
    answer(f"{shown_checkpoint(checkpoint)}")
    if given:
        answer(f"signed by {', '.join(map(shown_key, signers))}")
    try:
        read_entry(line)
    except IllFormed as wrong:
        say(f"This version cannot read the event: {wrong}.")
    answer(line.decode("utf-8", "replace"))
    say(NOT_PROVEN)
    if not given:
        say(NO_KEY)


def _proven(proof: TlogProof, lines: list[bytes], keys: list[VerifierKey]) -> tuple[Checkpoint, bytes]:
    """The checkpoint that covers one of the lines, and that line; without keys its signature is not looked at.

    Raises: MerkleError if the proof is of none of them, or no key has signed.
    """
    if keys:
        checkpoint = open_checkpoint(proof.checkpoint, keys)
    else:
        checkpoint = Checkpoint.parse(SignedNote.parse(proof.checkpoint).text)
    size, root = checkpoint.size, checkpoint.root
    for line in lines:
        try:
            verify_inclusion(index=proof.index, size=size, leaf=leaf_hash(line), proof=proof.hashes, root=root)
        except InvalidProof as invalid:
            refused = invalid
        else:
            return checkpoint, line
    raise refused


def _stored_lines(file: Path) -> Iterator[bytes]:
    """What the stored line of an event can be: the file as it is, without its line end, and without its position."""
    data = read_given(file, MAX_EVENT_BYTES, "--event")
    yield data
    line = data.rstrip(b"\r\n")
    yield line
    yield _POSITION.sub(b"}", line)
