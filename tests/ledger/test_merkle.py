"""Roots, proofs and their verification against RFC 6962 §2.1, and against the vectors that Certificate Transparency
published with its first implementation."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trees import flipped, leaves, merkle_tree_hash, subtrees
from tracker.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    Frontier,
    InvalidFrontier,
    InvalidHash,
    InvalidProof,
    OutOfTree,
    complete_subtrees,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    root_of_range,
    verify_consistency,
    verify_inclusion,
)

# --- published vectors

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]

ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The root of the first n entries, n from 0 to 8."""

INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

PUBLISHED = [leaf_hash(entry) for entry in ENTRIES]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert root_of(PUBLISHED[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(index: int, size: int, proof: list[str]) -> None:
    made = inclusion_proof(index, size, subtrees(PUBLISHED[:size]))
    assert [value.hex() for value in made] == proof
    verify_inclusion(index=index, size=size, leaf=PUBLISHED[index], proof=made, root=bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("first", "second", "proof"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(first: int, second: int, proof: list[str]) -> None:
    made = consistency_proof(first, second, subtrees(PUBLISHED[:second]))
    assert [value.hex() for value in made] == proof
    verify_consistency(
        first=first,
        second=second,
        first_root=bytes.fromhex(ROOTS[first]),
        second_root=bytes.fromhex(ROOTS[second]),
        proof=made,
    )


def test_the_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT == sha256(b"").digest()


def test_an_entry_that_looks_like_a_node_is_not_taken_for_one() -> None:
    left, right = leaves(2)
    assert leaf_hash(left + right) != node_hash(left, right)


# --- a tree that grows


@given(st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_the_incremental_root_is_that_of_the_definition(size: int) -> None:
    assert root_of(leaves(size)) == merkle_tree_hash(leaves(size))


@given(st.integers(0, 300), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_a_stored_frontier_grows_on_as_if_it_had_never_been_stored(stored: int, more: int) -> None:
    every = leaves(stored + more)
    frontier = Frontier()
    frontier.extend(every[:stored])
    again = Frontier.from_bytes(frontier.to_bytes())
    assert again == frontier == Frontier.of_subtrees(stored, subtrees(every[:stored]))
    assert len(again.to_bytes()) == 8 + 32 * stored.bit_count()
    for leaf in every[stored:]:
        again.append(leaf)
    assert (again.size, again.root()) == (stored + more, merkle_tree_hash(every))


def test_a_frontier_of_the_wrong_length_is_refused() -> None:
    frontier = Frontier()
    frontier.extend(leaves(5))
    stored = frontier.to_bytes()
    for broken in (
        b"",
        stored[:7],
        stored[:-1],
        stored[:-32],
        stored + b"\0",
        stored + bytes(32),
        b"\xff" + stored[1:],
    ):
        with pytest.raises(InvalidFrontier):
            Frontier.from_bytes(broken)
    with pytest.raises(InvalidFrontier):
        Frontier(1, [b"short"])
    with pytest.raises(InvalidFrontier):
        Frontier.of_subtrees(MAX_SIZE + 1, lambda level, index: bytes(32))


def test_a_leaf_that_is_no_hash_is_refused_and_the_leaves_before_it_stay() -> None:
    frontier = Frontier()
    with pytest.raises(InvalidHash):
        frontier.extend([*leaves(3), b"an entry, not its hash"])
    assert (frontier.size, frontier.root()) == (3, merkle_tree_hash(leaves(3)))


@given(st.integers(0, 10), st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_a_range_that_starts_at_a_power_of_two_is_covered_by_complete_subtrees(level: int, width: int) -> None:
    start = 1 << max(level, width.bit_length())
    covered = [(index << height, (index + 1) << height) for height, index in complete_subtrees(start, start + width)]
    edges = [start, *(end for _, end in covered)]
    assert edges[:-1] == [begin for begin, _ in covered]
    assert edges[-1] == start + width
    assert root_of_range(0, width, subtrees(leaves(width))) == merkle_tree_hash(leaves(width))


# --- proofs


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    """Two sizes, the first not empty and not larger."""
    second = draw(st.integers(1, 200))
    return draw(st.integers(1, second)), second


@given(sizes())
@settings(max_examples=150, deadline=None)
def test_every_inclusion_proof_verifies_and_no_other_index_does(sizes: tuple[int, int]) -> None:
    index, size = sizes[0] - 1, sizes[1]
    every = leaves(size)
    root, proof = merkle_tree_hash(every), inclusion_proof(index, size, subtrees(every))
    verify_inclusion(index=index, size=size, leaf=every[index], proof=proof, root=root)
    for other in {index ^ 1, index + 1, index - 1, 0, size - 1, size, index + size, -1, 2**64 - 1} - {index}:
        with pytest.raises(InvalidProof):
            verify_inclusion(index=other, size=size, leaf=every[index], proof=proof, root=root)


@given(sizes(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_inclusion_proof_survives_a_flipped_bit(sizes: tuple[int, int], data: st.DataObject) -> None:
    index, size = sizes[0] - 1, sizes[1]
    every = leaves(size)
    hashes = [every[index], merkle_tree_hash(every), *inclusion_proof(index, size, subtrees(every))]
    at, bit = data.draw(st.integers(0, len(hashes) - 1)), data.draw(st.integers(0, 255))
    leaf, root, *proof = [flipped(value, bit) if number == at else value for number, value in enumerate(hashes)]
    with pytest.raises(InvalidProof):
        verify_inclusion(index=index, size=size, leaf=leaf, proof=proof, root=root)


@given(sizes())
@settings(max_examples=150, deadline=None)
def test_every_consistency_proof_verifies(sizes: tuple[int, int]) -> None:
    first, second = sizes
    every = leaves(second)
    verify_consistency(
        first=first,
        second=second,
        first_root=merkle_tree_hash(every[:first]),
        second_root=merkle_tree_hash(every),
        proof=consistency_proof(first, second, subtrees(every)),
    )


@given(sizes(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_consistency_proof_survives_a_flipped_bit(sizes: tuple[int, int], data: st.DataObject) -> None:
    first, second = sizes
    every = leaves(second)
    hashes = [merkle_tree_hash(every[:first]), merkle_tree_hash(every)]
    hashes += consistency_proof(first, second, subtrees(every))
    at, bit = data.draw(st.integers(0, len(hashes) - 1)), data.draw(st.integers(0, 255))
    old, new, *proof = [flipped(value, bit) if number == at else value for number, value in enumerate(hashes)]
    with pytest.raises(InvalidProof):
        verify_consistency(first=first, second=second, first_root=old, second_root=new, proof=proof)


@given(sizes(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_log_that_rewrote_an_old_leaf_cannot_prove_consistency(sizes: tuple[int, int], data: st.DataObject) -> None:
    first, second = sizes
    honest, forged = leaves(second), leaves(second)
    forged[data.draw(st.integers(0, first - 1))] = leaf_hash(b"another story")
    with pytest.raises(InvalidProof):
        verify_consistency(
            first=first,
            second=second,
            first_root=merkle_tree_hash(honest[:first]),
            second_root=merkle_tree_hash(forged),
            proof=consistency_proof(first, second, subtrees(forged)),
        )


@given(sizes(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_proof_with_a_hash_too_many_or_too_few_is_refused(sizes: tuple[int, int], data: st.DataObject) -> None:
    first, second = sizes
    every = leaves(second)
    root, old = merkle_tree_hash(every), merkle_tree_hash(every[:first])
    included, consistent = inclusion_proof(first - 1, second, subtrees(every)), []
    if first < second:
        consistent = consistency_proof(first, second, subtrees(every))
    extra = data.draw(st.sampled_from([b"", b"\0", bytes(31), bytes(32), bytes(33), root, old]))
    for broken in (included[:-1], included[1:], [*included, extra], [extra, *included]):
        if broken != included:
            with pytest.raises(InvalidProof):
                verify_inclusion(index=first - 1, size=second, leaf=every[first - 1], proof=broken, root=root)
    for broken in (consistent[:-1], consistent[1:], [*consistent, extra], [extra, *consistent]):
        if broken != consistent:
            with pytest.raises(InvalidProof):
                verify_consistency(first=first, second=second, first_root=old, second_root=root, proof=broken)


def test_a_root_made_to_fit_a_proof_that_is_too_long_does_not_help() -> None:
    every, more = leaves(8), leaf_hash(b"one more")
    proof, root = inclusion_proof(5, 8, subtrees(every)), root_of(every)
    with pytest.raises(InvalidProof, match="too many"):
        verify_inclusion(index=5, size=8, leaf=every[5], proof=[*proof, more], root=node_hash(more, root))
    with pytest.raises(InvalidProof, match="too many"):
        verify_consistency(
            first=6,
            second=8,
            first_root=node_hash(more, root_of(every[:6])),
            second_root=node_hash(more, root),
            proof=[*consistency_proof(6, 8, subtrees(every)), more],
        )


def test_a_root_made_to_fit_a_hash_of_another_length_does_not_help() -> None:
    (leaf,) = leaves(1)
    root = node_hash(leaf, b"short")
    with pytest.raises(InvalidProof, match="5 bytes"):
        verify_inclusion(index=0, size=2, leaf=leaf, proof=[b"short"], root=root)
    with pytest.raises(InvalidProof, match="5 bytes"):
        verify_consistency(first=1, second=2, first_root=leaf, second_root=root, proof=[b"short"])


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 0), (0, MAX_SIZE + 1), (9, 8)])
def test_there_is_no_proof_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(OutOfTree):
        inclusion_proof(index, size, subtrees(leaves(8)))


@pytest.mark.parametrize(("first", "second"), [(0, 8), (0, 0), (9, 8), (-1, 8), (1, MAX_SIZE + 1)])
def test_there_is_no_consistency_proof_from_nothing_or_backwards(first: int, second: int) -> None:
    with pytest.raises(OutOfTree):
        consistency_proof(first, second, subtrees(leaves(8)))
    with pytest.raises(InvalidProof):
        verify_consistency(first=first, second=second, first_root=EMPTY_ROOT, second_root=EMPTY_ROOT, proof=[])


@pytest.mark.parametrize("index", [0, 1, MAX_SIZE // 2, MAX_SIZE - 1])
def test_proofs_in_the_largest_tree_ask_for_few_subtrees(index: int) -> None:
    levels = [leaf_hash(b"the same everywhere")]
    while len(levels) < 64:
        levels.append(node_hash(levels[-1], levels[-1]))
    asked = []

    def subtree(level: int, index: int) -> bytes:
        asked.append((level, index))
        return levels[level]

    proof = inclusion_proof(index, MAX_SIZE, subtree)
    assert len(asked) < 64 + 64
    root = root_of_range(0, MAX_SIZE, subtree)
    verify_inclusion(index=index, size=MAX_SIZE, leaf=levels[0], proof=proof, root=root)
    assert len(proof) <= 63
