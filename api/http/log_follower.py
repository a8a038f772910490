"""Follows the log for one process: keeps the known heads and the keys fresh, and ends every wait for the projection.

While a request waits for the projection, the projection's head is read every CATCH_UP_SECONDS.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from threading import Lock
from typing import NamedTuple

from sqlalchemy.exc import InterfaceError, OperationalError

from api.http.auth import KEY_REFRESH_SECONDS, KeyRing
from api.http.clocks import now
from api.http.known_heads import KnownHeads
from projections.ledger.reader import Ledger
from projections.liveness import ProjectorLiveness
from projections.timeline import Timeline
from tracker.log.away import unavailable
from tracker.log.memory import LogMemory
from tracker.log.recorder import LogRecorder
from tracker.log.watcher import LogWatcher

CATCH_UP_SECONDS = 0.003
"""Seconds between two looks while a request waits for the projection."""

CHECKPOINT_SECONDS = 1.0
"""Seconds between two looks at a checkpoint that covers the whole log."""

FOLLOW_BATCH_ROWS = 5_000
"""Rows of the log taken in at a time."""

STOP_SECONDS = 5.0
"""Seconds that the process waits at its end for a look that is under way."""

_log = logging.getLogger("tracker.api")


class _Waiter(NamedTuple):
    """A request that waits for the projection; `done` becomes whether it got to the position."""

    position: int
    done: Future[bool]


class LogFollower:
    """Keeps `heads` and `keys` fresh until it is stopped; its watcher outlives a store that is away."""

    def __init__(
        self,
        heads: KnownHeads,
        keys: KeyRing,
        log: LogRecorder,
        timeline: Timeline,
        ledger: Ledger,
        database_url: str,
        memory: LogMemory,
    ) -> None:
        self._heads = heads
        self._keys = keys
        self._log = log
        self._timeline, self._ledger = timeline, ledger
        self._memory = memory
        self._seen: tuple[int, str] | None = None
        self._covered, self._checkpoint_at = 0, -inf
        self._waiters: list[_Waiter] = []
        self._lock = Lock()
        self._stopped = False
        self.watcher = LogWatcher(database_url, self._look, name="follower", logger=_log)
        """The thread that looks; its `age` tells how old this process's knowledge is."""
        self.projector = ProjectorLiveness(now)
        """Whether a projector is at work, in this process or another one."""
        self.signing = ProjectorLiveness(now)
        """Whether what is recorded comes to be signed; heartbeats are the projector's."""
        log.guard.on_change = self.watcher.wake
        self.also_wake: Callable[[], None] = lambda: None
        """Called by `wake`: the projector's, if it runs in this process."""
        self.looked: Callable[[], None] = lambda: None
        """Called after every look that went well: what is measured of this process is set then."""
        self.grown: Callable[[], None] = lambda: None
        """Called once the heads have new events: the streams' wake-up."""
        self.projected: Callable[[], None] = lambda: None
        """Called once the projection has got further: the wake-up of streams that ask it."""
        self.changed: Callable[[], None] = lambda: None
        """Called once the log is another history than before: the end of the streams."""

    def start(self) -> None:
        """Look once, so that the heads are those of the store, then follow in a thread.

        Raises: Unavailable if the store is away.
        """
        self._stopped = False
        self._memory.begin()
        self._look()
        self.watcher.start()

    def stop(self) -> None:
        """Stop following; every request that still waits goes on without the projection."""
        self._stopped = True
        self.watcher.stop(STOP_SECONDS)
        self._memory.keep(at_once=True)
        self._release(everybody=True)

    def wake(self) -> None:
        """The log has grown: look now."""
        self.also_wake()
        self.watcher.wake()

    def wait(self, position: int, timeout: float) -> bool:
        """Wait in a thread until the projection has an event; False if it has not within `timeout` seconds."""
        if self._heads.projection >= position:
            return True
        waiter = self._joined(position)
        try:
            return waiter.done.result(timeout)
        except TimeoutError:
            return False
        finally:
            self._leave(waiter)

    async def wait_async(self, position: int, timeout: float) -> bool:
        """The same as `wait`, on an event loop."""
        if self._heads.projection >= position:
            return True
        waiter = self._joined(position)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(waiter.done), timeout)
        except TimeoutError:
            return False
        finally:
            self._leave(waiter)

    def _joined(self, position: int) -> _Waiter:
        waiter = _Waiter(position, Future())
        # A loop that gives up cannot cancel it then under the thread that is setting it.
        waiter.done.set_running_or_notify_cancel()
        with self._lock:
            self._waiters.append(waiter)
        self._release(everybody=self._stopped)
        self.wake()
        return waiter

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            self._waiters = [other for other in self._waiters if other is not waiter]

    def _look(self) -> float | None:
        """One look of the watcher: at the log, at the projection, and from time to time at the keys."""
        try:
            self._see_which_log()
            while changes := self._log.changed_since(self._heads.log, FOLLOW_BATCH_ROWS):
                self._heads.advance(changes)
                self.grown()
            self._see_what_is_withheld()
            self._see_what_is_signed()
            head = self._timeline.head()
            before = self._heads.projection
            self._heads.note_standing(head)
            self.projector.note(head.heartbeat, head.position, self._heads.log)
            self._heads.looked_at = time.monotonic()
            self._heads.projection = head.position
            if head.position != before:
                self.projected()
            self._release()
            self._keys.refresh(older_than=KEY_REFRESH_SECONDS)
            self._keys.note_uses()
            self.looked()
        except (OperationalError, InterfaceError) as error:
            raise unavailable(error.orig) from error
        return CATCH_UP_SECONDS if self._waiters else None

    def _see_which_log(self) -> None:
        """Whether the log is still the one that is known; if not, everything begins anew."""
        guard = self._log.guard
        found = self._log.look()
        if self._seen != (now := (guard.changes, guard.log)):
            if guard.refusal is not None:
                _log.error("nothing is written to the log: %s", guard.refusal.detail)
            elif self._seen is not None:
                _log.warning("the log goes on as %s from position %d", guard.log, found.head.position)
            is_first, self._seen = self._seen is None, now
            self._heads.begin(guard.log, found.head.position)
            self._checkpoint_at = -inf
            self._timeline.forget()
            if not is_first:
                self.changed()
        self._memory.keep()

    def _see_what_is_withheld(self) -> None:
        """Whether something was taken out of the projection; what was made before is not to be answered again."""
        upto = self._timeline.withheld_upto()
        if upto != self._heads.withheld:
            self._timeline.forget()
            self._heads.withheld = upto

    def _see_what_is_signed(self) -> None:
        """The last checkpoint: looked for while it does not cover the log, and from time to time as keys may change."""
        if self._covered >= self._heads.log and time.monotonic() - self._checkpoint_at < CHECKPOINT_SECONDS:
            self.signing.note(None, self._covered, self._heads.log)
            return
        last = self._ledger.checkpoint()
        self._checkpoint_at = time.monotonic()
        self._covered = 0 if last is None else last.size
        mark = "" if last is None else f"{last.size}@{last.signed_at}"
        self._heads.checkpoint = f"{mark} {self._ledger.state().fault}"
        self.signing.note(None, self._covered, self._heads.log)

    def _release(self, *, everybody: bool = False) -> None:
        """Let those go on whose position the projection has; at the end all of them, without it."""
        projected = self._heads.projection
        done: list[_Waiter] = []
        waiting: list[_Waiter] = []
        with self._lock:
            for waiter in self._waiters:
                (done if everybody or projected >= waiter.position else waiting).append(waiter)
            self._waiters = waiting
        for waiter in done:
            waiter.done.set_result(projected >= waiter.position)
