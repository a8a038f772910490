"""Tiles and entry bundles as files, after c2sp.org/tlog-tiles."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trees import leaf, leaves
from tracker.merkle import InvalidHash, InvalidProof, OutOfTree, root_of, verify_consistency, verify_inclusion
from tracker.tile_tree import TileBuilder, TileReader
from tracker.tiles import (
    Bundle,
    EntryTooLarge,
    InvalidTile,
    Tile,
    TileMissing,
    bundles_of,
    changed_bundles,
    changed_tiles,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    parse_path,
    tiles_of,
)

SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 600, 65_535, 65_536, 65_537, 70_000]
"""Sizes at which a tile, or a level of tiles, begins or ends."""

LEAVES = leaves(SIZES[-1])

ROOTS = {size: root_of(LEAVES[:size]) for size in SIZES}


class Files(dict[str, bytes]):
    """Tiles by their path, with what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, path: str) -> bytes:
        self.asked.append(path)
        if path not in self:
            raise TileMissing(path)
        return self[path]

    def write(self, builder: TileBuilder, more: list[bytes]) -> None:
        """Add leaves, and write the tiles that are full and those that are partial after them."""
        for tile, data in (*builder.extend(more), *builder.partial_tiles()):
            assert self.setdefault(tile.path, data) == data, f"{tile.path} has changed"


@pytest.fixture(scope="module")
def log() -> Files:
    """The tiles of a log that had a checkpoint at each of the sizes."""
    files, builder = Files(), TileBuilder()
    for first, second in pairwise(SIZES):
        files.write(builder, LEAVES[first:second])
    return files


# --- coordinates


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 1234067, 8), "tile/0/x001/x234/067.p/8"),
        (Tile(3, 5, 255), "tile/3/005.p/255"),
        (Tile(63, 1_000_000), "tile/63/x001/x000/000"),
        (Bundle(0, 15), "tile/entries/000.p/15"),
        (Bundle(1234067), "tile/entries/x001/x234/067"),
    ],
)
def test_the_path_of_a_tile_is_that_of_the_specification(place: Tile | Bundle, path: str) -> None:
    assert place.path == path
    assert parse_path(path) == place


@given(
    st.one_of(
        st.builds(Tile, st.integers(0, 63), st.integers(0, 2**60), st.integers(1, 256)),
        st.builds(Bundle, st.integers(0, 2**60), st.integers(1, 256)),
    )
)
def test_every_place_has_a_path_and_every_path_its_place(place: Tile | Bundle) -> None:
    assert parse_path(place.path) == place


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/234",
        "tile/0/x001/x234",
        "tile/0/x1234",
        "tile/0/xx01/234",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/2",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/../0/000",
        "tile/0/٠٠٠",
        "tile/0/²²²",
        "tile/0/000\n",
        "tile/entries",
        "tile/entries/1",
        "tile/Entries/000",
        "0/000",
        "tile/tile/0/000",
        "tile/0/" + "x999/" * 100 + "999",
    ],
)
def test_a_path_in_another_spelling_names_nothing(path: str) -> None:
    with pytest.raises(InvalidTile):
        parse_path(path)


@given(st.text(alphabet="tile/0123456789xp.entrs-", max_size=24))
@settings(max_examples=300)
def test_any_text_is_a_path_or_refused(text: str) -> None:
    with suppress(InvalidTile):
        assert parse_path("tile/" + text).path == "tile/" + text


# --- which tiles there are


def test_the_tiles_of_a_tree_of_70000_are_those_of_the_specification() -> None:
    by_level: dict[int, list[Tile]] = {}
    for tile in tiles_of(70_000):
        by_level.setdefault(tile.level, []).append(tile)
    assert by_level[0] == [*(Tile(0, index) for index in range(273)), Tile(0, 273, 112)]
    assert by_level[1] == [Tile(1, 0), Tile(1, 1, 17)]
    assert by_level[2] == [Tile(2, 0, 1)]
    assert list(by_level) == [0, 1, 2]
    assert list(bundles_of(70_000)) == [*(Bundle(index) for index in range(273)), Bundle(273, 112)]


def test_a_tree_of_256_has_a_partial_tile_of_level_1() -> None:
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_what_changes_is_what_the_larger_tree_has_and_the_smaller_has_not(one: int, other: int) -> None:
    first, second = sorted((one, other))
    before = set(tiles_of(first))
    assert list(changed_tiles(first, second)) == [tile for tile in tiles_of(second) if tile not in before]
    known = set(bundles_of(first))
    assert list(changed_bundles(first, second)) == [bundle for bundle in bundles_of(second) if bundle not in known]


# --- bytes


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    for broken in (data[:-1], data + b"\0", data + b"\0\0"):
        with pytest.raises(InvalidTile):
            decode_bundle(broken, len(entries))
    for width in {len(entries) - 1, len(entries) + 1} - {0}:
        with pytest.raises(InvalidTile):
            decode_bundle(data, width)


def test_an_entry_is_as_long_as_its_length_can_tell() -> None:
    longest = bytes(65_535)
    assert encode_bundle([b"ab", longest]) == b"\0\2ab\xff\xff" + longest
    with pytest.raises(EntryTooLarge):
        encode_bundle([bytes(65_536)])


def test_a_tile_has_1_to_256_whole_hashes() -> None:
    assert decode_tile(encode_tile(LEAVES[:256]), 256) == LEAVES[:256]
    for broken in ([], LEAVES[:257], [b"short"]):
        with pytest.raises(InvalidTile):
            encode_tile(broken)
    for length in (0, 31, 33, 64):
        with pytest.raises(InvalidTile):
            decode_tile(bytes(length), 1)
    for broken in ([], [b""] * 257):
        with pytest.raises(InvalidTile):
            encode_bundle(broken)


