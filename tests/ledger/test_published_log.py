"""A small log that another implementation wrote and signed: transparency-dev's Tessera, sizes 0 to 15."""

from __future__ import annotations

from itertools import combinations

import pytest

from tests.support.paths import SHARED
from tests.support.trees import flipped
from tracker.checkpoint import Checkpoint, OtherOrigin, open_checkpoint
from tracker.merkle import InvalidProof, leaf_hash, root_of, verify_consistency, verify_inclusion
from tracker.signed_note import InvalidSignature, SignedNote, SigningKey, VerifierKey
from tracker.tile_tree import TileBuilder, TileReader
from tracker.tiles import Bundle, TileMissing, bundles_of, encode_bundle, tiles_of
from tracker.tlog_proof import TlogProof

LOG = SHARED / "data" / "merkle" / "tlog_tiles" / "log"

pytestmark = pytest.mark.skipif(not LOG.is_dir(), reason=f"the log of Tessera is not at {LOG}")

SIZES = range(16)

KEY = VerifierKey.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
"""The log's key, as Tessera publishes it with its test data."""

SECRET = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
"""The other half, published too: it signs test data only."""


def fetch(path: str) -> bytes:
    """A file of the log."""
    file = LOG / path
    if not file.is_file():
        raise TileMissing(path)
    return file.read_bytes()


def checkpoint(size: int) -> Checkpoint:
    """The log's checkpoint at a size, its signature verified."""
    return open_checkpoint(fetch(f"checkpoint.{size}"), [KEY], origin="example.com/log/testdata")


@pytest.mark.parametrize("size", SIZES)
def test_every_checkpoint_is_signed_and_has_the_root_of_its_tiles_and_entries(size: int) -> None:
    signed, reader = checkpoint(size), TileReader(size, fetch)
    assert signed.size == size
    assert signed.root == reader.root() == root_of(map(leaf_hash, reader.entries()))
    assert list(reader.leaves()) == [leaf_hash(entry) for entry in reader.entries()]


@pytest.mark.parametrize(("first", "second"), list(combinations(SIZES[1:], 2)))
def test_every_checkpoint_is_consistent_with_every_later_one(first: int, second: int) -> None:
    verify_consistency(
        first=first,
        second=second,
        first_root=checkpoint(first).root,
        second_root=checkpoint(second).root,
        proof=TileReader(second, fetch).consistency_proof(first),
    )
    with pytest.raises(InvalidProof):
        verify_consistency(
            first=first,
            second=second,
            first_root=flipped(checkpoint(first).root, 0),
            second_root=checkpoint(second).root,
            proof=TileReader(second, fetch).consistency_proof(first),
        )


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_entry_is_proved_in_every_checkpoint(size: int) -> None:
    reader = TileReader(size, fetch)
    for index, entry in enumerate(reader.entries()):
        proof = reader.inclusion_proof(index)
        verify_inclusion(index=index, size=size, leaf=leaf_hash(entry), proof=proof, root=checkpoint(size).root)
        made = TlogProof.make(index, fetch(f"checkpoint.{size}"), reader.subtree, extra=entry)
        assert TlogProof.parse(bytes(made)).verify(leaf_hash(entry), [KEY]) == checkpoint(size)


def test_we_write_the_very_same_files() -> None:
    entries = list(TileReader(15, fetch).entries())
    builder = TileBuilder()
    key = SigningKey.parse(SECRET)
    assert key.verifier == KEY
    for size in SIZES:
        if size:
            assert list(builder.extend([leaf_hash(entries[size - 1])])) == []
        written = {tile.path: data for tile, data in builder.partial_tiles()}
        written |= {bundle.path: encode_bundle(entries[: bundle.width]) for bundle in bundles_of(size)}
        assert set(written) == {tile.path for tile in tiles_of(size)} | {bundle.path for bundle in bundles_of(size)}
        assert all(fetch(path) == data for path, data in written.items())
        ours = Checkpoint("example.com/log/testdata", size, builder.root())
        assert ours.sign([key]) == fetch(f"checkpoint.{size}")


def test_the_unnumbered_checkpoint_is_the_last() -> None:
    assert fetch("checkpoint") == fetch("checkpoint.15")


def test_a_checkpoint_that_says_another_size_is_not_signed() -> None:
    note = SignedNote.parse(fetch("checkpoint.15"))
    forged = SignedNote(note.text.replace("\n15\n", "\n14\n"), note.signatures)
    with pytest.raises(InvalidSignature):
        open_checkpoint(bytes(forged), [KEY])
    with pytest.raises(OtherOrigin):
        open_checkpoint(fetch("checkpoint.15"), [KEY], origin="example.com/another-log")


def test_an_entry_that_was_changed_is_found() -> None:
    entries = list(TileReader(15, fetch).entries())
    entries[7] = b"eight"

    def tampered(path: str) -> bytes:
        return encode_bundle(entries) if path == Bundle(0, 15).path else fetch(path)

    reader = TileReader(15, tampered)
    found = [
        index
        for index, (entry, leaf) in enumerate(zip(reader.entries(), reader.leaves(), strict=True))
        if leaf_hash(entry) != leaf
    ]
    assert found == [7]
