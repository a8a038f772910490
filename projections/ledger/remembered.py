"""The last published checkpoint of each origin, kept outside the store, beside the highest known event of the log.

An older copy of the database has older checkpoints, and agrees with them: only what is kept elsewhere tells it apart.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, NamedTuple

from tracker.log.state_file import StateFile
from tracker.signed_note import decode_base64, encode_base64

FILE_NAME = "checkpoints.json"
"""The file in the state directory."""

KEEP_SECONDS = 1.0
"""Seconds between two writes to the state directory, at least."""

_log = logging.getLogger(__name__)


class TreeHead(NamedTuple):
    """The size and the root of a tree that was published."""

    size: int
    root: bytes


class RememberedCheckpoints:
    """The file in one state directory, which the processes of several stores may share.

    Where it cannot be used, a warning is told once and the process goes on without it.
    """

    def __init__(self, directory: Path) -> None:
        self._file = StateFile(directory / FILE_NAME)
        self._kept_at = 0.0
        self._waiting: tuple[str, TreeHead, bytes] | None = None
        self._told = False

    def last(self, origin: str) -> TreeHead | None:
        """The last checkpoint of an origin that was kept; None if none was."""
        try:
            found = self._read().get(origin)
            return None if found is None else TreeHead(int(found["size"]), decode_base64(found["root"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._tell(error)
            return None

    def note(self, origin: str, head: TreeHead, note: bytes) -> None:
        """Keep a checkpoint that is published: at once, or within KEEP_SECONDS of the one before (`keep`)."""
        self._waiting = (origin, head, note)
        self.keep()

    def keep(self, *, at_once: bool = False) -> None:
        """Write what is not written yet, every KEEP_SECONDS at most, or `at_once`. A smaller size is never put in the
        place of a larger one."""
        if self._waiting is None or not (at_once or time.monotonic() - self._kept_at >= KEEP_SECONDS):
            return
        (origin, head, note), self._waiting = self._waiting, None
        self._kept_at = time.monotonic()
        try:
            with self._file.locked():
                kept = self._read()
                if kept.get(origin, {"size": 0})["size"] <= head.size:
                    kept[origin] = {"size": head.size, "root": encode_base64(head.root), "note": note.decode()}
                    self._file.write(kept)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._tell(error)

    def _read(self) -> dict[str, Any]:
        found = self._file.read()
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise ValueError(f"{self._file.path} is not a file of the tracker; move it away")
        return found

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "the state directory cannot be used, so a restart will not notice a log that contradicts its"
                " checkpoints; set TRACKER_STATE_DIR: %s",
                error,
            )
