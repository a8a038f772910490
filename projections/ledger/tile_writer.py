"""The writing side of the ledger's tables: every row is put in the place of the one that is there."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, TextClause, text

from projections.ledger.reader import LedgerState, PublishedCheckpoint
from tracker.tiles import Tile


def _put(table: str, key: tuple[str, ...], values: tuple[str, ...]) -> TextClause:
    """The statement that writes a row, on both stores."""
    columns, changed = (*key, *values), ", ".join(f"{name} = excluded.{name}" for name in values)
    return text(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"
    )


_PUT_TILE = _put("ledger_tile", ("origin", "level", "number"), ("hashes",))
_PUT_CHECKPOINT = _put("ledger_checkpoint", ("origin", "size"), ("root", "note", "signed_at"))
_PUT_STATE = _put("ledger_state", ("origin",), ("keys", "proved_from", "proved_to", "proved_at", "fault"))


def write_tiles(conn: Connection, origin: str, tiles: Iterable[tuple[Tile, bytes]]) -> None:
    """Write tiles, in their order."""
    rows = [{"origin": origin, "level": tile.level, "number": tile.index, "hashes": hashes} for tile, hashes in tiles]
    if rows:
        conn.execute(_PUT_TILE, rows)


def write_checkpoint(conn: Connection, origin: str, checkpoint: PublishedCheckpoint) -> None:
    """Write a checkpoint."""
    conn.execute(
        _PUT_CHECKPOINT,
        {
            "origin": origin,
            "size": checkpoint.size,
            "root": checkpoint.root,
            "note": checkpoint.note,
            "signed_at": checkpoint.signed_at,
        },
    )


def write_state(conn: Connection, origin: str, state: LedgerState) -> None:
    """Tell all processes how it stands with the ledger."""
    conn.execute(
        _PUT_STATE,
        {
            "origin": origin,
            "keys": "\n".join(state.keys),
            "proved_from": state.proved_from,
            "proved_to": state.proved_to,
            "proved_at": state.proved_at,
            "fault": state.fault,
        },
    )
