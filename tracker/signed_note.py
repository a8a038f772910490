"""Signed notes: the text format of c2sp.org/signed-note, with Ed25519.

    This is an example message.             the text that is signed, with its last newline
                                            a blank line
    — example.com/foo Uw2QOkn8srV1yJGh…     key name, base64(key id of 4 bytes ‖ signature of 64 bytes)

    verifier key    example.com/log+33d7b496+base64(0x01 ‖ public key of 32 bytes)
    signing key     PRIVATE+KEY+example.com/log+33d7b496+base64(0x01 ‖ seed of 32 bytes)
    key id          SHA-256(key name ‖ 0x0A ‖ 0x01 ‖ public key)[:4]

A note may carry several signatures: of the old and the new key while a key is changed, of witnesses. Signatures of keys
that the verifier does not know are ignored; one of a key it knows must be right. Parsing is strict: one note has one
spelling, so base64 is padded and canonical, and numbers have no leading zero.

    MalformedNote           the bytes are no signed note
    └── MalformedCheckpoint the text of the note is no checkpoint (in `tracker.checkpoint`)
    MalformedKey            a verifier or signing key cannot be read
    InvalidSignature        a signature of a known key is wrong
    └── NoKnownSignature    no known key has signed

All are `MerkleError`s.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from tracker.merkle import MerkleError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_NOTE_BYTES = 1_000_000
"""The longest signed note that is read."""

MAX_SIGNATURES = 100
"""The most signatures a note may carry, as in Go's `sumdb/note`; the specification asks for at least 16."""

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_KEY_BYTES = 32
_PRIVATE = "PRIVATE+KEY+"
_DASH = "— "
_MAX_DIGITS = 20


# --- keys


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public Ed25519 key with its name; `str()` gives the vkey that the world is told."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise MalformedKey(f"{self.name!r} cannot be a key name: it is empty, or has a space or a plus.")
        if len(self.public) != _KEY_BYTES:
            raise MalformedKey(f"An Ed25519 public key has {_KEY_BYTES} bytes, not {len(self.public)}.")

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before every signature of this key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The key of `name+hex key id+base64`.

        Raises:
            MalformedKey: if a part is missing, is not Ed25519, or the key id is not that of name and key.
        """
        name, key_id, public = _key_parts(vkey)
        key = cls(name, public)
        if key.key_id.hex() != key_id:
            raise MalformedKey(f"The key id {key_id} does not belong to the name and the public key.")
        return key

    def has_signed(self, text: str, signature: bytes) -> bool:
        """True if `signature` (64 bytes, without the key id) is of this key over the text."""
        from cryptography.exceptions import InvalidSignature as WrongSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (WrongSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key with its name. Only `private_text` tells the secret; neither `str` nor `repr` does."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != _KEY_BYTES:
            raise MalformedKey(f"An Ed25519 seed has {_KEY_BYTES} bytes, not {len(self.seed)}.")
        if not is_key_name(self.name):
            raise MalformedKey(f"{self.name!r} cannot be a key name: it is empty, or has a space or a plus.")

    @classmethod
    def generate(cls, name: str) -> Self:
        """A new key from the operating system's randomness."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, private_text: str) -> Self:
        """The key of `PRIVATE+KEY+name+hex key id+base64`.

        Raises:
            MalformedKey: if a part is missing, is not Ed25519, or the key id is not that of name and key. The detail
                never repeats what was given.
        """
        if not private_text.startswith(_PRIVATE):
            raise MalformedKey(f"A signing key starts with {_PRIVATE}.")
        name, key_id, seed = _key_parts(private_text.removeprefix(_PRIVATE))
        key = cls(name, seed)
        if key.verifier.key_id.hex() != key_id:
            raise MalformedKey("The key id does not belong to the name and the seed of the signing key.")
        return key

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        public = _private_key(self.seed).public_key().public_bytes_raw()
        return VerifierKey(self.name, public)

    def private_text(self) -> str:
        """`PRIVATE+KEY+name+hex key id+base64`: the secret, for a file of mode 600 and nothing else."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{encode_base64(_ED25519 + self.seed)}"

    def sign(self, text: str) -> NoteSignature:
        """The signature of a note text; the same text and key always give the same bytes (RFC 8032)."""
        signature = _private_key(self.seed).sign(text.encode())
        return NoteSignature(self.name, self.verifier.key_id, signature)


def _private_key(seed: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def is_key_name(name: str) -> bool:
    """True if a key may have this name: not empty, no Unicode space, no plus, no control character."""
    return bool(name) and "+" not in name and not any(char.isspace() or char < " " for char in name)


def _key_parts(text: str) -> tuple[str, str, bytes]:
    """The name, the key id in hex and the 32 bytes of an encoded key; its base64 may have a plus, the rest may not."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedKey("A key is name+key id+base64.")
    name, key_id, encoded = parts
    try:
        material = decode_base64(encoded)
    except ValueError:
        raise MalformedKey("The last part of the key is not base64.") from None
    if material[:1] != _ED25519 or len(material) != 1 + _KEY_BYTES:
        raise MalformedKey("The key is not an Ed25519 key: 0x01 and 32 bytes.")
    return name, key_id, material[1:]


