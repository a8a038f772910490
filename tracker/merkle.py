"""The Merkle tree of RFC 6962 §2.1 with SHA-256: roots, proofs, and their verification.

    leaf   = SHA-256(0x00 ‖ entry)
    node   = SHA-256(0x01 ‖ left ‖ right)
    root   = of no leaves SHA-256(""), of one leaf that leaf, of n leaves node(root of the first k, root of the rest)
             with k the largest power of two smaller than n

A *leaf* here is always a hash of 32 bytes, an *index* counts leaves from 0, a *size* is a number of leaves. A *complete
subtree* at `(level, index)` has the 2**level leaves from `index * 2**level` on. Its hash never changes while the tree
grows, so whoever knows the hashes of complete subtrees (a table, tiles) can answer every proof without the leaves.

    MerkleError             a TrackerError
    ├── OutOfTree           a leaf or a size was asked for that the tree does not have
    ├── InvalidHash         a leaf to append is not 32 bytes
    ├── InvalidProof        the proof does not show what it claims to show
    └── InvalidFrontier     the stored right edge of a tree is not well-formed

Nothing here reads a store, a clock or a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from tracker.errors import TrackerError

HASH_BYTES = 32
"""The length of every leaf, node and root."""

MAX_SIZE = 2**63 - 1
"""The largest tree, in leaves: the usual clients count them in a signed 64-bit integer."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962 §2.1)."""

SubtreeHash = Callable[[int, int], bytes]
"""The hash of the complete subtree at `(level, index)`."""

_SIZE_BYTES = 8


# --- hashes


def leaf_hash(entry: bytes) -> bytes:
    """The leaf of an entry, 32 bytes (RFC 6962 §2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over the hashes of its two children, 32 bytes (RFC 6962 §2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over all leaves, in their order; memory is O(log n) (RFC 6962 §2.1).

    Raises:
        InvalidHash: if a leaf is not 32 bytes.
    """
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


# --- a tree that grows


@dataclass(slots=True)
class Frontier:
    """The right edge of a tree: all that is needed to append leaves and to tell the root, at most 63 hashes.

    `peaks` are the hashes of the complete subtrees that make up the tree, the largest first: one for each bit that is
    set in `size`. (Others call it a compact range.)
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise InvalidFrontier(f"A tree cannot have {self.size} leaves.")
        if len(self.peaks) != self.size.bit_count():
            raise InvalidFrontier(
                f"A tree of {self.size} leaves has {self.size.bit_count()} peaks, not {len(self.peaks)}."
            )
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise InvalidFrontier(f"Every peak has {HASH_BYTES} bytes.")

    def append(self, leaf: bytes) -> None:
        """Add one leaf on the right.

        Raises:
            InvalidHash: if the leaf is not 32 bytes.
        """
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves on the right, in order.

        Raises:
            InvalidHash: if a leaf is not 32 bytes; the leaves before it stay added.
        """
        peaks = self.peaks
        for leaf in leaves:
            if len(leaf) != HASH_BYTES:
                raise InvalidHash(f"A leaf has {HASH_BYTES} bytes, not {len(leaf)}.")
            size, node = self.size, leaf
            while size & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                size >>= 1
            peaks.append(node)
            self.size += 1

    def root(self) -> bytes:
        """The root of the tree so far, 32 bytes."""
        return _fold(self.peaks)

    def to_bytes(self) -> bytes:
        """The size as 8 bytes, big-endian, and the peaks; `from_bytes` reads it."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The frontier that `to_bytes` wrote.

        Raises:
            InvalidFrontier: if the length does not fit the size, or the size is impossible.
        """
        size, hashes = int.from_bytes(data[:_SIZE_BYTES], "big"), data[_SIZE_BYTES:]
        if len(data) < _SIZE_BYTES or len(hashes) % HASH_BYTES:
            raise InvalidFrontier("A stored frontier is 8 bytes of size and whole hashes of 32 bytes.")
        return cls(size, [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])

    @classmethod
    def of_subtrees(cls, size: int, subtree: SubtreeHash) -> Self:
        """The frontier of a tree whose complete subtrees are known, for example from its tiles.

        Raises:
            InvalidFrontier: if the size is impossible.
        """
        if not 0 <= size <= MAX_SIZE:
            raise InvalidFrontier(f"A tree cannot have {size} leaves.")
        return cls(size, [subtree(level, index) for level, index in complete_subtrees(0, size)])


# --- subtrees and proofs


def complete_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The `(level, index)` of the complete subtrees that cover the leaves `[start, end)`, from left to right.

    `start` is 0 or a multiple of a power of two that is at least `end - start`: so is every range of RFC 6962 §2.1.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def root_of_range(start: int, end: int, subtree: SubtreeHash) -> bytes:
    """MTH(D[start:end]) of RFC 6962 §2.1 out of complete subtrees; `start` as for `complete_subtrees`."""
    return _fold([subtree(level, index) for level, index in complete_subtrees(start, end)])


