"""The walk over a published log: every entry against its leaf, every leaf against the signed root.

What is checked, in this order; the first that does not hold ends it with `LogDoubted`:

1. the tiles at the edge of the tree lead to the root of the checkpoint, whose signature the caller has verified;
2. the log begins with all events of an older checkpoint, if there is one;
3. every leaf is hashed up to the tile above it, and so to the signed root, and every entry hashes to its leaf;
4. every entry is an event as the tracker writes it, recorded no earlier than the one before it, and the versions of
   each pledge run from 1 without a gap (positions cannot have one: an entry's place is its position);
5. no two events have the same id.

An event of which something is withheld has its leaf and, in the place of its line, nothing: it is counted as one that
exists and is not shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tracker.checkpoint import Checkpoint, open_checkpoint
from tracker.merkle import MerkleError, leaf_hash, root_of_range
from tracker.signed_note import SignedNote, VerifierKey
from tracker.tiles import TILE_WIDTH, Fetch, TileMissing
from tracker.verification.authentic_tiles import AuthenticTiles
from tracker.verification.doubts import LogDoubted
from tracker.verification.event_ids import EventIds
from tracker.verification.pledge_versions import PledgeVersions
from tracker.verification.recorded_events import IllFormed, RecordedEvent, read_entry

WITHHELD_ENTRY = b""
"""The entry of an event whose line is withheld; no event has an empty line."""

CHECKPOINT_PATH = "checkpoint"
"""The path of the signed checkpoint."""

KEY_PATH = "key"
"""The path of the verifier keys, one a line. The specification has no such file."""

MAX_EVENTS = 100_000_000
"""The longest log that is read. A tree of any size is made in a moment, of leaves that are all the same."""

PIECE_BUNDLES = 4
"""Entry bundles that are looked at together: what is handed to another process at a time."""

MAX_KEY_FILE_BYTES = 10_000
"""The longest file of keys that is read."""


class VerifiedEvent(NamedTuple):
    """An event that was seen to be in the tree. `line` is its stored line, byte for byte."""

    position: int
    event: RecordedEvent
    line: bytes

    @property
    def pledge(self) -> str:
        """The pledge that it happened to."""
        return self.event.pledge

    @property
    def version(self) -> int:
        """The place among the pledge's events."""
        return self.event.version

    @property
    def state(self) -> bytes:
        """The stored line, as rows of the log call it."""
        return self.line


class EntryPiece(NamedTuple):
    """The leaves and the entries of some bundles that follow each other."""

    leaves: list[bytes]
    entries: list[bytes]


class SeenEntries(NamedTuple):
    """What was seen of the entries of a piece: the event of each, None for one that is withheld, up to a wrong one."""

    events: list[RecordedEvent | None]
    wrong: str = ""


class _Waiting(NamedTuple):
    """A piece whose events are waited for, the index of its first, and what was wrong after it."""

    start: int
    piece: EntryPiece
    doubt: LogDoubted | None


Look = Callable[[EntryPiece], SeenEntries]
Work = Callable[[Look, Iterable[EntryPiece]], Iterable[SeenEntries]]
"""Applies a look to pieces, with the results in their order: `map`, or what does it in several processes."""


def look_at_entries(piece: EntryPiece) -> SeenEntries:
    """Hold each entry against its leaf, and see whether it is an event as the tracker writes it."""
    events: list[RecordedEvent | None] = []
    for leaf, entry in zip(piece.leaves, piece.entries, strict=True):
        try:
            if leaf_hash(entry) == leaf:
                events.append(read_entry(entry))
            elif entry == WITHHELD_ENTRY:
                events.append(None)
            else:
                return SeenEntries(events, "the entry is not the one whose hash is signed")
        except IllFormed as wrong:
            return SeenEntries(events, f"{wrong}")
    return SeenEntries(events)


def read_keys(data: bytes) -> list[VerifierKey]:
    """The verifier keys of a file, one a line.

    Raises: MalformedKey if a line is none; LogDoubted if there is no line.
    """
    lines = data[:MAX_KEY_FILE_BYTES].decode("utf-8", "replace").splitlines()
    keys = [VerifierKey.parse(line.strip()) for line in lines if line.strip()]
    if not keys:
        raise LogDoubted("the file of keys has no key")
    return keys


def published_keys(fetch: Fetch) -> list[VerifierKey]:
    """The keys that the log says are its own: who believes them believes whoever serves it.

    Raises: MalformedKey and LogDoubted as `read_keys`, and LogDoubted if there is no file of them.
    """
    try:
        return read_keys(fetch(KEY_PATH))
    except TileMissing:
        raise LogDoubted("there is no file of keys; give the log's key with --key") from None


def must_be_signed(data: bytes, keys: Iterable[VerifierKey]) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """The checkpoint of a signed note, and those of the keys that have signed it.

    Raises: MerkleError of the kinds of `open_checkpoint`.
    """
    keys = tuple(keys)
    return open_checkpoint(data, keys), SignedNote.parse(data).verified_by(keys)


