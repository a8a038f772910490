"""What a log has that nobody but its keeper sees, for a move to another store: idempotency keys, the whole lines of
which something is withheld, the withholdings, and the ids that the log has had.

A move is the keeper's work and needs the owner's rights: servers never call these.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from tracker.errors import Unavailable
from tracker.log.identity import LogIdentity
from tracker.log.store_calls import StoreCalls
from tracker.withholding import Withholding

_PARTS = """
SELECT p.position, p.idempotency_key, p.idempotency_index, p.payload_hash,
       CASE WHEN p.is_withheld THEN (SELECT e.state FROM {events} AS e WHERE e.{number} = p.position) END
FROM (SELECT l.position, l.idempotency_key, l.idempotency_index, l.payload_hash,
             EXISTS (SELECT 1 FROM {withheld} AS w WHERE w.event_id = l.event_id) AS is_withheld
      FROM {log} AS l WHERE l.position > :after AND l.position <= :last) AS p
WHERE p.idempotency_key IS NOT NULL OR p.is_withheld
ORDER BY p.position
"""

_WITHHOLD = """
INSERT INTO {withheld} (event_id, field, number, reason, recorded_at, recorded_by)
SELECT CAST(:event AS text), CAST(:field AS text), CAST(:number AS bigint), CAST(:reason AS text), :at,
       CAST(:by AS text)
WHERE NOT EXISTS (SELECT 1 FROM {withheld} AS w
                  WHERE w.event_id = CAST(:event AS text) AND w.field = CAST(:field AS text))
"""


class PrivatePart(NamedTuple):
    """What is not public of one event. `line` is its whole line if something of it is withheld, else None."""

    position: int
    key: str | None
    key_index: int | None
    payload_hash: bytes | None
    line: bytes | None


class PrivateParts(StoreCalls):
    """The private parts of a log, read from one store and put into another."""

    def private_parts(self, after: int, last: int) -> list[PrivatePart]:
        """The private parts of the events with `after < position <= last` that have some, oldest first.

        Raises: Unavailable if the store does not answer.
        """
        return [PrivatePart(*row) for row in self._ask(_PARTS, {"after": after, "last": last})]

    def put_withholding(self, withholding: Withholding) -> None:
        """Withhold a field as another store did, unless it is withheld already."""
        self._record(
            _WITHHOLD,
            {
                "event": withholding.event_id, "field": withholding.field, "number": withholding.number,
                "reason": withholding.reason, "at": self._to_stored(withholding.recorded_at),
                "by": withholding.recorded_by,
            },
        )  # fmt: skip

    def put_identities(self, identities: Sequence[LogIdentity]) -> None:
        """Give an empty log the ids of another one, in the place of its own.

        Raises: Unavailable if the log has an event; the library's errors if the role does not own the tables.
        """
        rows = [
            (one.number, one.log, one.forked_from, one.position, one.event_id, self._to_stored(one.at), one.reason)
            for one in identities
        ]
        if not self._replace_identities(rows):
            raise Unavailable("the log has events by now, so its id stays")

    @abstractmethod
    def _replace_identities(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """One transaction under the append lock: the rows in the place of those there; False of a log with events."""
