"""Turns of the projector as they are written where they cannot be written at once, and turns that are cut off."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine

from projections import sqlite_turn
from projections.projector import Projector


def long_way() -> AbstractContextManager[object]:
    """Let no turn be written at once (`projections.turns`)."""
    return patch.object(Projector, "_write_at_once", lambda *_: False)


@contextmanager
def dying_after(tables: int) -> Iterator[None]:
    """Let a turn on SQLite die when the rows of so many of its tables are written; of all, before its commit."""
    begun, transaction, left = sqlite_turn.begun, sqlite_turn.sqlite_transaction, [tables]

    def dies(changed: Any) -> Any:
        if not left[0]:
            raise MemoryError("killed")
        left[0] -= 1
        return begun(changed)

    @contextmanager
    def cut_off(engine: Engine) -> Iterator[Any]:
        with transaction(engine) as conn:
            yield conn
            raise MemoryError("killed")

    with patch.object(sqlite_turn, "begun", dies), patch.object(sqlite_turn, "sqlite_transaction", cut_off):
        yield