# --- a tree in tiles


def test_the_builder_writes_exactly_the_tiles_of_every_size(log: Files) -> None:
    assert set(log) == {tile.path for size in SIZES for tile in tiles_of(size)}


@pytest.mark.parametrize("size", SIZES)
def test_the_root_out_of_tiles_is_the_root_of_the_leaves(log: Files, size: int) -> None:
    assert TileReader(size, log.fetch).root() == ROOTS[size]


@pytest.mark.parametrize("size", SIZES)
def test_a_builder_that_is_resumed_writes_the_same_tiles(log: Files, size: int) -> None:
    builder = TileBuilder.resume(size, log.fetch)
    assert (builder.size, builder.root()) == (size, ROOTS[size])
    again = Files()
    for second in SIZES[SIZES.index(size) + 1 :]:
        written = Files()
        written.write(builder, LEAVES[builder.size : second])
        assert builder.root() == ROOTS[second]
        assert {tile.path for tile in changed_tiles(size, second)} <= written.keys() | again.keys()
        again.update(written)
    assert all(log[path] == data for path, data in again.items())


@given(st.sampled_from(SIZES[1:]), st.data())
@settings(max_examples=60, deadline=None)
def test_proofs_out_of_tiles_verify(log: Files, size: int, data: st.DataObject) -> None:
    reader = TileReader(size, log.fetch)
    index = data.draw(st.integers(0, size - 1))
    root = reader.root()
    verify_inclusion(index=index, size=size, leaf=leaf(index), proof=reader.inclusion_proof(index), root=root)
    first = data.draw(st.integers(1, size))
    verify_consistency(
        first=first,
        second=size,
        first_root=root_of(LEAVES[:first]),
        second_root=root,
        proof=reader.consistency_proof(first),
    )


def test_one_proof_fetches_a_handful_of_tiles_and_the_next_one_none(log: Files) -> None:
    log.asked.clear()
    reader = TileReader(70_000, log.fetch)
    reader.inclusion_proof(12_345)
    assert sorted(log.asked) == ["tile/0/048", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17"]
    log.asked.clear()
    reader.inclusion_proof(12_346)
    assert log.asked == []


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one(log: Files) -> None:
    files = Files()
    files.update((path, data) for path, data in log.items() if ".p/" not in path or path == "tile/2/000.p/1")
    for size in (255, 257, 511, 600, 65_535, 65_536):
        assert TileReader(size, files.fetch).root() == ROOTS[size]
    assert list(TileReader(300, files.fetch).leaves()) == LEAVES[:300]
    with pytest.raises(TileMissing):
        TileReader(70_000, files.fetch).root()
    assert files.asked[-2:] == ["tile/1/001.p/17", "tile/1/001"]


def test_a_changed_tile_proves_nothing_though_the_root_is_read_from_the_tile_above_it(log: Files) -> None:
    files = Files()
    files.update(log)
    files["tile/0/001"] = files["tile/0/000"]
    reader = TileReader(600, files.fetch)
    assert reader.root() == ROOTS[600]
    assert root_of(reader.leaves()) != ROOTS[600]
    for index in (256, 300, 511):
        with pytest.raises(InvalidProof):
            verify_inclusion(
                index=index,
                size=600,
                leaf=reader.subtree(0, index),
                proof=reader.inclusion_proof(index),
                root=ROOTS[600],
            )


def test_a_tile_of_the_wrong_length_is_refused(log: Files) -> None:
    for length in (0, 88 * 32 - 1, 87 * 32, 89 * 32, 256 * 32):
        files = Files()
        files.update(log)
        files["tile/0/002.p/88"] = bytes(length)
        with pytest.raises(InvalidTile):
            TileReader(600, files.fetch).root()


def test_what_is_outside_the_tree_is_not_in_its_tiles(log: Files) -> None:
    reader = TileReader(600, log.fetch)
    for level, index in ((0, 600), (0, -1), (-1, 0), (3, 75), (9, 1), (10, 0)):
        with pytest.raises(OutOfTree):
            reader.subtree(level, index)
    for level, index in ((0, 3), (1, 1), (2, 0), (0, -1)):
        with pytest.raises(OutOfTree):
            reader.hashes(level, index)
    with pytest.raises(OutOfTree):
        TileReader(-1, log.fetch)


@pytest.mark.parametrize("start", [0, 1, 255, 256, 257, 599, 600, 700])
def test_leaves_and_entries_are_read_from_any_place_to_the_end(log: Files, start: int) -> None:
    entries = [f"entry {number}".encode() for number in range(600)]
    files = Files()
    files.update(log)
    for bundle in bundles_of(600):
        files[bundle.path] = encode_bundle(entries[bundle.index * 256 : bundle.index * 256 + bundle.width])
    reader = TileReader(600, files.fetch)
    assert list(reader.leaves(start)) == LEAVES[start:600]
    assert list(reader.entries(start)) == entries[start:]


def test_entries_of_a_smaller_log_are_read_from_the_full_bundle() -> None:
    files = Files()
    files["tile/entries/000"] = encode_bundle([b"%d" % number for number in range(256)])
    assert list(TileReader(3, files.fetch).entries()) == [b"0", b"1", b"2"]


def test_a_leaf_that_is_no_hash_is_not_built_into_tiles() -> None:
    with pytest.raises(InvalidHash):
        list(TileBuilder().extend([b"an entry, not its hash"]))
