"""The writing side of the ledger's tables."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert

from projections.ledger.reader import LedgerState, PublishedCheckpoint
from projections.ledger.tables import CHECKPOINT, STATE, TILE
from tracker.tiles import Tile


def write_tiles(conn: Connection, origin: str, tiles: Iterable[tuple[Tile, bytes]]) -> None:
    """Put tiles in the place of those that are there; of two at one place the later one stays."""
    rows = {(tile.level, tile.index): hashes for tile, hashes in tiles}
    if not rows:
        return
    gone = delete(TILE).where(
        TILE.c.origin == origin, TILE.c.level == bindparam("at_level"), TILE.c.number == bindparam("at_number")
    )
    conn.execute(gone, [{"at_level": level, "at_number": number} for level, number in rows])
    conn.execute(
        insert(TILE),
        [
            {"origin": origin, "level": level, "number": number, "hashes": hashes}
            for (level, number), hashes in rows.items()
        ],
    )


def write_checkpoint(conn: Connection, origin: str, checkpoint: PublishedCheckpoint) -> None:
    """Write a checkpoint, in the place of the one of the same size if there is one."""
    conn.execute(delete(CHECKPOINT).where(CHECKPOINT.c.origin == origin, CHECKPOINT.c.size == checkpoint.size))
    conn.execute(
        insert(CHECKPOINT).values(
            origin=origin,
            size=checkpoint.size,
            root=checkpoint.root,
            note=checkpoint.note,
            signed_at=checkpoint.signed_at,
        )
    )


def write_state(conn: Connection, origin: str, state: LedgerState) -> None:
    """Tell all processes how it stands with the ledger."""
    conn.execute(delete(STATE).where(STATE.c.origin == origin))
    conn.execute(
        insert(STATE).values(
            origin=origin,
            keys="\n".join(state.keys),
            proved_from=state.proved_from,
            proved_to=state.proved_to,
            proved_at=state.proved_at,
            fault=state.fault,
        )
    )
