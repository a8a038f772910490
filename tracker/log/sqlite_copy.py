"""Copies of a SQLite log, whole and of one moment: taken while others write, and put where there is nothing.

A copy of the file itself is neither: what was written last stands in the file's `-wal`.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tracker.log.identity import NOWHERE, LogPoint, LogStanding

COPY_PAGES = 4096
"""Pages copied at a time; after each the caller hears how far the copy is."""

COPY_MODE = 0o600
"""The mode of a copy: it holds the hashes of keys, and what is withheld."""

BESIDE = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a file that is open, or was when its process was killed."""

Progress = Callable[[int, int], None]
"""Called with the pages that are copied, and the number of all."""


class CopyRefused(ValueError):
    """The copy cannot be made; the message says why, and nothing is left behind."""


def copy_log(source: Path, target: Path, progress: Progress = lambda done, of: None) -> LogStanding:
    """Copy a log into a file that is not there yet, and read the copy; it is one moment of the source.

    Writers of the source go on meanwhile. The copy is one file that its owner alone may read, and it is on the disk
    when this returns.

    Raises: CopyRefused if the target is there, or the source has no log; OSError and sqlite3.Error.
    """
    for path in (target, *(target.with_name(target.name + ending) for ending in BESIDE)):
        if path.exists():
            raise CopyRefused(f"{path} is there already, and nothing is written over it")
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # its owner's alone
    os.close(handle)
    beside = Path(name)
    try:
        _copy(source, beside, progress)
        found = look_at(beside)
        _sync(beside)
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, COPY_MODE))
        except FileExistsError:
            raise CopyRefused(f"{target} was made by somebody else meanwhile") from None
        beside.replace(target)
        _sync(target.parent)
    finally:
        for path in (beside, *(beside.with_name(beside.name + ending) for ending in BESIDE)):
            path.unlink(missing_ok=True)
    return found


def look_at(path: Path) -> LogStanding:
    """Read a whole copy: its log's id and last event.

    Raises: CopyRefused if SQLite finds the file broken, if it has no log, or if its events do not fit together.
    """
    with closing(_connected(path, "ro")) as conn:
        try:
            (sound,) = conn.execute("PRAGMA quick_check(1)").fetchone()
            ids = conn.execute("SELECT log FROM log_identity ORDER BY number DESC LIMIT 1").fetchone()
            head = conn.execute("SELECT position, event_id, leaf FROM log ORDER BY position DESC LIMIT 1").fetchone()
            counted = conn.execute("SELECT (SELECT count(*) FROM log), (SELECT count(*) FROM stored_events)").fetchone()
        except sqlite3.DatabaseError as error:
            raise CopyRefused(f"{path} has no log of the tracker: {error}") from None
    if sound != "ok":
        raise CopyRefused(f"{path} is broken: {sound}")
    if ids is None:
        raise CopyRefused(f"{path} has no log of the tracker: it has no id")
    last = NOWHERE if head is None else LogPoint(head[0], head[1], bytes(head[2]))
    if counted != (last.position, last.position):
        raise CopyRefused(f"{path} is broken: its log ends at {last.position}, and it has {counted[0]} events")
    return LogStanding(ids[0], last, None)


def _copy(source: Path, target: Path, progress: Progress) -> None:
    if not source.exists():
        raise CopyRefused(f"there is no file {source}")
    with closing(_connected(source, "rw")) as live, closing(sqlite3.connect(target)) as copy:
        try:
            # While this transaction is open the source stays as it is here; otherwise each write begins the copy anew.
            live.execute("BEGIN")
            live.execute("SELECT max(position) FROM log").fetchone()
        except sqlite3.DatabaseError as error:
            raise CopyRefused(f"{source} has no log of the tracker: {error}") from None
        copy.execute("PRAGMA synchronous=OFF")  # it is synchronised as a whole, at its end
        live.backup(copy, pages=COPY_PAGES, progress=lambda _, left, of: progress(of - left, of))
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
