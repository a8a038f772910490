"""What is signed is the log: tiles, checkpoints and proofs on both stores, grown step by step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pymerkle
import pytest

from tests.support.ledgers import SignedLog, signed_log, walk
from tests.support.trees import merkle_tree_hash
from tracker.checkpoint import open_checkpoint
from tracker.merkle import EMPTY_ROOT, OutOfTree, leaf_hash, verify_consistency, verify_inclusion
from tracker.tiles import TileMissing, tiles_of


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[SignedLog]:
    with signed_log(database_url, tmp_path / "state") as world:
        yield world


def test_an_empty_log_has_a_signed_checkpoint_of_size_0_and_no_tile(world: SignedLog) -> None:
    assert world.ledger.checkpoint() is None
    assert world.sign() == 0
    published = world.ledger.checkpoint()
    assert published is not None
    checkpoint = open_checkpoint(published.note, world.vkeys(), origin=world.ledger.origin)
    assert (checkpoint.size, checkpoint.root) == (0, EMPTY_ROOT)
    with pytest.raises(TileMissing):
        world.ledger.tile(0, 0, 1)
    with pytest.raises(TileMissing):
        world.ledger.entries(0, 1)


def test_a_client_reads_the_whole_log_and_every_tile_of_it(world: SignedLog) -> None:
    rows = world.record(600)
    assert world.sign(limit=512) == 600
    published = world.ledger.checkpoint()
    assert published is not None
    checkpoint, entries = walk(published.note, world.ledger.fetch, world.vkeys())
    assert checkpoint.origin == world.ledger.origin
    assert entries == [row.state for row in rows]
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    oracle.append_entries([row.state for row in rows])
    assert checkpoint.root == oracle.get_root(600)
    for tile in tiles_of(600):
        assert len(world.ledger.fetch(tile.path)) == 32 * tile.width


def test_signing_step_by_step_gives_the_root_of_each_size_and_proofs_between_them(world: SignedLog) -> None:
    leaves: list[bytes] = []
    sizes = []
    for count in (1, 1, 253, 1, 1, 255, 2):
        leaves += [row.leaf for row in world.record(count)]
        sizes.append(world.sign())
        published = world.ledger.checkpoint()
        assert published is not None
        assert (published.size, published.root) == (len(leaves), merkle_tree_hash(leaves))
        assert open_checkpoint(published.note, world.vkeys()).root == published.root
    for second in sizes:
        for first in [size for size in sizes if size < second]:
            verify_consistency(
                first=first,
                second=second,
                first_root=merkle_tree_hash(leaves[:first]),
                second_root=merkle_tree_hash(leaves[:second]),
                proof=world.ledger.consistency_proof(first, second),
            )
    for position in (1, 2, 255, 256, 257, 512, 514):
        verify_inclusion(
            index=position - 1,
            size=514,
            leaf=leaves[position - 1],
            proof=world.ledger.inclusion_proof(position),
            root=merkle_tree_hash(leaves),
        )


def test_nothing_is_answered_beyond_the_last_checkpoint(world: SignedLog) -> None:
    world.record(300)
    world.sign()
    world.record(300)
    assert len(world.ledger.tile(0, 1, 44)) == 44 * 32
    with pytest.raises(TileMissing):
        world.ledger.tile(0, 1, 45)
    with pytest.raises(TileMissing):
        world.ledger.entries(1, 45)
    with pytest.raises(TileMissing):
        world.ledger.tile(1, 0, 2)
    with pytest.raises(OutOfTree):
        world.ledger.inclusion_proof(301)
    with pytest.raises(OutOfTree):
        world.ledger.consistency_proof(1, 301)


def test_the_first_checkpoint_that_covers_a_position_is_found(world: SignedLog) -> None:
    for _ in range(3):
        world.record(2)
        world.sign()
    found = [world.ledger.checkpoint_covering(position) for position in range(1, 8)]
    assert [None if one is None else one.size for one in found] == [2, 2, 4, 4, 6, 6, None]


def test_what_was_signed_stays_and_nothing_is_signed_twice(world: SignedLog) -> None:
    world.record(3)
    world.sign()
    before = world.ledger.checkpoint()
    assert world.sign() == 3
    assert world.ledger.checkpoint() == before


def test_a_restart_goes_on_with_the_same_key_and_proves_itself_consistent(database_url: str, tmp_path: Path) -> None:
    with signed_log(database_url, tmp_path) as first:
        first.record(300)
        first.sign()
        keys = first.vkeys()
    with signed_log(database_url, tmp_path) as second:
        second.record(1)
        assert second.sign(limit=100) == 301
        assert second.vkeys() == keys
        state = second.ledger.state()
        assert (state.proved_from, state.proved_to) == (300, 301)


def test_a_withheld_event_has_its_leaf_and_no_line_in_the_public_log(world: SignedLog) -> None:
    rows = world.record(3)
    world.log.withhold("event-2", ["summary"], reason="Ruling.", at=rows[0].recorded_at, by="alice")
    world.sign()
    published = world.ledger.checkpoint()
    assert published is not None
    _, entries = walk(published.note, world.ledger.fetch, world.vkeys())
    assert entries == [rows[0].state, b"", rows[2].state]
    assert world.ledger.tile(0, 0, 3)[32:64] == leaf_hash(rows[1].state)
