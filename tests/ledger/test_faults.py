"""A log that is not what was published is not signed: by whom it was changed, and how, is no matter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ledgers import SignedLog, signed_log, walk
from tests.support.tampering import tamper
from tests.support.trees import merkle_tree_hash
from tracker.checkpoint import Checkpoint
from tracker.errors import Unavailable
from tracker.merkle import leaf_hash
from tracker.signed_note import SigningKey, encode_base64
from tracker.tiles import TileMissing

FORGED = leaf_hash(b"another line")
CHANGE_LEAF = "UPDATE {log} SET leaf = :leaf WHERE position = :position"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def world(database_url: str, state: Path) -> Iterator[SignedLog]:
    with signed_log(database_url, state) as world:
        yield world


def restarted(world: SignedLog) -> Iterator[SignedLog]:
    """Another process on the same store and state directory."""
    with signed_log(world.url, world.state) as again:
        again.record(1)
        again.sign()
        yield again


@pytest.mark.parametrize("size", [1, 255, 256, 257, 300])
def test_a_leaf_that_was_changed_among_the_last_is_found_at_the_next_event(
    world: SignedLog, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    world.record(size)
    world.sign()
    before = world.ledger.checkpoint()
    tamper(world.url, CHANGE_LEAF, leaf=FORGED, position=size)
    world.record(1)
    assert world.sign() == size
    assert world.ledger.checkpoint() == before
    assert world.fault() == f"the leaf at position {size} is not the one that was signed"
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [f"no checkpoint is signed: {world.fault()}"]
    world.record(1)
    assert world.sign() == size


def test_a_line_that_was_emptied_is_not_passed_off_as_withheld(world: SignedLog) -> None:
    world.record(3)
    world.sign()
    tamper(world.url, "UPDATE {events} SET state = :state WHERE {number} = 2", state=b"")
    with pytest.raises(TileMissing, match="position 2 is gone from the log"):
        world.ledger.entries(0, 3)
    with pytest.raises(TileMissing, match="position 2 is gone from the log"):
        world.ledger.line(2)
    assert world.ledger.line(1)


def test_an_event_that_is_gone_is_not_said_to_come_yet(world: SignedLog) -> None:
    world.record(3)
    world.sign()
    tamper(world.url, "DELETE FROM {events} WHERE {number} = 2", "DELETE FROM {log} WHERE position = 2")
    with pytest.raises(TileMissing, match="the event at position 2 is gone from the log"):
        world.ledger.entries(0, 3)
    with pytest.raises(TileMissing, match=r"there is no tile/entries/000\.p/4 yet"):
        world.ledger.entries(0, 4)
    tamper(world.url, "DELETE FROM ledger_tile WHERE level = 0")
    with pytest.raises(TileMissing, match=r"tile/0/000\.p/3 is gone from the ledger"):
        world.ledger.tile(0, 0, 3)


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_full_last_tile_that_was_lost_is_no_leave_to_sign_without_a_look(world: SignedLog, is_changed: bool) -> None:
    world.record(256)
    world.sign()
    tamper(world.url, "DELETE FROM ledger_tile WHERE level = 0")
    if is_changed:
        tamper(world.url, CHANGE_LEAF, leaf=FORGED, position=7)
    world.record(1)
    assert world.sign() == (256 if is_changed else 257)
    assert bool(world.fault()) is is_changed
    if not is_changed:
        published = world.ledger.checkpoint()
        assert published is not None
        walk(published.note, world.ledger.fetch, world.vkeys())


def test_a_leaf_that_was_changed_long_ago_is_found_when_a_process_begins(world: SignedLog) -> None:
    world.record(600)
    world.sign()
    tamper(world.url, CHANGE_LEAF, leaf=FORGED, position=5)
    for again in restarted(world):
        assert again.ledger.size() == 600
        assert "the leaf at position 5 is not the one that was signed" in again.fault()


def test_a_leaf_that_was_changed_in_the_tiles_too_is_told_by_the_checkpoints(world: SignedLog) -> None:
    for _ in range(6):
        world.record(1)
        world.sign()
    tile = bytearray(world.ledger.tile(0, 0, 6))
    tile[3 * 32 : 4 * 32] = FORGED
    tamper(
        world.url,
        CHANGE_LEAF,
        "UPDATE ledger_tile SET hashes = :hashes WHERE level = 0 AND number = 0",
        leaf=FORGED,
        position=4,
        hashes=bytes(tile),
    )
    for again in restarted(world):
        assert again.ledger.size() == 6
        assert "the leaf at position 4 is not the one that was signed" in again.fault()


def test_between_which_checkpoints_a_change_lies_is_told_where_they_are_far_apart(world: SignedLog) -> None:
    world.record(10)
    world.sign()
    world.record(10)
    world.sign()
    tile = world.ledger.tile(0, 0, 20)
    forged = tile[: 14 * 32] + FORGED + tile[15 * 32 :]
    tamper(
        world.url,
        CHANGE_LEAF,
        "UPDATE ledger_tile SET hashes = :hashes WHERE level = 0 AND number = 0",
        leaf=FORGED,
        position=15,
        hashes=forged,
    )
    for again in restarted(world):
        assert "the first that differs is among the positions 11 to 20" in again.fault()


@pytest.mark.parametrize("gone", [2, 280])
def test_an_event_that_was_deleted_is_missing(world: SignedLog, gone: int) -> None:
    world.record(300)
    world.sign()
    tamper(
        world.url,
        "DELETE FROM {events} WHERE {number} = :gone",
        "DELETE FROM {log} WHERE position = :gone",
        gone=gone,
    )
    for again in restarted(world):
        assert again.ledger.size() == 300
        assert again.fault() == f"the event at position {gone} is missing from the log"


FORGE_NOTE = "UPDATE ledger_checkpoint SET note = :note"


@pytest.mark.parametrize("kind", ["another root", "no text", "another key"])
def test_a_checkpoint_that_was_changed_in_the_database_is_told_and_nothing_is_signed_on_it(
    world: SignedLog, kind: str
) -> None:
    world.record(3)
    world.sign()
    last = world.ledger.checkpoint()
    assert last is not None
    assert world.ledger.intact(last) == last
    stranger = SigningKey.generate(world.ledger.origin)
    note = {
        "another root": last.note.replace(encode_base64(last.root).encode(), encode_base64(FORGED).encode()),
        "no text": b"ab\xff",
        "another key": Checkpoint(world.ledger.origin, last.size, last.root).sign([stranger]),
    }[kind]
    tamper(world.url, FORGE_NOTE, note=note)
    changed = world.ledger.checkpoint()
    assert changed is not None
    if kind != "another key":
        with pytest.raises(Unavailable, match="the stored checkpoint of 3 events is not the one that was signed"):
            world.ledger.intact(changed)
    for again in restarted(world):
        assert "the stored checkpoint of 3 events is not the one that was signed" in again.fault()
        assert again.ledger.checkpoint() == changed


def test_a_log_that_was_cut_off_is_told_by_the_checkpoint_in_the_state_directory(world: SignedLog) -> None:
    world.record(5)
    world.sign()
    world.record(5)
    world.sign()
    tamper(
        world.url,
        "DELETE FROM {events} WHERE {number} > 5",
        "DELETE FROM {log} WHERE position > 5",
        "DELETE FROM ledger_checkpoint WHERE size > 5",
    )
    for again in restarted(world):
        assert again.fault() == "the log ends at position 6, and a checkpoint of 10 events was published"


def test_an_older_copy_that_grew_again_is_told_by_the_checkpoint_in_the_state_directory(world: SignedLog) -> None:
    world.record(5)
    world.sign()
    root = world.record(5)[-1].leaf
    world.sign()
    tamper(
        world.url,
        CHANGE_LEAF,
        "DELETE FROM ledger_tile",
        "DELETE FROM ledger_checkpoint WHERE size > 5",
        leaf=FORGED,
        position=8,
    )
    assert root != FORGED
    for again in restarted(world):
        assert again.ledger.size() == 5
        assert "the first 10 events are not those of the checkpoint that was published" in again.fault()


def test_once_the_right_copy_is_back_and_the_process_begins_anew_it_goes_on(world: SignedLog) -> None:
    rows = world.record(3)
    world.sign()
    tamper(world.url, CHANGE_LEAF, leaf=FORGED, position=2)
    world.record(1)
    world.sign()
    assert world.fault()
    tamper(world.url, CHANGE_LEAF, leaf=rows[1].leaf, position=2)
    for again in restarted(world):
        assert again.fault() == ""
        assert again.ledger.size() == 5


def test_a_fork_is_another_log_with_a_ledger_of_its_own_and_the_old_one_stays(world: SignedLog) -> None:
    world.record(3)
    world.sign()
    before, origin = world.ledger.checkpoint(), world.ledger.origin
    tamper(world.url, CHANGE_LEAF, leaf=FORGED, position=2)
    world.record(1)
    world.sign()
    assert world.fault()
    world.log.fork("the copy of yesterday")
    assert world.sign() == 4
    assert world.fault() == ""
    assert world.ledger.origin != origin
    after = world.ledger.checkpoint()
    assert after is not None
    assert after.root == merkle_tree_hash(world.log.leaves(0, 4))
    assert [key.name for key in world.vkeys()] == [world.ledger.origin]
    old = type(world.ledger)(world.engine, world.log, lambda _: origin)
    assert old.checkpoint() == before


def test_tiles_that_were_lost_are_made_again_from_the_log(world: SignedLog) -> None:
    world.record(600)
    world.sign()
    tamper(world.url, "DELETE FROM ledger_tile WHERE level = 0")
    for again in restarted(world):
        assert again.fault() == ""
        published = again.ledger.checkpoint()
        assert published is not None
        checkpoint, _ = walk(published.note, again.ledger.fetch, again.vkeys())
        assert checkpoint.size == 601


def test_of_two_processes_that_sign_none_overwrites_the_other(world: SignedLog) -> None:
    with signed_log(world.url, world.state) as other:
        for turn in range(6):
            one = world if turn % 2 else other
            one.record(100)
            assert one.sign() == 100 * (turn + 1)
        assert other.vkeys() == world.vkeys()
        published = other.ledger.checkpoint()
        assert published is not None
        walk(published.note, other.ledger.fetch, world.vkeys())
