"""The proposals beside the log: the events of the second aggregate, in a table of their own, which only grows.

A row is `(position, proposal, version, type, state, proposer, idempotency_key, payload_hash)`. Positions start at 1 and
have no holes; `version` counts the events of one proposal from 1; `proposer` is the scope of who proposes, and stands
in the first row of each proposal alone. Rows are added under the append lock of the log: alone, or in the transaction
that records the fact of a proposal that is accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent

from tracker.errors import ProposalMoved
from tracker.log.rows import MAX_POSITION, ProposalRow
from tracker.log.store_calls import StoreCalls

CREATE_SQLITE = (
    """CREATE TABLE IF NOT EXISTS proposals (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    proposal TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    type TEXT NOT NULL,
    state BLOB NOT NULL,
    proposer TEXT,
    idempotency_key TEXT,
    payload_hash BLOB,
    UNIQUE (proposal, version),
    CHECK ((version = 1) = (proposer IS NOT NULL)),
    CHECK (idempotency_key IS NOT NULL OR payload_hash IS NULL)
)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS proposals_key ON proposals (idempotency_key) WHERE idempotency_key IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS proposals_first ON proposals (position) WHERE version = 1",
    # INSERT OR REPLACE deletes without a DELETE trigger, so the insert itself is looked at.
    """CREATE TRIGGER IF NOT EXISTS proposals_no_replace BEFORE INSERT ON proposals
    WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM proposals)
      OR NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM proposals WHERE proposal = NEW.proposal)
      OR EXISTS (SELECT 1 FROM proposals WHERE idempotency_key = NEW.idempotency_key)
    BEGIN SELECT RAISE(ABORT, 'proposals is append-only and has no gaps'); END""",
)

CREATE_POSTGRES = (
    """CREATE TABLE IF NOT EXISTS {proposals} (
    position bigint PRIMARY KEY CHECK (position > 0),
    proposal text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    type text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    proposer text COLLATE "C",
    idempotency_key text COLLATE "C",
    payload_hash bytea,
    UNIQUE (proposal, version),
    CHECK ((version = 1) = (proposer IS NOT NULL)),
    CHECK (idempotency_key IS NOT NULL OR payload_hash IS NULL)
)""",
    """CREATE UNIQUE INDEX IF NOT EXISTS {proposals_key} ON {proposals} (idempotency_key)
    WHERE idempotency_key IS NOT NULL""",
    "CREATE INDEX IF NOT EXISTS {proposals_first} ON {proposals} (position) WHERE version = 1",
    """CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {proposals}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse}()""",
)

ADD = """
INSERT INTO {proposals} (position, proposal, version, type, state, proposer, idempotency_key, payload_hash)
VALUES ((SELECT coalesce(max(position), 0) + 1 FROM {proposals}),
        :proposal, :version, :type, :state, :proposer, :key, :payload_hash)
"""
"""The statement that adds a row; its parameters are the members of a ProposalRow."""

_ROWS = "SELECT position, proposal, version, type, state, proposer, idempotency_key, payload_hash FROM {proposals} "

_PAGE = """
SELECT p.position, p.proposal FROM {proposals} AS p
WHERE p.version = 1 AND p.position > :after
  AND (SELECT l.type FROM {proposals} AS l WHERE l.proposal = p.proposal ORDER BY l.version DESC LIMIT 1)
      IN (SELECT value FROM {each})
"""


class ProposalPlace(NamedTuple):
    """Where a proposal stands among all: the position of its first event, and its id."""

    position: int
    proposal: str


