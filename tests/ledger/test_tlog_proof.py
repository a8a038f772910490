"""One entry's proof in a file, after c2sp.org/tlog-proof."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trees import flipped, leaves, merkle_tree_hash, subtrees
from tracker.checkpoint import Checkpoint, MalformedCheckpoint, OtherOrigin
from tracker.merkle import InvalidProof, MerkleError, OutOfTree, leaf_hash
from tracker.signed_note import MalformedNote, NoKnownSignature, SigningKey
from tracker.tlog_proof import MalformedProof, TlogProof

KEY = SigningKey("example.com/log", bytes(range(32)))
WITNESS = SigningKey("witness.example", bytes(32))
SIZE = 11
ENTRY = b"entry 4"
LEAVES = leaves(SIZE)
CHECKPOINT = Checkpoint("example.com/log", SIZE, merkle_tree_hash(LEAVES))
SIGNED = CHECKPOINT.sign([KEY, WITNESS])
PROOF = TlogProof.make(4, SIGNED, subtrees(LEAVES), extra=ENTRY)


def test_a_proof_has_the_lines_of_the_specification() -> None:
    lines = bytes(PROOF).decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra ZW50cnkgNA==", "index 4"]
    assert [len(line) for line in lines[3:8]] == [44, 44, 44, 44, 0]
    assert bytes(PROOF).endswith(b"\n\n" + SIGNED)


@given(st.integers(1, 80), st.data(), st.none() | st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_every_proof_is_read_back_and_verifies(size: int, data: st.DataObject, extra: bytes | None) -> None:
    index = data.draw(st.integers(0, size - 1))
    every = leaves(size)
    checkpoint = Checkpoint("example.com/log", size, merkle_tree_hash(every))
    made = TlogProof.make(index, checkpoint.sign([KEY]), subtrees(every), extra=extra)
    read = TlogProof.parse(bytes(made))
    assert read == made
    assert read.verify(every[index], [KEY.verifier], origin="example.com/log") == checkpoint


def test_a_file_with_the_entry_in_it_needs_nothing_beside_it() -> None:
    assert TlogProof.parse(bytes(PROOF)).extra == ENTRY
    check(bytes(PROOF))


@given(st.integers(0, 8 * (len(bytes(PROOF)) - len(SIGNED) + len(CHECKPOINT.text)) - 1))
@settings(max_examples=400, deadline=None)
def test_no_flipped_bit_in_the_proof_or_the_signed_text_goes_unseen(bit: int) -> None:
    with pytest.raises(MerkleError):
        check(flipped(bytes(PROOF), bit))


def check(file: bytes) -> None:
    """Believe the file, or raise, as one does who has nothing but the key."""
    proof = TlogProof.parse(file)
    assert proof.extra is not None
    proof.verify(leaf_hash(proof.extra), [KEY.verifier])


def test_a_proof_of_another_entry_index_log_or_key_is_refused() -> None:
    for index in (0, 3, 5, 10, 11, 2**70):
        other = TlogProof(index, PROOF.hashes, SIGNED)
        with pytest.raises(InvalidProof):
            other.verify(LEAVES[4], [KEY.verifier])
    with pytest.raises(InvalidProof):
        PROOF.verify(LEAVES[5], [KEY.verifier])
    with pytest.raises(NoKnownSignature):
        PROOF.verify(LEAVES[4], [SigningKey("example.com/log", bytes(32)).verifier])
    with pytest.raises(OtherOrigin):
        PROOF.verify(LEAVES[4], [KEY.verifier], origin="example.com/other")


def test_a_proof_under_no_checkpoint_is_not_made() -> None:
    with pytest.raises(OutOfTree):
        TlogProof.make(SIZE, SIGNED, subtrees(LEAVES))
    with pytest.raises(MalformedNote):
        TlogProof.make(0, b"no note", subtrees(LEAVES))
    with pytest.raises(MalformedCheckpoint):
        TlogProof.make(0, SIGNED.replace(b"\n11\n", b"\neleven\n"), subtrees(LEAVES))


HEAD = "c2sp.org/tlog-proof@v1\n"
HASH = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        HEAD,
        HEAD + "index 4\n",
        HEAD + "index 4\n\n",
        HEAD + f"index 4\n{HASH}",
        HEAD + f"\n{HASH}\nnote",
        HEAD + "extra AAAA\n\nnote",
        HEAD + "extra AAAA\nextra AAAA\nindex 4\n\nnote",
        HEAD + "index 4\nextra AAAA\n\nnote",
        HEAD + "extra AAA\nindex 4\n\nnote",
        HEAD + "extra  AAAA\nindex 4\n\nnote",
        HEAD + "Index 4\n\nnote",
        HEAD + "index 04\n\nnote",
        HEAD + "index -4\n\nnote",
        HEAD + "index  4\n\nnote",
        HEAD + "index 4 \n\nnote",
        HEAD + "index \n\nnote",
        HEAD + "index\n\nnote",
        HEAD + "index 4\r\n\nnote",
        HEAD + "index 4\nAAAA\n\nnote",
        HEAD + f"index 4\n {HASH}\nnote",
        HEAD + f"index 4\n{HASH.replace('=', '')}\nnote",
        HEAD + f"index 4\n{HASH * 64}\nnote",
        HEAD + "index " + "9" * 5000 + "\n\nnote",
        " " + HEAD + "index 4\n\nnote",
        HEAD.replace("v1", "v2") + "index 4\n\nnote",
        HEAD + "index 4\nÄ\n\nnote",
        HEAD + "extra " + "A" * 2_000_000 + "\nindex 4\n\nnote",
    ],
)
def test_a_file_that_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(MalformedProof):
        TlogProof.parse(text.encode())
