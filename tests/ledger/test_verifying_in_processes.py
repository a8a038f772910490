"""Entries that are looked at in several processes: the same events, and the same first position that is wrong."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.published_logs import PublishedLog, entries
from tracker.in_processes import each_in_processes
from tracker.tiles import TILE_WIDTH, encode_bundle
from tracker.verification import log_verification
from tracker.verification.doubts import LogDoubted
from tracker.verification.log_verification import LogVerification, VerifiedEvent

LOG = PublishedLog(entries(1_300), withheld=frozenset({300, 1_299}))
WORK = partial(each_in_processes, processes=2)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_verification, "PIECE_BUNDLES", 1)


def walked(log: PublishedLog) -> list[VerifiedEvent | None]:
    files = log.files
    return list(LogVerification(log.checkpoint, files.__getitem__).events(WORK))


def test_the_events_are_those_that_one_process_verifies() -> None:
    found = walked(LOG)
    assert found == list(LogVerification(LOG.checkpoint, LOG.files.__getitem__).events())
    assert [at for at, event in enumerate(found, start=1) if event is None] == [300, 1_299]


def test_a_tile_that_is_read_ahead_and_wrong_is_no_doubt_before_an_entry_that_is_wrong_first() -> None:
    shown = list(LOG.entries[TILE_WIDTH : 2 * TILE_WIDTH])
    shown[43] = b""
    shown[9] = shown[9].replace(b"alice", b"malic")
    log = LOG.with_files(**{"tile/entries/001": encode_bundle(shown), "tile/0/003": bytes(32 * TILE_WIDTH)})
    with pytest.raises(LogDoubted) as doubted:
        walked(log)
    assert (doubted.value.position, doubted.value.reason) == (266, "the entry is not the one whose hash is signed")
    with pytest.raises(LogDoubted) as doubted:
        walked(LOG.with_files(**{"tile/0/003": bytes(32 * TILE_WIDTH)}))
    assert (doubted.value.position, doubted.value.last) == (769, 1_024)
