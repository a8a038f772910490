"""The tracker: load a pledge, decide, record. One application for all pledges, many callers, one writer a process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

from eventsourcing.application import Application
from eventsourcing.persistence import InterfaceError, OperationalError

from tracker.log.away import READ_SECONDS, unavailable
from tracker.log.clock_watch import ClockWatch
from tracker.log.open import MAX_CONNECTIONS, recorder_environment
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import PledgeEvents
from tracker.requests import Decided, DecidedRequest, Posted, Recorded, Request
from tracker.write_jobs import Outcome
from tracker.writer import GroupWriter


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
        self.writer = GroupWriter(self.log, self.must_allow_writes)
        """Who records all that is recorded here, and tells it."""

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
        return self._recorded(request)

    def record_decided(self, request: DecidedRequest) -> Recorded:
        """Record facts that were decided on, as long as nobody else recorded anything on their pledges since.

        Raises: VersionConflict if somebody has, or if the key is taken: nothing is recorded then, and the facts are to
        be decided on again. LogWentBack, ClockImplausible and Unavailable as `record`.
        """
        return self._recorded(request)

    def _recorded(self, request: Request | DecidedRequest) -> Recorded:
        self.must_allow_writes()
        done: Future[Outcome] = Future()
        self.writer.put(request, done.set_result)
        outcome = done.result()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def submit(self, posted: Posted, done: Callable[[Outcome], None]) -> None:
        """Let the writer decode a request and record it; `done` is called in its thread, with what `record` returns or
        raises, or with what refuses the request before.

        Raises: Unavailable if the tracker is shutting down.
        """
        self.writer.put(posted, done)

    def must_allow_writes(self) -> None:
        """Check that the log is the one that is known and that this machine's clock may stamp. Asks no store.

        Raises: LogWentBack if the log lost events; ClockImplausible if the clock cannot be right.
        """
        self.log.guard.must_allow_writes()
        if self._clock is not None:
            self._clock.must_have_kept_pace()

    def preview(self, request: Request, *, max_warnings: int = 0) -> Decided:
        """The events that the request would record now, and what is odd about them; nothing is written.

        Raises: BatchRefused, UnreadableEvent and Unavailable, as `record` does.
        """
        pledges = self.writer.pledges.load({draft.pledge for draft in request.drafts}, fresh=True)
        return self.writer.decide(request, pledges, after=self.log.head(), max_warnings=max_warnings)

    def replay(self, key: str, payload_hash: bytes | None) -> Recorded | None:
        """The events recorded under an idempotency key, or None.

        Raises: IdempotencyMismatch if they were recorded for another payload.
        """
        return self.writer.replay(key, payload_hash)

    def events_of(self, pledge: str, upto: int | None = None) -> PledgeEvents:
        """All events of a pledge up to a position, by version; none if the pledge does not exist."""
        return PledgeEvents.read(self.log.pledge_rows(pledge, upto))

    def version(self, pledge: str) -> int:
        """The last version of a pledge; 0 if there is none."""
        return self.log.version(pledge)

    def close(self) -> None:
        """Let the writer finish the requests that it was given, then close the store."""
        self.writer.close()
        self.log.close()
        super().close()
