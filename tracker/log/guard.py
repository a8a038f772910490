"""Whether the log is still the one that this process knows. Pure state: who reads the store tells it what is there.

A process knows the highest event that it has seen. As long as the log has that event, the log has only grown. When the
event is gone, an older copy was put back, or a server took over that had not received everything; what is written then
would stand in another history than the one that readers have. So the guard refuses writes until the log has another
id, which only `tracker log fork` gives it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from tracker.errors import LogWentBack, OtherLog, Unavailable
from tracker.log.identity import NOWHERE, LogPoint, LogStanding


class Basis(NamedTuple):
    """What a decision is based on: the id of the log, and the highest event that was known of it."""

    log: str
    known: LogPoint

    def must_be_of(self, log: str | None) -> None:
        """Check that a request is for this log; None is any.

        Raises: OtherLog if it is for another one.
        """
        must_be_this_log(self.log, log)

    def must_hold(self, found: LogStanding) -> None:
        """Check that the log, looked at, is the one of this basis and has only grown since.

        `found.event_there` is the event at `known.position`.

        Raises: LogWentBack if the known event is gone; Unavailable if another log has taken this one's place.
        """
        if self.log and found.log != self.log:
            raise Unavailable(f"log {found.log} has taken the place of {self.log}; send the request again")
        if not has_only_grown(self.known, found):
            raise went_back(self.known, found)


class LogGuard:
    """What this process knows of the log. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._basis = Basis("", NOWHERE)
        self.refusal: LogWentBack | None = None
        """Why nothing may be written now; None if all is well."""
        self.changes = 0
        """Counts up whenever what was read before is of another history: all that was made from it is void."""
        self.on_change: Callable[[], None] = lambda: None
        """Called, from any thread and under a lock, when `changes` counts up; it MUST be short."""
        self.has_recorded = False
        """Whether this process has recorded an event."""

    @property
    def log(self) -> str:
        """The id of the log; empty before the first look."""
        return self._basis.log

    @property
    def history(self) -> str:
        """The id of the log, with a mark while it is refused: what is made of it then is of no lasting history."""
        return self.log if self.refusal is None else f"{self.log}?"

    @property
    def known(self) -> LogPoint:
        """The highest event that is known of the log."""
        return self._basis.known

    def basis(self) -> Basis:
        """The id and the highest known event, which belong together."""
        return self._basis

    def must_allow_writes(self) -> None:
        """Check that the log may be written to.

        Raises: LogWentBack if not.
        """
        if self.refusal is not None:
            raise self.refusal

    def take_in(self, found: LogStanding, basis: Basis) -> None:
        """Take in a look at the log, for which `basis` was the guard's when it began.

        A log with another id is followed from where it stands; one that lost the known event is refused.
        """
        with self._lock:
            if self._basis.log != basis.log:
                return  # another look was faster; the next one sees what is there now
            if found.log != basis.log:
                self._basis, self.refusal = Basis(found.log, found.head), None
                if basis.log:
                    self._count_change()
            elif not has_only_grown(basis.known, found):
                self._refuse(went_back(basis.known, found))
            elif found.head.position > self._basis.known.position and self.refusal is None:
                self._basis = Basis(found.log, found.head)

    def refuse(self, refusal: LogWentBack) -> None:
        """Refuse writes from now on; the first refusal is the one that is told."""
        with self._lock:
            self._refuse(refusal)

    def recorded(self, log: str, last: LogPoint) -> None:
        """Take in the last event of an own write to the log of this id."""
        with self._lock:
            self.has_recorded = True
            if self._basis.log in ("", log) and last.position > self._basis.known.position:
                self._basis = Basis(log, last)

    def _refuse(self, refusal: LogWentBack) -> None:
        if self.refusal is None:
            self.refusal = refusal
            self._count_change()

    def _count_change(self) -> None:
        self.changes += 1
        self.on_change()


def must_be_this_log(log: str, given: str | None) -> None:
    """Check the id of a log that a request names, against the one that answers; None is any.

    Raises: OtherLog if it is another one.
    """
    if given is not None and given != log:
        raise OtherLog(f"this is log {log}, and the request is about {given[:64]!r}: begin anew", log=log)


def has_only_grown(known: LogPoint, found: LogStanding) -> bool:
    """Whether the log still has the known event where it was."""
    return known.position == 0 or (found.event_there == known.event_id and found.head.position >= known.position)


def went_back(known: LogPoint, found: LogStanding) -> LogWentBack:
    """The refusal to write to a log that lost the known event."""
    if found.head.position < known.position:
        seen = f"the log ends at position {found.head.position}, and {known.position} was recorded"
    else:
        seen = f"another event stands at position {known.position} than the one that was recorded"
    return LogWentBack(
        f"{seen}: an older copy was put back, or a server took over that had not received everything. Nothing is"
        " written until the right copy is back and the service restarted, or the operator runs"
        " `tracker log fork --reason …`",
        log=found.log,
        known_position=known.position,
        head=found.head.position,
    )
