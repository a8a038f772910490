"""Tiles: the Merkle tree and the entries of a log as static files (c2sp.org/tlog-tiles).

    tile/0/000                  leaves 0 to 255, 32 bytes each
    tile/0/x001/x234/067        leaves 1234067 * 256 and on
    tile/0/273.p/112            a partial tile: the last 112 leaves of a tree of 70,000
    tile/1/000                  the roots of the first 256 full tiles of level 0
    tile/entries/000            the first 256 entries, each after its length as a big-endian uint16

A tree of size s has floor(s / 256**level) hashes at a level, 256 to a tile; the last tile of a level is partial if the
number does not divide. Full tiles never change. Paths are relative to the prefix of the log, where `checkpoint` is.
Write the tiles of a size before its checkpoint. `tracker.tile_tree` reads hashes out of tiles and builds tiles.

    TileMissing             a `Fetch` has no such file
    InvalidTile             the bytes are not those of such a tile or bundle, or the path names none
    EntryTooLarge           an entry is over 65,535 bytes

All are `MerkleError`s. What is read out of tiles is only what the server says: verify it against a signed checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tracker.merkle import HASH_BYTES, MerkleError

TILE_HEIGHT = 8
"""The levels of the tree that one level of tiles spans."""

TILE_WIDTH = 1 << TILE_HEIGHT
"""The hashes in a full tile, and the entries in a full bundle."""

MAX_LEVEL = 63
"""The highest level of tiles that a path may name."""

MAX_ENTRY_BYTES = 2**16 - 1
"""The longest entry that a bundle can hold."""

Fetch = Callable[[str], bytes]
"""The bytes of the file at a path such as `tile/0/x001/067.p/5`; it raises `TileMissing` if there is none."""

_LENGTH_BYTES = 2


# --- coordinates


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """The place of a tile: `width` hashes of a level, from the hash `index * 256` of that level on."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.level <= MAX_LEVEL and self.index >= 0 and 1 <= self.width <= TILE_WIDTH):
            raise InvalidTile(f"There is no tile {self.level}, {self.index}, {self.width}.")

    @property
    def path(self) -> str:
        """The path of its file, such as `tile/0/x001/x234/067.p/8`."""
        return f"tile/{self.level}/{_index_path(self.index, self.width)}"

    @property
    def full(self) -> Tile:
        """The full tile in the same place, which holds the same hashes and more once the tree has grown."""
        return Tile(self.level, self.index)


@dataclass(frozen=True, slots=True, order=True)
class Bundle:
    """The place of an entry bundle: `width` entries, from the entry `index * 256` on."""

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (self.index >= 0 and 1 <= self.width <= TILE_WIDTH):
            raise InvalidTile(f"There is no entry bundle {self.index}, {self.width}.")

    @property
    def path(self) -> str:
        """The path of its file, such as `tile/entries/000.p/15`."""
        return f"tile/entries/{_index_path(self.index, self.width)}"

    @property
    def full(self) -> Bundle:
        """The full bundle in the same place."""
        return Bundle(self.index)


def parse_path(path: str) -> Tile | Bundle:
    """The tile or bundle that a path names; each has one path.

    Raises:
        InvalidTile: if the path names none, or is spelled in another way (`tile/00/…`, `x000/001`, `.p/256`).
    """
    head, _, rest = path.removeprefix("tile/").partition("/")
    place, partial, width = rest.partition(".p/")
    elements = place.replace("/x", "/").removeprefix("x").split("/")
    if not all(part.isascii() and part.isdigit() for part in (*elements, *([width] if partial else []))):
        raise InvalidTile(f"{path!r} names no tile.")
    if len(path) > 100 or not (head == "entries" or (head.isascii() and head.isdigit())):
        raise InvalidTile(f"{path!r} names no tile.")
    index, hashes = int("".join(elements)), int(width) if partial else TILE_WIDTH
    named = Bundle(index, hashes) if head == "entries" else Tile(int(head), index, hashes)
    if named.path != path:
        raise InvalidTile(f"{path!r} names no tile; {named.path!r} would.")
    return named


