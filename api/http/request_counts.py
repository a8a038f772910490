"""Requests and their times, counted as they are answered; `/metrics` reads them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BUCKET_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the histogram's buckets, in seconds."""


@dataclass(slots=True)
class ResponseTimes:
    """A histogram of response times: requests by bucket, the last one beyond all bounds, and the sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKET_SECONDS) + 1))
    total: float = 0.0


class RequestCounts:
    """Counts by `(method, route, status)` and times by `(method, route)`. It lives on one event loop."""

    def __init__(self) -> None:
        self.responses: Counter[tuple[str, str, int]] = Counter()
        self.times: dict[tuple[str, str], ResponseTimes] = {}

    def add(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count one response; `seconds` is None if no route took the request."""
        self.responses[method, route, status] += 1
        if seconds is not None:
            times = self.times.get((method, route))
            if times is None:
                times = self.times[method, route] = ResponseTimes()
            times.counts[bisect_left(BUCKET_SECONDS, seconds)] += 1
            times.total += seconds
