"""A small file of JSON in the state directory, which several processes share: a lock orders them, and a reader always
finds a whole file."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class StateFile:
    """The file at a path, and beside it the one that is locked while it is changed."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, path.with_suffix(".lock")

    def read(self) -> Any:
        """What the file says; None if there is none.

        Raises: OSError if it cannot be read; ValueError if it is no JSON.
        """
        try:
            return json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, value: object) -> None:
        """Put another file in its place; it is on the disk, whole, when this returns. Call it while `locked`.

        Raises: OSError if it cannot be written.
        """
        replace_file(self.path, json.dumps(value, indent=1, sort_keys=True))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other process change the file meanwhile; the directory is made if it is not there.

        Raises: OSError if it cannot be.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def replace_file(path: Path, text: str, mode: int = 0o666) -> None:
    """Put a file with this text in the place of the one at a path, at once and on the disk.

    `mode` is that of the new file, less what the process's umask takes away.

    Raises: OSError if it cannot be written.
    """
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)  # what a process left that ended here: its mode may be another one
    with os.fdopen(
        os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
