"""Row 7: the rebuild of the timeline on PostgreSQL, beside the library's ProjectionRunner and reading alone.

The peer is the library's: an application on PostgreSQL with the same facts, and a projection that upserts the latest
fact of each pledge, one transaction an event, with the position in the same transaction.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from benchmarks.generate import load, pledge_events, slug
from benchmarks.harness import Row, compared, run_tracker
from benchmarks.load import in_process
from benchmarks.plain import PlainPledge, environment
from tests.support.stores import postgres_database, postgres_server
from tracker.log.open import open_recorder

WAIT_SECONDS = 600.0
"""Seconds that the peer may take."""


class PlainTracker(Application[UUID]):
    """The peer's application."""


class Latest(PostgresTrackingRecorder):
    """A row a pledge: its version and its last fact."""

    UPSERT = SQL(
        "INSERT INTO latest VALUES (%s, %s, %s)"
        " ON CONFLICT (pledge) DO UPDATE SET version = excluded.version, fact = excluded.fact"
    )

    def __init__(self, datastore: PostgresDatastore, **given: Any) -> None:
        super().__init__(datastore, **given)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS latest (pledge uuid PRIMARY KEY, version bigint, fact jsonb)")
        )

    def take(self, pledge: UUID, version: int, fact: dict[str, Any], tracking: Tracking) -> None:
        """Note a fact, and that it was noted, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self.UPSERT, (pledge, version, Jsonb(fact)))


class LatestFacts(Projection[Latest]):
    """The projection of the peer."""

    name = "latest"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Note the fact of an event; the first event of an aggregate has none."""
        fact = getattr(domain_event, "fact", {})
        self.view.take(domain_event.originator_id, domain_event.originator_version, fact, tracking)


def rows(folder: Path, *, pledges: int, peer_pledges: int) -> Iterator[Row]:
    """The row of so many pledges; the peer's rate is that of fewer, since it does not depend on how many they are."""
    with (
        postgres_server(folder) as server,
        postgres_database(server) as url,
        postgres_database(server) as plain_url,
    ):
        env = {"TRACKER_DATABASE_URL": url}
        events = load(url, pledges)
        run_tracker(env, "init")
        started = time.perf_counter()
        log, at = open_recorder(url), 0
        while read := log.read(at, 10_000):
            at = read[-1].position
        log.close()
        raw = events / (time.perf_counter() - started)
        ours = events / run_tracker(env, "rebuild").seconds
        peer = in_process(_projected, plain_url, peer_pledges)
    name, of = "rebuild, PostgreSQL", f"{events:,} events"
    yield compared("7", name, [ours], [peer], "ProjectionRunner, a row upserted an event", 8.0, unit="events/s", of=of)
    yield compared("7", name, [ours], [raw], "reading the events", None, unit="events/s", of=of)


def _projected(database_url: str, pledges: int) -> float:
    """Events a second of the peer, once its application has all of them."""
    env = environment(database_url, 5)
    app, count = PlainTracker(env=env), 0
    for number in range(pledges):
        pledge = PlainPledge(slug(number))
        for planned in pledge_events(number):
            pledge.record(planned.fact)
        count += len(app.save(pledge))
    last = app.recorder.max_notification_id()
    app.close()
    started = time.perf_counter()
    with ProjectionRunner(
        application_class=PlainTracker, projection_class=LatestFacts, view_class=Latest, env=dict(os.environ) | env
    ) as runner:
        runner.wait(last, timeout=WAIT_SECONDS)
        return count / (time.perf_counter() - started)
