"""The log: every event in one gapless order, written in the same transaction as the event itself.

Here is what is the same on both stores: retries, the receipt of an append whose answer was lost, and every read. How
each store locks, commits and connects is in `sqlite` and `postgres`; what a row is, in `rows`.
"""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError, StoredEvent

from tracker.errors import LogWentBack
from tracker.log.away import READ_SECONDS, unavailable
from tracker.log.clock_watch import ClockWatch
from tracker.log.guard import Basis, LogGuard
from tracker.log.identity import COLUMNS, LogIdentity, LogPoint, LogStanding, new_log_id, standing_of
from tracker.log.private_parts import PrivateParts
from tracker.log.proposal_events import ProposalEvents
from tracker.log.rows import EPOCH, MAX_POSITION, LogRow, NewLogRow, Restamp, identity, utc
from tracker.log.statements import FORK, HEADS, LOG_ROWS, LOOK_ON, STANDING, STANDING_COLUMNS
from tracker.log.withheld import WithheldFields, as_read

RETRY_SECONDS = (0.05, 0.2, 0.5)
"""Seconds before the second, third and fourth attempt after a lost connection."""

_KEPT = {name: f"{{{name}}}" for name in ("ids", "log", "events", "withheld", "number", "joined")}
"""The names in braces of a statement in which only another one is filled in."""