def parse_tile(path: str) -> Tile:
    """The tile of hashes that a path names.

    Raises:
        InvalidTile: if the path names none.
    """
    named = parse_path(path)
    if not isinstance(named, Tile):
        raise InvalidTile(f"{path!r} names a bundle, and no tile of hashes.")
    return named


def _index_path(index: int, width: int) -> str:
    elements = [f"{index % 1000:03d}"]
    while index := index // 1000:
        elements.insert(0, f"x{index % 1000:03d}")
    return "/".join(elements) + (f".p/{width}" if width < TILE_WIDTH else "")


# --- which tiles there are


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree of this size, level by level, from left to right."""
    return changed_tiles(0, size)


def changed_tiles(first: int, second: int) -> Iterator[Tile]:
    """The tiles of a tree of `second` leaves that a tree of `first` leaves does not have; first <= second."""
    for level in range(MAX_LEVEL + 1):
        hashes = second >> (level * TILE_HEIGHT)
        if not hashes:
            return
        for index, width in _changed(first >> (level * TILE_HEIGHT), hashes):
            yield Tile(level, index, width)


def bundles_of(size: int) -> Iterator[Bundle]:
    """Every entry bundle of a log of this size, in order."""
    return changed_bundles(0, size)


def changed_bundles(first: int, second: int) -> Iterator[Bundle]:
    """The entry bundles of a log of `second` entries that one of `first` entries does not have; first <= second."""
    for index, width in _changed(first, second):
        yield Bundle(index, width)


def _changed(first: int, second: int) -> Iterator[tuple[int, int]]:
    """The index and width of the tiles of a level that grows from `first` to `second` hashes."""
    if first < second:
        for index in range(first // TILE_WIDTH, -(-second // TILE_WIDTH)):
            yield index, min(TILE_WIDTH, second - index * TILE_WIDTH)


# --- bytes


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile.

    Raises:
        InvalidTile: if there are not 1 to 256 hashes of 32 bytes.
    """
    if not 1 <= len(hashes) <= TILE_WIDTH or any(len(value) != HASH_BYTES for value in hashes):
        raise InvalidTile(f"A tile has 1 to {TILE_WIDTH} hashes of {HASH_BYTES} bytes.")
    return b"".join(hashes)


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """The hashes of a tile.

    Raises:
        InvalidTile: if the bytes are not exactly `width` hashes.
    """
    if len(data) != width * HASH_BYTES:
        raise InvalidTile(f"A tile of {width} hashes has {width * HASH_BYTES} bytes, not {len(data)}.")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle.

    Raises:
        EntryTooLarge: if an entry has more than 65,535 bytes.
        InvalidTile: if there are not 1 to 256 entries.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise InvalidTile(f"An entry bundle has 1 to {TILE_WIDTH} entries, not {len(entries)}.")
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise EntryTooLarge(f"An entry of a bundle has at most {MAX_ENTRY_BYTES} bytes, not {len(entry)}.")
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        InvalidTile: if the bytes are not exactly `width` entries.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data) or len(entries) != width:
        raise InvalidTile(f"The {len(data)} bytes are not a bundle of {width} whole entries.")
    return entries


# --- errors


class TileMissing(MerkleError):
    """There is no file at the path. A tile exists once a checkpoint of a size that needs it is published."""

    code = "tile_missing"
    title = "No such tile"


class InvalidTile(MerkleError):
    """The path names no tile and no bundle as C2SP tlog-tiles writes them, or the bytes are not those of it."""

    code = "invalid_tile"
    title = "Not a tile"


class EntryTooLarge(MerkleError):
    """An entry is over 65,535 bytes, which its length in a bundle cannot tell."""

    code = "entry_too_large"
    title = "The entry is too large for a bundle"
