"""Signs the log: takes in new leaves, proves the tree consistent with the last checkpoint, and commits the next one.

One process signs at a time, the one that projects: every transaction counts up its lease (`Fence`). Tiles and
checkpoint are written in one transaction, so nobody reads a checkpoint whose tiles are not there. A log that is not
consistent with what was published is not signed: `LedgerFault` says why, and all that was published stays as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from projections.ledger.audit import LedgerAudit, narrowed
from projections.ledger.faults import Inconsistent, LedgerFault
from projections.ledger.leaves import read_leaves
from projections.ledger.reader import Ledger, LedgerState, PublishedCheckpoint, read_latest, read_tile
from projections.ledger.remembered import RememberedCheckpoints, TreeHead
from projections.ledger.tables import CHECKPOINT, create_tables
from projections.ledger.tile_writer import write_checkpoint, write_state, write_tiles
from projections.tables import is_missing_table, writing
from tracker.checkpoint import Checkpoint
from tracker.event import stamp
from tracker.merkle import EMPTY_ROOT, HASH_BYTES, InvalidProof, verify_consistency
from tracker.signed_note import SigningKey
from tracker.tile_tree import TileBuilder, TileReader
from tracker.tiles import TILE_WIDTH, Tile, TileMissing, parse_tile

STEP_LEAVES = 25_600
"""Leaves that are taken in, or audited, in one step at most: a hundred full tiles."""

PAGE_CHECKPOINTS = 1_000
"""Checkpoints that are read at a time while the position of a fault is looked for."""

NOTHING = TreeHead(0, EMPTY_ROOT)
"""The tree before the first event: every tree begins with it, so there is nothing to prove."""

_log = logging.getLogger(__name__)


Fence = Callable[[Connection], None]
"""Called in every transaction that writes; it raises if this process may not write any more."""


class Keys(Protocol):
    """Where the signing keys come from."""

    def of(self, origin: str, known: Sequence[str] = ()) -> Sequence[SigningKey]:
        """The keys of a log, the one that stays valid longest first. `known` are the verifier keys that signed before.

        Raises: LedgerFault if there is none that may be used.
        """
        ...


class _MustBeginAnew(Exception):
    """Another process has signed meanwhile, or a tile is lost: the next step begins with an audit."""


class LedgerSigner:
    """Signs one log. For one thread; `now` gives the instants of signatures."""

    def __init__(
        self,
        ledger: Ledger,
        keys: Keys,
        remembered: RememberedCheckpoints,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger, self._keys, self._remembered, self._now = ledger, keys, remembered, now
        self._engine, self._log = ledger.engine, ledger.log
        self._origin, self._history = "", 0
        self._audit: LedgerAudit | None = None
        self._builder: TileBuilder | None = None
        self._last: PublishedCheckpoint | None = None
        self._published = NOTHING
        self._state = LedgerState()
        self._fault: LedgerFault | None = None

    def step(self, fence: Fence, limit: int = STEP_LEAVES) -> bool:
        """Sign what is new, or audit a part of what was signed; whether there is more to do at once.

        Raises: what `fence` raises, and the errors of a store that is away.
        """
        origin, history = self._ledger.origin, self._log.guard.changes
        if (origin, history) != (self._origin, self._history):
            self._origin, self._history, self._fault = origin, history, None
            self.forget()
        if isinstance(self._fault, Inconsistent):
            return False
        try:
            is_behind = self._step(fence, limit)
        except LedgerFault as fault:
            self._tell(fence, fault)
            return False
        except _MustBeginAnew:
            self.forget()
            return True
        except BaseException:
            self.forget()
            raise
        if self._fault is not None and not is_behind:
            self._tell(fence, None)
        return is_behind

    @property
    def is_behind(self) -> bool:
        """Whether the log is known to have more than is signed. Asks no database."""
        size = 0 if self._builder is None else self._builder.size
        return self._fault is None and self._log.guard.known.position > size

    def is_settled(self) -> bool:
        """Whether all that is recorded is signed, by the keys that sign today as far as this process has them."""
        last, state, origin = self._ledger.checkpoint(), self._ledger.state(), self._ledger.origin
        if last is None or last.size < self._log.head():
            return False
        try:
            keys = self._keys.of(origin, state.keys)
        except LedgerFault:
            return True
        return tuple(str(key.verifier) for key in keys) == state.keys

    def forget(self) -> None:
        """Forget the tree: the next step begins with an audit. For a process that may not have been the only one."""
        self._audit = self._builder = None

    def keep(self) -> None:
        """Write to the state directory what is not written there yet: the process ends."""
        self._remembered.keep(at_once=True)

    # How

    def _step(self, fence: Fence, limit: int) -> bool:
        if self._builder is None:
            return self._audited(fence, limit)
        keys = self._keys.of(self._origin, self._state.keys)
        size = self._builder.size
        vkeys = tuple(str(key.verifier) for key in keys)
        is_signed = self._last is not None and self._last.size == size and vkeys == self._state.keys
        if is_signed and not self._state.fault and self._log.guard.known.position <= size:
            self._remembered.keep()
            return False
        # From the beginning of the tile of the last leaf on: what was taken in last is looked at once more.
        head, first = self._log.head(), max(0, size - 1) // TILE_WIDTH * TILE_WIDTH
        leaves = read_leaves(self._log, first, limit, head)
        self._must_begin_with_the_edge(leaves, first)
        self._sign(fence, leaves[size - first :], keys, vkeys)
        return self._builder is not None and head > self._builder.size

    def _audited(self, fence: Fence, limit: int) -> bool:
        if self._audit is None:
            self._begin()
            assert self._audit is not None
        try:
            found = self._audit.step(limit, self._log.head())
        except Inconsistent as fault:
            raise fault if fault.position else narrowed(fault, self._log, self._heads()) from fault
        if found.tiles:
            with writing(self._engine).begin() as conn:
                fence(conn)
                write_tiles(conn, self._origin, found.tiles)
        if found.is_done:
            self._builder, self._audit = self._audit.builder, None
        return True

    def _begin(self) -> None:
        try:
            self._read()
        except DBAPIError as error:
            if not is_missing_table(error):
                raise
            create_tables(self._engine)
            self._read()

    def _read(self) -> None:
        with self._engine.connect() as conn:
            self._last = read_latest(conn, self._origin)
        self._state = self._ledger.state()
        if self._last is not None and (doubt := self._last.doubt(self._origin, self._state.keys)):
            raise Inconsistent(doubt)
        kept = self._remembered.last(self._origin)
        stored = None if self._last is None else TreeHead(self._last.size, self._last.root)
        heads = sorted(head for head in (kept, stored) if head is not None)
        self._published = heads[-1] if heads else NOTHING
        self._audit = LedgerAudit(self._log, heads, self._stored)

    def _stored(self, tile: Tile) -> bytes:
        with self._engine.connect() as conn:
            return read_tile(conn, self._origin, tile)

    def _heads(self) -> Iterator[TreeHead]:
        """All checkpoints of this origin, the smallest first."""
        query = select(CHECKPOINT.c.size, CHECKPOINT.c.root).where(CHECKPOINT.c.origin == self._origin)
        query, after = query.order_by(CHECKPOINT.c.size).limit(PAGE_CHECKPOINTS), -1
        while True:
            with self._engine.connect() as conn:
                rows = conn.execute(query.where(CHECKPOINT.c.size > after)).all()
            if not rows:
                return
            for after, root in rows:
                yield TreeHead(after, bytes(root))

    def _must_begin_with_the_edge(self, leaves: Sequence[bytes], first: int) -> None:
        assert self._builder is not None
        taken = self._builder.size - first
        if not taken:
            return
        edge = next((hashes for tile, hashes in self._builder.partial_tiles() if tile.level == 0), None)
        if edge is None:  # the last tile is full
            try:
                edge = self._stored(Tile(0, first // TILE_WIDTH))
            except TileMissing:
                raise _MustBeginAnew from None  # the audit looks at every leaf, and writes the lost tile anew
        if len(leaves) < taken:
            position = first + len(leaves) + 1
            raise Inconsistent(f"the log ends before position {position}, which was signed", position)
        for number in range(taken):
            if leaves[number] != edge[number * HASH_BYTES : (number + 1) * HASH_BYTES]:
                position = first + number + 1
                raise Inconsistent(f"the leaf at position {position} is not the one that was signed", position)

    def _sign(self, fence: Fence, leaves: Sequence[bytes], keys: Sequence[SigningKey], vkeys: tuple[str, ...]) -> None:
        assert self._builder is not None
        builder, now = self._builder.copy(), stamp(self._now())
        tiles = [*builder.extend(leaves), *builder.partial_tiles()]
        head = TreeHead(builder.size, builder.root())
        note = Checkpoint(self._origin, head.size, head.root).sign(keys)
        checkpoint = PublishedCheckpoint(head.size, head.root, note, now)
        state = replace(self._state, keys=vkeys, fault="")
        if self._published.size:
            state = replace(state, proved_from=self._published.size, proved_to=head.size, proved_at=now)
        with writing(self._engine).begin() as conn:
            fence(conn)
            if read_latest(conn, self._origin) != self._last:
                raise _MustBeginAnew
            write_tiles(conn, self._origin, tiles)
            self._must_be_consistent(conn, head)
            write_checkpoint(conn, self._origin, checkpoint)
            write_state(conn, self._origin, state)
        self._builder, self._last, self._published, self._state = builder, checkpoint, head, state
        self._remembered.note(self._origin, head, note)

    def _must_be_consistent(self, conn: Connection, head: TreeHead) -> None:
        """Prove from the stored tiles, the new ones among them, that the tree begins with what was published."""
        before = self._published
        reader = TileReader(head.size, partial(self._fetch, conn))
        try:
            if reader.root() != head.root:
                raise Inconsistent("the stored tiles are not those of the log")
            if before.size:
                verify_consistency(
                    first=before.size,
                    second=head.size,
                    first_root=before.root,
                    second_root=head.root,
                    proof=reader.consistency_proof(before.size),
                )
        except (InvalidProof, TileMissing) as error:
            raise Inconsistent(
                f"the log does not begin with the {before.size} events that were published: {error}"
            ) from error

    def _fetch(self, conn: Connection, path: str) -> bytes:
        return read_tile(conn, self._origin, parse_tile(path))

    def _tell(self, fence: Fence, fault: LedgerFault | None) -> None:
        """Log why nothing is signed, or that it is signed again, and tell the other processes; once for each reason."""
        if str(fault) == str(self._fault):
            return
        self._fault = fault
        if fault is None:
            _log.warning("the ledger goes on")
        else:
            _log.error("no checkpoint is signed: %s", fault)
        create_tables(self._engine)
        self._state = replace(self._state, fault=str(fault or ""))
        with writing(self._engine).begin() as conn:
            fence(conn)
            write_state(conn, self._origin, self._state)