class LogVerification:
    """One walk over the log of a checkpoint. Nothing is believed before `events` has ended.

    `older` is a checkpoint of the same log from before, whose signature is verified as well. `private_line` gives the
    line of an event that is withheld, by its position, if the caller has it: it is held against its leaf too.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        fetch: Fetch,
        *,
        older: Checkpoint | None = None,
        private_line: Callable[[int], bytes | None] = lambda _: None,
    ) -> None:
        self.checkpoint = checkpoint
        self._private_line = private_line
        self.versions, self._ids = PledgeVersions(), EventIds()
        self.last_recorded_at = ""
        if checkpoint.size > MAX_EVENTS:
            raise LogDoubted(f"the log says that it has {checkpoint.size} events; at most {MAX_EVENTS} are read")
        self._tree = AuthenticTiles(checkpoint, fetch).reader
        if older is not None:
            self._must_begin_with(older)

    def events(self, work: Work = map) -> Iterator[VerifiedEvent | None]:
        """Every event in its order, each once it is verified; None for one that is withheld.

        `work` looks at the entries of one piece of the log after the other, as `map` does, or in several processes.

        Raises: LogDoubted at the first position that is wrong.
        """
        waiting: deque[_Waiting] = deque()
        for seen in work(look_at_entries, self._pieces(waiting)):
            start, piece, doubt = waiting.popleft()
            yield from self._taken(start, piece, seen)
            if doubt is not None:
                raise doubt
        if (gap := self.versions.first_unexplained()) is not None:
            raise LogDoubted(
                f"{gap.missing} versions of {gap.pledge} are missing after position {gap.after}, and the events that"
                " are withheld do not explain it", gap.before,
            )  # fmt: skip
        if (twice := self._ids.twice()) is not None:
            raise LogDoubted(f"the event has the id of the one at position {twice[0]}", twice[1])

    def _pieces(self, waiting: deque[_Waiting]) -> Iterator[EntryPiece]:
        """The log piece by piece, each put among those whose events are waited for, with what was wrong after it.

        The tiles of a piece may be read long before the events of the one before it are taken: a doubt waits its turn.
        """
        last = -(-self.checkpoint.size // TILE_WIDTH)
        for first in range(0, last, PIECE_BUNDLES):
            leaves, entries, doubt = list[bytes](), list[bytes](), None
            for index in range(first, min(first + PIECE_BUNDLES, last)):
                try:
                    leaves += self._tree.hashes(0, index)
                    entries += self._tree.bundle(index)
                except LogDoubted as wrong:
                    doubt = wrong
                except MerkleError as wrong:
                    start = index * TILE_WIDTH
                    doubt = LogDoubted(wrong.detail, start + 1, min(start + TILE_WIDTH, self.checkpoint.size))
                if doubt is not None:
                    break
            piece = EntryPiece(leaves[: len(entries)], entries)
            waiting.append(_Waiting(first * TILE_WIDTH, piece, doubt))
            yield piece
            if doubt is not None:
                return

    def _taken(self, start: int, piece: EntryPiece, seen: SeenEntries) -> Iterator[VerifiedEvent | None]:
        """The events of a piece, whose entries were looked at: what depends on the events before is seen to now."""
        for position, (event, entry) in enumerate(zip(seen.events, piece.entries, strict=False), start=start + 1):
            try:
                yield self._event(position, event, entry, piece.leaves[position - start - 1])
            except IllFormed as wrong:
                raise LogDoubted(f"{wrong}", position) from None
        if seen.wrong:
            raise LogDoubted(seen.wrong, start + len(seen.events) + 1)

    def _event(self, position: int, event: RecordedEvent | None, entry: bytes, leaf: bytes) -> VerifiedEvent | None:
        if event is None:
            shown = self._private_line(position)
            if shown is None:
                self.versions.take_withheld(position)
                return None
            if leaf_hash(shown) != leaf:
                raise LogDoubted("the entry is not the one whose hash is signed", position)
            event, entry = read_entry(shown), shown
        if event.recorded_at < self.last_recorded_at:
            raise IllFormed("it is recorded before the event before it")
        self.last_recorded_at = event.recorded_at
        self.versions.take(event.pledge, event.version, position)
        self._ids.take(event.id, position)
        return VerifiedEvent(position, event, entry)

    def _must_begin_with(self, older: Checkpoint) -> None:
        if older.origin != self.checkpoint.origin:
            raise LogDoubted("the older checkpoint is of a log of another name")
        if older.size > self.checkpoint.size:
            raise LogDoubted(
                f"the log had {older.size} events when the older checkpoint was signed, and now says it has"
                f" {self.checkpoint.size}: it was cut, or an older copy was put back"
            )
        try:
            root = root_of_range(0, older.size, self._tree.subtree)
        except LogDoubted:
            raise
        except MerkleError as wrong:
            raise LogDoubted(f"the older tree cannot be read: {wrong.detail}") from None
        if root != older.root:
            raise LogDoubted(
                f"among the first {older.size} events one is another than when the older checkpoint was signed",
                1, older.size,
            )  # fmt: skip
