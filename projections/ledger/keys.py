"""The keys that sign checkpoints: those of the setting, or those of a file that only its owner can read.

The file has one key a line, as Go's `sumdb/note` writes them: `PRIVATE+KEY+<name>+<key id>+<base64>`. The name is the
origin of the log that the key is for. The first key of a log is the one that stays; further ones sign beside it while
the readers change over.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Sequence
from pathlib import Path

from projections.ledger.faults import LedgerFault
from tracker.log.state_file import StateFile, replace_file
from tracker.signed_note import MalformedKey, SigningKey, decode_base64, is_key_name

FILE_NAME = "signing-keys"
"""The file in the state directory."""

FILE_MODE = 0o600
"""The mode of the file; one that others can read or write is refused."""

_HEADING = "# The secret keys that sign the checkpoints of logs, one a line. Whoever has them can sign as this log.\n"

_log = logging.getLogger(__name__)

GivenKey = SigningKey | bytes
"""A key of the setting: one with its name, or the seed of one that is to have the origin's name."""


def parse_signing_keys(text: str) -> tuple[GivenKey, ...]:
    """The keys of a setting, separated by spaces or commas, the one that stays valid longest first.

    Each is `PRIVATE+KEY+<name>+<key id>+<base64>`, or a seed of 32 bytes in base64.

    Raises: MalformedKey if one cannot be read; the detail never repeats it.
    """
    return tuple(map(_parse, text.replace(",", " ").split()))


def _parse(text: str) -> GivenKey:
    if text.startswith("PRIVATE+KEY+"):
        return SigningKey.parse(text)
    try:
        return SigningKey("seed", decode_base64(text)).seed
    except ValueError:
        raise MalformedKey("A key is PRIVATE+KEY+name+key id+base64, or base64 of 32 random bytes.") from None


class SettingKeys:
    """The keys of the setting."""

    def __init__(self, given: Sequence[GivenKey]) -> None:
        self._given = given

    def of(self, origin: str, known: Sequence[str] = ()) -> tuple[SigningKey, ...]:
        """The keys of a log: those with its name, and seeds. `known` is not looked at: the operator chose them.

        Raises: LedgerFault if all of them are of other logs.
        """
        named = (key if isinstance(key, SigningKey) else _named(origin, key) for key in self._given)
        keys = tuple(key for key in named if key.name == origin)
        if not keys:
            raise LedgerFault(
                f"no key of TRACKER_SIGNING_KEY has the name of the log, {origin}: readers believe no other. Set"
                " TRACKER_ORIGIN to the name of the key, or give the key's seed, which has no name"
            )
        return keys


class KeyFile:
    """The keys of the file in one state directory, which the processes of several stores may share.

    Who `replaces_lost_keys` makes a new key for a log that was signed with another one. A command must not: it may only
    have been run in another directory than the server.
    """

    def __init__(self, directory: Path, *, replaces_lost_keys: bool = False) -> None:
        self.path = directory / FILE_NAME
        self._replaces_lost_keys = replaces_lost_keys
        self._locking = StateFile(self.path)
        self._seen: tuple[tuple[int, ...], str] | None = None
        self._keys: tuple[SigningKey, ...] = ()

    def of(self, origin: str, known: Sequence[str] = ()) -> tuple[SigningKey, ...]:
        """The keys of a log; one is made where there is none. `known` are the verifier keys that signed it before.

        Raises: LedgerFault if the file cannot be used, others can read it, or a lost key is not to be replaced.
        """
        try:
            seen = (self._stamp(), origin)
            if seen != self._seen or not self._keys:
                self._keys = self._read(origin) or self._made(origin, known)
                self._seen = (self._stamp(), origin)
        except OSError as error:
            raise LedgerFault(
                f"the file of signing keys {self.path} cannot be used ({error.strerror}): set TRACKER_STATE_DIR, or"
                " TRACKER_SIGNING_KEY"
            ) from error
        return self._keys

    def add(self, origin: str) -> tuple[SigningKey, ...]:
        """Put a new key before those of a log; all of them sign from now on.

        Raises: LedgerFault and OSError if the file cannot be used.
        """
        with self._locking.locked():
            self._write([_named(origin, None), *self._all()])
        return self._read(origin)

    def drop_older(self, origin: str) -> tuple[SigningKey, ...]:
        """Keep the first key of a log alone.

        Raises: LedgerFault and OSError if the file cannot be used.
        """
        with self._locking.locked():
            keys = self._all()
            first = next((key for key in keys if key.name == origin), None)
            self._write([key for key in keys if key.name != origin or key is first])
        return self._read(origin)

    def _made(self, origin: str, known: Sequence[str]) -> tuple[SigningKey, ...]:
        if known and not self._replaces_lost_keys:
            raise LedgerFault(
                f"{self.path} has no key of {origin}, which was signed before: use the state directory of the process"
                " that signs it (TRACKER_STATE_DIR)"
            )
        if known:
            _log.error(
                "the key that signed %s before is not in %s, and is replaced: tell your readers", origin, self.path
            )
        with self._locking.locked():
            keys = self._all()
            if not any(key.name == origin for key in keys):
                self._write([*keys, _named(origin, None)])
                _log.warning("a signing key for %s was made in %s: keep a copy of the file", origin, self.path)
        return self._read(origin)

    def _read(self, origin: str) -> tuple[SigningKey, ...]:
        return tuple(key for key in self._all() if key.name == origin)

    def _all(self) -> list[SigningKey]:
        """All keys of the file, of every log.

        Raises: LedgerFault if others can read it, or a line is no key.
        """
        try:
            mode = stat.S_IMODE(self.path.stat().st_mode)
            if mode & ~FILE_MODE:
                raise LedgerFault(
                    f"the file of signing keys {self.path} has the mode {mode:o}, so others may have the keys:"
                    f" `chmod {FILE_MODE:o}` it, and change the key if they do"
                )
            lines = self.path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        except UnicodeDecodeError:
            raise LedgerFault(f"the file of signing keys {self.path} is no text") from None
        try:
            return [SigningKey.parse(line.strip()) for line in lines if line.strip() and not line.startswith("#")]
        except MalformedKey as error:
            raise LedgerFault(f"a line of {self.path} is no signing key: {error}") from None

    def _write(self, keys: Sequence[SigningKey]) -> None:
        replace_file(self.path, _HEADING + "".join(f"{key.private_text()}\n" for key in keys), FILE_MODE)

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode


def _named(origin: str, seed: bytes | None) -> SigningKey:
    """A key with the origin's name: of a seed, or a new one.

    Raises: LedgerFault if the origin cannot be the name of a key.
    """
    if not is_key_name(origin):
        raise LedgerFault(f"the origin {origin!r} cannot be the name of a key: it has a space or a plus")
    return SigningKey.generate(origin) if seed is None else SigningKey(origin, seed)
