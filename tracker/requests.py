"""What is asked of the record, and what it answers: drafts of facts, a request of them, and what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from tracker.event import Event, event_line
from tracker.fact_warnings import FactWarning
from tracker.facts import AnyFact
from tracker.log.rows import LogRow, NewLogRow, ProposalRow


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact to record on a pledge; the edge gives it its event id. `expected_version` is checked if given.

    `accepted` is the event with which a proposal says that this fact was it.
    """

    pledge: str
    fact: AnyFact
    id: str
    expected_version: int | None = None
    accepted: ProposalRow | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Facts to record, all or nothing: who records them, and the time. `key` is the idempotency key with its scope."""

    drafts: tuple[Draft, ...]
    by: str
    now: datetime
    key: str | None = None
    payload_hash: bytes | None = None
    opens: bool = False
    """Whether the request is to open its pledge: a taken slug is PledgeExists then."""
    log: str | None = None
    """The id of the log that the request is for; None if any."""


class DecidedFact(NamedTuple):
    """A fact that was decided on: its pledge, the version and the id that its event gets, its type, and its JSON."""

    pledge: str
    version: int
    id: str
    type: str
    fact: bytes


@dataclass(frozen=True, slots=True)
class DecidedRequest:
    """Facts that were decided on together, to record all or nothing as long as nobody else recorded anything on their
    pledges since: who records them, the time, the idempotency key and the hash of the payload."""

    facts: Sequence[DecidedFact]
    by: str
    now: datetime
    key: str
    payload_hash: bytes

    def lines(self) -> list[NewLogRow]:
        """The rows to append."""
        return [
            NewLogRow(
                pledge=fact.pledge,
                version=fact.version,
                type=fact.type,
                event_id=fact.id,
                state=event_line(fact.id, fact.pledge, fact.version, self.now, self.by, fact.fact),
                recorded_at=self.now,
                key=self.key,
                key_index=index,
                payload_hash=self.payload_hash,
            )
            for index, fact in enumerate(self.facts)
        ]


class Decided(NamedTuple):
    """The events that a request would record, and what is odd about its drafts, by their index."""

    events: tuple[Event, ...]
    warnings: tuple[tuple[int, FactWarning], ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """The events of a request as the log has them; `replayed` if they were there before."""

    events: tuple[LogRow, ...]
    replayed: bool = False
    warnings: tuple[FactWarning, ...] = ()
    """Of a single fact; a batch is warned of by a dry run."""


class Posted(Protocol):
    """A request as it came in. The writer decodes it when its turn comes, and asks for `read` first and once."""

    def read(self) -> tuple[str | None, bytes | None]:
        """The idempotency key with its scope, and the hash of the payload; a key that is known is answered from it.

        Raises: whatever refuses the request before its key counts.
        """
        ...

    def request(self) -> Request:
        """The request itself.

        Raises: whatever refuses it before it is held against the log.
        """
        ...
