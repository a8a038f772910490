"""What this process counts and measures, for `/metrics`.

With PROMETHEUS_MULTIPROC_DIR the numbers stand in files of that directory, and a scrape of any process adds those of
all of them: `tracker serve --workers` makes one for its workers. Without it they stand in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the directory in which processes count together."""

BUCKET_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the histogram's buckets, in seconds."""

disable_created_metrics()  # type: ignore[no-untyped-call]


def shared_directory() -> Path | None:
    """The directory in which this process counts together with others; None if it counts alone."""
    named = os.environ.get(SHARED_VARIABLE)
    return Path(named) if named else None


def forget_process(pid: int) -> None:
    """Let the gauges of a worker that ended count no more; what it counted up stays."""
    directory = shared_directory()
    if directory is not None:
        mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]


class _Collector(MultiProcessCollector):
    """Adds up the files of all processes, without those that a beginning process has made and not yet filled."""

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in Path(self._path).glob("*.db") if _size(path)]
        merged: Iterable[Metric] = self.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return merged


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # the gauge of a process that has just ended
        return 0


class ProcessMetrics:
    """The counters and gauges of one process. Counting lives on one event loop; gauges are set from any thread."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=False)
        self._responses = Counter(
            "tracker_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "tracker_http_request_duration_seconds",
            "Time until an answer began.",
            ("method", "route"),
            buckets=BUCKET_SECONDS,
            registry=registry,
        )
        self._refusals = Counter("tracker_refusals", "Problems answered, by their code.", ("code",), registry=registry)
        self._cache = Counter(
            "tracker_cache_requests",
            "Reads answered from memory (hit) or not (miss).",
            ("result",),
            registry=registry,
        )
        self.recorded = Counter("tracker_events_recorded", "Events recorded by these servers.", registry=registry)
        self._reads = Counter(
            "tracker_store_reads",
            "Reads that a store answered: the primary, the replica, or the primary after the replica failed.",
            ("store",),
            registry=registry,
        )
        self.reads_of_primary, self.reads_of_replica, self.reads_again = (
            self._reads.labels(store) for store in ("primary", "replica", "primary_again")
        )
        self.cache_hits, self.cache_misses = self._cache.labels("hit"), self._cache.labels("miss")
        self.streams = self._gauge("tracker_streams", "Open event streams.")
        self.cache_answers = self._gauge("tracker_cache_answers", "Answers that are held in memory.")
        self.cache_bytes = self._gauge("tracker_cache_bytes", "Their size.")
        self.connections = self._gauge(
            "tracker_pool_connections", "Connections to the store, in use or idle.", ("pool", "state")
        )
        self.replica_position = self._gauge(
            "tracker_replica_position", "How far the replica is, 0 without one.", mode="livemax"
        )
        self.replica_answers = self._gauge("tracker_replica_answering", "Processes whose reads the replica answers.")
        self._gauge("tracker_workers", "Processes that serve and are counted here.").set(1)
        self._response_of: dict[tuple[str, str, int], Counter] = {}
        self._seconds_of: dict[tuple[str, str], Histogram] = {}
        self._refusal_of: dict[str, Counter] = {}

    def _gauge(
        self, name: str, told: str, labels: tuple[str, ...] = (), mode: Literal["livesum", "livemax"] = "livesum"
    ) -> Gauge:
        return Gauge(name, told, labels, registry=self.registry, multiprocess_mode=mode)

    def answered(self, method: str, route: str, status: int, seconds: float | None, code: str | None) -> None:
        """Count one response; `seconds` is None if no route took the request, `code` that of a problem."""
        # Looking a child up by its labels takes a lock, and longer than counting.
        response = self._response_of.get((method, route, status))
        if response is None:
            response = self._response_of[method, route, status] = self._responses.labels(method, route, str(status))
        response.inc()
        if seconds is not None:
            times = self._seconds_of.get((method, route))
            if times is None:
                times = self._seconds_of[method, route] = self._seconds.labels(method, route)
            times.observe(seconds)
        if code is not None:
            refusal = self._refusal_of.get(code)
            if refusal is None:
                refusal = self._refusal_of[code] = self._refusals.labels(code)
            refusal.inc()

    def text(self) -> bytes:
        """The numbers in the text format of Prometheus, those of all processes that count together."""
        directory = shared_directory()
        if directory is None:
            return generate_latest(self.registry)
        everybody = CollectorRegistry(auto_describe=False)
        _Collector(everybody, str(directory))  # type: ignore[no-untyped-call]
        return generate_latest(everybody)
