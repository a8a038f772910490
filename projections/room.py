"""Whether the disk of the store has room: a small write fits into pages that are there, and says nothing of it."""

from __future__ import annotations

import errno
import time
import uuid
from collections.abc import Callable
from math import inf
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from tracker.log.sqlstates import DISK_FULL, INSUFFICIENT_PRIVILEGE, has_sqlstate

ROOM_BYTES = 1024 * 1024
"""Bytes of new room that a store must have: a fact, its indexes and its read models on pages of their own."""

ASK_SECONDS = 1.0
"""Seconds between two questions to a PostgreSQL whose disk was full."""

REFUSAL_SECONDS = 15.0
"""Seconds for which a refusal counts whose role may make no table, so that nothing more can be asked."""

FULL = f"the disk of the store is full: it has no room for {ROOM_BYTES // 1024} KiB"
"""Why a store takes no writes, or soon will not."""

_ROW_BYTES = 1024
"""Bytes of a row that PostgreSQL neither compresses nor moves elsewhere."""

_TAKE = "CREATE UNLOGGED TABLE {name} AS SELECT repeat('x', :size) AS room FROM generate_series(1, :rows)"


class StoreRoom:
    """Whether the store of an engine has room for new pages. Safe between threads."""

    def __init__(self, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._monotonic = engine, monotonic
        self._asked_at = -inf
        self._found_at = -inf
        """When room was last asked for and found."""

    def why_none(self, refused_at: float | None) -> str | None:
        """Why the store has no room; None if it has, or where nothing says that it has not.

        `refused_at` is when it last refused a write because its disk was full, on the monotonic clock. The disk of a
        SQLite file is asked each time, by a file beside it that is gone at once. PostgreSQL is asked after a refusal,
        until it could make a table that is rolled back.

        Raises: SQLAlchemy's errors if the store does not answer.
        """
        if self._engine.dialect.name == "sqlite":
            return _why_none_beside(self._engine.url.database or "")
        if refused_at is None or refused_at <= self._found_at:
            return None
        now = self._monotonic()
        if now - self._asked_at < ASK_SECONDS:
            return FULL
        self._asked_at = now
        try:
            if not self._takes_room():
                return FULL
        except ProgrammingError as error:
            if not has_sqlstate(error.orig, INSUFFICIENT_PRIVILEGE):
                raise
            return FULL if now - refused_at <= REFUSAL_SECONDS else None
        self._found_at = now
        return None

    def _takes_room(self) -> bool:
        """Whether PostgreSQL finds room for a new table. It is never committed."""
        take = text(_TAKE.format(name=f"room_{uuid.uuid4().hex}"))
        try:
            with self._engine.connect() as conn:
                conn.execute(take, {"size": _ROW_BYTES, "rows": ROOM_BYTES // _ROW_BYTES})
                conn.rollback()
        except OperationalError as error:
            if has_sqlstate(error.orig, DISK_FULL):
                return False
            raise
        return True


def _why_none_beside(path: str) -> str | None:
    """Why there is no room beside a file; None if there is, or if it cannot be tried."""
    try:
        with TemporaryFile(dir=Path(path).parent) as file:
            file.write(bytes(ROOM_BYTES))
            file.flush()
    except OSError as refused:
        return FULL if refused.errno in (errno.ENOSPC, errno.EDQUOT) else None
    return None
