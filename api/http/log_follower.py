"""Follows the log for one process: keeps the known heads and the keys fresh, and ends every wait for the projection.

What this process records it takes in as it is recorded, and what is projected as the projector tells it: by a call, by
a socket or by NOTIFY. The store is asked a few times a second as well, when another process has written,
and every CATCH_UP_SECONDS while a request waits for a projector that tells nothing here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from math import inf

from sqlalchemy.exc import InterfaceError, OperationalError

from api.http.auth import KEY_REFRESH_SECONDS, KeyRing
from api.http.known_heads import KnownHeads
from api.http.projection_waits import ProjectionWaits
from api.http.system_clock import now
from projections.ledger.reader import Ledger
from projections.liveness import ProjectorLiveness
from projections.projected import Projected
from projections.tables import PROJECTION_CHANNEL
from projections.timeline import Timeline
from tracker.log.away import unavailable
from tracker.log.memory import LogMemory
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow
from tracker.log.watcher import LogWatcher

CATCH_UP_SECONDS = 0.003
"""Seconds between two looks while a request waits for a projector that tells this process nothing."""

CHECKPOINT_SECONDS = 1.0
"""Seconds between two looks at a checkpoint that covers the whole log."""

FOLLOW_BATCH_ROWS = 5_000
"""Rows of the log taken in at a time."""

STOP_SECONDS = 5.0
"""Seconds that the process waits at its end for a look that is under way."""

_log = logging.getLogger("tracker.api")


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
        self.waits = ProjectionWaits(lambda: heads.projection)
        """The requests that wait for the projection."""
        self.known_waits = ProjectionWaits(lambda: min(heads.projection, heads.log))
        """The requests that wait until this process knows an event that is projected, too."""
        self.watcher = LogWatcher(
            database_url,
            self._look,
            name="follower",
            logger=_log,
            own=log.token,
            heard={PROJECTION_CHANNEL: self._notified},
        )
        """The thread that looks; its `age` tells how old this process's knowledge is."""
        self.projector = ProjectorLiveness(now)
        """Whether a projector is at work, in this process or another one."""
        self.signing = ProjectorLiveness(now)
        """Whether what is recorded comes to be signed; heartbeats are the projector's."""
        log.guard.on_change = self.watcher.wake
        self.also_wake: Callable[[], None] = lambda: None
        """Called by `wake` and when this process has recorded: the projector's, if it is of this process."""
        self.is_told: Callable[[], bool] = lambda: False
        """Whether the projector at work tells this process its commits."""
        self.may_wait: Callable[[], bool] = lambda: True
        """Whether it is worth to wait for the projector; False while it shows no life."""
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
        self.waits.begin()
        self.known_waits.begin()
        self._memory.begin()
        self._look()
        self.watcher.start()

    def stop(self) -> None:
        """Stop following; every request that still waits goes on without the projection."""
        self.waits.end()
        self.known_waits.end()
        self.watcher.stop(STOP_SECONDS)
        self._memory.keep(at_once=True)

    def wake(self) -> None:
        """The log has grown: look now."""
        self.also_wake()
        self.watcher.wake()

    def appended(self, log: str, rows: Sequence[LogRow]) -> None:
        """Take in what this process recorded in the log with this id. From any thread; asks no store."""
        if self._heads.appended(log, rows):
            self.grown()
        else:
            self.watcher.wake()  # others have written in between
        self.also_wake()

    def hear(self, projected: Projected) -> None:
        """Take in what a projector tells of a commit, and let those go on who waited for it. From any thread.

        Where another set answers than before, or something was parked or withheld, the store is asked first.
        """
        if self._heads.projected(projected):
            self.projected()
            self.waits.release()
            self.known_waits.release()
        else:
            self.watcher.wake()

    def wait(self, position: int, timeout: float) -> bool:
        """Wait in a thread until the projection has an event; False if it has not within `timeout` seconds."""
        if self._heads.projection >= position:
            return True
        self._ask_if_not_told()
        return self.waits.wait(position, timeout) if self.may_wait() else False

    async def wait_async(self, position: int, timeout: float) -> bool:
        """The same as `wait`, on an event loop."""
        if self._heads.projection >= position:
            return True
        self._ask_if_not_told()
        return await self.waits.wait_async(position, timeout) if self.may_wait() else False

    async def wait_known(self, position: int, timeout: float) -> bool:
        """The same as `wait_async`, until this process knows the event itself, too.

        Another process's projector may tell of an event before the log was looked at. What is answered from memory, or
        by a replica, is held against the heads until then, and would be without the event.
        """
        if min(self._heads.projection, self._heads.log) >= position:
            return True
        if self._heads.log < position:
            self.watcher.wake()
        if self._heads.projection < position:
            self._ask_if_not_told()
            if not self.may_wait():
                return False
        return await self.known_waits.wait_async(position, timeout)

    def _ask_if_not_told(self) -> None:
        if not self._hears():
            self.wake()

    def _hears(self) -> bool:
        return self.watcher.is_listening or self.is_told()

    def _notified(self, payload: str) -> None:
        if (projected := Projected.read(payload)) is not None:
            self.hear(projected)

    def _look(self) -> float | None:
        """One look of the watcher: at the log, at the projection, and from time to time at the keys."""
        try:
            self._see_which_log()
            while changes := self._log.changed_since(self._heads.log, FOLLOW_BATCH_ROWS):
                self._heads.advance(changes)
                self.grown()
            self._see_what_is_withheld()
            self._see_what_is_signed()
            before, generation = self._heads.projection, self._heads.generation
            head = self._timeline.head()
            self._heads.note_standing(head, before=before)
            self.projector.note(head.heartbeat, head.position, self._heads.log)
            self._heads.looked_at = time.monotonic()
            if (self._heads.projection, self._heads.generation) != (before, generation):
                self.projected()
            self.waits.release()
            self.known_waits.release()
            self._keys.refresh(older_than=KEY_REFRESH_SECONDS)
            self._keys.note_uses()
            self.looked()
        except (OperationalError, InterfaceError) as error:
            raise unavailable(error.orig) from error
        is_waited_for = len(self.waits) or len(self.known_waits)
        return CATCH_UP_SECONDS if is_waited_for and not self._hears() else None

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
