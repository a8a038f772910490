"""The clock of the machine: the one place that reads it. Everything below the edge is given the time."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def since_boot() -> float:
    """Seconds since the machine was started, asleep or not, by a clock that nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def today() -> date:
    """The UTC date."""
    return datetime.now(UTC).date()
