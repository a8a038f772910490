"""The services that a route can reach, made once by `create_app` and handed to every route."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from api.http.auth import KeyRing
from api.http.body_room import BodyRoom
from api.http.cache import ResponseCache
from api.http.event_tail import EventTail
from api.http.known_heads import KnownHeads
from api.http.limits import WriteLimit
from api.http.log_follower import LogFollower
from api.http.metrics import ProcessMetrics
from api.http.shutdown import OpenBodies
from api.http.write_answers import WriteAnswers
from api.settings import Settings
from projections.ledger.reader import Ledger
from projections.process import ProjectorProcess
from projections.room import StoreRoom
from projections.tables import pool_use
from projections.timeline import Timeline
from tracker.application import Tracker
from tracker.proposals import Proposals


@dataclass(frozen=True, slots=True)
class Services:
    """The record, the read model, and the caches and counters of this process."""

    settings: Settings
    tracker: Tracker
    proposals: Proposals
    timeline: Timeline
    ledger: Ledger
    engine: Engine
    keys: KeyRing
    heads: KnownHeads
    response_cache: ResponseCache
    follower: LogFollower
    write_answers: WriteAnswers
    limit: WriteLimit
    event_tail: EventTail
    metrics: ProcessMetrics
    open_bodies: OpenBodies
    body_room: BodyRoom
    projector: ProjectorProcess | None
    """The process that projects for this one, if it keeps one."""
    store_room: StoreRoom

    def measure(self) -> None:
        """Set the gauges to what is so now. May be called from any thread."""
        metrics = self.metrics
        metrics.streams.set(self.event_tail.streams)
        answers, size = self.response_cache.size
        metrics.cache_answers.set(answers)
        metrics.cache_bytes.set(size)
        in_use, idle = self.tracker.log.connections()
        pool = self.engine.pool
        for name, used, unused in (("log", in_use, idle), ("read_models", *pool_use(pool))):
            metrics.connections.labels(name, "in_use").set(used)
            metrics.connections.labels(name, "idle").set(unused)

    def open_streams(self) -> None:
        """Let streams begin, on the event loop that runs."""
        self.event_tail.open()
        self.open_bodies.open()

    def end_streams(self) -> None:
        """End event streams and slow bodies: the process ends. May be called from any thread and a signal's handler."""
        self.event_tail.close()
        self.open_bodies.close()
