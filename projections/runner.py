"""The projector as it runs: follow the log, one instance at a time, and tell who waits how far it is.

The thread MUST outlive a store that goes away and events that cannot be folded. A wake-up (``wake``, NOTIFY) is a hint:
the log is looked at every ``poll`` seconds as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Condition, Event, Lock, Thread

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from projections import table_writer
from projections.lease import lease
from projections.projector import Projector
from projections.queries import TIMELINE
from projections.rebuild import Report, Stopped, rebuild
from projections.tables import connect_postgres, create_tables, is_missing_table, open_engine
from tracker.errors import Unavailable
from tracker.event import stamp
from tracker.log.recorder import CHANNEL, LogRecorder
from tracker.rules.status_document import RULES_VERSION

PROJECTION_VERSION = f"2+{RULES_VERSION}"
"""What rows are made by: this code (count up when a column changes its meaning) and the rules. Another one rebuilds."""

BATCH_EVENTS = 1_000
"""Events of one transaction, at most."""

HEARTBEAT_INTERVAL = timedelta(seconds=5)
_BULK = 5_000  # an empty projection this far behind is built in bulk
_PATIENCE = 3  # times that a turn begins anew
_GLANCE = 0.01  # seconds between two looks at another process's progress

_log = logging.getLogger(__name__)


class Busy(Exception):
    """Another process is rebuilding the projection. Wait until it is done."""


class Runner:
    """Keeps the timeline of one database up with its log. ``now`` gives the time of heartbeats; MUST be stopped."""

    def __init__(
        self,
        database_url: str,
        log: LogRecorder,
        now: Callable[[], datetime],
        *,
        engine: Engine | None = None,
        batch: int = BATCH_EVENTS,
        poll: float = 0.5,
        version: str = PROJECTION_VERSION,
    ) -> None:
        self._url, self._log, self._batch, self._poll, self._version = database_url, log, batch, poll, version
        self._engine = engine or open_engine(database_url)
        self._owns_engine = engine is None
        self._clock = now
        self._lease = lease(database_url, "projector")
        self._rebuilding = lease(database_url, "rebuild")
        self._projector: Projector | None = None
        self._beaten_at: datetime | None = None
        self._moved = Condition()
        self._position = 0
        self._wake = Event()
        self._stopping = Event()
        self._turn_lock = Lock()
        self._threads: list[Thread] = []

    # In the background

    def start(self) -> None:
        """Follow the log in a thread until ``stop``."""
        self._stopping.clear()
        self._spawn(self._follow, "projector")
        if self._engine.dialect.name == "postgresql":
            self._spawn(self._listen, "projector-listen")

    def stop(self) -> None:
        """Finish the batch at hand, let go of the lease and of the engine, if it is ours."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        with self._turn_lock:
            self._lease.release()
            self._projector = None
        if self._owns_engine:
            self._engine.dispose()

    def wake(self) -> None:
        """The log has grown."""
        self._wake.set()

    @property
    def is_active(self) -> bool:
        """Whether this instance is the one at work, and not standing by."""
        return self._projector is not None

    @property
    def position(self) -> int:
        """The last position that this instance has projected, or seen projected. Asks no database."""
        return self._position

    def wait_until(self, position: int, timeout: float) -> bool:
        """Whether the projection reaches a position within so many seconds, whoever projects it."""
        self.wake()
        left = timeout
        while True:
            if self._position >= position:
                return True
            if left <= 0:
                return False
            # The one at work says so itself; what another process has done has to be looked up.
            pause = min(left, self._poll if self.is_active else _GLANCE)
            with self._moved:
                self._moved.wait_for(lambda: self._position >= position, pause)
            left -= pause
            if self._position < position and not self.is_active:
                self._look()

    def _spawn(self, target: Callable[[], None], name: str) -> None:
        thread = Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _follow(self) -> None:
        trouble = ""
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                worked = self.run_once()
                trouble = ""
            except Exception as error:
                # The store is away, or worse: say so once, and go on when it is better.
                if str(error) != trouble:
                    _log.warning("the projector cannot go on: %s", error, exc_info=not _is_away(error))
                    trouble = str(error)
                self._let_go()
                worked = 0
            if not worked:
                self._wake.wait(self._poll)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with connect_postgres(self._url, autocommit=True) as conn:
                    conn.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        for _ in conn.notifies(timeout=0.25, stop_after=1):
                            self.wake()
            except psycopg.Error:
                self._stopping.wait(self._poll)

    # One step at a time

    def run_once(self) -> int:
        """Project one batch if the lease is ours or free; how many events that was."""
        with self._turn_lock:
            if not self._lease.acquire():
                self._projector = None
                self._look()
                return 0
            for _ in range(_PATIENCE):
                try:
                    projector = self._ready()
                    done = projector.step(self._batch)
                    self._beat(projector, worked=done > 0)
                except table_writer.Superseded:
                    # Another set answers now, or somebody else has been here: begin where it stands.
                    self._projector = None
                    continue
                self._reached(projector.position)
                return done
            return 0

    def catch_up(self) -> int:
        """Project until the head that the log had when this was called; the position that was reached.

        Errors: ``Busy`` when another process holds the lease and does not get there.
        """
        head = self._log.head()
        self.run_once()
        while not self._stopping.is_set() and self._position < head:
            if not self.run_once() and not self.is_active and not self.wait_until(head, 10):
                raise Busy("another process projects, and is behind")
        return self._position

    def rebuild(self, progress: Report | None = None, *, processes: int = 1) -> int:
        """Build the projection anew beside the one that answers, then switch; the position that was reached.

        ``progress`` is told how many events of how many are done.

        Errors: ``Busy`` when another process is at it.
        """
        if not self._rebuilding.acquire():
            raise Busy("the projection is being rebuilt already")
        try:
            return rebuild(
                self._engine,
                self._log,
                self._now,
                self._version,
                processes=processes,
                progress=progress,
                stopped=self._stopping.is_set,
            )
        finally:
            self._rebuilding.release()

    # How

    def _ready(self) -> Projector:
        """The projector of the set that answers; makes the tables, or builds a set of this version, where needed."""
        if self._projector is not None:
            return self._projector
        create_tables(self._engine, TIMELINE, self._version)
        live = self._live()
        if live.position == 0 and self._log.head() > _BULK:
            self.rebuild()
            live = self._live()
        elif live.version != self._version and not any(t.name == "projector-rebuild" for t in self._threads):
            self._spawn(self._rebuild_aside, "projector-rebuild")
        self._projector = Projector(self._engine, self._log, live.number, self._now, active=True)
        return self._projector

    def _rebuild_aside(self) -> None:
        """Other rules made the rows that answer: build them anew while those go on answering."""
        try:
            self.rebuild()
        except (Busy, Stopped) as reason:
            _log.info("no rebuild now: %s", reason)
        except Exception:
            _log.exception("the rebuild for version %s failed", self._version)

    def _live(self) -> table_writer.TableSetState:
        with self._engine.connect() as conn:
            return next(s for s in table_writer.states(conn, TIMELINE) if s.active)

    def _look(self) -> None:
        """See how far the one at work is."""
        try:
            self._reached(self._live().position)
        except (StopIteration, DBAPIError) as error:
            if isinstance(error, DBAPIError) and not is_missing_table(error) and not _is_away(error):
                raise

    def _beat(self, projector: Projector, *, worked: bool) -> None:
        """Be heard of, also when there is nothing to do."""
        now = self._clock()
        if not worked and (self._beaten_at is None or now - self._beaten_at >= HEARTBEAT_INTERVAL):
            projector.beat()
            worked = True
        if worked:
            self._beaten_at = now

    def _reached(self, position: int) -> None:
        with self._moved:
            self._position = position
            self._moved.notify_all()

    def _let_go(self) -> None:
        with self._turn_lock:
            self._projector = None
            if self._engine.dialect.name != "postgresql":
                return
            self._lease.release()

    def _now(self) -> str:
        return stamp(self._clock())


def _is_away(error: Exception) -> bool:
    return isinstance(error, (Unavailable, OperationalError, InterfaceError, psycopg.OperationalError, OSError))
