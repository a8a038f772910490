"""`tracker log import`: a published log into an empty store, with its id and every position, instant and byte."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

import click
from pydantic_core import from_json

from api.cli.group import fail
from api.cli.log_answers import doubting, parse_keys, shown_checkpoint
from api.cli.log_private import PrivateFile
from api.cli.log_sources import opened_source
from api.cli.log_verify import NO_KEY
from api.cli.stores import Stores, made_stores, now
from api.cli.terminal import progress, say
from api.http.access_keys import put_keys
from tracker.checkpoint import Checkpoint
from tracker.log.identity import LogIdentity
from tracker.log.private_parts import PrivatePart
from tracker.log.rows import NewLogRow, leaf_hash
from tracker.tiles import Fetch, TileMissing
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
    checkpoints stay good. Each event is verified before it is written. Without the private file the store has no keys,
    forgets idempotency keys, and a log with withheld lines cannot be imported. Cut off, it goes on where it was. On
    PostgreSQL run it as the role that owns the tables. Move the keys that sign (TRACKER_SIGNING_KEY, or the state
    directory) too, and serve the log in one place only.

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
        file = None if private is None else PrivateFile(private)
        identities = _identities(checkpoint, file, log_id)
        with made_stores() as stores:
            _begin(stores, identities, checkpoint, file)
            _import(stores, checkpoint, fetch, file)
            stores.memory.begin()
            stores.memory.keep(at_once=True)
    if not given:
        say(NO_KEY)
    say(
        f"imported: {shown_checkpoint(checkpoint)}. `tracker serve` or `tracker project` builds the read models;"
        " `tracker replay --compare` compares them."
    )
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


def _begin(stores: Stores, identities: Sequence[LogIdentity], checkpoint: Checkpoint, file: PrivateFile | None) -> None:
    """Give an empty store the log's ids, withholdings and keys; one in which an import was cut off has them.

    Raises: CommandFailed if the store has another log, or more of this one.
    """
    log = stores.log
    found = log.standing()
    if found.head.position == 0:
        log.put_identities(identities)
        log.look()
    elif found.log != identities[-1].log:
        fail(f"the store has log {found.log} with {found.head.position} events: a log is imported into an empty store")
    elif found.head.position > checkpoint.size:
        fail(f"the store has {found.head.position} events of this log, and the export {checkpoint.size}")
    if file is not None:
        for withholding in file.head.withholdings:
            log.put_withholding(withholding)
        put_keys(stores.engine, file.head.keys)


def _import(stores: Stores, checkpoint: Checkpoint, fetch: Fetch, file: PrivateFile | None) -> None:
    log = stores.log
    there = log.head()

    def private_line(position: int) -> bytes | None:
        part = None if file is None else file.at(position)
        return None if part is None else part.line

    walk = LogVerification(checkpoint, fetch, private_line=private_line)
    rows_of_log = _rows(walk, file)
    done = 0
    with progress("Importing", checkpoint.size) as advance:
        while rows := list(islice(rows_of_log, BATCH_EVENTS)):
            # An import that was cut off, or one that is run again, finds its own events there.
            known = min(max(there - done, 0), len(rows))
            if known and log.leaves(done, known) != [leaf_hash(row.state) for row in rows[:known]]:
                raise LogDoubted("the store has another event there than the export", done + 1, done + known)
            log.append(rows[known:], restamp=_never)
            done += len(rows)
            advance(len(rows))


def _rows(walk: LogVerification, file: PrivateFile | None) -> Iterator[NewLogRow]:
    for position, event in enumerate(walk.events(), start=1):
        if event is None:
            raise LogDoubted("its line is withheld from the public: give --private FILE of the same export", position)
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