def inclusion_proof(index: int, size: int, subtree: SubtreeHash) -> list[bytes]:
    """PATH(index, D[size]): the hashes from the leaf's sibling up to the root's child (RFC 6962 §2.1.1).

    Raises:
        OutOfTree: if the tree of this size has no leaf at the index.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise OutOfTree(f"A tree of {size} leaves has no leaf {index}.")
    start, end, siblings = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return [root_of_range(*sibling, subtree) for sibling in reversed(siblings)]


def consistency_proof(first: int, second: int, subtree: SubtreeHash) -> list[bytes]:
    """PROOF(first, D[second]): the tree of `second` leaves begins with the tree of `first` leaves (RFC 6962 §2.1.2).

    The proof between equal sizes is empty.

    Raises:
        OutOfTree: if not 0 < first <= second; about the empty tree there is nothing to prove.
    """
    if not 0 < first <= second <= MAX_SIZE:
        raise OutOfTree(f"There is no consistency proof from {first} to {second} leaves.")
    start, end, siblings = 0, second, []
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    # A subtree that begins at leaf 0 is the first tree itself, whose root the verifier has.
    shared = [(start, end)] if start else []
    return [root_of_range(*part, subtree) for part in (*shared, *reversed(siblings))]


# --- verification


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Return if the proof shows that `leaf` is at `index` in the tree with this size and root (RFC 9162 §2.1.3.2).

    Size and root belong together: take both from one checkpoint whose signature is verified.

    Raises:
        InvalidProof: if it does not, if it has too few or too many hashes, or if one of them is not 32 bytes.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise InvalidProof(f"A tree of {size} leaves has no leaf {index}.")
    for value, name in ((leaf, "leaf"), (root, "root"), *((value, "hash of the proof") for value in proof)):
        _must_be_hash(value, name)
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InvalidProof("The inclusion proof has too many hashes.")
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            node, last = _up_to_a_right_child(node, last)
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise InvalidProof("The inclusion proof has too few hashes.")
    if computed != root:
        raise InvalidProof(f"The inclusion proof of leaf {index} leads to another root.")


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if the proof shows that the second tree begins with all leaves of the first (RFC 9162 §2.1.4.2).

    Between equal sizes nothing is hashed: the roots must be the same bytes and the proof empty.

    Raises:
        InvalidProof: if it does not, if not 0 < first <= second, if it has too few or too many hashes, or if one of
            them is not 32 bytes.
    """
    if not 0 < first <= second <= MAX_SIZE:
        raise InvalidProof(f"There is no consistency proof from {first} to {second} leaves.")
    if first == second:
        if proof:
            raise InvalidProof("The consistency proof between equal sizes is not empty.")
        if first_root != second_root:
            raise InvalidProof(f"Two trees of {first} leaves have different roots.")
        return
    for value, name in (
        (first_root, "first root"),
        (second_root, "second root"),
        *((value, "hash of the proof") for value in proof),
    ):
        _must_be_hash(value, name)
    if not proof:
        raise InvalidProof("The consistency proof has too few hashes.")
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    _verify_path(first, second, first_root, second_root, path)


def _verify_path(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> None:
    """Steps 4 to 7 of RFC 9162 §2.1.4.2; the path begins with a subtree that both trees have."""
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise InvalidProof("The consistency proof has too many hashes.")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            node, last = _up_to_a_right_child(node, last)
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise InvalidProof("The consistency proof has too few hashes.")
    if old != first_root:
        raise InvalidProof(f"The consistency proof leads to another root of the first {first} leaves.")
    if new != second_root:
        raise InvalidProof(f"The consistency proof leads to another root of {second} leaves.")


def _up_to_a_right_child(node: int, last: int) -> tuple[int, int]:
    """The last node of a level that has no sibling is carried up unhashed until it is a right child."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _split(width: int) -> int:
    """The k of RFC 6962 §2.1: the largest power of two smaller than `width`, for width > 1."""
    return 1 << ((width - 1).bit_length() - 1)


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees of falling sizes: each is the left sibling of all that follow."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def _must_be_hash(value: bytes, name: str) -> None:
    if len(value) != HASH_BYTES:
        raise InvalidProof(f"The {name} has {len(value)} bytes, not {HASH_BYTES}.")


# --- errors


class MerkleError(TrackerError):
    """The transparency log cannot be read, proved or believed; each subclass says which."""

    code = "merkle_error"
    title = "The transparency log is not as it should be"


class OutOfTree(MerkleError):
    """The tree does not have this leaf or this size. Ask within the size of the latest checkpoint."""

    code = "out_of_tree"
    title = "The tree does not reach so far"


class InvalidHash(MerkleError):
    """A leaf is not a SHA-256 hash of 32 bytes. Hash the entry with `leaf_hash` first."""

    code = "invalid_hash"
    title = "A leaf is not a hash"


class InvalidProof(MerkleError):
    """The proof does not show what it claims to show. Do not believe who sent it."""

    code = "invalid_proof"
    title = "The proof is not valid"


class InvalidFrontier(MerkleError):
    """The stored right edge of a tree is not well-formed. Compute it again from the tiles or the log."""

    code = "invalid_frontier"
    title = "The stored tree is not well-formed"