class ProposalEvents(StoreCalls):
    """The table of the proposals of a log.

    All of them raise Unavailable if the store does not answer.
    """

    def add_proposal_event(self, row: ProposalRow) -> None:
        """Record one event of a proposal.

        Raises: the library's IntegrityError if its version is taken, or its key.
        """
        self._record(ADD, row._asdict())

    def proposal_rows(
        self, proposal: str, after: int = 0, upto: int | None = None, limit: int | None = None, *, last: bool = False
    ) -> list[ProposalRow]:
        """The events of a proposal with `after < version <= upto`, by version; the last one first if `last`."""
        rows = self._ask(
            f"{_ROWS} WHERE proposal = :proposal AND version > :after AND version <= :upto"
            f" ORDER BY version {'DESC' if last else 'ASC'} LIMIT :limit",
            {
                "proposal": proposal, "after": after, "upto": MAX_POSITION if upto is None else upto,
                "limit": MAX_POSITION if limit is None else limit,
            },
        )  # fmt: skip
        return [ProposalRow(*row[1:]) for row in rows]

    def must_be_next(self, rows: Iterable[ProposalRow | None]) -> None:
        """Check that these events are still the next ones of their proposals.

        Raises: ProposalMoved if one is not.
        """
        for row in rows:
            last = [] if row is None else self.proposal_rows(row.proposal, limit=1, last=True)
            if row is not None and last and last[0].version >= row.version:
                raise ProposalMoved(f"proposal {row.proposal} is at version {last[0].version}")

    def proposal_event_of(self, key: str) -> ProposalRow | None:
        """The event that was recorded under an idempotency key, or None."""
        rows = self._ask(f"{_ROWS} WHERE idempotency_key = :key", {"key": key})
        return ProposalRow(*rows[0][1:]) if rows else None

    def proposal_events(self, after: int, limit: int) -> list[tuple[int, ProposalRow]]:
        """Up to `limit` events of all proposals after a position, the oldest first, with their positions."""
        rows = self._ask(
            f"{_ROWS} WHERE position > :after AND position <= :last ORDER BY position",
            {"after": after, "last": min(after + limit, MAX_POSITION)},
        )
        return [(row[0], ProposalRow(*row[1:])) for row in rows]

    def proposal_head(self) -> int:
        """The last position of the events of proposals; 0 if there is none."""
        found: int = self._ask("SELECT coalesce(max(position), 0) FROM {proposals}", {})[0][0]
        return found

    def proposals_after(
        self, after: int, limit: int, *, last_types: Sequence[str], proposer: str | None = None
    ) -> list[ProposalPlace]:
        """Up to `limit` proposals behind a place, the oldest first, whose last event is of one of these types.

        `proposer` narrows them to those of one scope.
        """
        params: dict[str, Any] = {"after": after, "limit": limit, "given": self._to_array(last_types)}
        own = ""
        if proposer is not None:
            own, params["proposer"] = " AND p.proposer = :proposer", proposer
        return [ProposalPlace(*row) for row in self._ask(f"{_PAGE}{own} ORDER BY p.position LIMIT :limit", params)]


class ProposalRecorder(ApplicationRecorder):
    """The library's recorder over the table: it is asked through the connections of the log, and under its lock."""

    def __init__(self, events: ProposalEvents) -> None:
        self._events = events

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Record one event. `proposer`, `key` and `payload_hash` are members of its row; the rest is ignored.

        Raises: ValueError if there are several: each is a decision of its own.
        """
        (event,) = stored_events
        proposer, key, payload_hash = (kwargs.get(name) for name in ("proposer", "key", "payload_hash"))
        self._events.add_proposal_event(row_of(event)._replace(proposer=proposer, key=key, payload_hash=payload_hash))
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one proposal."""
        return [_stored(row) for row in self._events.proposal_rows(str(originator_id), gt or 0, lte, limit, last=desc)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The events of all proposals; their positions are the ids."""
        after = (start or 0) - (1 if inclusive_of_start and start else 0)
        return [
            Notification(row.proposal, row.version, row.type, row.state, position)
            for position, row in self._events.proposal_events(after, limit)
            if (stop is None or position <= stop) and (not topics or row.type in topics)
        ]

    def max_notification_id(self) -> int | None:
        """The last position; None if there is none."""
        return self._events.proposal_head() or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> NoReturn:
        """Nobody follows the proposals.

        Raises: NotImplementedError.
        """
        raise NotImplementedError("proposals are read when somebody asks for them")


def row_of(event: StoredEvent) -> ProposalRow:
    """The row of an event as the library stores it."""
    return ProposalRow(str(event.originator_id), event.originator_version, event.topic, event.state)


def _stored(row: ProposalRow) -> StoredEvent:
    return StoredEvent(row.proposal, row.version, row.type, row.state)
