"""Where the files of a published log are read: a directory or the address of a web server, both in a stranger's hands.

Every file is bounded before it is read, whatever its server says of its length, and so is what it unpacks to.
"""

from __future__ import annotations

import os
import stat
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx

from tracker.merkle import HASH_BYTES, MerkleError
from tracker.signed_note import MAX_NOTE_BYTES
from tracker.tiles import MAX_ENTRY_BYTES, Fetch, Tile, TileMissing, parse_path
from tracker.verification.log_verification import CHECKPOINT_PATH, KEY_PATH, MAX_KEY_FILE_BYTES

FILE_SECONDS = 120.0
"""Seconds that one file may take, however slowly it trickles."""

ANSWER_SECONDS = 30.0
"""Seconds that a server may be silent."""

ATTEMPTS = 3
"""How often a file is asked for before the server is given up."""

PAUSE_SECONDS = 0.5
"""Seconds before a file is asked for again; twice as long before the third time."""

MAX_REDIRECTS = 5
"""Redirections that are followed from one file."""

_MAX_ENTRY_BYTES = 2 + MAX_ENTRY_BYTES
_GZIP = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 65_536
_GONE = (404, 410)


class SourceUnavailable(MerkleError):
    """The files of the log cannot be read from where they should be. Try again, or look at the address."""

    code = "unavailable"
    title = "The log cannot be read"


class TooLong(MerkleError):
    """A file is longer than one of its kind can be."""

    code = "too_large"
    title = "A file of the log is too long"


def max_bytes(path: str) -> int:
    """The length that the file at a path of the log can have at most.

    Raises: InvalidTile if no file of a log has the path.
    """
    if path == CHECKPOINT_PATH:
        return MAX_NOTE_BYTES
    if path == KEY_PATH:
        return MAX_KEY_FILE_BYTES
    place = parse_path(path)
    return place.width * HASH_BYTES if isinstance(place, Tile) else place.width * _MAX_ENTRY_BYTES


@contextmanager
def opened_source(where: str) -> Iterator[Fetch]:
    """What reads the files of the log in a directory, or below an address that begins with http.

    Raises: click.UsageError if there is no such directory; the `Fetch` raises TileMissing, TooLong and
    SourceUnavailable.
    """
    if where.startswith(("http://", "https://")):
        limits = httpx.Limits(max_connections=4)
        headers = {"Accept-Encoding": "gzip, identity", "User-Agent": "commitments-tracker-verifier"}
        with httpx.Client(
            timeout=ANSWER_SECONDS,
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            limits=limits,
            headers=headers,
        ) as client:
            yield _from_web(client, where.rstrip("/"))
    elif Path(where).is_dir():
        yield _from_directory(Path(where))
    else:
        raise click.UsageError(f"{where} is no directory; the address of a log begins with http:// or https://")


def read_bounded(file: Path, limit: int) -> bytes:
    """The bytes of a regular file.

    Raises: FileNotFoundError if there is none; TooLong if it has more than `limit` bytes; SourceUnavailable if it
    cannot be read or is no regular file: a pipe or a device may never end.
    """
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as stream:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise SourceUnavailable(f"{file} is no file")
            data = stream.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(file) from None
    except OSError as error:
        raise SourceUnavailable(f"{file} cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise TooLong(f"{file} has more than {limit} bytes")
    return data


def _from_directory(directory: Path) -> Fetch:
    def fetch(path: str) -> bytes:
        try:
            return read_bounded(directory / path, max_bytes(path))
        except FileNotFoundError:
            raise TileMissing(f"there is no file {path}") from None

    return fetch


def _from_web(client: httpx.Client, prefix: str) -> Fetch:
    def fetch(path: str) -> bytes:
        limit = max_bytes(path)
        for attempt in range(ATTEMPTS):
            try:
                return _get(client, f"{prefix}/{path}", path, limit)
            except (httpx.TransportError, _NotNow) as error:
                if attempt == ATTEMPTS - 1:
                    raise SourceUnavailable(f"{prefix}/{path}: {error or type(error).__name__}") from None
                time.sleep(PAUSE_SECONDS * (attempt + 1))
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # a name of a host that is none, too
                raise SourceUnavailable(f"{prefix}/{path}: {error}") from None
        raise AssertionError("the last attempt answers or raises")

    return fetch


class _NotNow(Exception):
    """The server may do better at another time."""


def _get(client: httpx.Client, url: str, path: str, limit: int) -> bytes:
    until = time.monotonic() + FILE_SECONDS
    with client.stream("GET", url) as answer:
        if answer.status_code in _GONE:
            raise TileMissing(f"there is no file {path}")
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _NotNow(f"the server answers {answer.status_code}")
        if answer.status_code != 200:
            raise SourceUnavailable(f"{url}: the server answers {answer.status_code}")
        unpack = _unpacker(answer.headers.get("content-encoding", ""))
        data = bytearray()
        for chunk in answer.iter_raw(_CHUNK_BYTES):
            data += unpack(chunk, limit + 1 - len(data))
            if len(data) > limit:
                raise TooLong(f"{path} has more than {limit} bytes")
            if time.monotonic() > until:
                raise SourceUnavailable(f"{url}: the file took more than {FILE_SECONDS:g} seconds")
    return bytes(data)


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """What takes the content encoding off a chunk, and gives no more bytes than it is told."""
    if encoding.lower() in ("", "identity"):
        return lambda chunk, limit: chunk[:limit]
    if encoding.lower() != "gzip":
        raise SourceUnavailable("the server sends a content encoding that was not asked for")
    unpacking = zlib.decompressobj(_GZIP)

    def unpack(chunk: bytes, limit: int) -> bytes:
        try:
            return unpacking.decompress(chunk, limit)
        except zlib.error:
            raise SourceUnavailable("what the server sends is no gzip") from None

    return unpack
