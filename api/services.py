"""The services that a route can reach, made once by `create_app` and handed to every route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from prometheus_client import Metric
from sqlalchemy import Engine

from api.http.auth import KeyRing
from api.http.body_room import BodyRoom
from api.http.cache import ResponseCache
from api.http.event_tail import EventTail
from api.http.known_heads import KnownHeads
from api.http.limits import WriteLimit
from api.http.log_follower import LogFollower
from api.http.metrics import ProcessMetrics
from api.http.replica import Replica
from api.http.shutdown import OpenBodies
from api.http.write_answers import WriteAnswers
from api.settings import Settings
from projections.ledger.reader import Ledger
from projections.process import ProjectorProcess
from projections.room import StoreRoom
from projections.tables import open_engine, pool_use
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
    import_room: BodyRoom
    """Counts the files that the page of imports has put aside."""
    import_turn: asyncio.Lock
    """Whose holder checks a file for that page."""
    projector: ProjectorProcess | None
    """The process that projects for this one, if it keeps one."""
    store_room: StoreRoom
    outgoing: Callable[[], Iterable[Metric]]
    """Measures what goes out: webhooks, and the feed."""
    replica: Replica | None = None
    """The replica that reads are sent to, if there is one."""
    from_replica: Services | None = None
    """The same services, with `tracker` and `timeline` of the replica."""
    is_of_replica: bool = False
    """Whether `tracker` and `timeline` are those of the replica."""

    def projected_to(self, position: int, seconds: float) -> bool:
        """Wait in a thread until the store that these services read has projected a position; False if it has not."""
        if self.is_of_replica and self.replica is not None:
            return self.replica.wait(position, seconds)
        return self.follower.wait(position, seconds)

    def measure(self) -> None:
        """Set the gauges to what is so now. May be called from any thread."""
        metrics = self.metrics
        metrics.streams.set(self.event_tail.streams)
        answers, size = self.response_cache.size
        metrics.cache_answers.set(answers)
        metrics.cache_bytes.set(size)
        in_use, idle = self.tracker.log.connections()
        pools = [("log", in_use, idle), ("read_models", *pool_use(self.engine.pool))]
        if self.replica is not None and self.from_replica is not None:
            pools += [
                ("replica_log", *self.from_replica.tracker.log.connections()),
                ("replica_read_models", *pool_use(self.from_replica.engine.pool)),
            ]
            metrics.replica_position.set(self.replica.position)
            metrics.replica_answers.set(self.replica.has_all)
        for name, used, unused in pools:
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


def with_replica(services: Services, url: str) -> Services:
    """The services with a replica of their store, and the same ones reading it; it may be away and come later."""
    settings = services.settings
    tracker = Tracker(
        url, create_table=False, read_seconds=settings.read_timeout, connections=settings.connections_of_log
    )
    engine = open_engine(
        url, read_seconds=settings.read_timeout, connections=settings.connections - settings.connections_of_log
    )
    timeline = Timeline(engine, tracker.log)
    replica = Replica(url, tracker.log, timeline, services.heads, services.tracker.log.guard)
    of_replica = replace(
        services,
        tracker=tracker,
        engine=engine,
        timeline=timeline,
        replica=replica,
        is_of_replica=True,
    )
    return replace(services, replica=replica, from_replica=of_replica)
