"""Checkpoints: what a transparency log says about itself at one size (c2sp.org/tlog-checkpoint).

    example.com/log                                      origin    ┐
    15                                                   size      │ the text, signed as a note (`tracker.signed_note`)
    rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=         root      ┘
                                                         a blank line
    — example.com/log M9e0luh4jTG+UMBqOUo9/q+yAEvx…      a signature

A log never signs two checkpoints of which the larger does not begin with the leaves of the smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from tracker.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, MerkleError
from tracker.signed_note import (
    MalformedNote,
    SignedNote,
    SigningKey,
    VerifierKey,
    decode_base64,
    encode_base64,
    parse_count,
    sign_note,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself at one size (c2sp.org/tlog-checkpoint): `text` is signed as a note."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not all(lines) or any(char < " " for line in lines for char in line):
            raise MalformedCheckpoint("The origin and every extension is one line that is not empty.")
        if not 0 <= self.size <= MAX_SIZE:
            raise MalformedCheckpoint(f"A tree cannot have {self.size} leaves.")
        if len(self.root) != HASH_BYTES:
            raise MalformedCheckpoint(f"A root has {HASH_BYTES} bytes, not {len(self.root)}.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedCheckpoint("The root of the empty tree is not the hash of nothing.")

    @property
    def text(self) -> str:
        """The origin, the size in decimal, the root in base64, then extensions, each on a line."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint in the text of a note.

        Raises:
            MalformedCheckpoint: if a line is missing or empty, the size is not decimal without leading zeroes, or the
                root is not base64 of 32 bytes.
        """
        *lines, rest = text.split("\n")
        if rest or len(lines) < 3:
            raise MalformedCheckpoint("A checkpoint has a line each for its origin, its size and its root.")
        origin, size, root, *extensions = lines
        try:
            return cls(origin, parse_count(size), decode_base64(root), tuple(extensions))
        except ValueError as error:
            raise MalformedCheckpoint(f"The checkpoint has a bad size or root: {error}") from None

    def sign(self, keys: Sequence[SigningKey]) -> bytes:
        """The signed checkpoint as a log serves it."""
        return bytes(sign_note(self.text, keys))


def open_checkpoint(data: bytes, keys: Iterable[VerifierKey], *, origin: str | None = None) -> Checkpoint:
    """The checkpoint of a signed note, once a known key of the log that it names is seen to have signed it.

    A key is of the log whose origin is its name: with the key of one log nobody can sign another's checkpoint.

    `origin`: the log that was asked for; None accepts any log whose checkpoint the keys have signed.

    Raises:
        MalformedNote: if the bytes are no signed note, or the text is no checkpoint (`MalformedCheckpoint`).
        InvalidSignature: if a known key's signature is wrong, or no known key has signed (`NoKnownSignature`).
        OtherOrigin: if the checkpoint is of another origin, or the keys that signed are of another log.
    """
    note = SignedNote.parse(data)
    signers = note.verified_by(keys)
    checkpoint = Checkpoint.parse(note.text)
    if all(signer.name != checkpoint.origin for signer in signers):
        raise OtherOrigin(f"The checkpoint is of {checkpoint.origin}, and signed by a key of {signers[0].name}.")
    if origin is not None and checkpoint.origin != origin:
        raise OtherOrigin(f"The checkpoint is of {checkpoint.origin}, not of {origin}.")
    return checkpoint


class MalformedCheckpoint(MalformedNote):
    """The text of the note is no checkpoint of c2sp.org/tlog-checkpoint. Look whether the address is that of a log."""

    code = "malformed_checkpoint"
    title = "Not a checkpoint"


class OtherOrigin(MerkleError):
    """The checkpoint is rightly signed but of another log. Compare its origin with the one you were given."""

    code = "other_log"
    title = "A checkpoint of another log"
