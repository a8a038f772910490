"""`tracker log prove`: one event with its proof in one file, which needs nothing but a key to be checked."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

import click

from api.cli.group import fail
from api.cli.log_answers import doubting, parse_keys, shown_checkpoint
from api.cli.log_sources import opened_source
from api.cli.terminal import answer, say
from tracker.merkle import leaf_hash
from tracker.signed_note import VerifierKey
from tracker.tile_tree import TileReader
from tracker.tiles import TILE_WIDTH, Fetch
from tracker.tlog_proof import FILE_EXTENSION, TlogProof
from tracker.verification.doubts import LogDoubted
from tracker.verification.log_verification import CHECKPOINT_PATH, WITHHELD_ENTRY, must_be_signed, published_keys


@click.command()
@click.argument("position", type=click.IntRange(min=1))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="The file, or - for stdout. [default: event-POSITION.tlog-proof]",
)
@click.option("--from", "where", metavar="DIR_OR_URL", help="A published log, in the place of the database's.")
@click.option("--key", "keys", multiple=True, metavar="VKEY", help="The key of that log, else the one it has itself.")
def prove(position: int, output: Path | None, where: str | None, keys: tuple[str, ...]) -> None:
    """Write the proof of one event to a file.

    The file is a tlog-proof (c2sp.org/tlog-proof): the event itself, where it stands in the log, and the signed
    checkpoint that covers it. `tracker log check` checks it anywhere, offline. Of an event of which something is
    withheld the file has the proof alone; who has its line can check it.

    \b
    Examples:
      tracker log prove 2
      tracker log prove 2 --from https://pledges.example.org/ledger --output speech.tlog-proof
    """
    given = parse_keys(keys)
    if given and where is None:
        raise click.UsageError("--key is the key of a log that --from names")
    file = output or Path(f"event-{position}{FILE_EXTENSION}")
    with doubting(), _published(where) as fetch:
        proof = _proved(position, fetch, given)
    if str(file) == "-":
        sys.stdout.buffer.write(bytes(proof))
        sys.stdout.buffer.flush()
        return
    try:
        file.write_bytes(bytes(proof))
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    if proof.extra is None:
        say("Something of this event is withheld: the file has its proof alone, without its line.")
    answer(str(file))


def _published(where: str | None) -> AbstractContextManager[Fetch]:
    """What reads the files of the log at an address, or of the database's own."""
    if where is not None:
        return opened_source(where)
    from api.cli.log_store import opened_own_log  # it imports the stores, which a published log does without

    return opened_own_log()


def _proved(position: int, fetch: Fetch, given: list[VerifierKey]) -> TlogProof:
    note = fetch(CHECKPOINT_PATH)
    keys = given or published_keys(fetch)
    checkpoint, _ = must_be_signed(note, keys)
    if position > checkpoint.size:
        raise click.UsageError(f"the log has no event {position} yet that is signed: {shown_checkpoint(checkpoint)}")
    index, tree = position - 1, TileReader(checkpoint.size, fetch)
    entry = tree.bundle(index // TILE_WIDTH)[index % TILE_WIDTH]
    leaf = tree.hashes(0, index // TILE_WIDTH)[index % TILE_WIDTH]
    if entry != WITHHELD_ENTRY and leaf_hash(entry) != leaf:
        raise LogDoubted("the entry is not the one whose hash is signed", position)
    extra = None if entry == WITHHELD_ENTRY else entry
    proof = TlogProof.make(index, note, tree.subtree, extra=extra)
    proof.verify(leaf, keys)
    return proof
