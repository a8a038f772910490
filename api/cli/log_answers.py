"""What the commands about a published log share: its keys, its words, and what they say when they doubt it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from api.cli.group import fail
from api.cli.log_sources import SourceUnavailable, read_bounded
from tracker.checkpoint import Checkpoint
from tracker.merkle import MerkleError
from tracker.signed_note import MalformedKey, VerifierKey, encode_base64
from tracker.verification.doubts import LogDoubted

MAX_SHOWN_CHARACTERS = 200
"""Characters that are shown of a name that a stranger chose."""

MAX_SENTENCE_CHARACTERS = 2_000
"""Characters of a sentence that may repeat what a stranger wrote."""


@contextmanager
def doubting() -> Iterator[None]:
    """End the command with exit code 1 and a sentence when a log or a proof is not to be believed, or cannot be read.

    Raises: CommandFailed.
    """
    try:
        yield
    except LogDoubted as doubted:
        fail(_clipped(f"NOT VERIFIED: {doubted}"))
    except SourceUnavailable as away:
        fail(_clipped(away.detail))
    except MerkleError as wrong:
        fail(_clipped(f"NOT VERIFIED: {wrong.detail}"))


def _clipped(sentence: str) -> str:
    return sentence if len(sentence) <= MAX_SENTENCE_CHARACTERS else f"{sentence[:MAX_SENTENCE_CHARACTERS]}…"


def parse_keys(given: Sequence[str], option: str = "--key") -> list[VerifierKey]:
    """The verifier keys of an option: each is one.

    Raises: click.UsageError if one cannot be read.
    """
    keys: list[VerifierKey] = []
    for text in given:
        try:
            keys.append(VerifierKey.parse(text.strip()))
        except MalformedKey as wrong:
            raise click.UsageError(f"{option}: {wrong.detail}") from None
    return keys


def read_given(file: Path, limit: int, option: str) -> bytes:
    """The bytes of a file that the caller names.

    Raises: click.UsageError if there is none.
    """
    try:
        return read_bounded(file, limit)
    except FileNotFoundError:
        raise click.UsageError(f"{option}: there is no file {file}") from None


def shown_name(name: str) -> str:
    """A name that a stranger chose, as far as it is shown."""
    return name if len(name) <= MAX_SHOWN_CHARACTERS else f"{name[:MAX_SHOWN_CHARACTERS]}…"


def shown_key(key: VerifierKey) -> str:
    """A verifier key in a sentence: its name and its key id."""
    return f"{shown_name(key.name)}+{key.key_id.hex()}"


def shown_checkpoint(checkpoint: Checkpoint) -> str:
    """What a checkpoint says: the log's name, its size and its root."""
    return f"{shown_name(checkpoint.origin)}, {checkpoint.size} events, root {encode_base64(checkpoint.root)}"
