"""What is published of the log: checkpoints, tiles, entry bundles and proofs (c2sp.org/tlog-tiles).

Nothing is answered beyond the last committed checkpoint. Hashes come from the ledger's own tiles, which are those that
were signed; entries come from the log, so an entry that was changed in the log does not hash to its leaf any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, bindparam, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from projections.ledger.tables import CHECKPOINT, STATE, TILE
from projections.tables import is_missing_table
from tracker.checkpoint import Checkpoint
from tracker.errors import Unavailable
from tracker.log.away import unavailable
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow
from tracker.merkle import HASH_BYTES, MerkleError, OutOfTree
from tracker.signed_note import SignedNote, VerifierKey
from tracker.tile_tree import TileReader
from tracker.tiles import TILE_HEIGHT, TILE_WIDTH, Bundle, Tile, TileMissing, encode_bundle, parse_path, parse_tile


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A checkpoint as it is served: `note` is the signed note, `signed_at` the instant of its signature (RFC 3339)."""

    size: int
    root: bytes
    note: bytes
    signed_at: str

    def doubt(self, origin: str, keys: Iterable[str] = ()) -> str:
        """Why the note is not the one that was signed for this size and root, as a sentence; empty if it is.

        `keys` are verifier keys, of which one must have signed; without them no signature is looked at.
        """
        try:
            note = SignedNote.parse(self.note)
            verifiers = [VerifierKey.parse(key) for key in keys]
            if verifiers:
                note.verified_by(verifiers)
            told = Checkpoint.parse(note.text)
            why = "" if told == Checkpoint(origin, self.size, self.root) else "it tells another size or root"
        except MerkleError as wrong:
            why = wrong.detail
        return why and f"the stored checkpoint of {self.size} events is not the one that was signed: {why}"


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What the process that signs has told: verifier keys, the last consistency proof, and why nothing is signed.

    `proved_from` and `proved_to` are the sizes of the two trees of the proof, None before the first. `fault` is empty
    while checkpoints are signed.
    """

    keys: tuple[str, ...] = ()
    proved_from: int | None = None
    proved_to: int | None = None
    proved_at: str | None = None
    fault: str = ""


class Ledger:
    """The published ledger of one log. `origin_of` gives the origin of the log with an id.

    Every read raises Unavailable if the store does not answer. Positions count from 1, indices from 0; `size` is a
    number of events. A ledger that was never signed has no checkpoint and no tile.
    """

    def __init__(self, engine: Engine, log: LogRecorder, origin_of: Callable[[str], str]) -> None:
        self.engine, self.log, self._origin_of = engine, log, origin_of

    @property
    def origin(self) -> str:
        """The name of the log in its checkpoints, as far as this process knows the log (`LogGuard.log`)."""
        return self._origin_of(self.log.guard.log)

    # Checkpoints

    def checkpoint(self) -> PublishedCheckpoint | None:
        """The last checkpoint; None if none was signed yet."""
        return _published(self._first(_LATEST))

    def checkpoint_covering(self, position: int) -> PublishedCheckpoint | None:
        """The first checkpoint that covers the event at a position; None if none does yet."""
        return _published(self._first(_COVERING, position=position))

    def size(self) -> int:
        """The number of events that the last checkpoint covers; 0 if there is none."""
        last = self.checkpoint()
        return 0 if last is None else last.size

    def intact(self, checkpoint: PublishedCheckpoint) -> PublishedCheckpoint:
        """The checkpoint, once its note is seen to tell the size and the root that the database has beside it.

        Raises: Unavailable if it does not: somebody changed the database.
        """
        if doubt := checkpoint.doubt(self.origin):
            raise Unavailable(doubt)
        return checkpoint

    def state(self) -> LedgerState:
        """What the process that signs has told."""
        row = self._first(_STATE)
        return LedgerState() if row is None else LedgerState(tuple(row[0].split()), *row[1:])

    # Tiles

    def tile(self, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """The first `width` hashes of the tile at a place: of every checkpoint that was ever published.

        Raises: TileMissing if the last checkpoint does not cover them, or the ledger has lost the tile.
        """
        place = Tile(level, index, width)
        if _width(self.size(), level, index) < width:
            raise _missing(place)
        return self._hashes(place)

    def entries(self, index: int, width: int = TILE_WIDTH) -> bytes:
        """The first `width` entries of the bundle at a place: the stored line of each event.

        The entry of an event of which something is withheld is empty: its leaf is in the tree, its line is not public.

        Raises: TileMissing if the last checkpoint does not cover them, or the log has lost one of them.
        """
        place = Bundle(index, width)
        if _width(self.size(), 0, index) < width:
            raise _missing(place)
        first = index * TILE_WIDTH
        rows = self.log.read(first, width)
        there = {row.position for row in rows}
        for position in range(first + 1, first + width + 1):
            if position not in there:
                raise _gone(position)
        return encode_bundle([public_line(row) or b"" for row in rows])

    def line(self, position: int) -> bytes | None:
        """The stored line of the event at a position; None if something of it is withheld.

        Raises: OutOfTree if the last checkpoint does not cover it; TileMissing if the log has it no more.
        """
        if position > (covered := self.size()):
            raise OutOfTree(f"the last checkpoint covers {covered} events, not {position}")
        row = next(iter(self.log.read(position - 1, 1)), None)
        if row is None or row.position != position:
            raise _gone(position)
        return public_line(row)

    def fetch(self, path: str) -> bytes:
        """The bytes at a path below the log's prefix, such as `tile/0/x001/067.p/5` (`tiles.Fetch`).

        Raises: InvalidTile if the path names no tile; TileMissing as `tile` and `entries` do.
        """
        place = parse_path(path)
        if isinstance(place, Bundle):
            return self.entries(place.index, place.width)
        return self.tile(place.level, place.index, place.width)

    # Proofs

    def tree(self, size: int | None = None) -> TileReader:
        """The tree of `size` events, by default of the last checkpoint; it reads tiles as it is asked.

        Raises: OutOfTree if the last checkpoint does not cover so many.
        """
        covered = self.size()
        if size is None:
            size = covered
        if size > covered:
            raise OutOfTree(f"the last checkpoint covers {covered} events, not {size}")
        return TileReader(size, self._fetch_covered)

    def inclusion_proof(self, position: int, size: int | None = None) -> list[bytes]:
        """The proof that the event at a position is in the tree of `size` events (RFC 6962 §2.1.1).

        Raises: OutOfTree if it is not, or if the last checkpoint does not cover so many.
        """
        return self.tree(size).inclusion_proof(position - 1)

    def consistency_proof(self, first: int, second: int | None = None) -> list[bytes]:
        """The proof that the tree of `second` events begins with the tree of `first` (RFC 6962 §2.1.2).

        Raises: OutOfTree if not 0 < first <= second, or if the last checkpoint does not cover so many.
        """
        return self.tree(second).consistency_proof(first)

    # How

    def _fetch_covered(self, path: str) -> bytes:
        return self._hashes(parse_tile(path))

    def _hashes(self, place: Tile) -> bytes:
        return _cut(self._first(_TILE, level=place.level, number=place.index), place)

    def _first(self, query: Select[Any], **given: Any) -> Any:
        try:
            with self.engine.connect() as conn:
                return conn.execute(query, {"origin": self.origin, **given}).first()
        except (OperationalError, InterfaceError) as error:
            if is_missing_table(error):
                return None
            raise unavailable(error.orig) from error
        except DBAPIError as error:
            if is_missing_table(error):
                return None
            raise


# Statements are made once: making one costs more than the row.


def _columns(table: Table, *names: str) -> Select[Any]:
    """The columns of the rows of `:origin`."""
    return select(*(table.c[name] for name in names)).where(table.c.origin == bindparam("origin"))


_CHECKPOINTS = _columns(CHECKPOINT, "size", "root", "note", "signed_at")
_LATEST = _CHECKPOINTS.order_by(CHECKPOINT.c.size.desc()).limit(1)
_COVERING = _CHECKPOINTS.where(CHECKPOINT.c.size >= bindparam("position")).order_by(CHECKPOINT.c.size).limit(1)
_STATE = _columns(STATE, "keys", "proved_from", "proved_to", "proved_at", "fault")
_TILE = _columns(TILE, "hashes").where(TILE.c.level == bindparam("level"), TILE.c.number == bindparam("number"))


def read_latest(conn: Connection, origin: str) -> PublishedCheckpoint | None:
    """The last checkpoint of an origin, in a transaction."""
    return _published(conn.execute(_LATEST, {"origin": origin}).first())


def public_line(row: LogRow) -> bytes | None:
    """The stored line of an event; None if something of it is withheld.

    Raises: TileMissing if the line is empty, which no event's is: it is gone from the log, and was not withheld.
    """
    if row.withheld:
        return None
    if not row.state:
        raise TileMissing(f"the line of the event at position {row.position} is gone from the log")
    return row.state


def read_tile(conn: Connection, origin: str, place: Tile) -> bytes:
    """The hashes of a tile as far as they are asked for, in a transaction.

    Raises: TileMissing if the table has not so many.
    """
    return _cut(conn.execute(_TILE, {"origin": origin, "level": place.level, "number": place.index}).first(), place)


def _cut(row: Any, place: Tile) -> bytes:
    if row is None or len(row[0]) < place.width * HASH_BYTES:
        raise TileMissing(f"{place.path} is gone from the ledger: a process that begins to sign makes it anew")
    return bytes(row[0][: place.width * HASH_BYTES])


def _published(row: Any) -> PublishedCheckpoint | None:
    return None if row is None else PublishedCheckpoint(row[0], bytes(row[1]), bytes(row[2]), row[3])


def _width(size: int, level: int, index: int) -> int:
    """How many hashes, or entries, the tile at a place has in a tree of `size` events; 0 or less for none."""
    return min(TILE_WIDTH, (size >> (level * TILE_HEIGHT)) - index * TILE_WIDTH)


def _gone(position: int) -> TileMissing:
    return TileMissing(f"the event at position {position} is gone from the log")


def _missing(place: Tile | Bundle) -> TileMissing:
    return TileMissing(f"there is no {place.path} yet")
