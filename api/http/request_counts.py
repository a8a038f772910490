"""Requests counted as they are answered: a few additions each, for ``/metrics`` to make sense of."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the classes of time, in seconds."""


@dataclass(slots=True)
class Times:
    """How many requests took so long, by class, the last beyond all bounds; and the sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0


class RequestCounts:
    """Counts by ``(method, route, status)`` and times by ``(method, route)``. For one event loop."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[str, str, int]] = Counter()
        self.times: dict[tuple[str, str], Times] = {}

    def add(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count one answer."""
        self.answered[method, route, status] += 1
        if seconds is not None:
            times = self.times.get((method, route))
            if times is None:
                times = self.times[method, route] = Times()
            times.counts[bisect_left(BOUNDS, seconds)] += 1
            times.total += seconds
