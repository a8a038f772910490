"""A row of the log, before and after it is recorded, and what makes the one into the other.

A row is `(position, pledge, version, type, event_id, recorded_at, key, key_index, payload_hash, leaf)`; the bytes of
the event stand in the library's events table under the same number. Positions start at 1 and have no holes, also after
refused conflicts. `recorded_at` never decreases along the log, also when the clock is set back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from eventsourcing.persistence import IntegrityError

MAX_POSITION = 2**63 - 1
"""The largest position that a store can hold: "to the end of the log"."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When events were recorded that came without an instant, through the library's own interface."""

Restamp = Callable[[bytes, datetime], bytes]
"""Writes another `recorded_at` into an event's bytes."""


class ProposalRow(NamedTuple):
    """One event of a proposal (`tracker.log.proposal_events`)."""

    proposal: str
    version: int
    type: str
    state: bytes
    proposer: str | None = None
    key: str | None = None
    payload_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewLogRow:
    """One event to append. `recorded_at` is aware; `key_index` is the event's place under its idempotency key `key`.

    `accepted` is the event of the proposal that the fact was, recorded in the same transaction.
    """

    pledge: str
    version: int
    type: str
    event_id: str
    state: bytes
    recorded_at: datetime
    key: str | None = None
    key_index: int | None = None
    payload_hash: bytes | None = None
    accepted: ProposalRow | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """One event as recorded: `state` is its line, `leaf` SHA-256(0x00 || stored line) (RFC 6962 §2.1).

    `state` is the stored line unless fields of the event are `withheld`: then it is the line without them.
    """

    position: int
    pledge: str
    version: int
    type: str
    event_id: str
    recorded_at: datetime
    state: bytes
    key: str | None
    key_index: int | None
    payload_hash: bytes | None
    leaf: bytes
    withheld: tuple[str, ...] = ()

    def with_withheld(self, state: bytes, fields: tuple[str, ...]) -> LogRow:
        """The same row with the line that is left once these fields are withheld."""
        return replace(self, state=state, withheld=fields)


def numbered(
    lines: Sequence[NewLogRow], last: int, last_recorded_at: datetime | None, restamp: Restamp
) -> list[LogRow]:
    """The lines as the rows that follow position `last`, each recorded at the instant of the one before it or later."""
    rows: list[LogRow] = []
    clock = last_recorded_at
    for position, line in enumerate(lines, start=last + 1):
        state, given = line.state, utc(line.recorded_at)
        if clock is not None and given < clock:
            state = restamp(state, clock)
        else:
            clock = given
        rows.append(
            LogRow(
                position, line.pledge, line.version, line.type, line.event_id, clock, state,
                line.key, line.key_index, line.payload_hash, leaf_hash(state),
            )
        )  # fmt: skip
    return rows


def must_follow(lines: Sequence[NewLogRow], versions: Mapping[str, int | None]) -> None:
    """Check that the lines of each pledge follow its last version without a gap; `versions` has those of the log.

    Raises: the library's IntegrityError if not: who decided on another version decides anew.
    """
    last = dict(versions)
    for line in lines:
        before = last.get(line.pledge)
        # The library's own events begin with version 0, ours with 1.
        if line.version not in ((0, 1) if before is None else (before + 1,)):
            raise IntegrityError(f"version {line.version} of {line.pledge!r} does not follow version {before}")
        last[line.pledge] = line.version


def follow_each_other(lines: Sequence[NewLogRow]) -> bool:
    """Whether the lines of each pledge follow each other without a gap, wherever the first one stands."""
    last: dict[str, int] = {}
    for line in lines:
        if line.version != last.get(line.pledge, line.version - 1) + 1:
            return False
        last[line.pledge] = line.version
    return True


def leaf_hash(state: bytes) -> bytes:
    """SHA-256(0x00 || state), the leaf of RFC 6962 §2.1."""
    return hashlib.sha256(b"\x00" + state).digest()


def utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises: ValueError if it is naive: it names no instant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no offset")
    return instant.astimezone(UTC)


def identity(row: NewLogRow | LogRow) -> tuple[object, ...]:
    """What is the same of a row before and after it is recorded, whatever position and instant it got."""
    return row.event_id, row.pledge, row.version, row.type, row.key, row.key_index, row.payload_hash
