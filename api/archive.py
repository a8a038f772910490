"""The archive: copies of sources, each kept under the hash of its bytes."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tracker.errors import TrackerError

MAX_CAPTURE_BYTES = 20_000_000
"""Bytes of one copy, at most."""

ENDINGS = {
    "application/pdf": ".pdf",
    "application/warc": ".warc",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/html": ".html",
    "text/plain": ".txt",
}
"""The media types that are kept, and the endings of their files. SVG is none: it is a program as much as a picture."""

UNNAMED = "application/octet-stream"
"""The media type of bytes that say themselves what they are."""

_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"WARC/": "application/warc",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}
_MEDIA_TYPES = {ending: media_type for media_type, ending in ENDINGS.items()}
_SHA256 = re.compile("[0-9a-f]{64}")


class NoArchive(TrackerError):
    """No copies are kept here, or none just now. TRACKER_ARCHIVE_DIR names a directory that every process reaches."""

    code = "no_archive"
    title = "There is no archive"


class CaptureNotFound(TrackerError):
    """The archive has no copy with this hash. Hashes are SHA-256, in 64 small hexadecimal digits."""

    code = "capture_not_found"
    title = "There is no such copy"


class Capture(NamedTuple):
    """A copy of a source: the hash of its bytes, its media type, how many bytes it has, and its file."""

    sha256: str
    media_type: str
    bytes: int
    path: Path


class Archive:
    """A directory of copies: `ab/<sha256>.pdf`. What is kept is never written again."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def put(self, body: bytes | bytearray, media_type: str) -> tuple[Capture, bool]:
        """Keep some bytes, and say whether they are new here. Bytes that are kept already keep their first media type;
        a copy that was damaged since is written anew.

        Raises: NoArchive if there is no directory, or one that takes no files.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        if (known := self.find(sha256)) is not None and _is_whole(known):
            return known, False
        if known is not None:
            media_type = known.media_type
        path = self._folder(sha256) / f"{sha256}{ENDINGS[media_type]}"
        try:
            path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _write(path, body)
        except OSError as error:
            raise NoArchive(f"the archive takes no files: {error.strerror}") from error
        return Capture(sha256, media_type, len(body), path), True

    def find(self, sha256: str) -> Capture | None:
        """The copy with this hash; None if there is none.

        Raises: NoArchive if there is no directory.
        """
        if not _SHA256.fullmatch(sha256):
            self._folder("")
            return None
        for ending, media_type in _MEDIA_TYPES.items():
            path = self._folder(sha256) / f"{sha256}{ending}"
            with suppress(OSError):
                return Capture(sha256, media_type, path.stat().st_size, path)
        return None

    def get(self, sha256: str) -> Capture:
        """The copy with this hash.

        Raises: CaptureNotFound if there is none; NoArchive if there is no directory.
        """
        found = self.find(sha256)
        if found is None:
            raise CaptureNotFound("no copy with this hash is kept here")
        return found

    def captures(self) -> Iterator[Capture]:
        """All copies, in the order of their hashes."""
        for path in sorted(self._folder("").glob("??/*")):
            media_type = _MEDIA_TYPES.get(path.suffix)
            if media_type is not None and _SHA256.fullmatch(path.stem):
                yield Capture(path.stem, media_type, path.stat().st_size, path)

    def _folder(self, sha256: str) -> Path:
        if self._directory is None:
            raise NoArchive("no directory for copies is set: TRACKER_ARCHIVE_DIR names it")
        return self._directory / sha256[:2]


def _is_whole(kept: Capture) -> bool:
    """Whether a copy is still what its name says; one that is not, or cannot be read, is written anew."""
    try:
        return hash_of(kept.path) == kept.sha256
    except OSError:
        return False


def is_as_named(kept: Capture) -> bool:
    """Whether a copy is what its name says. A file is read once for as long as its size and time stay the same."""
    try:
        status = kept.path.stat()
        return _hash_of_version(kept.path, status.st_size, status.st_mtime_ns) == kept.sha256
    except OSError:
        return False


@lru_cache(maxsize=4_096)
def _hash_of_version(path: Path, size: int, mtime_ns: int) -> str:
    """The hash of a file; its size and time tell one version of it from another.

    Raises: OSError if it cannot be read.
    """
    return hash_of(path)


def media_type_of(body: bytes | bytearray) -> str | None:
    """What bytes are by their beginning; None if it is none of the kinds that say so."""
    return next((media_type for begins, media_type in _SIGNATURES.items() if body.startswith(begins)), None)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits.

    Raises: OSError if it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pieces(path: Path, size: int = 64 * 1024) -> Iterator[bytes]:
    """The bytes of a file, so many at a time."""
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


def _write(path: Path, body: bytes | bytearray) -> None:
    """Write a whole file or none: what is at `path` has all its bytes, after a loss of power too."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
