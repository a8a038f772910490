"""Tiles that are seen to lead to the signed root before anything is read out of them.

Every hash of a tile is covered by the tile above it, the last tile of each level by the root. So a tile that was
tampered with is found as soon as it is fetched, and what is read out of the others is what the log has signed.
"""

from __future__ import annotations

from tracker.checkpoint import Checkpoint
from tracker.merkle import MerkleError, root_of
from tracker.tile_tree import TileReader
from tracker.tiles import TILE_HEIGHT, TILE_WIDTH, Fetch, Tile, decode_tile, parse_path
from tracker.verification.doubts import LogDoubted


class AuthenticTiles:
    """The tree of a checkpoint, whose signature is verified, read out of files that nobody vouches for.

    Raises: LogDoubted from the beginning if the tiles at the edge of the tree do not lead to the root, and whenever a
    tile is read that the one above it does not cover.
    """

    def __init__(self, checkpoint: Checkpoint, fetch: Fetch) -> None:
        self._fetch = fetch
        self._edge: dict[str, bytes] = {}
        self.reader = TileReader(checkpoint.size, self._authentic)
        try:
            root = self.reader.root()
        except LogDoubted:
            raise
        except MerkleError as wrong:
            raise LogDoubted(f"the tree cannot be read: {wrong.detail}") from None
        if root != checkpoint.root:
            raise LogDoubted(f"the tiles lead to another root than the one that is signed for {checkpoint.size} events")

    def _authentic(self, path: str) -> bytes:
        """The bytes of a file; those of a tile only if the tile above has its hash."""
        place = parse_path(path)
        if not isinstance(place, Tile):
            return self._fetch(path)
        covered = (place.index + 1) * TILE_WIDTH <= self.reader.size >> (place.level * TILE_HEIGHT)
        if not covered:  # at the edge: the root covers it, and what was read once is not asked for again
            if path not in self._edge:
                self._edge[path] = self._fetch(path)
            return self._edge[path]
        data = self._fetch(path)
        above, at = divmod(place.index, TILE_WIDTH)
        if root_of(decode_tile(data, TILE_WIDTH)) != self.reader.hashes(place.level + 1, above)[at]:
            span = TILE_WIDTH ** (place.level + 1)
            first = place.index * span + 1
            raise LogDoubted(f"the tile {path} is not the one that is signed", first, first + span - 1)
        return data
