"""Whether a SQLite file is still the one that a connection opened, with what it had then.

A file that is moved over the old one leaves open connections on the old one, which nobody reads any more. One that is
copied over it leaves them with pages in memory that are not in the file. SQLite notices neither. In WAL mode the file
itself is written at checkpoints alone, so that it is seldom opened again in vain.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple


class FileStamp(NamedTuple):
    """What tells a file from another one, and from itself with other bytes."""

    device: int
    inode: int
    modified_ns: int
    size: int


def file_stamp(path: str) -> FileStamp | None:
    """The stamp of the file at a path now; None if there is none."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return None
    return FileStamp(found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)


def is_broken_file(error: BaseException) -> bool:
    """Whether SQLite says that the file is no database, or that its pages do not fit together.

    It has no class of its own for that: every other error of a statement is of a subclass.
    """
    return type(error) is sqlite3.DatabaseError
