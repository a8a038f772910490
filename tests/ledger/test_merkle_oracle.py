"""A second implementation of RFC 6962, which shares no line with ours: pymerkle."""

from __future__ import annotations

from typing import Any

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trees import leaves, subtrees
from tracker.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [f"entry {number}".encode() for number in range(300)]


@pytest.fixture(scope="module")
def oracle() -> Any:
    """Their tree over 300 entries; sizes and roots of it are those of the same entries here."""
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries(ENTRIES)
    return tree


def test_every_leaf_and_root_is_theirs(oracle: Any) -> None:
    every = leaves(len(ENTRIES))
    for size in range(len(ENTRIES) + 1):
        assert root_of(every[:size]) == oracle.get_root(size)
    for index, entry in enumerate(ENTRIES):
        assert leaf_hash(entry) == every[index] == oracle.get_leaf(index + 1)


@given(st.integers(1, 300), st.data())
@settings(max_examples=200, deadline=None)
def test_their_inclusion_proof_is_ours(oracle: Any, size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    every = leaves(size)
    theirs = oracle.prove_inclusion(index + 1, size)
    ours = inclusion_proof(index, size, subtrees(every))
    assert theirs.path == [every[index], *ours]  # their path begins with the leaf
    verify_inclusion(index=index, size=size, leaf=every[index], proof=theirs.path[1:], root=oracle.get_root(size))


@given(st.integers(1, 300), st.data())
@settings(max_examples=200, deadline=None)
def test_they_and_we_prove_the_same_trees_consistent(oracle: Any, second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    every = leaves(second)
    theirs = oracle.prove_consistency(first, second)
    theirs.verify(root_of(every[:first]), root_of(every))
    ours = consistency_proof(first, second, subtrees(every))
    verify_consistency(
        first=first,
        second=second,
        first_root=oracle.get_root(first),
        second_root=oracle.get_root(second),
        proof=ours,
    )
    # Theirs begins with the last subtree of the first tree where that is no left child, as the RFC has it; else they
    # go down to a leaf, and say more than the RFC asks for.
    if theirs.subset[0]:
        is_first_root = len(ours) < len(theirs.path)  # which the RFC leaves out
        assert ours == theirs.path[is_first_root:]
        assert not is_first_root or theirs.path[0] == root_of(every[:first])
