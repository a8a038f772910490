"""The public log as static files, from which any web server or CDN can serve it to the world (c2sp.org/tlog-tiles).

    checkpoint          written last: a reader never sees one whose tiles are not all there
    key                 the verifier keys, one a line
    README.txt          what this is, for whoever finds it
    tile/…              tiles and entry bundles

Every file is put in its place whole. Run again, it adds what is new, writes anew what was damaged, and leaves the other
files as they are; cut off, it goes on with what is not there yet. A line of which something was withheld since is taken
out of the files that have it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from projections.ledger.reader import Ledger
from tracker.checkpoint import Checkpoint
from tracker.merkle import MerkleError, leaf_hash, root_of_range
from tracker.signed_note import MAX_NOTE_BYTES, SignedNote
from tracker.tile_tree import TileReader
from tracker.tiles import (
    TILE_WIDTH,
    Bundle,
    InvalidTile,
    Tile,
    bundles_of,
    decode_bundle,
    tiles_of,
)

IDS_AT_ONCE = 500
"""Withheld events whose positions are looked up at a time."""

_README = """This is the public log of {origin}: every event in the order in which it was recorded, as a transparency
log of c2sp.org/tlog-tiles. Nobody has to trust whoever serves these files. Take the key from the log's operator, and:

    tracker log verify <the address of this directory> --key '{key}'
