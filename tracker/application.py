"""The tracker: load a pledge, decide, record. One application for all pledges, many callers, one writer a process.

Concurrent requests are gathered by one writer thread into one transaction (group commit), each keeping its own success
or refusal. Between processes the log's unique keys decide: the process that loses the race decides again on the events
that are there now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import cast

from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError

from tracker import tracing
from tracker.errors import (
    BatchRefused,
    IdempotencyMismatch,
    OtherLog,
    PledgeExists,
    Refusal,
    TrackerError,
    Unavailable,
    UnreadableEvent,
    VersionConflict,
)
from tracker.event import Event, restamp
from tracker.facts import AnyFact
from tracker.log.away import READ_SECONDS, unavailable
from tracker.log.clock_watch import ClockWatch
from tracker.log.guard import Basis
from tracker.log.open import MAX_CONNECTIONS, recorder_environment
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow, NewLogRow
from tracker.pledge import Pledge
from tracker.pledge_cache import PledgeCache
from tracker.pledge_events import PledgeEvents

MAX_GROUP_REQUESTS = 1_000
"""Requests that share one transaction, at most."""

MAX_APPEND_ATTEMPTS = 64
"""How often a request decides anew because another process is faster; of four on one pledge each loses 3 in 4."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact to record on a pledge; the edge gives it its event id. `expected_version` is checked if given."""

    pledge: str
    fact: AnyFact
    id: str
    expected_version: int | None = None


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


@dataclass(frozen=True, slots=True)
class Recorded:
    """The events of a request as the log has them; `replayed` if they were there before."""

    events: tuple[LogRow, ...]
    replayed: bool = False


@dataclass(slots=True)
class _Job:
    request: Request
    trace: object = None
    done: Future[Recorded] = field(default_factory=Future)


