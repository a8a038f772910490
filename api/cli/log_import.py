"""`tracker log import`: a published log into an empty store, with its id and every position, instant and byte.

The whole log is verified before anything is written, so a log that is doubted leaves nothing behind. Then it is read
again, and each event is verified once more and written, in transactions of BATCH_EVENTS. An import that was cut off
goes on there when it is run again; until its last event is in the store, servers write nothing to it
(`LogMemory.expect`).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import click
from pydantic_core import from_json

from api.cli.backup import say_what_is_known
from api.cli.group import fail
from api.cli.log_answers import doubting, parse_keys, shown_checkpoint
from api.cli.log_private import PrivateFile
from api.cli.log_sources import opened_source
from api.cli.log_verify import NO_KEY
from api.cli.stores import Stores, made_stores
from api.cli.terminal import progress, say
from api.http.access_keys import put_keys
from api.http.system_clock import now
from api.outgoing.webhooks import put_webhooks
from tracker.checkpoint import Checkpoint
from tracker.log.identity import NOWHERE, LogIdentity, LogPoint
from tracker.log.private_parts import PrivatePart
from tracker.log.recorder import LogRecorder
from tracker.log.rows import NewLogRow, leaf_hash
from tracker.tiles import TILE_WIDTH, Fetch, TileMissing
from tracker.verification.doubts import LogDoubted
from tracker.verification.log_verification import (
    CHECKPOINT_PATH,
    LogVerification,
    VerifiedEvent,
    must_be_signed,
    published_keys,
)

BATCH_EVENTS = 2_000
"""Events of one transaction."""

_ID_IN_ORIGIN = re.compile(r".*-([0-9a-f]{20})")
"""The default origin of a log ends in its id."""


@dataclass(frozen=True, slots=True)
class _Export:
    """What is imported: the files of a log, their checkpoint, and the private file if there is one."""

    fetch: Fetch
    checkpoint: Checkpoint
    private: Path | None

    def opened_private(self) -> PrivateFile | None:
        """The private file from its beginning on; it is read forwards, once for each walk over the log."""
        return None if self.private is None else PrivateFile(self.private)

    def walk(self, file: PrivateFile | None) -> LogVerification:
        """A walk over the log, with the lines that are withheld out of the private file."""

        def private_line(position: int) -> bytes | None:
            part = None if file is None else file.at(position)
            return None if part is None else part.line

        return LogVerification(self.checkpoint, self.fetch, private_line=private_line)


@click.command("import")
@click.argument("where", metavar="DIR_OR_URL")
@click.option(
    "--private",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What is not public, written by the same `tracker log export --private`.",
)
@click.option("--key", "keys", multiple=True, metavar="VKEY", help="The log's verifier key; twice while it is changed.")
@click.option("--log", "log_id", metavar="ID", help="The log's id, if neither file nor origin tells it.")
def import_(where: str, private: Path | None, keys: tuple[str, ...], log_id: str | None) -> None:
    """Put a published log into an empty store, with its id and every byte as it was.

    Every id, position, `recorded_at`, `recorded_by` and line is as it was, so readers, tags, proofs and older
    checkpoints stay good. The log is verified whole before anything is written. Without the private file the store has
    no keys, forgets idempotency keys, and a log with withheld lines cannot be imported. Cut off, it goes on where it
    was when it is run again; servers write nothing before it has ended. On PostgreSQL run it as the role that owns the
    tables. Move the keys that sign (TRACKER_SIGNING_KEY, or the state directory) too, and serve the log in one place
    only.

    \b
    Examples:
      tracker log import published --private moving.private
      tracker log import https://pledges.example.org/ledger --key "$KEY"
    """
    given = parse_keys(keys)
    with doubting(), opened_source(where) as fetch:
        try:
            note = fetch(CHECKPOINT_PATH)
        except TileMissing:
            raise LogDoubted("there is no checkpoint; the address of a tracker's log ends in /ledger") from None
        checkpoint, _ = must_be_signed(note, given or published_keys(fetch))
        export = _Export(fetch, checkpoint, private)
        file = export.opened_private()
        identities = _identities(checkpoint, file, log_id)
        with made_stores() as stores:
            there = _must_be_free(stores, identities[-1].log, checkpoint)
            if file is not None:
                _must_begin_alike(stores.log, file)
            last = _verified(export, file)
            if last.position:
                stores.memory.expect(identities[-1].log, last)
            _begin(stores, identities, export.opened_private(), there)
            _import(stores, export, there)
            stores.memory.begin()
            stores.memory.keep(at_once=True)
            say(f"imported: {shown_checkpoint(checkpoint)}.")
            say_what_is_known(stores.log.guard, stores.settings)
    if not given:
        say(NO_KEY)
    say("`tracker serve` or `tracker project` builds the read models; `tracker replay --compare` compares them.")
    click.echo(identities[-1].log)


def _identities(checkpoint: Checkpoint, file: PrivateFile | None, log_id: str | None) -> list[LogIdentity]:
    """The ids of the log.

    Raises: CommandFailed if they are not known, or the private file is of another export.
    """
    if file is not None:
        head = file.head
        if (head.size, head.root) != (checkpoint.size, checkpoint.root):
            root = b64encode(head.root).decode()
            fail(f"the private file is of another export, of {head.size} events with root {root}: export both again")
        return head.identities
    found = _ID_IN_ORIGIN.fullmatch(checkpoint.origin)
    known = log_id or (found[1] if found else None)
    if known is None:
        fail(f"the origin {checkpoint.origin} does not tell the log's id: give --private FILE or --log ID")
    return [LogIdentity(1, known, None, 0, None, now(), "imported from the public log")]


def _must_be_free(stores: Stores, log: str, checkpoint: Checkpoint) -> int:
    """The number of events that are there already: 0, or those of an import of the same log that was cut off.

    Raises: CommandFailed if the store has another log, or more of this one.
    """
    found = stores.log.standing()
    there = found.head.position
    if there and found.log != log:
        fail(f"the store has log {found.log} with {there} events: a log is imported into an empty store")
    if there > checkpoint.size:
        fail(f"the store has {there} events of this log, and the export {checkpoint.size}")
    if there:
        say(f"The store has the first {there} events: the import goes on behind them.")
    return there


def _verified(export: _Export, file: PrivateFile | None) -> LogPoint:
    """The last event of the log, once all of it is verified."""
    last = NOWHERE
    with progress("Verifying", export.checkpoint.size) as advance:
        for position, event in enumerate(export.walk(file).events(), start=1):
            if event is None:
                raise _withheld(position)
            if position == export.checkpoint.size:
                last = LogPoint(position, from_json(event.line)["id"], leaf_hash(event.line))
            if position % TILE_WIDTH == 0:
                advance(TILE_WIDTH)
    return last


def _withheld(position: int) -> LogDoubted:
    return LogDoubted("its line is withheld from the public: give --private FILE of the same export", position)


def _begin(stores: Stores, identities: Sequence[LogIdentity], file: PrivateFile | None, there: int) -> None:
    """Give an empty store the log's ids; and any its withholdings and keys, of which those that are there stay."""
    log = stores.log
    if not there:
        log.put_identities(identities)
    log.look()
    if file is not None:
        for withholding in file.head.withholdings:
            log.put_withholding(withholding)
        put_keys(stores.engine, file.head.keys)
        put_webhooks(stores.engine, file.head.webhooks)


