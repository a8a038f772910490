"""Merkle trees as RFC 6962 §2.1 defines them, word for word and slow, to compare the product with."""

from collections.abc import Sequence
from hashlib import sha256

from tracker.merkle import SubtreeHash, leaf_hash


def leaf(number: int) -> bytes:
    """A leaf unlike every other."""
    return leaf_hash(f"entry {number}".encode())


def leaves(size: int) -> list[bytes]:
    """The leaves of a tree of `size` different entries."""
    return [leaf(number) for number in range(size)]


def merkle_tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH(D[n]) of RFC 6962 §2.1 over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + merkle_tree_hash(leaves[:k]) + merkle_tree_hash(leaves[k:])).digest()


def subtrees(leaves: Sequence[bytes]) -> SubtreeHash:
    """The hashes of the complete subtrees over these leaves."""

    def subtree(level: int, index: int) -> bytes:
        covered = leaves[index << level : (index + 1) << level]
        assert len(covered) == 1 << level, f"subtree {index} of level {level} is not complete"
        return merkle_tree_hash(covered)

    return subtree


def flipped(value: bytes, bit: int) -> bytes:
    """The bytes with one bit turned over."""
    at, turned = bit // 8, 1 << (bit % 8)
    return value[:at] + bytes([value[at] ^ turned]) + value[at + 1 :]
