"""The projector as it runs: it follows the log, one instance at a time on a database.

The thread MUST outlive a store that goes away and events that cannot be folded. That is why the library's class of the
same name is not used: it does one transaction for each event, and ends at the first exception.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from projections import table_writer
from projections.lease import BEAT_SECONDS, Lease, LeaseLost
from projections.ledger.signer import LedgerSigner
from projections.projected import Ahead, Projected
from projections.projector import Projector
from projections.queries import TIMELINE
from projections.rebuild import Report, Stopped, rebuild
from projections.tables import LEASE_OF_PROJECTOR, LEASE_OF_REBUILD, create_tables, is_missing_table, open_engine
from projections.turns import turns_of
from tracker.errors import Unavailable
from tracker.event import stamp
from tracker.log.away import unavailable
from tracker.log.recorder import LogRecorder
from tracker.log.watcher import POLL_SECONDS, LogWatcher
from tracker.rules.status_document import RULES_VERSION

PROJECTION_VERSION = f"9+{RULES_VERSION}"
"""What rows are made by: this code (count up when a column changes its meaning) and the rules. Another one rebuilds."""

BATCH_EVENTS = 1_000
"""Events of one transaction, at most."""

HEARTBEAT_INTERVAL = timedelta(seconds=BEAT_SECONDS)
"""The longest time between two signs of life of a projector that has nothing to do."""

BULK_EVENTS = 5_000
"""Events in the log from which on an empty projection is built in bulk instead of batch by batch."""

SIGNING_SECONDS = 0.5
"""Seconds between two looks at whether something is to be signed: under load one signature covers many events."""

TURN_ATTEMPTS = 3
"""How often one turn begins anew when another instance or a switch of table sets came in between."""

REBUILD_RETRY_SECONDS = 30.0
"""Seconds between two attempts to build the rows of other rules anew beside those that answer."""

STANDBY_LOOK_SECONDS = 0.01
"""Seconds between two looks at the progress of the process that projects, while `catch_up` waits for it."""

ASKED_LOOK_SECONDS = 0.05
"""Seconds between two looks at whether the process that projects has done what it was asked for."""

STANDBY_SECONDS = 10.0
"""Seconds that `catch_up` waits for the process that projects."""

_log = logging.getLogger(__name__)


class Busy(Exception):
    """Another process is rebuilding the projection, or projects and is behind. Wait until it is done."""


class ProjectionRunner:
    """Keeps the timeline of one database up with its log; MUST be stopped.

    `now` gives the time of heartbeats. `poll` is the seconds between two looks at a log of which nothing is heard. The
    instance at work also signs the log, if it has a `signer`.
    """

    def __init__(
        self,
        database_url: str,
        log: LogRecorder,
        now: Callable[[], datetime],
        *,
        engine: Engine | None = None,
        batch: int = BATCH_EVENTS,
        poll: float = POLL_SECONDS,
        version: str = PROJECTION_VERSION,
        signer: LedgerSigner | None = None,
    ) -> None:
        self._log, self._batch, self._version = log, batch, version
        self._engine = engine or open_engine(database_url)
        self._owns_engine = engine is None
        self._clock = now
        self._lease = Lease(database_url, self._engine, LEASE_OF_PROJECTOR)
        self._rebuilding = Lease(database_url, self._engine, LEASE_OF_REBUILD)
        self._rebuild_lock = Lock()
        self._projector: Projector | None = None
        self._signer, self._sign_at = signer, 0.0
        self._sign_in: float | None = None
        self._signing_failure: type[Exception] | None = None
        self._beaten_at: datetime | None = None
        self._position, self._has_waiting = 0, False
        self._history = log.guard.changes
        self._stopping = Event()
        self._turn_lock = Lock()
        self._rebuild_thread: Thread | None = None
        self.committed: Callable[[Projected], None] = lambda projected: None
        """Called after each turn of this instance, if it is at work; it MUST be short."""
        self.watcher = LogWatcher(database_url, self._follow, name="projector", logger=_log, poll=poll)
        """The thread that projects; its `last_seen` tells when a turn last went well, at work or standing by."""

    # In the background

    def start(self) -> None:
        """Follow the log in a thread until `stop`."""
        self._stopping.clear()
        self.watcher.start()

    def stop(self) -> None:
        """Finish the batch at hand, and release the lease and the engine, if the engine was opened here."""
        self._stopping.set()
        self.watcher.stop()
        if self._rebuild_thread is not None:
            self._rebuild_thread.join()
            self._rebuild_thread = None
        with self._turn_lock:
            self._lease.release()
            self._projector = None
            if self._signer is not None:
                self._signer.keep()
        if self._owns_engine:
            self._engine.dispose()

    def wake(self) -> None:
        """The log has grown: look now."""
        self.watcher.wake()

    @property
    def is_active(self) -> bool:
        """Whether this instance is the one at work, and not standing by."""
        return self._projector is not None

    @property
    def position(self) -> int:
        """The last position that this instance has projected, or seen projected. Asks no database."""
        return self._position

    def _follow(self) -> float | None:
        """One look of the watcher: at once again after events, for there may be more."""
        try:
            return 0.0 if self.run_once(hurry=True) or self._has_waiting else self._sign_in
        except Exception as error:
            self._let_go()
            if isinstance(error, (OperationalError, InterfaceError)):
                raise unavailable(error.orig) from error
            raise

    # One step at a time

    def run_once(self, *, hurry: bool = False) -> int:
        """Project one batch if this instance holds the lease or can take it; the number of events in the batch.

        What is new is signed after it: nobody waits for the signature, and writers wait for the rows.
        """
        with self._turn_lock:
            self._sign_in = None
            for _ in range(TURN_ATTEMPTS):
                if not self._may_work():
                    self._projector, self._has_waiting = None, False
                    self._look()
                    return 0
                try:
                    may_go_on, ahead = self._look_on()
                    if may_go_on and self._projector is None:
                        self._sign()  # making the projector ready may take long
                    projector = self._ready()
                    done = projector.step(self._batch, hurry=hurry, ahead=ahead) if may_go_on else 0
                    self.committed(projector.projected)
                    self._beat(projector, worked=done > 0)
                    if may_go_on:
                        self._sign()
                except LeaseLost:
                    self._lease.lost()
                    _log.warning("another instance has taken the lease over; this one stands by")
                except table_writer.Superseded:
                    # Another set answers now, or another instance wrote to this one: begin where it stands.
                    pass
                else:
                    self._position, self._has_waiting = projector.position, projector.has_waiting
                    return done
                self._projector = None
            return 0

    def sign_once(self) -> bool:
        """Sign a part of what is recorded, and project nothing; whether this instance holds the lease for it.

        Raises: LogWentBack if the log lost events, until it is forked; the errors of a store that is away.
        """
        assert self._signer is not None
        with self._turn_lock:
            if not self._may_work():
                return False
            self._log.look()
            self._log.guard.must_allow_writes()
            try:
                self._signer.step(self._lease.fence)
            except LeaseLost:
                self._lease.lost()
                return False
            return True

    def _may_work(self) -> bool:
        """Whether this instance holds the lease or could take it; missing tables are made by whoever finds out."""
        had = self._lease.is_held
        try:
            held = self._lease.acquire()
        except (DBAPIError, LookupError) as error:
            if isinstance(error, DBAPIError) and not is_missing_table(error):
                raise
            create_tables(self._engine, TIMELINE, self._version)
            held = self._lease.acquire()
        if held and not had:
            _log.info("this instance projects: %s", self._lease.holder)
        return held

    def catch_up(self) -> int:
        """Project until the head that the log had when this was called; the position that was reached.

        Raises: Busy if another process holds the lease and does not get there within STANDBY_SECONDS; LogWentBack if
        the log lost events, until it is forked.
        """
        head = self._log.head()
        deadline = time.monotonic() + STANDBY_SECONDS
        self.run_once()
        while not self._stopping.is_set() and (self._position < head or self._has_waiting):
            if self.run_once() or self.is_active:
                self._log.guard.must_allow_writes()
                continue
            if time.monotonic() > deadline:
                raise Busy("another process projects, and is behind")
            self._stopping.wait(STANDBY_LOOK_SECONDS)
        return self._position

    def run_until(self, done: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Project until it is done; if another process projects, wait until that one has done it.

        Raises: Busy, which says that it has not `what`, if another process takes more than `seconds`; LogWentBack if
        the log lost events, until it is forked.
        """
        deadline = time.monotonic() + seconds
        while not done():
            self.run_once()
            if self.is_active:
                self._log.guard.must_allow_writes()
                continue
            if time.monotonic() > deadline:
                raise Busy(f"the process that projects has not {what} in {seconds:g} s; is it of this version?")
            self._stopping.wait(ASKED_LOOK_SECONDS)

    def rebuild(self, progress: Report | None = None, *, processes: int = 1) -> int:
        """Build the projection anew beside the one that answers, then switch; the position that was reached.

        `progress` is called with the number of events that are done and the number of all.

        Raises: Busy if another process rebuilds, or took this rebuild over because this process stood still; Stopped if
        `stop` was called meanwhile.
        """
        create_tables(self._engine, TIMELINE, self._version)
        with self._rebuild_lock:
            if not self._rebuilding.acquire_from_frozen(self._stopping.wait):
                raise Busy("the projection is being rebuilt already")
            try:
                with self._rebuilding.beating():
                    return rebuild(
                        self._engine,
                        self._log,
                        self._now,
                        self._version,
                        processes=processes,
                        progress=progress,
                        stopped=self._stopping.is_set,
                        fence=self._rebuilding.fence,
                    )
            except Exception:
                if self._rebuilding.is_ours():
                    raise
                self._rebuilding.lost()
                raise Busy("this rebuild stood still, and another process took it over") from None
            finally:
                self._rebuilding.release()

    # How

    def _look_on(self) -> tuple[bool, Ahead | None]:
        """Whether the log has only grown, and what there is to project; what is of another history is forgotten."""
        guard, ahead = self._log.guard, None
        if self._projector is None:
            self._log.look()
        else:
            ahead = Ahead(*self._log.look_on(self._projector.position, self._batch))
        if self._history != guard.changes:
            self._history = guard.changes
            self._projector = None
        return guard.refusal is None, ahead if self._projector is not None else None

    def _sign(self) -> None:
        """Sign what is new. An error that is neither the store's nor the lease's is told once, and holds up no row."""
        if self._signer is None:
            return
        if (left := self._sign_at - time.monotonic()) > 0:
            self._sign_in = left if self._signer.is_behind else None
            return
        try:
            self._sign_in = 0.0 if self._signer.step(self._lease.fence) else None
            self._sign_at = time.monotonic() + (SIGNING_SECONDS if self._sign_in is None else 0.0)
            self._signing_failure = None
        except (DBAPIError, Unavailable, table_writer.Superseded):
            raise
        except Exception as error:
            if type(error) is not self._signing_failure:
                _log.exception("the log cannot be signed, which is tried again")
            self._signing_failure = type(error)

    def _ready(self) -> Projector:
        """The projector of the set that answers. Missing tables are made, a set of another version is built anew."""
        if self._projector is not None:
            return self._projector
        create_tables(self._engine, TIMELINE, self._version)
        live = self._live()
        if table_writer.is_of_another_log(self._engine, live, self._log.guard.history, self._lease.fence):
            _log.warning("the read models are of another history than the log: they are built anew")
            with self._lease.beating():
                self.rebuild()
            live = self._live()
        if live.position == 0 and self._log.head() > BULK_EVENTS:
            with self._lease.beating():
                self.rebuild()
            live = self._live()
        elif live.version != self._version and self._rebuild_thread is None:
            self._rebuild_thread = Thread(target=self._rebuild_aside, name="projector-rebuild", daemon=True)
            self._rebuild_thread.start()
        number, fence = live.number, self._lease.fence
        turn = turns_of(self._engine, self._lease, TIMELINE, number)
        self._projector = Projector(self._engine, self._log, number, self._now, active=True, fence=fence, turn=turn)
        return self._projector

    def _rebuild_aside(self) -> None:
        """Other rules made the rows that answer: build them anew while those go on answering."""
        told: type[Exception] | None = None
        while not self._stopping.is_set():
            try:
                if self._live().version != self._version:  # another process may have built it meanwhile
                    self.rebuild()
                return
            except Stopped:
                return
            except Busy as reason:
                _log.info("no rebuild now: %s", reason)
            except Exception as error:
                if type(error) is not told:
                    _log.exception("the rebuild for version %s failed, and is tried again", self._version)
                told = type(error)
            self._stopping.wait(REBUILD_RETRY_SECONDS)

    def _live(self) -> table_writer.TableSetState:
        with self._engine.connect() as conn:
            return next(s for s in table_writer.states(conn, TIMELINE) if s.active)

    def _look(self) -> None:
        """See how far the instance at work is; nowhere while there are no tables."""
        try:
            self._position = self._live().position
        except StopIteration:
            return
        except DBAPIError as error:
            if not is_missing_table(error):
                raise

    def _beat(self, projector: Projector, *, worked: bool) -> None:
        """Write a heartbeat where none was written with events for HEARTBEAT_INTERVAL."""
        now = self._clock()
        is_due = self._beaten_at is None or now - self._beaten_at >= HEARTBEAT_INTERVAL or self._lease.is_beat_due
        if not worked and is_due:
            projector.beat()
            worked = True
        if worked:
            self._beaten_at = now

    def _let_go(self) -> None:
        with self._turn_lock:
            self._projector = None
            if self._engine.dialect.name != "postgresql":
                return
            self._lease.release()

    def _now(self) -> str:
        return stamp(self._clock())