class Tracker(Application[str]):
    """Records facts on pledges and answers their events; MUST be closed.

    `clock` refuses stamps of a clock that cannot be right; without one every stamp passes.
    """

    name = "Tracker"

    def __init__(
        self,
        database_url: str,
        *,
        create_table: bool = True,
        read_seconds: float = READ_SECONDS,
        connections: int = MAX_CONNECTIONS,
        clock: ClockWatch | None = None,
    ) -> None:
        """Open the log; a read of it is given up after `read_seconds`, and PostgreSQL has `connections` at most.

        Raises: Unavailable if the store does not answer while its tables are made.
        """
        try:
            env = recorder_environment(
                database_url, create_table=create_table, read_seconds=read_seconds, connections=connections
            )
            super().__init__(env=env)
        except (OperationalError, InterfaceError) as lost:
            raise unavailable(lost) from lost
        self._clock = self.log.clock = clock
        self._changes = 0
        self._pledges = PledgeCache(self.log)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._writer: Thread | None = None
        self._starting = Lock()
        self._closed = False
        self.appended: Callable[[str, Sequence[LogRow]], None] = lambda log, rows: None
        """Called by the writer with the id of the log and the rows of each commit; it MUST be short."""

    @property
    def log(self) -> LogRecorder:  # type: ignore[override]  # the library's is a deprecated name of notification_log
        """The log of all events."""
        return cast(LogRecorder, self.recorder)

    def record(self, request: Request) -> Recorded:
        """Record all drafts or none, and wait until they are durable.

        Raises: BatchRefused with the index and reason of each bad draft; IdempotencyMismatch if the key belongs to
        another payload; UnreadableEvent if a pledge of the request has an event that this version cannot read (nothing
        is recorded); OtherLog if the request is for another log; LogWentBack and ClockImplausible as
        `must_allow_writes`; Unavailable if the store is away (the outcome is then unknown: send the same again).
        """
        self.must_allow_writes()
        job = _Job(request, tracing.here())
        with self._starting:
            if self._closed:
                raise Unavailable("the tracker is shutting down")
            if self._writer is None or not self._writer.is_alive():
                self._writer = Thread(target=self._write, name="tracker-writer", daemon=True)
                self._writer.start()
            self._jobs.put(job)
        return job.done.result()

    def must_allow_writes(self) -> None:
        """Check that the log is the one that is known and that this machine's clock may stamp. Asks no store.

        Raises: LogWentBack if the log lost events; ClockImplausible if the clock cannot be right.
        """
        self.log.guard.must_allow_writes()
        if self._clock is not None:
            self._clock.must_have_kept_pace()

    def preview(self, request: Request) -> tuple[Event, ...]:
        """The events that the request would record now; nothing is written.

        Raises: BatchRefused, UnreadableEvent and Unavailable, as `record` does.
        """
        pledges = self._pledges.load({draft.pledge for draft in request.drafts}, fresh=True)
        return self._decide(request, pledges, after=self.log.head())

    def replay(self, key: str, payload_hash: bytes | None) -> Recorded | None:
        """The events recorded under an idempotency key, or None.

        Raises: IdempotencyMismatch if they were recorded for another payload.
        """
        rows = self.log.by_key(key)
        if not rows:
            return None
        if rows[0].payload_hash != payload_hash:
            raise IdempotencyMismatch("this Idempotency-Key was used for another payload; use a new key")
        return Recorded(tuple(rows), replayed=True)

    def events_of(self, pledge: str, upto: int | None = None) -> PledgeEvents:
        """All events of a pledge up to a position, by version; none if the pledge does not exist."""
        return PledgeEvents.read(self.log.pledge_rows(pledge, upto))

    def version(self, pledge: str) -> int:
        """The last version of a pledge; 0 if there is none."""
        return self.log.version(pledge)

    def close(self) -> None:
        """Let the writer finish the requests that it was given, then close the store."""
        with self._starting:
            self._closed = True
            writer, self._writer = self._writer, None
        if writer is not None:
            self._jobs.put(None)
            writer.join()
        self.log.close()
        super().close()

    def _write(self) -> None:
        """The writer thread: one group after the other, until None is in the queue."""
        waiting: list[_Job] = []
        running = True
        while running or waiting:
            if not waiting:
                first = self._jobs.get()
                if first is None:
                    return
                waiting.append(first)
            while running and len(waiting) < MAX_GROUP_REQUESTS:
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    break
                if job is None:
                    running = False
                else:
                    waiting.append(job)
            group, waiting = _one_transaction(waiting)
            try:
                self._record_group(group)
            except BaseException as error:
                self._pledges.clear()
                for job in group:
                    if not job.done.done():
                        job.done.set_exception(error)

    def _basis(self) -> Basis:
        """The basis of the next decisions: what was read of another history is forgotten first."""
        guard = self.log.guard
        if not guard.log:
            self.log.look()
        changes = guard.changes
        if changes != self._changes:
            self._pledges.clear()
            self._changes = changes
        return guard.basis()

    def _record_group(self, group: list[_Job]) -> None:
        if len(group) == 1:
            self._record_alone(group[0])
            return
        basis = self._basis()
        pledges = self._pledges.load({draft.pledge for job in group for draft in job.request.drafts})
        decided: list[tuple[_Job, tuple[Event, ...]]] = []
        for job in group:
            try:
                basis.must_be_of(job.request.log)
                decided.append((job, self._decide_fresh(job.request, pledges)))
            except BatchRefused as refused:
                self._refuse(job, refused)
            except (OtherLog, UnreadableEvent) as impossible:
                job.done.set_exception(impossible)
        began = time.time_ns()
        try:
            rows = self._append([(job.request, events) for job, events in decided], basis)
        except IntegrityError:
            self._pledges.forget(pledges)
            for job, _ in decided:
                self._record_alone(job)
            return
        for job, events in decided:
            own, rows = rows[: len(events)], rows[len(events) :]
            tracing.committed(job.trace, began, own, together=len(decided))
            job.done.set_result(Recorded(tuple(own)))

    def _record_alone(self, job: _Job) -> None:
        """Decide and append one request until it is recorded, refused, or found recorded under its key."""
        request = job.request
        names = {draft.pledge for draft in request.drafts}
        try:
            for attempt in range(MAX_APPEND_ATTEMPTS):
                if attempt and request.key is not None and (replayed := self.replay(request.key, request.payload_hash)):
                    job.done.set_result(replayed)
                    return
                basis = self._basis()
                basis.must_be_of(request.log)
                pledges = self._pledges.load(names, fresh=attempt > 0)
                events = self._decide_fresh(request, pledges)
                began = time.time_ns()
                try:
                    rows = self._append([(request, events)], basis)
                except IntegrityError:
                    self._pledges.forget(names)
                    continue
                tracing.committed(job.trace, began, rows)
                job.done.set_result(Recorded(tuple(rows)))
                return
            raise Unavailable("other writers were faster each time; send the request again")
        except BatchRefused as refused:
            self._refuse(job, refused)
        except Exception as error:
            self._pledges.forget(names)
            job.done.set_exception(error)

    def _refuse(self, job: _Job, refused: BatchRefused) -> None:
        """Refuse a request, unless it is recorded already under its own key: then that is its answer."""
        key, payload_hash = job.request.key, job.request.payload_hash
        try:
            replayed = None if key is None else self.replay(key, payload_hash)
        except TrackerError as error:
            job.done.set_exception(error)
            return
        if replayed is None:
            job.done.set_exception(refused)
        else:
            job.done.set_result(replayed)

    def _decide_fresh(self, request: Request, pledges: dict[str, Pledge]) -> tuple[Event, ...]:
        """Decide on the cached pledges; a refusal counts only if the log still has the same events."""
        try:
            return self._decide(request, pledges)
        except BatchRefused:
            # A refusal may name an event, which must still be there.
            self.log.look()
            self.log.guard.must_allow_writes()
            names = {draft.pledge for draft in request.drafts}
            if len(request.drafts) == 1 and all(self.log.version(name) == pledges[name].version for name in names):
                raise
        self._pledges.forget(names)
        pledges |= self._pledges.load(names, fresh=True)
        try:
            return self._decide(request, pledges)
        except BatchRefused:
            if len(request.drafts) > 1:
                self._pledges.forget(names)
            raise

    def _decide(self, request: Request, pledges: dict[str, Pledge], after: int = 0) -> tuple[Event, ...]:
        """Check the drafts in order, each after those before it; the pledges apply the events that are accepted."""
        events: list[Event] = []
        refusals: list[tuple[int, Refusal]] = []
        unopened: set[str] = set()
        for index, draft in enumerate(request.drafts):
            pledge = pledges[draft.pledge]
            if draft.pledge in unopened:
                continue
            try:
                _must_be_expected(request, draft, pledge)
                pledge.check(draft.fact, request.now)
            except Refusal as refusal:
                refusals.append((index, refusal))
                if pledge.version == 0:
                    unopened.add(draft.pledge)
                continue
            position = after + len(events) + 1
            event = Event(draft.id, draft.pledge, pledge.version + 1, request.now, request.by, draft.fact, position)
            pledge.apply(event)
            events.append(event)
        if refusals:
            raise BatchRefused(refusals)
        return tuple(events)

    def _append(self, decided: Sequence[tuple[Request, tuple[Event, ...]]], basis: Basis) -> list[LogRow]:
        lines = [
            NewLogRow(
                pledge=event.pledge,
                version=event.version,
                type=event.type,
                event_id=event.id,
                state=event.line,
                recorded_at=event.recorded_at,
                key=request.key,
                key_index=None if request.key is None else index,
                payload_hash=request.payload_hash,
            )
            for request, events in decided
            for index, event in enumerate(events)
        ]
        rows = self.log.append(lines, restamp=restamp, basis=basis)
        if rows:
            self.appended(basis.log, rows)
        return rows


def _must_be_expected(request: Request, draft: Draft, pledge: Pledge) -> None:
    if draft.expected_version is not None and draft.expected_version != pledge.version:
        raise VersionConflict(
            f'"{pledge.id}" is at version {pledge.version}, not {draft.expected_version}', version=pledge.version
        )
    if request.opens and pledge.version:
        raise PledgeExists(f'the slug "{pledge.id}" is taken', pointer="/pledge", pledge=pledge.id)


def _one_transaction(waiting: list[_Job]) -> tuple[list[_Job], list[_Job]]:
    """The requests that may share the next transaction, and the rest.

    A batch has a transaction of its own, and so has the second request under one idempotency key: it must find the
    first one recorded.
    """
    if len(waiting[0].request.drafts) > 1:
        return waiting[:1], waiting[1:]
    group: list[_Job] = []
    keys: set[str] = set()
    for job in waiting:
        key = job.request.key
        if len(job.request.drafts) > 1 or (key is not None and key in keys):
            break
        group.append(job)
        if key is not None:
            keys.add(key)
    return group, waiting[len(group) :]