# --- notes


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who says to have signed, and the bytes that show it."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text, which ends in a newline, and its signatures in the order of the note, verified or not."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(f"{signature}\n" for signature in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The note of these bytes. Nothing is verified yet: do not use the text before `verified_by`.

        Raises:
            MalformedNote: if the bytes are no signed note of c2sp.org/signed-note, are too long, or have more than
                `MAX_SIGNATURES` signatures.
        """
        if len(data) > MAX_NOTE_BYTES:
            raise MalformedNote(f"The note has {len(data)} bytes; at most {MAX_NOTE_BYTES} are read.")
        try:
            note = data.decode()
        except UnicodeDecodeError as error:
            raise MalformedNote("The note is not UTF-8.") from error
        _must_be_printable(note)
        text, blank, lines = note.rpartition("\n\n")
        if not (text and blank and lines.endswith("\n")):
            raise MalformedNote("The note has no text, blank line and signature lines, each ended by a newline.")
        signatures = lines.removesuffix("\n").split("\n")
        if len(signatures) > MAX_SIGNATURES:
            raise MalformedNote(f"The note has {len(signatures)} signatures; at most {MAX_SIGNATURES} are read.")
        return cls(text + "\n", tuple(map(_parse_signature, signatures)))

    def verified_by(self, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Those of the keys that have signed the text, in the order of the note, at least one.

        Raises:
            InvalidSignature: if a signature names one of the keys and is not of it.
            NoKnownSignature: if none of the keys has signed.
            MalformedKey: if two different keys have the same name and key id.
        """
        known: dict[tuple[str, bytes], VerifierKey] = {}
        for key in keys:
            if known.setdefault((key.name, key.key_id), key) != key:
                raise MalformedKey(f"Two keys are called {key.name}+{key.key_id.hex()}.")
        signers: list[VerifierKey] = []
        for signature in self.signatures:
            signer = known.get((signature.name, signature.key_id))
            if signer is None:
                continue
            if not signer.has_signed(self.text, signature.signature):
                raise InvalidSignature(f"The signature of {signer.name}+{signer.key_id.hex()} is wrong.")
            if signer not in signers:
                signers.append(signer)
        if not signers:
            raise NoKnownSignature("None of the known keys has signed the note.")
        return tuple(signers)


def sign_note(text: str, keys: Sequence[SigningKey]) -> SignedNote:
    """The text signed by each key in turn: several while a key is changed, the one that stays valid longest first.

    Raises:
        MalformedNote: if the text does not end in a newline or has a control character, or there is no key.
    """
    _must_be_printable(text)
    if not text.endswith("\n") or text == "\n":
        raise MalformedNote("The text of a note ends in a newline and is not empty.")
    if not 1 <= len(keys) <= MAX_SIGNATURES:
        raise MalformedNote(f"A note is signed by 1 to {MAX_SIGNATURES} keys, not {len(keys)}.")
    return SignedNote(text, tuple(key.sign(text) for key in keys))


def _parse_signature(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not (line.startswith(_DASH) and space and is_key_name(name)):
        raise MalformedNote("A signature line is an em dash, a space, the key name, a space and base64.")
    try:
        signature = decode_base64(encoded)
    except ValueError:
        raise MalformedNote(f"The signature of {name} is not base64.") from None
    if len(signature) <= _KEY_ID_BYTES:
        raise MalformedNote(f"The signature of {name} is too short.")
    return NoteSignature(name, signature[:_KEY_ID_BYTES], signature[_KEY_ID_BYTES:])


def _must_be_printable(note: str) -> None:
    if any(char < " " and char != "\n" for char in note):
        raise MalformedNote("The note has a control character other than the newline.")


# --- spelling


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4), as all C2SP formats have it."""
    return b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64 in its one canonical spelling.

    Raises:
        ValueError: if a character is foreign, the padding is wrong, or unused bits are set.
    """
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise ValueError("not base64") from None
    if encode_base64(data) != text:
        raise ValueError("not canonical base64")
    return data


def parse_count(text: str) -> int:
    """A number of ASCII digits without leading zeroes, as sizes and indices are written.

    Raises:
        ValueError: if it is anything else, or has over 20 digits.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS or (text[0] == "0" and text != "0"):
        raise ValueError("not a decimal number without leading zeroes")
    return int(text)


# --- errors


class MalformedNote(MerkleError):
    """The bytes are no signed note of c2sp.org/signed-note. Fetch them again; they may be cut or from another place."""

    code = "malformed_note"
    title = "Not a signed note"


class MalformedKey(MerkleError):
    """A verifier or signing key cannot be read. Copy it whole, with its name and key id."""

    code = "malformed_key"
    title = "Not a key"


class InvalidSignature(MerkleError):
    """A signature of a known key is wrong, so the text is not to be believed."""

    code = "invalid_signature"
    title = "The signature is wrong"


class NoKnownSignature(InvalidSignature):
    """No known key has signed. Either the log has changed its key, or this is another log."""

    code = "no_known_signature"
    title = "No known key has signed"
