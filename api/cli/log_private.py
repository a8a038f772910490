"""The private file of a move: what a log has that its public files have not. One JSON object a line, in this order:

    {"format": …, "log": …, "size": …, "root": …}     which export it belongs to
    {"identity": {…}}                                 the ids that the log has had
    {"withholding": {…}}                              what is withheld
    {"key": {…}}                                      the table of keys, with their hashes
    {"webhook": {"id": …, …}}                         who is told by webhooks, with the secrets
    {"event": {"position": …, …}}                     by position: idempotency keys, lines that are withheld
    {"proposal": {"position": …, …}}                  by position: the events of proposals
    {"end": …}                                        the number of the lines before it

Bytes are base64. A file that was cut off has no end, and is refused.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from pydantic_core import from_json, to_json

from api.cli.group import fail
from api.http.access_keys import stored_keys
from api.outgoing.webhooks import stored_webhooks
from projections.ledger.reader import Ledger
from tracker.checkpoint import Checkpoint
from tracker.event import stamp
from tracker.log.identity import LogIdentity
from tracker.log.private_parts import PrivatePart
from tracker.log.recorder import LogRecorder
from tracker.log.rows import ProposalRow
from tracker.withholding import Withholding

FORMAT = "commitments-tracker private log 1"
"""What the first line says."""

PRIVATE_MODE = 0o600
"""The mode of the file: it holds hashes of keys, and what the law wants gone."""

PAGE_EVENTS = 5_000
"""Positions that are looked through at a time."""

PAGE_PROPOSAL_EVENTS = 500
"""Events of proposals that are read at a time: each may hold a whole fact."""


@dataclass
class PrivateHead:
    """All of a private file but what it has of single events."""

    log: str
    size: int
    root: bytes
    identities: list[LogIdentity] = field(default_factory=list)
    withholdings: list[Withholding] = field(default_factory=list)
    keys: list[dict[str, str | None]] = field(default_factory=list)
    webhooks: list[dict[str, Any]] = field(default_factory=list)


def must_be_elsewhere(file: Path, directory: Path) -> None:
    """Check that the private file is not in the directory that is published.

    Raises: click.UsageError if it is.
    """
    home = file.parent.resolve()  # a link that stands at `file` is replaced, not followed
    if directory.resolve() in (home, *home.parents):
        raise click.UsageError(f"--private: {file} would be in {directory}, which is published")


def write_private(file: Path, ledger: Ledger, checkpoint: Checkpoint, advance: Callable[[int], None]) -> int:
    """Write the private file of an export; the number of events that it has something of.

    Raises: CommandFailed if it cannot be written.
    """
    beside = file.with_name(f".{file.name}.new")
    number = 0
    try:
        with suppress(FileNotFoundError):
            beside.unlink()
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_MODE)
        with open(handle, "wb") as out:  # noqa: PTH123 - it has a mode of its own from its first byte on
            count = 0
            for line in _lines(ledger, checkpoint, advance):
                out.write(to_json(line) + b"\n")
                number += "event" in line
                count += 1
            out.write(to_json({"end": count}) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    return number


def _lines(ledger: Ledger, checkpoint: Checkpoint, advance: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    log = ledger.log
    root = b64encode(checkpoint.root).decode()
    yield {"format": FORMAT, "log": log.guard.log, "size": checkpoint.size, "root": root}
    for identity in log.identities():
        yield {"identity": asdict(identity) | {"at": stamp(identity.at)}}
    for withholding in log.withholdings():
        yield {"withholding": asdict(withholding) | {"recorded_at": stamp(withholding.recorded_at)}}
    for key in stored_keys(ledger.engine):
        yield {"key": key}
    for webhook in stored_webhooks(ledger.engine):
        yield {"webhook": webhook}
    for after in range(0, checkpoint.size, PAGE_EVENTS):
        for part in log.private_parts(after, min(after + PAGE_EVENTS, checkpoint.size)):
            yield {"event": {name: _text(value) for name, value in part._asdict().items() if value is not None}}
        advance(min(PAGE_EVENTS, checkpoint.size - after))
    for position, row in _proposal_events(log, checkpoint.size):
        told = {name: _text(value) for name, value in row._asdict().items() if value is not None}
        yield {"proposal": {"position": position, **told}}


def _proposal_events(log: LogRecorder, size: int) -> Iterator[tuple[int, ProposalRow]]:
    """The events of proposals up to the first that accepts a fact which the first `size` events do not have."""
    after = 0
    while page := log.proposal_events(after, PAGE_PROPOSAL_EVENTS):
        for position, row in page:
            if row.type == "ProposalAccepted" and log.by_event_ids([from_json(row.state)["event"]])[0].position > size:
                return
            yield position, row
        after = page[-1][0]


def _text(value: object) -> object:
    return b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


class PrivateFile:
    """A private file, read once and forwards: `head` at once, then what it has of events, position by position."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._must_be_whole()
        self._lines = self._read()
        self._next: PrivatePart | None = None
        self.head = self._read_head()

    def at(self, position: int) -> PrivatePart | None:
        """What the file has of the event at a position; positions are asked for in their order."""
        while self._next is not None and self._next.position < position:
            passed, self._next = self._next.position, self._read_event(next(self._lines, None))
            if self._next is not None and self._next.position <= passed:
                fail(f"{self._file} is damaged, its events are not by position: run the export again")
        return self._next if self._next is not None and self._next.position == position else None

    def proposal_events(self) -> Iterator[tuple[int, ProposalRow]]:
        """The events of proposals that the file has, with their positions; read anew, beside what `at` reads."""
        for line in self._read():
            if isinstance(line, dict) and (given := line.get("proposal")):
                with self._decoding("proposal"):
                    binary = {name: b64decode(given[name]) for name in ("state", "payload_hash") if name in given}
                    row = {**given, **binary}
                    found = int(row.pop("position")), ProposalRow(**row)
                yield found

    @contextmanager
    def _decoding(self, what: str) -> Iterator[None]:
        """Say which line is not what `write_private` writes.

        Raises: CommandFailed if one is not.
        """
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            fail(f"{self._file} is damaged, its {what} cannot be read ({error!r}): run the export again")

    def _must_be_whole(self) -> None:
        """Check that the file was written to its end, and lacks no line.

        Raises: click.UsageError if there is none; CommandFailed if it was cut off.
        """
        count, last = -1, b""
        try:
            with self._file.open("rb") as lines:
                for line in lines:
                    count, last = count + 1, line
        except FileNotFoundError:
            raise click.UsageError(f"--private: there is no file {self._file}") from None
        if last != to_json({"end": count}) + b"\n":
            fail(f"{self._file} was cut off, or is no private file: run the export again")

    def _read(self) -> Iterator[dict[str, Any]]:
        with self._file.open("rb") as lines:
            for number, line in enumerate(lines):
                try:
                    read = from_json(line)
                except ValueError:
                    fail(f"{self._file}, line {number + 1}: it is no JSON")
                if read == {"end": number}:
                    return
                yield read

    def _read_head(self) -> PrivateHead:
        first = next(self._lines, None)
        if not isinstance(first, dict) or first.get("format") != FORMAT:
            fail(f"{self._file} is no private file of this release")
        with self._decoding("head"):
            return self._read_rest_of_head(PrivateHead(first["log"], first["size"], b64decode(first["root"])))

    def _read_rest_of_head(self, head: PrivateHead) -> PrivateHead:
        for line in self._lines:
            match line:
                case {"identity": given}:
                    head.identities.append(LogIdentity(**given | {"at": datetime.fromisoformat(given["at"])}))
                case {"withholding": given}:
                    at = datetime.fromisoformat(given["recorded_at"])
                    head.withholdings.append(Withholding(**given | {"recorded_at": at}))
                case {"key": given}:
                    head.keys.append({**given, "id": given["id"]})
                case {"webhook": given}:
                    head.webhooks.append({**given, "id": given["id"]})
                case _:
                    self._next = self._read_event(line)
                    break
        return head

    def _read_event(self, line: dict[str, Any] | None) -> PrivatePart | None:
        if line is None or (isinstance(line, dict) and "proposal" in line):
            return None
        if not isinstance(line, dict) or "event" not in line:
            fail(f"{self._file} has {next(iter(line), 'a line')!r}, which this release does not know")
        with self._decoding("event"):
            part = line["event"]
            hashed, whole = part.get("payload_hash"), part.get("line")
            return PrivatePart(
                int(part["position"]),
                part.get("key"),
                part.get("key_index"),
                None if hashed is None else b64decode(hashed),
                None if whole is None else b64decode(whole),
            )
