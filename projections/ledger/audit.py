"""Shows that the log still is what was published, from its first leaf on, before anything new is signed.

The leaves are read a part at a time, so that memory stays bounded and the process that signs goes on showing life.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from projections.ledger.faults import Inconsistent
from projections.ledger.leaves import read_leaves
from projections.ledger.remembered import TreeHead
from tracker.log.recorder import LogRecorder
from tracker.merkle import HASH_BYTES, Frontier
from tracker.tile_tree import TileBuilder
from tracker.tiles import TILE_WIDTH, Tile, TileMissing

StoredTile = Callable[[Tile], bytes]
"""The hashes of a tile that was signed; it raises TileMissing if there are not so many."""

PAGE_LEAVES = 10_000
"""Leaves that are read at a time while the position of a fault is looked for."""


class AuditStep(NamedTuple):
    """What one step of an audit found: whether it is done, and the tiles that are to be written."""

    is_done: bool
    tiles: list[tuple[Tile, bytes]]


class LedgerAudit:
    """One audit of a log against the trees that were published of it, the `heads`, the smallest first.

    If the stored tiles are not those of the log and the log is what was published, a second run gives all tiles anew.
    """

    def __init__(self, log: LogRecorder, heads: Sequence[TreeHead], stored: StoredTile) -> None:
        self._log, self._heads, self._stored = log, sorted(heads), stored
        self.builder = TileBuilder()
        """The tree as far as it was read; of the largest head once the audit is done."""
        self._repairs = False
        self._is_torn = False
        self._differs: int | None = None

    @property
    def size(self) -> int:
        """How many events the audit reads."""
        return self._heads[-1].size if self._heads else 0

    def step(self, limit: int, head: int) -> AuditStep:
        """Read up to `limit` leaves more; `head` is the log's last position.

        Raises: Inconsistent if the log is not what was published.
        """
        if head < self.size:
            raise Inconsistent(
                f"the log ends at position {head}, and a checkpoint of {self.size} events was published", head + 1
            )
        tiles: list[tuple[Tile, bytes]] = []
        upto = next((h for h in self._heads if h.size > self.builder.size), None)
        if upto is not None:
            leaves = read_leaves(self._log, self.builder.size, min(limit, upto.size - self.builder.size), head)
            tiles += self._compared(self.builder.extend(leaves))
            for reached in (h for h in self._heads if h.size == self.builder.size):
                self._must_be(reached)
        if self.builder.size < self.size:
            return AuditStep(False, tiles if self._repairs else [])
        tiles += self._compared(self.builder.partial_tiles())
        if self._is_torn and not self._repairs:
            self.builder, self._repairs = TileBuilder(), True
            return AuditStep(False, [])
        return AuditStep(True, tiles if self._repairs else [])

    def _compared(self, tiles: Iterator[tuple[Tile, bytes]]) -> Iterator[tuple[Tile, bytes]]:
        """The same tiles; where a stored one is another one, the first position of a leaf that differs is noted."""
        for tile, hashes in tiles:
            yield tile, hashes
            if self._repairs:
                continue
            try:
                stored = self._stored(tile)
            except TileMissing:
                self._is_torn = True
                continue
            if stored != hashes:
                self._is_torn = True
                if tile.level == 0 and self._differs is None:
                    self._differs = tile.index * TILE_WIDTH + _first_difference(stored, hashes) + 1

    def _must_be(self, head: TreeHead) -> None:
        if self.builder.root() == head.root:
            return
        for _ in self._compared(self.builder.partial_tiles()):
            pass
        if self._differs is not None:
            raise Inconsistent(
                f"the leaf at position {self._differs} is not the one that was signed"
                f" (checkpoint of {head.size} events)",
                self._differs,
            )
        raise Inconsistent(f"the first {head.size} events are not those of the checkpoint that was published")


def narrowed(fault: Inconsistent, log: LogRecorder, heads: Iterator[TreeHead]) -> Inconsistent:
    """The same fault with the positions between which the first difference lies, told by all checkpoints, in order."""
    frontier, before, last = Frontier(), 0, log.head()
    for head in heads:
        while frontier.size < min(head.size, last):
            step = min(PAGE_LEAVES, head.size - frontier.size)
            frontier.extend(read_leaves(log, frontier.size, step, last))
        if frontier.size < head.size or frontier.root() != head.root:
            if before + 1 == head.size:
                return Inconsistent(f"the leaf at position {head.size} is not the one that was signed", head.size)
            return Inconsistent(
                f"{fault}; the first that differs is among the positions {before + 1} to {head.size}", None
            )
        before = head.size
    return fault


def _first_difference(one: bytes, other: bytes) -> int:
    """The number of the first hash in which two tiles differ."""
    return next(at // HASH_BYTES for at in range(len(other)) if one[at : at + 1] != other[at : at + 1])
