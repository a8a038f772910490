"""Metrics for Prometheus: what the servers count, and how far log, projection and checkpoint are.

What is counted and measured in a process is in `api.http.metrics`; the rest is read from the store at each scrape, so
that any process answers the same. A key is needed even where reads are public: positions, routes and times are the
operator's business, and a scrape asks the store.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version

from litestar import Controller, Response
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.contract import Contract, Reply, read
from api.http.metrics import shared_directory
from api.http.system_clock import now
from api.services import Services
from projections.runner import PROJECTION_VERSION
from tracker.errors import TrackerError
from tracker.rules.status_document import RULES_VERSION

PROMETHEUS_TEXT = "text/plain; version=0.0.4"
"""Litestar adds the charset; named twice, Prometheus could not read the type."""

METRICS_CONTRACT = Contract(
    needs="reader",
    replies={200: Reply("Metrics in the text format of Prometheus.", {"text/plain": {"type": "string"}}, {})},
    problems=("unknown_parameter",),
    tag="About",
    keyed=True,
)


class MetricsController(Controller):
    """What a monitoring system scrapes."""

    @read("/metrics", METRICS_CONTRACT)
    def metrics(self, services: NamedDependency[Services]) -> Response[bytes]:
        """Metrics in the text format of Prometheus; `tracker_store_up` is 0 when the store does not answer."""
        services.measure()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_StoreCollector(services))
        if shared_directory() is None:  # of several processes those of one would say little
            for collector in (ProcessCollector, PlatformCollector, GCCollector):
                collector(registry=registry)
        text = services.metrics.text() + generate_latest(registry)
        return Response(text, media_type=PROMETHEUS_TEXT, headers={"Cache-Control": "no-store"})


class _StoreCollector(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        yield _build_info()
        yield from self._store()

    def _store(self) -> Iterator[Metric]:
        try:
            progress = self._services.timeline.progress()
            oldest = self._services.tracker.log.recorded_at(progress.position + 1) if progress.lag else None
            waited = 0.0 if oldest is None else max(0.0, (now() - oldest).total_seconds())
        except TrackerError:
            yield GaugeMetricFamily("tracker_store_up", "Whether the store answers.", 0)
            return
        yield GaugeMetricFamily("tracker_store_up", "Whether the store answers.", 1)
        yield GaugeMetricFamily("tracker_log_position", "The last position of the log.", progress.head)
        yield GaugeMetricFamily("tracker_projection_position", "How far the projection is.", progress.position)
        yield GaugeMetricFamily("tracker_projection_lag_events", "Events that wait for the projector.", progress.lag)
        yield GaugeMetricFamily(
            "tracker_projection_lag_seconds", "How long the oldest event that waits has waited.", waited
        )
        yield GaugeMetricFamily("tracker_projection_parked_events", "Events that could not be folded.", progress.parked)
        told = "Events of long pledges of which not all is folded yet: they go on beside the others."
        yield GaugeMetricFamily("tracker_projection_waiting_events", told, progress.waiting)
        refused = self._services.tracker.log.guard.refusal is not None
        yield GaugeMetricFamily("tracker_log_went_back", "Whether writes are refused, as the log went back.", refused)
        beaten = None if progress.heartbeat is None else datetime.fromisoformat(progress.heartbeat).timestamp()
        yield _gauge("tracker_projection_heartbeat_timestamp_seconds", "When a projector was last at work.", beaten)
        checkpoint = self._services.ledger.checkpoint()
        signed = None if checkpoint is None else datetime.fromisoformat(checkpoint.signed_at).timestamp()
        size = None if checkpoint is None else checkpoint.size
        yield _gauge("tracker_checkpoint_size", "Events that the last checkpoint covers.", size)
        yield _gauge("tracker_checkpoint_timestamp_seconds", "When the last checkpoint was signed.", signed)
        fault = bool(self._services.ledger.state().fault)
        yield GaugeMetricFamily("tracker_checkpoint_fault", "Whether nothing is signed any more.", fault)
        yield from self._services.outgoing()


def _gauge(name: str, told: str, value: float | None) -> Metric:
    """A gauge; without a value its name alone, so that who looks for it finds that there is none."""
    return GaugeMetricFamily(name, told, value)


def _build_info() -> Metric:
    names = {
        "version": version("commitments-tracker"),
        "rules_version": RULES_VERSION,
        "projection_version": PROJECTION_VERSION,
        "python": sys.version.split()[0],
    }
    info = GaugeMetricFamily("tracker_build_info", "What runs here; always 1.", labels=tuple(names))
    info.add_metric(tuple(names.values()), 1)
    return info
