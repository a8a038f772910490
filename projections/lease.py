"""The right of one process to project: a lock that ends with its process, and a row that shows who is at work.

The lock frees the lease at once when its holder ends. A holder that is frozen keeps its lock, so the holder also counts
up the beat of its row. A standby that sees the same beat for TAKEOVER_SECONDS takes the row over although the lock is
held. Every transaction of a projector counts the beat up where the row names that projector, and fails where it names
another one: a holder that wakes up writes nothing more.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from projections.table_writer import Superseded
from projections.tables import LEASE, writing

if TYPE_CHECKING:
    from tracker.log.postgres_connection import TimedConnection

TAKEOVER_SECONDS = 10.0
"""Seconds for which a standby sees an unchanged beat before it takes the lease from a holder that has its lock."""

BEAT_SECONDS = 3.0
"""Seconds between two beats of a holder that has nothing to write."""

LOOK_SECONDS = 0.2
"""Seconds between two looks at the beat of a holder that may be frozen."""


MAX_NAME_BYTES = 63
"""Bytes that PostgreSQL keeps of a session's name."""

_END_SESSIONS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = :name AND usename = current_user AND pid <> pg_backend_pid()"""


class LeaseLost(Superseded):
    """Another instance has taken the lease over. Whoever held it MUST write nothing more and stand by."""


class Lock(Protocol):
    """A lock between processes that is free as soon as its holder has ended."""

    def acquire(self) -> bool:
        """Whether this process holds the lock now; takes it if it is free. Never waits.

        Raises: Unavailable if the store does not answer.
        """
        ...

    def release(self) -> None:
        """Give the lock back, if this process holds it."""
        ...

    @property
    def session(self) -> TimedConnection | None:
        """The session of PostgreSQL that has the lock; None while it is not held, and on SQLite."""
        ...


class FileLock:
    """A lock file beside the SQLite file; the operating system frees it when the process ends."""

    session = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def process_lock(database_url: str, name: str) -> Lock:
    """The lock `name` on a database."""
    if database_url.startswith("sqlite"):
        path = database_url.partition("://")[2].removeprefix("/").partition("?")[0]
        return FileLock(Path(f"{path}.{name}.lock"))
    from projections.session_lock import SessionLock

    return SessionLock(database_url, f"commitments-tracker {name}")


class _Row(NamedTuple):
    """The lease as the database has it; `has_lock` is whether the holder had the lock at its last beat."""

    holder: str
    beat: int
    has_lock: bool


class Lease:
    """The lease `name` of one database, for one instance. Its table must be there (`create_tables`)."""

    def __init__(
        self, database_url: str, engine: Engine, name: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        """This instance, as the row names it."""
        self.is_held = False
        """Whether this instance held the lease when it last asked or wrote."""
        self._lock = process_lock(database_url, name)
        self.name = name
        self._engine, self._monotonic = engine, monotonic
        self.has_lock = False
        """Whether this instance has the lock, too."""
        self._beaten = 0.0
        self._seen: _Row | None = None
        self._seen_at = 0.0

    def acquire(self) -> bool:
        """Whether this instance holds the lease now; takes it if it is free, or if its holder shows no life."""
        self.has_lock = self._lock.acquire()
        if self.is_held:
            return True
        with self._engine.connect() as conn:
            row = conn.execute(select(LEASE.c.holder, LEASE.c.beat, LEASE.c.has_lock).where(self._mine())).first()
        if row is None:
            raise LookupError(f"the table of leases has no row {self.name!r}")
        found, now = _Row(*row), self._monotonic()
        if found != self._seen:
            self._seen, self._seen_at = found, now
        # Who had the lock and has it no more has ended, for this instance has it now.
        has_ended = self.has_lock and (found.has_lock or not found.holder)
        if not has_ended and found.holder and now - self._seen_at >= TAKEOVER_SECONDS:
            self._end_sessions(found.holder)
        if has_ended or found.holder == self.holder or now - self._seen_at >= TAKEOVER_SECONDS:
            self.is_held = self._take(found)
        if not self.is_held and self.has_lock:
            self._unlock()  # the instance at work took over without the lock, and tries for it at each turn
        return self.is_held

    def acquire_from_frozen(self, wait: Callable[[float], bool]) -> bool:
        """Whether this instance holds the lease now; if another one does, wait until that shows life, or is frozen.

        `wait` waits for so many seconds, and says whether to give up.
        """
        until = self._monotonic() + TAKEOVER_SECONDS + BEAT_SECONDS
        first: _Row | None = None
        while not self.acquire():
            first = first or self._seen
            if first != self._seen or self._monotonic() > until or wait(LOOK_SECONDS):
                return False
        return True

    def fence(self, conn: Connection) -> None:
        """Count the beat up in a transaction that writes.

        Raises: LeaseLost if another instance holds the lease; the transaction MUST be rolled back then.
        """
        beaten = update(LEASE).where(self._mine(), LEASE.c.holder == self.holder)
        if conn.dialect.name == "postgresql":  # what `_end_sessions` knows the session by, in the same round trip
            beaten = beaten.where(func.set_config("application_name", self.session_name, False).is_not(None))
        if conn.execute(beaten.values(beat=LEASE.c.beat + 1, has_lock=self.has_lock)).rowcount != 1:
            raise LeaseLost("another instance has taken the lease over")
        self.note_beat()

    @property
    def session_name(self) -> str:
        """What the sessions in which this instance writes are called."""
        return self.holder[-MAX_NAME_BYTES:]

    @property
    def session(self) -> TimedConnection | None:
        """The session of PostgreSQL that has the lock, if this instance has it."""
        return self._lock.session

    def note_beat(self) -> None:
        """Take in that the beat was counted up."""
        self._beaten = self._monotonic()

    def is_ours(self) -> bool:
        """Whether the row still names this instance, as far as the store answers."""
        try:
            with self._engine.connect() as conn:
                return conn.scalar(select(LEASE.c.holder).where(self._mine())) == self.holder
        except SQLAlchemyError:
            return True

    @property
    def is_beat_due(self) -> bool:
        """Whether nothing was written for BEAT_SECONDS."""
        return self._monotonic() - self._beaten >= BEAT_SECONDS

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Count the beat up every BEAT_SECONDS beside long work; a lease that is lost meanwhile is found by `fence`."""
        done = Event()

        def beat() -> None:
            while not done.wait(BEAT_SECONDS):
                try:
                    with writing(self._engine).begin() as conn:
                        self.fence(conn)
                except LeaseLost:
                    return
                except SQLAlchemyError:
                    continue  # the work itself meets the same store, and tells it

        thread = Thread(target=beat, name=f"{self.name}-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def lost(self) -> None:
        """Take in that another instance holds the lease, and free the lock for it."""
        self.is_held = False
        self._seen = None
        self._unlock()

    def release(self) -> None:
        """Give the lease back, if this instance holds it; the next instance may take it at once."""
        if self.is_held:
            self.is_held = False
            try:
                with writing(self._engine).begin() as conn:
                    conn.execute(update(LEASE).where(self._mine(), LEASE.c.holder == self.holder).values(holder=""))
            except SQLAlchemyError:
                pass  # the store is away: the lock alone says that this instance has ended
        self._unlock()

    def _end_sessions(self, holder: str) -> None:
        """End the sessions of a holder that shows no life: on PostgreSQL one that was frozen in the middle of a
        statement's messages keeps its locks, and `idle_in_transaction_session_timeout` does not count it as idle."""
        if self._engine.dialect.name != "postgresql":
            return
        with writing(self._engine).begin() as conn:
            conn.execute(text(_END_SESSIONS), {"name": holder[-MAX_NAME_BYTES:]})

    def _take(self, found: _Row) -> bool:
        """Compare and swap: another instance may have taken it first."""
        here = (self._mine(), LEASE.c.holder == found.holder, LEASE.c.beat == found.beat)
        taken = update(LEASE).where(*here).values(holder=self.holder, beat=found.beat + 1, has_lock=self.has_lock)
        with writing(self._engine).begin() as conn:
            count = conn.execute(taken).rowcount
        self._seen = None
        self._beaten = self._monotonic()
        return count == 1

    def _unlock(self) -> None:
        self._lock.release()
        self.has_lock = False

    def _mine(self) -> Any:
        return LEASE.c.name == self.name
