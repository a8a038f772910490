"""A log on a store with its ledger and the signer of it, step by step; and a reader who trusts nothing but a key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from projections.ledger.keys import KeyFile
from projections.ledger.reader import Ledger
from projections.ledger.remembered import RememberedCheckpoints
from projections.ledger.signer import LedgerSigner
from projections.tables import open_engine
from tests.support.log_lines import NOON, stamp
from tracker.checkpoint import Checkpoint, open_checkpoint
from tracker.log.open import open_recorder
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow, NewLogRow
from tracker.merkle import leaf_hash, root_of
from tracker.signed_note import VerifierKey
from tracker.tile_tree import TileReader


class SignedLog:
    """One process that signs a log. Time goes on by a minute with every signature."""

    def __init__(self, url: str, state: Path) -> None:
        self.url, self.state = url, state
        self.log: LogRecorder = open_recorder(url)
        self.log.look()
        self.engine: Engine = open_engine(url)
        self.ledger = Ledger(self.engine, self.log, lambda log: f"example.com/{log}")
        self.keys = KeyFile(state)
        self.remembered = RememberedCheckpoints(state)
        self.now = NOON
        self.signer = LedgerSigner(self.ledger, self.keys, self.remembered, self._tick)

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def record(self, count: int) -> list[LogRow]:
        """Append so many lines, unlike all before them."""
        head = self.log.head()
        lines = [
            NewLogRow(f"p{n}", 1, "StatementMade", f"event-{n}", _line(n), NOON)
            for n in range(head + 1, head + count + 1)
        ]
        return self.log.append(lines, restamp=stamp)

    def sign(self, limit: int = 10_000) -> int:
        """Step until there is nothing to do; the size that is signed then."""
        self.log.look()
        while self.signer.step(lambda _: None, limit):
            pass
        self.signer.keep()
        return self.ledger.size()

    def fault(self) -> str:
        """Why nothing is signed, as other processes are told."""
        return self.ledger.state().fault

    def vkeys(self) -> list[VerifierKey]:
        """The keys that the log says are its own."""
        return [VerifierKey.parse(key) for key in self.ledger.state().keys]

    def close(self) -> None:
        self.signer.keep()
        self.engine.dispose()
        self.log.close()


def _line(number: int) -> bytes:
    return json.dumps({"fact": {"summary": f"Fact {number}."}}).encode()


@contextmanager
def signed_log(url: str, state: Path) -> Iterator[SignedLog]:
    """A process that signs the log at a URL, from its start to its end."""
    world = SignedLog(url, state)
    try:
        yield world
    finally:
        world.close()


def walk(note: bytes, fetch: Callable[[str], bytes], keys: Sequence[VerifierKey]) -> tuple[Checkpoint, list[bytes]]:
    """What a client of C2SP does: verify the checkpoint, read every tile and entry, compare every hash.

    Returns the checkpoint and the entries; that of a withheld event is empty, and its leaf is taken from the tile.
    """
    checkpoint = open_checkpoint(note, keys)
    reader = TileReader(checkpoint.size, fetch)
    leaves, entries = list(reader.leaves()), list(reader.entries())
    assert len(leaves) == len(entries) == checkpoint.size
    assert all(leaf == leaf_hash(entry) for leaf, entry in zip(leaves, entries, strict=True) if entry)
    assert reader.root() == root_of(leaves) == checkpoint.root
    return checkpoint, entries
