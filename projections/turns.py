"""A turn of the projector, written at once: by each store in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Engine

from projections.lease import Lease
from projections.sqlite_turn import SQLiteTurn
from projections.table_writer import PledgeChange


class Turn(Protocol):
    """Writes a turn of the projector at once, to one table set that answers, for the holder of a lease."""

    def write(self, before: int, after: int, heartbeat: str, notice: str, changes: Mapping[str, PledgeChange]) -> bool:
        """Move the position on and write the rows, and tell `notice` to who listens; false if it cannot be done at
        once.

        Raises: LeaseLost if another instance holds the lease; Superseded unless the set is where `before` says.
        """


def turns_of(engine: Engine, lease: Lease, name: str, number: int) -> Turn:
    """What writes turns to set `number` of a projection."""
    if engine.dialect.name == "postgresql":
        from projections.postgres_turn import PostgresTurn

        return PostgresTurn(engine, lease, name, number)
    return SQLiteTurn(engine, lease, name, number)
