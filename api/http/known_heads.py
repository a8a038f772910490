"""What this process knows of the log and of the projection, and for how long a response made from them is valid.

`KnownHeads` holds plain integers that `api.http.log_follower` keeps fresh, so that a cached response is checked
without a thread and without a database.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock

from api.http.system_clock import today
from projections.projected import Projected
from projections.table_reader import ProjectionHead
from tracker.log.rows import LogRow

MAX_AGE_SECONDS = 5.0
"""Seconds since the last look at the store after which this process does not count as following it: it answers nothing
from memory any more."""

MAX_KNOWN_VERSIONS = 100_000
"""Pledges whose version is held in memory; the least recently changed goes first."""


class KnownHeads:
    """How far the log and the projection are, and each pledge's last version, as this process knows them."""

    def __init__(self) -> None:
        self.log_id = ""
        """The id of the log that all of this is about; empty before the first look."""
        self.log = 0
        self.at_start = 0
        """The log's head when this process began. Until the projection has reached it, reads miss recorded events."""
        self.projection = 0
        self.withheld = 0
        """The number of the last withholding that the projection is made with."""
        self.checkpoint = ""
        """What tells the last checkpoint, and why nothing is signed any more, from those before; empty at first."""
        self._standing = (0, 0)
        self.looked_at = time.monotonic()
        """When the heads were last compared with the store (monotonic clock)."""
        self.history = 0
        """Counts up whenever what was read before is of another history: nothing made from it may be kept."""
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def begin(self, log_id: str, head: int) -> None:
        """Begin with a log, or with another history of it, whose last position is `head`: forget all that was."""
        with self._lock:
            self.history += 1
            self.log_id, self.log, self.at_start, self.projection = log_id, head, head, 0
            self.checkpoint = ""
            self._versions.clear()

    def note_standing(self, standing: ProjectionHead, *, before: int = 0) -> None:
        """Take in the projection's position and generation, which were read while it was known to be at `before`.

        In one set the position goes down only below `before`: then the set was made anew.
        """
        with self._lock:
            is_same_set = standing.set == self._standing[0]
            self._standing = (standing.set, standing.parked)
            goes_on = is_same_set and standing.position >= before
            self.projection = max(self.projection, standing.position) if goes_on else standing.position

    @property
    def generation(self) -> tuple[int, int, int]:
        """The table set that is read, its number of parked events, and the number of the last withholding.

        Another triple may give another response at the same position.
        """
        return *self._standing, self.withheld

    @property
    def is_settled(self) -> bool:
        """Whether a response about a past position is final: no event is parked that would change it later."""
        return self.generation[1] == 0

    @property
    def is_current(self) -> bool:
        """Whether the heads are those of the store, or were within MAX_AGE_SECONDS."""
        return time.monotonic() - self.looked_at <= MAX_AGE_SECONDS

    def version(self, pledge: str) -> int | None:
        """The pledge's last version; None if this process does not hold it."""
        return self._versions.get(pledge)

    def advance(self, changes: Iterable[tuple[int, str, int]]) -> None:
        """Take in `(position, pledge, version)` of events of the log."""
        with self._lock:
            for position, pledge, version in changes:
                self.log = max(self.log, position)
                self._set(pledge, version)

    def appended(self, log_id: str, rows: Sequence[LogRow]) -> bool:
        """Take in rows that this process recorded in the log with this id. Whether the head is that of the log now.

        It is not if others have written in between, or if this is another log.
        """
        with self._lock:
            if log_id != self.log_id:
                return False
            for row in rows:
                self._set(row.pledge, row.version)
            if rows[0].position > self.log + 1:
                return False
            self.log = max(self.log, rows[-1].position)
            return True

    def projected(self, projected: Projected) -> bool:
        """Take in what a projector tells of a commit. False, and nothing, if more has changed than the position."""
        with self._lock:
            if self.generation != (projected.set, projected.parked, projected.withheld):
                return False
            self.projection = max(self.projection, projected.position)
            return True

    def recorded(self, versions: Iterable[tuple[str, int]]) -> None:
        """Take in `(pledge, version)` of own writes. The log's head stays: others may have written in between."""
        with self._lock:
            for pledge, version in versions:
                self._set(pledge, version)

    def note(self, pledge: str, version: int, *, read_at: int) -> None:
        """Take in a version that was read from the log when `self.log` was `read_at`.

        It is ignored if the log went on since and the pledge is not held.
        """
        with self._lock:
            if pledge in self._versions or self.log == read_at:
                self._set(pledge, version)

    def _set(self, pledge: str, version: int) -> None:
        self._versions[pledge] = max(version, self._versions.get(pledge, 0))
        self._versions.move_to_end(pledge)
        if len(self._versions) > MAX_KNOWN_VERSIONS:
            self._versions.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Validity:
    """The conditions under which a cached response is still valid; None is not checked."""

    day: date | None = None
    """Today (UTC) is still this day."""

    pledge: str | None = None
    version: int | None = None
    """The last version of `pledge` is still this one."""

    projection: int | None = None
    """The projection is still at this position, and the log is not beyond it."""

    log: int | None = None
    """The log's head is still this position."""

    checkpoint: str | None = None
    """The last checkpoint is still this one (`KnownHeads.checkpoint`)."""

    def is_met(self, heads: KnownHeads) -> bool:
        """Whether a response made now would have the same bytes."""
        return (
            heads.is_current
            and (self.pledge is None or heads.version(self.pledge) == self.version)
            and (self.projection is None or heads.log <= heads.projection == self.projection)
            and (self.log is None or heads.log == self.log)
            and (self.checkpoint is None or heads.checkpoint == self.checkpoint)
            and (self.day is None or self.day == today())
        )