class LogRecorder(WithheldFields, PrivateParts, ProposalEvents, ABC):
    """The log of one database, appended to and read.

    Every read is one indexed query, and raises Unavailable if the store does not answer within `read_seconds`.
    """

    read_seconds: float = READ_SECONDS
    """Seconds that a read waits for the store, all attempts together."""

    last_failure: tuple[float, str] | None = None
    """When the last append failed because of the store (monotonic clock) and why; None if the last one succeeded."""

    full_at: float | None = None
    """When PostgreSQL last refused a write because its disk was full (monotonic clock), whatever came after it."""

    names: dict[str, str]
    """The store's names for `{log}`, `{events}`, `{ids}`, `{withheld}`, `{proposals}`, `{number}` (of an event),
    `{joined}` (the fields of the rows `w`, as lines), `{each}`, `{now}` and `{contains}` in a query; `each(value)` is a
    table of the values of the array parameter `:given`, `{contains}` whether an event `e` has the bytes `:mark`."""

    guard: LogGuard
    """What this process knows of the log, and whether it may write to it."""

    token: str = ""
    """What tells the appends of this object among PostgreSQL's notifications; empty where there are none."""

    clock: ClockWatch | None = None
    """Refuses stamps of a clock that cannot be right; None lets all stamps pass."""

    # Writing

    def append(self, lines: Sequence[NewLogRow], *, restamp: Restamp, basis: Basis | None = None) -> list[LogRow]:
        """Record all lines, in this order, or none. `basis` is the guard's from before the lines were decided.

        A line stamped before the last row gets that row's `recorded_at`, and the bytes that `restamp` makes for it. If
        the store's answer was lost and the lines are found in the log, their rows are returned.

        Raises: the library's IntegrityError if a version does not follow the last one of its pledge, or an event id or
        a key is taken by another event; nothing is written then. LogWentBack if the log lost an event that was known;
        ClockImplausible if the stamps cannot be right. Unavailable if the store does not answer: the outcome is
        unknown, and appending the same lines again is safe.
        """
        if not lines:
            return []
        if self.clock is not None:
            self.clock.must_keep_pace(line.recorded_at for line in lines)
        basis = basis or self.guard.basis()
        for pause in (*RETRY_SECONDS, None):
            try:
                rows = self._append(lines, restamp, basis)
                self.last_failure = None
                self.guard.recorded(basis.log, LogPoint(rows[-1].position, rows[-1].event_id, rows[-1].leaf))
                return rows
            except LogWentBack as refusal:
                self.guard.refuse(refusal)
                raise
            except IntegrityError:
                if mine := self._receipt(lines):
                    return mine
                raise
            except (OperationalError, InterfaceError) as lost:
                if mine := self._receipt_after(lost, lines):
                    return mine
                if pause is None or not self._may_retry(lost):
                    self.last_failure = (time.monotonic(), self._reason(lost))
                    raise unavailable(self._reason(lost)) from lost
                time.sleep(pause)
        raise AssertionError("the last pause is None")

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> list[int]:
        """The library's contract over `append`. Keyword arguments: `recorded_at`, `event_ids`; the rest is ignored."""
        recorded_at = kwargs.get("recorded_at") or EPOCH
        ids = kwargs.get("event_ids") or [uuid.uuid4().hex for _ in stored_events]
        lines = [
            NewLogRow(str(e.originator_id), e.originator_version, e.topic, event_id, e.state, recorded_at)
            for e, event_id in zip(stored_events, ids, strict=True)
        ]
        return [row.position for row in self.append(lines, restamp=lambda state, _: state)]

    def _receipt_after(self, lost: Exception, lines: Sequence[NewLogRow]) -> list[LogRow]:
        """The rows of these lines if the commit whose answer was lost has happened, else nothing; reconnects first."""
        if not self._may_retry(lost):
            return []
        self._reconnect()
        return self._receipt(lines)

    def _receipt(self, lines: Sequence[NewLogRow]) -> list[LogRow]:
        """The rows of these very lines if all of them are in the log, else nothing."""
        rows = self.by_event_ids([line.event_id for line in lines])
        return rows if [identity(row) for row in rows] == [identity(line) for line in lines] else []

    # Which log this is

    def look(self) -> LogStanding:
        """See whether the log is still the one that is known, and how far it is; the guard takes it in."""
        basis = self.guard.basis()
        found = self.standing(basis.known.position)
        self.guard.take_in(found, basis)
        return found

    def look_on(self, after: int, limit: int) -> tuple[LogStanding, list[LogRow]]:
        """What `look` tells, and the up to `limit` rows after a position, oldest first."""
        basis = self.guard.basis()
        asked = {"there": basis.known.position, "after": after, "last": after + limit, "limit": limit}
        rows = self._ask(LOOK_ON.format(**_KEPT, there=":there"), asked)
        found = standing_of(rows[0])
        self.guard.take_in(found, basis)
        ahead = (self._log_row(row[STANDING_COLUMNS:]) for row in rows if row[STANDING_COLUMNS] is not None)
        return found, sorted(ahead, key=lambda row: row.position)

    def standing(self, there: int = 0) -> LogStanding:
        """The log's id, its last event, and the id of the event at position `there`.

        Raises: Unavailable if the log has no id.
        """
        (row,) = self._ask(STANDING.format(**_KEPT, there=":there"), {"there": there})
        return standing_of(row)

    def identities(self) -> list[LogIdentity]:
        """All ids that the log has had, the first one first."""
        rows = self._ask(f"SELECT {COLUMNS} FROM {{ids}} ORDER BY number", {})  # noqa: S608 - names of ours
        return [
            LogIdentity(number, log, forked_from, position, event_id, self._from_stored(at), reason)
            for number, log, forked_from, position, event_id, at, reason in rows
        ]

    def fork(self, reason: str) -> LogIdentity:
        """Give the log a new id: from here on it is another history. Every process that has it open follows."""
        self._write(FORK.format(**self.names), {"log": new_log_id(), "reason": reason})
        self.look()
        return self.identities()[-1]

    # Reading

    def ping(self) -> None:
        """Check that the log can be read. Raises: Unavailable if not."""
        self.head()

    def why_read_only(self) -> str | None:
        """Why the store takes no writes; None if it would take one within `read_seconds`. Nothing is written.

        Raises: Unavailable if the store does not answer.
        """
        try:
            return self._why_read_only()
        except (OperationalError, InterfaceError) as lost:
            raise unavailable(self._reason(lost)) from lost

    def head(self) -> int:
        """The last position; 0 of an empty log."""
        return cast(int, self._value("SELECT coalesce(max(position), 0) FROM {log}"))

    def last_recorded_at(self) -> datetime | None:
        """When the last event was recorded; None for an empty log."""
        return self._instant("SELECT recorded_at FROM {log} ORDER BY position DESC LIMIT 1")

    def recorded_at(self, position: int) -> datetime | None:
        """When the event at `position` was recorded; None where there is none."""
        return self._instant("SELECT recorded_at FROM {log} WHERE position = :position", position=position)

    def recorded(self, positions: Iterable[int]) -> dict[int, tuple[datetime, str]]:
        """When the events at these positions were recorded, and their types; others are left out."""
        sql = "SELECT position, recorded_at, type FROM {log} WHERE position IN (SELECT CAST(value AS int8) FROM {each})"
        rows = self._ask(sql, {"given": self._to_array([str(position) for position in positions])})
        return {position: (self._from_stored(at), type_) for position, at, type_ in rows}

    def position_at(self, known_at: datetime) -> int:
        """The largest position recorded by `known_at`; 0 if none."""
        found = self._value(
            "SELECT position FROM {log} WHERE recorded_at <= :known_at"
            " ORDER BY recorded_at DESC, position DESC LIMIT 1",
            known_at=self._to_stored(utc(known_at)),
        )
        return cast(int, found or 0)

    def read(
        self,
        after: int = 0,
        limit: int = 1000,
        *,
        upto: int | None = None,
        pledge: str | None = None,
        type: str | None = None,  # noqa: A002 - the field's name
    ) -> list[LogRow]:
        """Up to `limit` rows with `after < position <= upto`, oldest first."""
        last = MAX_POSITION if upto is None else upto
        if pledge is None and type is None:
            last = min(last, after + limit)  # no holes: a span is a page, whatever the planner knows of the table
        return self._log_rows(
            "WHERE position > :after AND position <= :last"
            + (" AND pledge = :pledge" if pledge is not None else "")
            + (" AND type = :type" if type is not None else "")
            + " ORDER BY position LIMIT :limit",
            after=after,
            last=last,
            pledge=pledge,
            type=type,
            limit=limit,
        )

    def read_with(self, mark: bytes, after: int, upto: int) -> list[LogRow]:
        """The rows with `after < position <= upto` whose stored bytes have this mark, oldest first.

        The store looks through all of them and answers those alone; a span of 20,000 takes it some milliseconds.
        """
        return self._log_rows(
            "WHERE position > :after AND position <= :upto"
            " AND (SELECT {contains} FROM {events} AS e WHERE e.{number} = l.position) ORDER BY position",
            mark=mark,
            after=after,
            upto=upto,
        )

    def pledge_rows(self, pledge: str, upto: int | None = None) -> list[LogRow]:
        """All events of one pledge with `position <= upto`, by version."""
        return self.read(limit=MAX_POSITION, upto=upto, pledge=pledge)

    def rows_by_page(self, pledge: str, page: int = 1_000) -> Iterator[LogRow]:
        """All events of one pledge by version, so many read at once."""
        rows = self.read(limit=page, pledge=pledge)
        while rows:
            yield from rows
            rows = self.read(rows[-1].position, page, pledge=pledge) if len(rows) == page else []

    def rows_of(self, pledges: Sequence[str], upto: int | None = None) -> dict[str, list[LogRow]]:
        """All events of each of these pledges with `position <= upto`, by version."""
        found: dict[str, list[LogRow]] = {pledge: [] for pledge in pledges}
        for row in self._log_rows(
            "WHERE pledge IN (SELECT value FROM {each}) AND position <= :last ORDER BY position",
            given=self._to_array(pledges),
            last=MAX_POSITION if upto is None else upto,
        ):
            found[row.pledge].append(row)
        return found

    def ids_of(self, pledges: Sequence[str], upto: int) -> dict[str, list[str]]:
        """The event ids of each of these pledges with `position <= upto`, by version."""
        found: dict[str, list[str]] = {pledge: [] for pledge in pledges}
        rows = self._ask(
            "SELECT pledge, event_id FROM {log} WHERE pledge IN (SELECT value FROM {each}) AND position <= :last"
            " ORDER BY position",
            {"given": self._to_array(pledges), "last": upto},
        )
        for pledge, event_id in rows:
            found[pledge].append(str(event_id))
        return found

    def by_keys(self, keys: Sequence[str]) -> list[LogRow]:
        """The rows recorded under these idempotency keys, of each key by `key_index`."""
        return self._log_rows(
            "WHERE idempotency_key IS NOT NULL AND idempotency_key IN (SELECT value FROM {each})"
            " ORDER BY idempotency_key, idempotency_index",
            given=self._to_array(keys),
        )

    def by_event_ids(self, event_ids: Sequence[str]) -> list[LogRow]:
        """The rows with these event ids that exist, by position."""
        return self._log_rows(
            "WHERE event_id IN (SELECT value FROM {each}) ORDER BY position", given=self._to_array(event_ids)
        )

    def version(self, pledge: str) -> int:
        """The last version of a pledge; 0 if there is none."""
        return cast(int, self._value("SELECT max(version) FROM {log} WHERE pledge = :pledge", pledge=pledge) or 0)

    def heads(self, pledges: Sequence[str], upto: int | None = None) -> dict[str, tuple[int, int]]:
        """The last `(version, position)` of each of these pledges with `position <= upto`; others are left out."""
        rows = self._ask(
            HEADS,
            {"given": self._to_array(pledges), "upto": MAX_POSITION if upto is None else upto, "all": MAX_POSITION},
        )
        return {pledge: (version, position) for pledge, version, position in rows if position is not None}

    def changed_since(self, position: int, limit: int) -> list[tuple[int, str, int]]:
        """`(position, pledge, version)` of up to `limit` events after `position`, oldest first."""
        rows = self._ask(
            "SELECT position, pledge, version FROM {log} WHERE position > :after ORDER BY position LIMIT :limit",
            {"after": position, "limit": limit},
        )
        return [tuple(row) for row in rows]

    def leaves(self, after: int, limit: int) -> list[bytes]:
        """The leaf hashes of the `limit` positions after one, oldest first; fewer at the end, or where one is gone."""
        rows = self._ask(
            "SELECT leaf FROM {log} WHERE position > :after AND position <= :last ORDER BY position",
            {"after": after, "last": after + limit},
        )
        return [row[0] for row in rows]

    def _log_rows(self, which: str, **params: Any) -> list[LogRow]:
        return [self._log_row(row) for row in self._ask(LOG_ROWS + which, params)]

    def _log_row(self, row: Sequence[Any]) -> LogRow:
        position, pledge, version, type_, event_id, at, *rest, withheld = row
        return as_read(LogRow(position, pledge, version, type_, event_id, self._from_stored(at), *rest), withheld)

    def _instant(self, sql: str, **params: Any) -> datetime | None:
        found = self._value(sql, **params)
        return None if found is None else self._from_stored(found)

    def _value(self, sql: str, **params: Any) -> Any:
        rows = self._ask(sql, params)
        return rows[0][0] if rows else None

    def _record(self, sql: str, params: dict[str, Any]) -> None:
        try:
            self._write(sql.format(**self.names), params)
        except (OperationalError, InterfaceError) as lost:
            raise unavailable(self._reason(lost)) from lost

    def _ask(self, sql: str, params: dict[str, Any]) -> list[Any]:
        until = time.monotonic() + self.read_seconds
        for pause in (*RETRY_SECONDS, None):
            try:
                return self._rows(sql.format(**self.names), params, until)
            except (OperationalError, InterfaceError) as lost:
                if pause is None or time.monotonic() + pause > until or not self._may_retry(lost):
                    raise unavailable(self._reason(lost)) from lost
                self._reconnect()
                time.sleep(pause)
        raise AssertionError("the last pause is None")

    # The part of each store

    @abstractmethod
    def create_table(self) -> None:
        """Make what is missing of tables, indexes and triggers. Safe to run in two processes at once."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""

    @abstractmethod
    def connections(self) -> tuple[int, int]:
        """The connections to the store that are in use, and those that are idle. Asks no store."""

    @abstractmethod
    def _append(self, lines: Sequence[NewLogRow], restamp: Restamp, basis: Basis) -> list[LogRow]:
        """One transaction: take the append lock, check the basis, number the lines, write them, commit."""

    @abstractmethod
    def _write(self, sql: str, params: dict[str, Any]) -> None:
        """One statement with `:name` parameters, in a transaction under the append lock."""

    @abstractmethod
    def _rows(self, sql: str, params: dict[str, Any], until: float) -> list[Any]:
        """The rows of one SELECT with `:name` parameters; it is given up at `until` on the monotonic clock."""

    @abstractmethod
    def _why_read_only(self) -> str | None:
        """As `why_read_only`, with the library's errors."""

    def _reason(self, lost: Exception) -> str:
        """What to tell of an error: the store may know more than the error says."""
        return str(lost)

    @abstractmethod
    def _may_retry(self, lost: Exception) -> bool:
        """Whether the connection failed, so that another one may do better."""

    @abstractmethod
    def _reconnect(self) -> None:
        """Throw away connections that are dead."""
