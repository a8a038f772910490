"""Metrics for Prometheus: requests and their times, positions of log and projection, streams, the response cache.

Each process counts for itself. Of several workers behind one port a scrape reaches any one of them: give each its own
port, or run one process a container. A key is needed even where reads are public: positions, routes and times are the
operator's business, and a scrape asks the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate

from litestar import Controller, Response
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.clocks import now
from api.http.contract import Contract, Reply, read
from api.http.request_counts import BUCKET_SECONDS, RequestCounts
from api.services import Services
from tracker.errors import TrackerError

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
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_ServiceCollector(services))
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        headers = {"Cache-Control": "no-store"}
        return Response(generate_latest(registry), media_type=PROMETHEUS_TEXT, headers=headers)


class _ServiceCollector(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        yield from _requests(self._services.request_counts)
        yield from self._store()
        services = self._services
        yield GaugeMetricFamily("tracker_streams", "Open event streams.", services.event_tail.streams)
        number, size = services.response_cache.size
        yield GaugeMetricFamily("tracker_answers_kept", "Answers that are held in memory.", number)
        yield GaugeMetricFamily("tracker_answers_kept_bytes", "Their size.", size)

    def _store(self) -> Iterator[Metric]:
        try:
            progress = self._services.timeline.progress()
        except TrackerError:
            yield GaugeMetricFamily("tracker_store_up", "Whether the store answers.", 0)
            return
        yield GaugeMetricFamily("tracker_store_up", "Whether the store answers.", 1)
        yield GaugeMetricFamily("tracker_log_position", "The last position of the log.", progress.head)
        yield GaugeMetricFamily("tracker_projection_position", "How far the projection is.", progress.position)
        yield GaugeMetricFamily("tracker_projection_lag", "Events that the projection is behind.", progress.lag)
        yield GaugeMetricFamily("tracker_projection_parked", "Events that could not be folded.", progress.parked)
        if progress.heartbeat is not None:
            age = (now() - datetime.fromisoformat(progress.heartbeat)).total_seconds()
            yield GaugeMetricFamily("tracker_projection_heartbeat_seconds", "Since a projector was at work.", age)


def _requests(counts: RequestCounts) -> Iterator[Metric]:
    answered = CounterMetricFamily("tracker_http_requests", "Requests answered.", labels=("method", "route", "status"))
    for (method, route, status), count in sorted(counts.responses.copy().items()):
        answered.add_metric((method, route, str(status)), count)
    yield answered
    taken = HistogramMetricFamily(
        "tracker_http_request_seconds", "Time until an answer began.", labels=("method", "route")
    )
    for (method, route), times in sorted(counts.times.copy().items()):
        upto = [*map(str, BUCKET_SECONDS), "+Inf"]
        taken.add_metric((method, route), list(zip(upto, accumulate(times.counts), strict=True)), times.total)
    yield taken
