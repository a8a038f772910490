"""Events that all wait and are leapt over together, and what must hold of every point meanwhile and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from unittest.mock import patch

from sqlalchemy import select

from projections import folded_pledge, long_pledges
from projections.queries import Clocks
from projections.tables import PARKED
from projections.verify import compare
from tests.support.timelines import World, assert_equals_log, made, progress, rows_of
from tracker.rules.replayed import STALE_FLAG

FIRST = date(2024, 1, 20)


@contextmanager
def leaping(slice_seconds: float = -1.0) -> Iterator[None]:
    """All events wait, those that wait together are leapt over, and gaps are filled, event by event or at once."""
    with ExitStack() as stack:
        for module, name, value in (
            (long_pledges, "SHARE_SECONDS", -1.0),
            (long_pledges, "SLICE_SECONDS", slice_seconds),
            (folded_pledge, "LEAP_STEPS", -1),
            (folded_pledge, "LEAP_GAIN", 0),
        ):
            stack.enter_context(patch.object(module, name, value))
        yield


def assert_nothing_is_beside(it: World) -> None:
    with it.engine.connect() as conn:
        assert not conn.execute(select(PARKED)).all()


def assert_as_if_nobody_had_leapt(it: World) -> None:
    assert_nothing_is_beside(it)
    assert_equals_log(it, it.log.head())
    found = rows_of(it)
    it.runner.rebuild()
    assert rows_of(it) == found


def wrong_at(it: World, position: int, as_of: date) -> list[str]:
    return [str(one) for one in compare(it.log, it.timeline, Clocks(as_of, position)) if one is not None]


def record_backwards(it: World, count: int, pledge: str = "long") -> None:
    it.record(pledge, made())
    for day in range(count, 0, -1):
        it.record(pledge, progress(day, (FIRST + timedelta(days=day)).isoformat()))


def leap_over(it: World, pledge: str = "long") -> None:
    """Project until the events of a pledge that wait are leapt over."""
    for _ in range(20):
        it.runner.run_once()
        document = it.one(pledge)
        if document is not None and STALE_FLAG not in document["flags"]:
            return
    raise AssertionError("nobody leapt")