def _import(stores: Stores, export: _Export, there: int) -> None:
    log, file = stores.log, export.opened_private()
    rows_of_log, done = _rows(export.walk(file), file), 0
    with progress("Importing", export.checkpoint.size) as advance:
        while rows := list(islice(rows_of_log, BATCH_EVENTS)):
            known = min(max(there - done, 0), len(rows))
            if known and log.leaves(done, known) != [leaf_hash(row.state) for row in rows[:known]]:
                raise LogDoubted("the store has another event there than the export", done + 1, done + known)
            log.append(rows[known:], restamp=_never)
            done += len(rows)
            advance(len(rows))
    if file is not None:
        _import_proposals(log, file)


def _must_begin_alike(log: LogRecorder, file: PrivateFile) -> None:
    """Check that the events of proposals that are there are the first of the file's.

    Raises: CommandFailed if they are others.
    """
    known, shared = log.proposal_head(), 0
    for position, row in file.proposal_events():
        if position > known:
            break
        if log.proposal_events(position - 1, 1) != [(position, row)]:
            fail(f"the store has other proposals than the export, at their event {position}")
        shared = position
    if shared < known:
        fail(f"the store has {known} events of proposals, and the export {shared}")


def _import_proposals(log: LogRecorder, file: PrivateFile) -> None:
    """Put the events of proposals behind those that are there."""
    known = log.proposal_head()
    for position, row in file.proposal_events():
        if position > known:
            log.add_proposal_event(row)


def _rows(walk: LogVerification, file: PrivateFile | None) -> Iterator[NewLogRow]:
    for position, event in enumerate(walk.events(), start=1):
        if event is None:
            raise _withheld(position)
        yield _row(event, None if file is None else file.at(position))


def _row(event: VerifiedEvent, part: PrivatePart | None) -> NewLogRow:
    stored = from_json(event.line)
    return NewLogRow(
        pledge=event.pledge,
        version=event.version,
        type=stored["fact"]["type"],
        event_id=stored["id"],
        state=event.line,
        recorded_at=datetime.fromisoformat(stored["recorded_at"]),
        key=None if part is None else part.key,
        key_index=None if part is None else part.key_index,
        payload_hash=None if part is None else part.payload_hash,
    )


def _never(_line: bytes, _recorded_at: datetime) -> bytes:
    raise LogDoubted("the log would change the instant of an event")
