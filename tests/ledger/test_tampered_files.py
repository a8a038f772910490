"""A thousand bits turned over in what is published, each found: with the key alone, and nothing else."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.published_logs import KEY, PublishedLog, entries
from tests.support.trees import flipped
from tracker.merkle import MerkleError
from tracker.tiles import TILE_WIDTH, TileMissing, encode_bundle
from tracker.verification.doubts import LogDoubted
from tracker.verification.log_verification import LogVerification, must_be_signed

FLIPS = 1_000
LOG = PublishedLog(entries(60))
FILES = LOG.files
LONGER = PublishedLog(entries(600))


def believe(files: dict[str, bytes]) -> int:
    """The number of events of a log that is believed by who has the key."""

    def fetch(path: str) -> bytes:
        if path not in files:
            raise TileMissing(path)
        return files[path]

    checkpoint, _ = must_be_signed(fetch("checkpoint"), [KEY.verifier])
    return len(list(LogVerification(checkpoint, fetch).events()))


def test_what_was_not_tampered_with_is_believed() -> None:
    assert believe(FILES) == len(LOG.entries)
    assert believe(LONGER.files) == len(LONGER.entries)


def test_every_flipped_bit_of_a_stored_event_is_found_and_its_position_named() -> None:
    random = Random(20261126)
    for _ in range(FLIPS):
        number = random.randrange(len(LOG.entries))
        lines = list(LOG.entries)
        lines[number] = flipped(lines[number], random.randrange(8 * len(lines[number])))
        with pytest.raises(LogDoubted) as doubted:
            believe(FILES | {"tile/entries/000.p/60": encode_bundle(lines)})
        assert doubted.value.position == number + 1


def test_every_flipped_bit_of_a_file_is_found() -> None:
    random = Random(20261127)
    files = LONGER.files
    paths = sorted(path for path in files if path != "key")  # the key is the reader's own
    weights = [len(files[path]) if "entries" not in path else 2_000 for path in paths]
    for path in random.choices(paths, weights, k=60):
        with pytest.raises(MerkleError):
            believe(files | {path: flipped(files[path], random.randrange(8 * len(files[path])))})


@pytest.mark.parametrize("path", sorted(path for path in LONGER.files if path != "key"))
def test_a_file_in_the_place_of_another_is_found(path: str) -> None:
    for other in sorted(LONGER.files):
        if other not in (path, "key"):
            with pytest.raises(MerkleError):
                believe(LONGER.files | {path: LONGER.files[other]})


def test_two_entries_that_changed_places_are_found() -> None:
    for first in range(0, 59, 7):
        lines = list(LOG.entries)
        lines[first], lines[first + 1] = lines[first + 1], lines[first]
        with pytest.raises(LogDoubted) as doubted:
            believe(FILES | {"tile/entries/000.p/60": encode_bundle(lines)})
        assert doubted.value.position == first + 1


def test_a_bundle_with_one_entry_more_or_less_is_found() -> None:
    shown = list(LONGER.entries[:TILE_WIDTH])
    for changed in (shown[:-1], shown[1:], [*shown[1:], shown[0]], [*shown[:-1], shown[0]]):
        with pytest.raises(LogDoubted):
            believe(LONGER.files | {"tile/entries/000": encode_bundle(changed)})
