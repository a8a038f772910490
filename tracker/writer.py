"""The one writer of a process: a thread that decodes, decides and appends, many requests in one commit.

Requests that wait together share one transaction (group commit), and each keeps its own success or refusal. Between
processes the log's unique keys decide: the process that loses the race decides again on the events that are there now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from eventsourcing.persistence import IntegrityError

from tracker import tracing
from tracker.errors import (
    BatchRefused,
    IdempotencyMismatch,
    OtherLog,
    Refusal,
    Unavailable,
    UnreadableEvent,
    VersionConflict,
)
from tracker.event import Event, restamp
from tracker.fact_warnings import FactWarning, warnings_of
from tracker.log.guard import Basis
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow, NewLogRow
from tracker.pledge import Pledge
from tracker.pledge_cache import PledgeCache
from tracker.pledge_events import PledgeEvents
from tracker.requests import Decided, DecidedRequest, Posted, Recorded, Request
from tracker.write_jobs import Job, Outcome, must_be_expected, one_transaction

MAX_GROUP_REQUESTS = 1_000
"""Requests that share one transaction, at most."""

MAX_WARNINGS = 100
"""Warnings that are told of one request, at most."""

MAX_APPEND_ATTEMPTS = 64
"""How often a request decides anew because another process is faster; of four on one pledge each loses 3 in 4."""


class GroupWriter:
    """Writes to one log. Its thread begins with the first request; it MUST be closed.

    `must_allow_writes` is asked before a decoded request is decided on.
    """

    def __init__(self, log: LogRecorder, must_allow_writes: Callable[[], None]) -> None:
        self._log, self._must_allow_writes = log, must_allow_writes
        self._changes = 0
        self.pledges = PledgeCache(log)
        """The pledges as the writer knows them; for its thread alone, save `load` with `fresh`."""
        self.appended: Callable[[str, Sequence[LogRow]], None] = lambda log, rows: None
        """Called with the id of the log and the rows of each commit; it MUST be short."""
        self.answered: Callable[[], None] = lambda: None
        """Called after each group, when the outcomes of all its requests are told; it MUST be short."""
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._starting = Lock()
        self._closed = False

    def put(self, given: Request | DecidedRequest | Posted, done: Callable[[Outcome], None]) -> None:
        """Let a request be recorded; `done` is called with its outcome, in the writer's thread.

        The outcome of one that was decided on is VersionConflict if the log has changed since.

        Raises: Unavailable if the writer is closed.
        """
        if isinstance(given, Request):
            job = Job(done, request=given, key=given.key, payload_hash=given.payload_hash)
        elif isinstance(given, DecidedRequest):
            job = Job(done, decided=given)
        else:
            job = Job(done, posted=given)
        with self._starting:
            if self._closed:
                raise Unavailable("the tracker is shutting down")
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._write, name="tracker-writer", daemon=True)
                self._thread.start()
            self._jobs.put(job)

    def close(self) -> None:
        """Finish the requests that were put, and take no more."""
        with self._starting:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def replay(self, key: str, payload_hash: bytes | None) -> Recorded | None:
        """The events recorded under an idempotency key, or None. In any thread.

        Raises: IdempotencyMismatch if they were recorded for another payload.
        """
        return self._replayed(self._log.by_keys([key]), payload_hash)

    def _replayed(self, rows: Sequence[LogRow], payload_hash: bytes | None) -> Recorded | None:
        if not rows:
            return None
        if rows[0].payload_hash != payload_hash:
            raise IdempotencyMismatch("this Idempotency-Key was used for another payload; use a new key")
        return Recorded(tuple(rows), replayed=True, warnings=self._warnings_then(rows) if len(rows) == 1 else ())

    def _warnings_then(self, rows: Sequence[LogRow]) -> tuple[FactWarning, ...]:
        """What was odd about one recorded fact; nothing if an event up to it cannot be read."""
        row = rows[0]
        recorded = PledgeEvents.read(self._log.pledge_rows(row.pledge, row.position))
        if len(recorded.events) < row.version:
            return ()
        *before, event = recorded.events
        return warnings_of(event.fact, Pledge.of(row.pledge, before))[:MAX_WARNINGS]

    def decide(self, request: Request, pledges: dict[str, Pledge], after: int = 0, *, max_warnings: int = 0) -> Decided:
        """Check the drafts in order, each after those before it; the pledges apply the events that are accepted.

        Raises: BatchRefused with the index and reason of each bad draft.
        """
        events: list[Event] = []
        warnings: list[tuple[int, FactWarning]] = []
        refusals: list[tuple[int, Refusal]] = []
        unopened: set[str] = set()
        for index, draft in enumerate(request.drafts):
            pledge = pledges[draft.pledge]
            if draft.pledge in unopened:
                continue
            try:
                must_be_expected(request, draft, pledge)
                pledge.check(draft.fact, request.now)
            except Refusal as refusal:
                refusals.append((index, refusal))
                if pledge.version == 0:
                    unopened.add(draft.pledge)
                continue
            if len(warnings) < max_warnings:
                warnings += ((index, warning) for warning in warnings_of(draft.fact, pledge))
            position = after + len(events) + 1
            proposal = None if draft.accepted is None else draft.accepted.proposal
            event = Event(
                draft.id, draft.pledge, pledge.version + 1, request.now, request.by, draft.fact, position, proposal
            )
            pledge.apply(event)
            events.append(event)
        if refusals:
            raise BatchRefused(refusals)
        return Decided(tuple(events), tuple(warnings[:max_warnings]))

    # The thread

    def _write(self) -> None:
        """One group after the other, until None is in the queue."""
        waiting: list[tuple[Job, Request]] = []
        running = True
        while running or waiting:
            came: list[Job] = []
            if not waiting:
                first = self._jobs.get()
                if first is None:
                    return
                came.append(first)
            while running and len(waiting) + len(came) < MAX_GROUP_REQUESTS:
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    break
                if job is None:
                    running = False
                else:
                    came.append(job)
            waiting += self._decoded(came)
            if waiting:
                group, waiting = one_transaction(waiting)
                try:
                    self._record_group(group)
                except BaseException as error:
                    self.pledges.clear()
                    for job, _ in group:
                        job.settle(error)
            self.answered()

    def _decoded(self, jobs: Sequence[Job]) -> list[tuple[Job, Request]]:
        """The jobs with their requests; one that is refused, or recorded already under its key, is settled instead."""
        decoded: list[tuple[Job, Request]] = []
        read: list[tuple[Job, Posted]] = []
        for job in jobs:
            if job.request is not None:
                decoded.append((job, job.request))
            elif job.decided is not None:
                job.settle(self._appended(job.decided))
            elif job.posted is not None:
                try:
                    job.key, job.payload_hash = job.posted.read()
                    read.append((job, job.posted))
                except Exception as refused:
                    job.settle(refused)
        try:
            known = self._recorded_under({job.key for job, _ in read if job.key is not None})
        except Exception as error:
            for job, _ in read:
                job.settle(error)
            return decoded
        for job, posted in read:
            try:
                if job.key in known:
                    recorded = self._replayed(known[job.key], job.payload_hash)
                    job.settle(recorded or Unavailable("it is not there any more"))
                    continue
                request = posted.request()
                self._must_allow_writes()
                decoded.append((job, request))
            except (BatchRefused, VersionConflict) as refused:
                self._refuse(job, refused)
            except Exception as error:
                job.settle(error)
        return decoded

    def _appended(self, request: DecidedRequest) -> Outcome:
        """Append facts that were decided on; the log refuses them if a version does not follow or the key is taken."""
        names = {fact.pledge for fact in request.facts}
        try:
            basis = self._basis()
            began = time.time_ns()
            rows = self._log.append(request.lines(), restamp=restamp, basis=basis)
        except IntegrityError:
            return VersionConflict("something was recorded on these pledges since they were decided on")
        except Exception as error:
            return error
        finally:
            self.pledges.forget(names)
        tracing.committed(tracing.here(), began, rows)
        if rows:
            self.appended(basis.log, rows)
        return Recorded(tuple(rows))

    def _recorded_under(self, keys: Iterable[str]) -> dict[str | None, list[LogRow]]:
        """The rows recorded under these keys; one query for all, and none if there is no key."""
        found: dict[str | None, list[LogRow]] = {}
        if wanted := sorted(keys):
            for row in self._log.by_keys(wanted):
                found.setdefault(row.key, []).append(row)
        return found

    def _basis(self) -> Basis:
        """The basis of the next decisions: what was read of another history is forgotten first."""
        guard = self._log.guard
        if not guard.log:
            self._log.look()
        changes = guard.changes
        if changes != self._changes:
            self.pledges.clear()
            self._changes = changes
        return guard.basis()

    def _record_group(self, group: list[tuple[Job, Request]]) -> None:
        if len(group) == 1:
            self._record_alone(*group[0])
            return
        basis = self._basis()
        pledges = self.pledges.load({draft.pledge for _, request in group for draft in request.drafts})
        decided: list[tuple[Job, Request, Decided]] = []
        for job, request in group:
            try:
                basis.must_be_of(request.log)
                decided.append((job, request, self._decide_fresh(request, pledges)))
            except BatchRefused as refused:
                self._refuse(job, refused)
            except (OtherLog, UnreadableEvent) as impossible:
                job.settle(impossible)
        began = time.time_ns()
        try:
            rows = self._append([(request, found.events) for _, request, found in decided], basis)
        except IntegrityError:
            self.pledges.forget(pledges)
            for job, request, _ in decided:
                self._record_alone(job, request)
            return
        for job, _, found in decided:
            own, rows = rows[: len(found.events)], rows[len(found.events) :]
            tracing.committed(job.trace, began, own, together=len(decided))
            job.settle(Recorded(tuple(own), warnings=tuple(warning for _, warning in found.warnings)))

    def _record_alone(self, job: Job, request: Request) -> None:
        """Decide and append one request until it is recorded, refused, or found recorded under its key."""
        names = {draft.pledge for draft in request.drafts}
        try:
            for attempt in range(MAX_APPEND_ATTEMPTS):
                if attempt and request.key is not None and (replayed := self.replay(request.key, request.payload_hash)):
                    job.settle(replayed)
                    return
                if attempt:
                    self._log.must_be_next(draft.accepted for draft in request.drafts)
                basis = self._basis()
                basis.must_be_of(request.log)
                pledges = self.pledges.load(names, fresh=attempt > 0)
                found = self._decide_fresh(request, pledges)
                began = time.time_ns()
                try:
                    rows = self._append([(request, found.events)], basis)
                except IntegrityError:
                    self.pledges.forget(names)
                    continue
                tracing.committed(job.trace, began, rows)
                job.settle(Recorded(tuple(rows), warnings=tuple(warning for _, warning in found.warnings)))
                return
            raise Unavailable("other writers were faster each time; send the request again")
        except BatchRefused as refused:
            self._refuse(job, refused)
        except Exception as error:
            self.pledges.forget(names)
            job.settle(error)

    def _refuse(self, job: Job, refused: BatchRefused | VersionConflict) -> None:
        """Refuse a request, unless it is recorded already under its own key: then that is its answer."""
        try:
            replayed = None if job.key is None else self.replay(job.key, job.payload_hash)
        except Exception as error:
            job.settle(error)
            return
        job.settle(replayed or refused)

    def _decide_fresh(self, request: Request, pledges: dict[str, Pledge]) -> Decided:
        """Decide on the cached pledges; a refusal counts only if the log still has the same events."""
        max_warnings = MAX_WARNINGS if len(request.drafts) == 1 else 0
        try:
            return self.decide(request, pledges, max_warnings=max_warnings)
        except BatchRefused:
            # A refusal may name an event, which must still be there.
            self._log.look()
            self._log.guard.must_allow_writes()
            names = {draft.pledge for draft in request.drafts}
            if len(request.drafts) == 1 and all(self._log.version(name) == pledges[name].version for name in names):
                raise
        self.pledges.forget(names)
        pledges |= self.pledges.load(names, fresh=True)
        try:
            return self.decide(request, pledges, max_warnings=max_warnings)
        except BatchRefused:
            if len(request.drafts) > 1:
                self.pledges.forget(names)
            raise

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
                accepted=draft.accepted,
            )
            for request, events in decided
            for index, (draft, event) in enumerate(zip(request.drafts, events, strict=True))
        ]
        rows = self._log.append(lines, restamp=restamp, basis=basis)
        if rows:
            self.appended(basis.log, rows)
        return rows