"""


class NotExported(MerkleError):
    """The log cannot be written to the directory; nothing that was there is broken by it."""

    code = "not_exported"
    title = "The log was not exported"


@dataclass(frozen=True, slots=True)
class ExportedLog:
    """What an export has made: the checkpoint, how many files are new, how many lines were taken out of older ones."""

    checkpoint: Checkpoint
    written: int
    taken_out: int


def export_log(
    ledger: Ledger, directory: Path, advance: Callable[[int], None] = lambda events: None, *, quick: bool = False
) -> ExportedLog:
    """Write the log of the last checkpoint to a directory; `advance` is told the number of events that were done.

    `quick` does not look into full files that are there already.

    Raises: NotExported if nothing was signed yet, an event is not the one that was signed, or the directory has
    another log, another history of this one, or a newer checkpoint of it; OSError if it cannot be written to.
    """
    published, keys = ledger.checkpoint(), ledger.state().keys
    if published is None or not keys:
        raise NotExported("nothing was signed yet: run `tracker serve` or `tracker project` for a moment")
    checkpoint = Checkpoint.parse(SignedNote.parse(published.note).text)
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        writer = _Writer(ledger, directory, checkpoint, quick=quick)
        writer.must_go_on()
        taken_out = writer.take_out_withheld()
        writer.write_bundles(advance)
        writer.write_tiles()
        key = "".join(f"{key}\n" for key in keys)
        readme = _README.format(origin=checkpoint.origin, key=keys[0])
        _replace(directory / "key", key.encode())
        _replace(directory / "README.txt", readme.encode())
        os.sync()  # all files are on the disk before the checkpoint that needs them is
        _replace(directory / "checkpoint", published.note)
    return ExportedLog(checkpoint, writer.written, taken_out)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """No other export writes to the directory meanwhile.

    Raises: NotExported if one does.
    """
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise NotExported(f"another process writes to {directory}") from None
    finally:
        os.close(opened)


class _Writer:
    def __init__(self, ledger: Ledger, directory: Path, checkpoint: Checkpoint, *, quick: bool) -> None:
        self._ledger, self._directory, self._checkpoint, self._quick = ledger, directory, checkpoint, quick
        self._tree = TileReader(checkpoint.size, ledger.fetch)
        self.written = 0

    def must_go_on(self) -> None:
        """Check that the log begins with what is in the directory already.

        Raises: NotExported if it does not.
        """
        try:
            note = (self._directory / "checkpoint").read_bytes()
        except FileNotFoundError:
            return
        try:
            before = Checkpoint.parse(SignedNote.parse(note[: MAX_NOTE_BYTES + 1]).text)
        except MerkleError as wrong:
            raise NotExported(f"the checkpoint in {self._directory} is none: {wrong.detail}") from None
        if before.origin != self._checkpoint.origin:
            raise NotExported(f"{self._directory} has the log {before.origin}; this is {self._checkpoint.origin}")
        if before.size > self._checkpoint.size:
            raise NotExported(f"{self._directory} has {before.size} events, this log {self._checkpoint.size}")
        if root_of_range(0, before.size, self._tree.subtree) != before.root:
            raise NotExported(f"the log does not begin with the {before.size} events in {self._directory}")

    def take_out_withheld(self) -> int:
        """Take the lines that were withheld since out of the bundles that are there; how many there were."""
        taken_out = 0
        for index, positions in self._withheld.items():
            for bundle, file in self._files_of(index):
                first = index * TILE_WIDTH + 1
                shown = self._entries(bundle, file)
                here = [at - first for at in positions if at - first < bundle.width]
                if shown is None or any(shown[at] for at in here):
                    _replace(file, self._ledger.entries(index, bundle.width))
                    taken_out += len(here)
        return taken_out

    def write_bundles(self, advance: Callable[[int], None]) -> None:
        """Write the entry bundles that are not there as they should be, each only if its events are those signed."""
        for bundle in bundles_of(self._checkpoint.size):
            for place, file in {bundle: self._directory / bundle.path, **dict(self._files_of(bundle.index))}.items():
                if place.width > bundle.width or self._is_there(place, file):
                    continue  # a wider one is of an export that was cut off, of a later checkpoint
                data = self._ledger.entries(place.index, place.width)
                wrong = self._first_wrong(place, decode_bundle(data, place.width))
                if wrong is not None:
                    raise NotExported(f"the event at position {wrong} is not the one that was signed")
                self._write(file, data)
            advance(bundle.width)

    def write_tiles(self) -> None:
        """Write the tiles of hashes that are not there as they should be."""
        for tile in tiles_of(self._checkpoint.size):
            for place, file in {tile: self._directory / tile.path, **self._partial_tiles(tile)}.items():
                if place.width > tile.width or (self._quick and place.width == TILE_WIDTH and file.exists()):
                    continue
                data = self._ledger.fetch(place.path)
                if not file.exists() or file.read_bytes() != data:
                    self._write(file, data)

    def _is_there(self, bundle: Bundle, file: Path) -> bool:
        """Whether a bundle need not be written, since it is there as it should be."""
        if self._quick and bundle.width == TILE_WIDTH and file.exists():
            return True
        shown = self._entries(bundle, file)
        if shown is None or self._first_wrong(bundle, shown) is not None:
            return False
        first, withheld = bundle.index * TILE_WIDTH + 1, self._withheld.get(bundle.index, ())
        return all(entry or at in withheld for at, entry in enumerate(shown, start=first))

    def _entries(self, bundle: Bundle, file: Path) -> list[bytes] | None:
        """The entries in a file; None if there is no such file, or it is no such bundle."""
        try:
            return decode_bundle(file.read_bytes(), bundle.width)
        except (FileNotFoundError, InvalidTile):
            return None

    def _first_wrong(self, bundle: Bundle, shown: list[bytes]) -> int | None:
        """The first position whose entry is neither the one that was signed nor withheld."""
        leaves = self._tree.hashes(0, bundle.index)
        pairs = enumerate(zip(shown, leaves[: bundle.width], strict=True), start=bundle.index * TILE_WIDTH + 1)
        return next((at for at, (entry, leaf) in pairs if entry and leaf_hash(entry) != leaf), None)

    def _files_of(self, index: int) -> list[tuple[Bundle, Path]]:
        """The files of one bundle in the directory, the full one and partial ones of earlier sizes."""
        full = self._directory / Bundle(index).path
        found = [(Bundle(index, width), file) for width, file in _partial_files(full)]
        return [(Bundle(index), full), *found] if full.exists() else found

    def _partial_tiles(self, tile: Tile) -> dict[Tile, Path]:
        """The files of a tile of hashes in the directory that are of earlier sizes."""
        full = self._directory / tile.full.path
        return {Tile(tile.level, tile.index, width): file for width, file in _partial_files(full)}

    @cached_property
    def _withheld(self) -> dict[int, list[int]]:
        """The positions of withheld events, by the index of their bundle."""
        found: dict[int, list[int]] = {}
        ids = iter(dict.fromkeys(one.event_id for one in self._ledger.log.withholdings()))
        while some := list(islice(ids, IDS_AT_ONCE)):
            for row in self._ledger.log.by_event_ids(some):
                if row.position <= self._checkpoint.size:
                    found.setdefault((row.position - 1) // TILE_WIDTH, []).append(row.position)
        return found

    def _write(self, file: Path, data: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, data)
        self.written += 1


def _partial_files(full: Path) -> list[tuple[int, Path]]:
    """The files of a tile or bundle as it was before it was full, each with its width."""
    files = [file for file in full.with_name(f"{full.name}.p").glob("*") if file.name.isdecimal()]
    return [(int(file.name), file) for file in files if 0 < int(file.name) < TILE_WIDTH]


def _replace(file: Path, data: bytes) -> None:
    """Put a whole file in the place of the one that is there."""
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(data)
    new.replace(file)
