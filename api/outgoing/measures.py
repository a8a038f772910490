"""What `/metrics` tells of what goes out: of webhooks from their tables, of the feed from the state directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from api.http.known_heads import KnownHeads
from api.outgoing.published import STATE_FILE, key_of, positions
from api.outgoing.webhooks import DELIVERIES, WEBHOOKS
from tracker.log.state_file import StateFile


def measures(engine: Engine, state_directory: Path, heads: KnownHeads, now: Callable[[], datetime]) -> Iterator[Metric]:
    """The measures of a store, for the log that is known; none of what is not used, or cannot be read."""
    yield from _webhooks(engine, now())
    yield from _feed(StateFile(state_directory / STATE_FILE), heads.log_id)


def _webhooks(engine: Engine, now: datetime) -> Iterator[Metric]:
    t = DELIVERIES.c
    # By webhook, since the index begins with it: what is delivered is not walked over.
    counts = [
        select(func.count()).where(t.webhook == WEBHOOKS.c.id, t.state == state).scalar_subquery()
        for state in ("pending", "failed")
    ]
    due = select(func.min(t.next_at)).where(t.webhook == WEBHOOKS.c.id, t.state == "pending").scalar_subquery()
    try:
        with engine.connect() as conn:
            rows = conn.execute(select(WEBHOOKS.c.disabled, *counts, due)).all()
    except SQLAlchemyError:  # there are no tables, or the store is away: `tracker_store_up` tells that
        return
    if not rows:
        return
    hooks = GaugeMetricFamily("tracker_webhooks", "Webhooks that take messages, or not any more.", labels=("state",))
    hooks.add_metric(("in_force",), sum(row.disabled is None for row in rows))
    hooks.add_metric(("disabled",), sum(row.disabled is not None for row in rows))
    yield hooks
    messages = GaugeMetricFamily(
        "tracker_webhook_messages", "Messages that wait for an attempt, or are not tried any more.", labels=("state",)
    )
    messages.add_metric(("pending",), sum(row[1] for row in rows))
    messages.add_metric(("failed",), sum(row[2] for row in rows))
    yield messages
    earliest = min((row[3] for row in rows if row[3] is not None and row.disabled is None), default=None)
    late = 0.0 if earliest is None else max(0.0, (now - datetime.fromisoformat(earliest)).total_seconds())
    yield GaugeMetricFamily(
        "tracker_webhook_overdue_seconds", "For how long the next attempt of a message has been due.", late
    )


def _feed(file: StateFile, log: str) -> Iterator[Metric]:
    try:
        known = positions(file)
    except (OSError, ValueError):
        return
    feed = GaugeMetricFamily(
        "tracker_published_position", "How far a stream of NATS is, as far as it is known here.", labels=("stream",)
    )
    before = key_of(log, "")
    for key, position in sorted(known.items()):
        if key.startswith(before):
            feed.add_metric((key.removeprefix(before),), position)
    if feed.samples:
        yield feed
