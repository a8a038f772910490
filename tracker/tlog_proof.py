"""One entry's proof in one file: c2sp.org/tlog-proof, checked offline with nothing but a verifier key.

    c2sp.org/tlog-proof@v1
    extra eyJ0eXBlIjoi…                               optional: opaque bytes in base64; nobody vouches for them
    index 3                                           of the entry, from 0
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=      the inclusion proof (RFC 6962 §2.1.1), a hash a line
    …
                                                      a blank line
    example.com/log                                   the signed checkpoint, verbatim
    …

A file whose `extra` is the entry itself needs nothing beside it: `leaf_hash(proof.extra)` is the leaf to check, and the
check fails if the entry was changed.

    MalformedProof          a MerkleError: the bytes are no tlog-proof
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from tracker.checkpoint import Checkpoint, open_checkpoint
from tracker.merkle import HASH_BYTES, MerkleError, SubtreeHash, inclusion_proof, verify_inclusion
from tracker.signed_note import MAX_NOTE_BYTES, SignedNote, VerifierKey, decode_base64, encode_base64, parse_count

FILE_EXTENSION = ".tlog-proof"
"""The extension that the specification recommends."""

MAX_PROOF_BYTES = 2 * MAX_NOTE_BYTES
"""The longest file that is read."""

_HEADER = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "
_MAX_HASHES = 63


@dataclass(frozen=True, slots=True)
class TlogProof:
    """What a tlog-proof file says; it is not to be believed before `verify`.

    `hashes` run from the leaf's sibling up to the root's child. `checkpoint` is the signed note, byte for byte. `extra`
    is None if the file has no such line.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(_EXTRA + encode_base64(self.extra))
        lines.append(f"{_INDEX}{self.index}")
        lines.extend(map(encode_base64, self.hashes))
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint

    @classmethod
    def make(cls, index: int, checkpoint: bytes, subtree: SubtreeHash, *, extra: bytes | None = None) -> Self:
        """The proof of the entry at `index` under a signed checkpoint, out of the hashes of complete subtrees.

        Raises:
            MalformedNote: if the checkpoint is no signed note, or the note no checkpoint (`MalformedCheckpoint`).
            OutOfTree: if the checkpoint does not cover the index.
        """
        size = Checkpoint.parse(SignedNote.parse(checkpoint).text).size
        return cls(index, tuple(inclusion_proof(index, size, subtree)), checkpoint, extra)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The proof in the bytes of a file; the checkpoint in it is not parsed yet.

        Raises:
            MalformedProof: if the bytes are no tlog-proof of version 1.
        """
        if len(data) > MAX_PROOF_BYTES:
            raise MalformedProof(f"The proof has {len(data)} bytes; at most {MAX_PROOF_BYTES} are read.")
        head, blank, checkpoint = data.partition(b"\n\n")
        try:
            header, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise MalformedProof("The lines before the checkpoint are not ASCII.") from None
        if header != _HEADER:
            raise MalformedProof(f"The first line is not {_HEADER}.")
        if not (blank and checkpoint):
            raise MalformedProof("The proof has no checkpoint after a blank line.")
        extra = None
        if lines and lines[0].startswith(_EXTRA):
            extra = _from_base64(lines.pop(0).removeprefix(_EXTRA), "extra")
        if not (lines and lines[0].startswith(_INDEX)):
            raise MalformedProof("The line of the index is missing.")
        try:
            index = parse_count(lines.pop(0).removeprefix(_INDEX))
        except ValueError as error:
            raise MalformedProof(f"The index is {error}.") from None
        if len(lines) > _MAX_HASHES:
            raise MalformedProof(f"The proof has {len(lines)} hashes; no tree needs more than {_MAX_HASHES}.")
        hashes = tuple(_from_base64(line, "hash") for line in lines)
        if any(len(value) != HASH_BYTES for value in hashes):
            raise MalformedProof(f"Every hash of the proof has {HASH_BYTES} bytes.")
        return cls(index, hashes, checkpoint, extra)

    def verify(self, leaf: bytes, keys: Iterable[VerifierKey], *, origin: str | None = None) -> Checkpoint:
        """The checkpoint that covers the leaf, once the signature and the inclusion are seen to be right.

        `leaf` is the `leaf_hash` of the entry. `origin`: the log that the entry should be in; None accepts any log
        whose checkpoint the keys have signed.

        Raises:
            InvalidProof: if the leaf is not at the index in the tree of the checkpoint.
            MerkleError: of the kinds of `open_checkpoint`, if the checkpoint is not a known log's.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys, origin=origin)
        verify_inclusion(index=self.index, size=checkpoint.size, leaf=leaf, proof=self.hashes, root=checkpoint.root)
        return checkpoint


def _from_base64(text: str, name: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as error:
        raise MalformedProof(f"A line of the proof ({name}) is {error}.") from None


class MalformedProof(MerkleError):
    """The bytes are no tlog-proof of c2sp.org/tlog-proof@v1. Fetch the file again; it may be cut."""

    code = "malformed_proof"
    title = "Not a tlog-proof"
