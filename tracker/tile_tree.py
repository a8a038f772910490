"""A Merkle tree kept in tiles: hashes and proofs read out of them, and tiles built while the tree grows.

`TileReader` answers for one size whatever `tracker.merkle` asks of complete subtrees, from files, a table or a web
server: all it needs is a `Fetch`. `TileBuilder` turns a stream of leaves into tiles and starts again where it stopped.
What is read is only what the server says: verify it against a signed checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

from tracker.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    MAX_SIZE,
    InvalidHash,
    OutOfTree,
    complete_subtrees,
    consistency_proof,
    inclusion_proof,
    node_hash,
    root_of,
    root_of_range,
)
from tracker.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Bundle,
    Fetch,
    Tile,
    TileMissing,
    decode_bundle,
    decode_tile,
    encode_tile,
)

_CACHED_TILES = 64


class TileReader:
    """The tree of one size, read out of its tiles; what `merkle` asks for by level and index is `subtree`.

    A partial tile that is gone is read from the full one in its place, as the specification lets a log delete it. Some
    64 tiles (512 KiB) are kept, so neighbouring proofs fetch little.
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise OutOfTree(f"A tree cannot have {size} leaves.")
        self.size = size
        self._fetch = fetch
        self._kept: dict[Tile, list[bytes]] = {}

    def hashes(self, level: int, index: int) -> list[bytes]:
        """The hashes of one tile, as many as the tree of this size has there.

        Raises:
            OutOfTree: if the tree has no such tile.
            TileMissing: if neither the tile nor the full one is there.
            InvalidTile: if the file has not the length that the tile must have.
        """
        tile = Tile(level, index, self._width(self.size >> (level * TILE_HEIGHT), index))
        hashes = self._kept.pop(tile, None)
        if hashes is None:
            data, width = _fetch_or_full(self._fetch, tile)
            hashes = decode_tile(data, width)[: tile.width]
            if len(self._kept) >= _CACHED_TILES:
                del self._kept[next(iter(self._kept))]
        self._kept[tile] = hashes
        return hashes

    def subtree(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree at `(level, index)` of the tree, not of the tiles (`merkle.SubtreeHash`).

        Raises:
            OutOfTree: if the subtree reaches beyond the tree; else as `hashes`.
        """
        if level < 0 or index < 0 or (index + 1) << level > self.size:
            raise OutOfTree(f"The subtree {index} of level {level} is not within {self.size} leaves.")
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile, start = divmod(index << height, TILE_WIDTH)
        return root_of(self.hashes(tile_level, tile)[start : start + (1 << height)])

    def root(self) -> bytes:
        """The root of the tree; compare it with the checkpoint's.

        It is read out of as few tiles as possible, the highest: `merkle.root_of(reader.leaves())` reads every leaf.
        """
        return root_of_range(0, self.size, self.subtree)

    def inclusion_proof(self, index: int) -> list[bytes]:
        """The proof that leaf `index` is in this tree (RFC 6962 §2.1.1)."""
        return inclusion_proof(index, self.size, self.subtree)

    def consistency_proof(self, first: int) -> list[bytes]:
        """The proof that this tree begins with the tree of `first` leaves (RFC 6962 §2.1.2)."""
        return consistency_proof(first, self.size, self.subtree)

    def leaves(self, start: int = 0) -> Iterator[bytes]:
        """The leaves from index `start` to the end, read tile by tile."""
        for index in range(start // TILE_WIDTH, -(-self.size // TILE_WIDTH)):
            yield from self.hashes(0, index)[max(0, start - index * TILE_WIDTH) :]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """The entries from index `start` to the end, read bundle by bundle; the leaf of each is yet to be compared.

        Raises:
            TileMissing: if neither a bundle nor the full one in its place is there.
            InvalidTile: if a file is not a bundle of as many entries as it must have.
        """
        for index in range(start // TILE_WIDTH, -(-self.size // TILE_WIDTH)):
            yield from self.bundle(index)[max(0, start - index * TILE_WIDTH) :]

    def bundle(self, index: int) -> list[bytes]:
        """The entries of one bundle, as many as the log of this size has there.

        Raises:
            OutOfTree: if the log has no such bundle; else as `entries`.
        """
        bundle = Bundle(index, self._width(self.size, index))
        data, width = _fetch_or_full(self._fetch, bundle)
        return decode_bundle(data, width)[: bundle.width]

    def _width(self, hashes: int, index: int) -> int:
        width = min(TILE_WIDTH, hashes - index * TILE_WIDTH)
        if width < 1 or index < 0:
            raise OutOfTree(f"A tree of {self.size} leaves has no such tile {index}.")
        return width


def _fetch_or_full(fetch: Fetch, place: Tile | Bundle) -> tuple[bytes, int]:
    """The bytes at the place and how many hashes or entries they must hold."""
    try:
        return fetch(place.path), place.width
    except TileMissing:
        if place == place.full:
            raise
        return fetch(place.full.path), TILE_WIDTH


class TileBuilder:
    """A tree that grows leaf by leaf and gives its tiles; it holds the right edge only, at most 255 hashes a level."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[list[bytes]] = [[]]

    @classmethod
    def resume(cls, size: int, fetch: Fetch) -> Self:
        """The builder of a tree of `size` leaves whose partial tiles (or the full ones in their places) are there.

        Raises:
            As `TileReader.hashes`.
        """
        builder, reader = cls(), TileReader(size, fetch)
        builder.size = size
        builder._edge = []
        while hashes := size >> (len(builder._edge) * TILE_HEIGHT):
            level, index = len(builder._edge), hashes // TILE_WIDTH
            builder._edge.append(list(reader.hashes(level, index)) if hashes % TILE_WIDTH else [])
        return builder

    def copy(self) -> Self:
        """A builder of the same tree, to be extended apart from this one."""
        builder = type(self)()
        builder.size, builder._edge = self.size, [list(row) for row in self._edge]
        return builder

    def extend(self, leaves: Iterable[bytes]) -> Iterator[tuple[Tile, bytes]]:
        """Add leaves, and yield each tile with its bytes once it is full. Leaves are taken only as this is walked.

        Raises:
            InvalidHash: if a leaf is not 32 bytes.
        """
        for leaf in leaves:
            if len(leaf) != HASH_BYTES:
                raise InvalidHash(f"A leaf has {HASH_BYTES} bytes, not {len(leaf)}.")
            self.size += 1
            level, carried = 0, leaf
            while True:
                if level == len(self._edge):
                    self._edge.append([])
                row = self._edge[level]
                row.append(carried)
                if len(row) < TILE_WIDTH:
                    break
                self._edge[level] = []
                level, carried = level + 1, root_of(row)
                yield Tile(level - 1, (self.size >> (level * TILE_HEIGHT)) - 1), encode_tile(row)

    def partial_tiles(self) -> Iterator[tuple[Tile, bytes]]:
        """The partial tiles of the tree at its present size, with their bytes."""
        for level, row in enumerate(self._edge):
            if row:
                index = self.size >> ((level + 1) * TILE_HEIGHT)
                yield Tile(level, index, len(row)), encode_tile(row)

    def root(self) -> bytes:
        """The root of the tree at its present size."""
        root: bytes | None = None
        for row in self._edge:
            for height, index in reversed(list(complete_subtrees(0, len(row)))):
                peak = root_of(row[index << height : (index + 1) << height])
                root = peak if root is None else node_hash(peak, root)
        return EMPTY_ROOT if root is None else root
