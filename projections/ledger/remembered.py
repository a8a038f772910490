"""The last published checkpoint of each origin, kept outside the store, beside the highest known event of the log.

An older copy of the database has older checkpoints, and agrees with them: only what is kept elsewhere tells it apart.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, NamedTuple

from projections.ledger.faults import LedgerFault
from tracker.log.state_file import StateFile
from tracker.merkle import HASH_BYTES
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

    A process that begins needs to read it: of a file that is broken nobody knows what was published, so nothing is
    signed. A process at work knows that itself, puts a broken file aside and writes another. Where none can be written,
    a warning is told once and the process goes on without it.
    """

    def __init__(self, directory: Path) -> None:
        self._file = StateFile(directory / FILE_NAME)
        self._kept_at = 0.0
        self._waiting: tuple[str, TreeHead, bytes] | None = None
        self._told = False

    def last(self, origin: str) -> TreeHead | None:
        """The last checkpoint of an origin that was kept; None if none was.

        Raises: LedgerFault if the file cannot be read, or is broken.
        """
        try:
            return self._read().get(origin)
        except OSError as error:
            raise LedgerFault(
                f"{self._file.path} cannot be read ({error.strerror}), so nobody knows what was published last: let"
                " this process read it, or set TRACKER_STATE_DIR"
            ) from error
        except ValueError as broken:
            raise LedgerFault(
                f"{self._file.path} is broken ({broken}), so nobody knows what was published last: put the right one"
                " back, or move it away if you are sure of the log"
            ) from broken

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
                try:
                    heads = self._read()
                except ValueError as broken:
                    self._put_aside(broken)
                    heads = {}
                if origin not in heads or heads[origin].size <= head.size:
                    kept = self._file.read() or {}
                    kept[origin] = {"size": head.size, "root": encode_base64(head.root), "note": note.decode()}
                    self._file.write(kept)
        except OSError as error:
            self._tell(error)

    def _read(self) -> dict[str, TreeHead]:
        """What is kept, by origin.

        Raises: OSError if it cannot be read; ValueError if it is not what `keep` writes.
        """
        found = self._file.read()
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
        return {origin: _head(origin, kept) for origin, kept in found.items()}

    def _put_aside(self, broken: ValueError) -> None:
        aside = self._file.path.with_suffix(".broken")
        self._file.path.replace(aside)
        _log.error("%s was broken (%s), is %s now, and is written anew", self._file.path, broken, aside)

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "the state directory cannot be used, so a restart will not notice a log that contradicts its"
                " checkpoints; set TRACKER_STATE_DIR: %s",
                error,
            )


def _head(origin: str, kept: Any) -> TreeHead:
    """The checkpoint of an origin as it is kept.

    Raises: ValueError if it is none.
    """
    match kept:
        case {"size": int(size), "root": str(root)} if size >= 0:
            head = TreeHead(size, decode_base64(root))
            if len(head.root) == HASH_BYTES:
                return head
    raise ValueError(f"it has no size and root of {origin}")
