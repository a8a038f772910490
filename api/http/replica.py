"""A streaming replica of the store, for reads: whether it has all that this process knows, and how long to wait for it.

A replica has what the primary had a moment ago. So that a reader never sees an answer become older, the replica answers
only while it has every event that this process knows, projected, of the same history and table set; every other read
goes to the primary.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from math import inf

from sqlalchemy.exc import InterfaceError, OperationalError

from api.http.known_heads import KnownHeads
from api.http.log_follower import CATCH_UP_SECONDS
from api.http.projection_waits import ProjectionWaits
from projections.timeline import Timeline
from tracker.log.away import unavailable
from tracker.log.guard import LogGuard, has_only_grown
from tracker.log.recorder import LogRecorder
from tracker.log.watcher import LogWatcher

REPLICA_WAIT_SECONDS = 0.25
"""Seconds that a read waits for the replica to get as far as this process knows; then the primary answers."""

PASSED_OVER_SECONDS = 1.0
"""Seconds for which no read waits for a replica that has just been waited for in vain."""

MAX_LOOK_SECONDS = 1.0
"""Seconds since the last look at the replica after which it may be away, so that no read is sent to it."""

STOP_SECONDS = 5.0
"""Seconds that the process waits at its end for a look that is under way."""

_log = logging.getLogger("tracker.api")


@dataclass(frozen=True, slots=True)
class ReplicaStanding:
    """What a look at the replica found."""

    log: str
    shared: int
    """The position up to which it is known to have the primary's events: that of the highest event that was known of
    the primary, if the replica has it. Another history may have as many events."""
    position: int
    """The position of the last event that it has, projected."""
    generation: tuple[int, int, int]
    """As `KnownHeads.generation`."""


class Replica:
    """One replica, as this process sees it. `guard` and `heads` are those of the primary."""

    def __init__(
        self, database_url: str, log: LogRecorder, timeline: Timeline, heads: KnownHeads, guard: LogGuard
    ) -> None:
        self._log, self._timeline, self._heads, self._guard = log, timeline, heads, guard
        self._found: ReplicaStanding | None = None
        self._passed_over_until = -inf
        self._waits = ProjectionWaits(lambda: self.position if self.has_all else -1)
        self._watcher = LogWatcher(database_url, self._look, name="replica", logger=_log, listens=False)

    @property
    def position(self) -> int:
        """The position of the last event that the replica has, projected; 0 while it does not answer."""
        return 0 if self._found is None else self._found.position

    @property
    def has_all(self) -> bool:
        """Whether it has all that this process knows, so that it may answer. Asks no store."""
        found, heads = self._found, self._heads
        return (
            found is not None
            and self._watcher.age <= MAX_LOOK_SECONDS
            and self._guard.refusal is None
            and found.log == heads.log_id
            and found.generation == heads.generation
            and min(found.position, found.shared) >= self._known
        )

    @property
    def _known(self) -> int:
        """The last position that this process knows: a projector may tell of an event before the log was looked at."""
        return max(self._heads.log, self._heads.projection)

    def start(self) -> None:
        """Begin to look at the replica. One that is away is looked for until it is there."""
        self._waits.begin()
        self._watcher.start()

    def stop(self) -> None:
        """Look no more, and let those go on who wait."""
        self._waits.end()
        self._watcher.stop(STOP_SECONDS)

    async def may_answer(self) -> bool:
        """Whether the replica has all that this process knows, now or within REPLICA_WAIT_SECONDS.

        False at once for PASSED_OVER_SECONDS after a wait in vain.
        """
        if self.has_all:
            return True
        if time.monotonic() < self._passed_over_until:
            return False
        self._watcher.wake()
        if await self._waits.wait_async(self._known, REPLICA_WAIT_SECONDS):
            return True
        self._passed_over_until = time.monotonic() + PASSED_OVER_SECONDS
        return False

    def wait(self, position: int, timeout: float) -> bool:
        """Wait in a thread until the replica has projected an event; False if it has not within `timeout` seconds."""
        if self.position >= position:
            return True
        self._watcher.wake()
        return self._waits.wait(position, timeout)

    def _look(self) -> float | None:
        """One look at the replica; it finds at least what was there when it began."""
        try:
            known = self._guard.known
            found = self._log.standing(known.position)
            head = self._timeline.head()
            before, withheld = self._found, self._timeline.withheld_upto()
            if before is None or (before.log, before.generation[2]) != (found.log, withheld):
                self._timeline.forget()
            self._found = ReplicaStanding(
                log=found.log,
                shared=known.position if has_only_grown(known, found) else -1,
                position=min(found.head.position, head.position),
                generation=(head.set, head.parked, withheld),
            )
        except (OperationalError, InterfaceError) as error:
            self._found = None
            raise unavailable(error.orig) from error
        except Exception:
            self._found = None
            raise
        self._waits.release()
        return CATCH_UP_SECONDS if len(self._waits) else None
