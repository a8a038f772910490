"""The lock of a lease on PostgreSQL (`projections.lease`)."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress

import psycopg

from projections.postgres_sessions import connect_postgres
from tracker.log.away import unavailable
from tracker.log.postgres_connection import TimedConnection

UNLOCK_SECONDS = 1.0
"""Seconds for which the server is asked to free the lock, before its session is closed in any case."""

SESSION_SECONDS = 1.0
"""Seconds between two looks at whether the session of a lock is there: whoever took the lease from it is found by the
fence of the next transaction in any case."""


class SessionLock:
    """An advisory lock of a PostgreSQL session of its own; the server frees it when the session ends."""

    def __init__(self, database_url: str, name: str) -> None:
        self._url = database_url
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self.session: TimedConnection | None = None
        """The session that has the lock; None while there is none."""
        self._seen_at = 0.0

    def acquire(self) -> bool:
        """Whether this process holds the lock now; takes it if it is free.

        Raises: Unavailable if the server does not answer.
        """
        if self.session is not None:
            now = time.monotonic()
            if now - self._seen_at < SESSION_SECONDS and not self.session.closed:
                return True
            try:
                self.session.execute("SELECT 1")
                self._seen_at = now
                return True
            except psycopg.Error:
                self._close()
        try:
            session = connect_postgres(self._url, autocommit=True)
            session.prepare_threshold = None  # what is prepared here is `postgres_turn`'s
            row = session.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        except psycopg.Error as lost:
            raise unavailable(lost) from lost
        if row is None or not row[0]:
            session.close()
            return False
        self.session = session
        return True

    def release(self) -> None:
        """Give the lock back, if this process holds it."""
        if self.session is not None:
            # A session that is only closed has the lock until the server has seen its end.
            with suppress(psycopg.Error), self.session.answering_within(UNLOCK_SECONDS):
                self.session.execute("SELECT pg_advisory_unlock(%s)", (self._key,))
            self._close()

    def _close(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None
