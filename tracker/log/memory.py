"""Keeps what this process knows of the log outside the store, and holds the log against it when a process begins."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from tracker.log.guard import Basis, has_only_grown, went_back
from tracker.log.identity import LogPoint
from tracker.log.recorder import LogRecorder
from tracker.log.remembered import RememberedLogs

KEEP_SECONDS = 1.0
"""Seconds between two writes to the state directory, at least."""

_log = logging.getLogger(__name__)


class LogMemory:
    """The memory of one store's log. `store` names the store, without a password.

    Where the state directory cannot be used, a warning is told once and the process goes on without it.
    """

    def __init__(self, log: LogRecorder, directory: Path, store: str) -> None:
        self._log, self._directory, self._store = log, directory, store
        self._remembered = RememberedLogs(directory)
        self._kept: Basis | None = None
        self._kept_at = 0.0
        self._told = False

    def begin(self) -> None:
        """Look at the log, and hold it against what is remembered: one that went back is refused from the start.

        Raises: Unavailable if the store does not answer.
        """
        found = self._log.look()
        try:
            before, known = self._remembered.last_seen(self._store), self._remembered.known(found.log)
        except (OSError, ValueError) as error:
            self._tell(error)
            return
        if before not in (None, found.log):
            _log.warning("the store has log %s now, and had %s when it was last open", found.log, before)
        if known is None:
            return
        there = self._log.standing(known.position)
        if there.log == found.log and not has_only_grown(known, there):
            self._log.guard.refuse(went_back(known, there))

    def expect(self, log: str, last: LogPoint) -> None:
        """Remember an event that is about to come into a log: while it is not there, nothing else is written to it.

        Raises: nothing; a directory that cannot be written is told once.
        """
        try:
            self._remembered.note(self._store, log, last)
        except (OSError, ValueError) as error:
            self._tell(error)

    def keep(self, *, at_once: bool = False) -> None:
        """Remember the highest known event, every KEEP_SECONDS at most, or `at_once`. Nothing of a log that is refused.

        Raises: nothing; a directory that cannot be written is told once.
        """
        guard = self._log.guard
        basis = guard.basis()
        if guard.refusal is not None or not basis.log or basis == self._kept:
            return
        if not at_once and time.monotonic() - self._kept_at < KEEP_SECONDS:
            return
        self._kept_at = time.monotonic()
        try:
            self._remembered.note(self._store, basis.log, basis.known)
        except (OSError, ValueError) as error:
            self._tell(error)
        else:
            self._kept = basis

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "the state directory %s cannot be used, so a restart will not notice a log that went back;"
                " set TRACKER_STATE_DIR: %s",
                self._directory,
                error,
            )
