"""The pledges that a writer keeps are bounded, in number and in facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.support.api import made, statement
from tracker import pledge_cache
from tracker.event import Event
from tracker.fact_reading import read_fact
from tracker.log.recorder import LogRecorder
from tracker.pledge import Pledge
from tracker.pledge_cache import PledgeCache

NOW = datetime(2024, 9, 1, tzinfo=UTC)


class _EmptyLog:
    """A log that has no event, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def heads(self, names: Iterable[str]) -> dict[str, int]:
        self.asked += names
        return {}


@pytest.fixture
def log() -> _EmptyLog:
    return _EmptyLog()


@pytest.fixture
def cache(log: _EmptyLog) -> PledgeCache:
    return PledgeCache(cast(LogRecorder, log))


def written(cache: PledgeCache, name: str, facts: int) -> Pledge:
    """Load a pledge and record so many facts on it, as a writer does."""
    pledge = cache.load([name])[name]
    for _ in range(facts):
        raw: dict[str, Any] = statement() if pledge.version else made()
        number = pledge.version + 1
        pledge.apply(Event(f"{name}-{number}", name, number, NOW, "alice", read_fact(raw)))
    return pledge


def test_the_pledges_are_bounded_in_number_and_the_last_used_stay(
    cache: PledgeCache, log: _EmptyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pledge_cache, "CACHED_PLEDGES", 3)
    for name in ("a", "b", "c", "a", "d"):
        written(cache, name, 1)
    asked = len(log.asked)
    cache.load(["a", "c", "d"])
    assert len(log.asked) == asked
    cache.load(["b"])
    assert log.asked[asked:] == ["b"]


def test_their_facts_are_bounded_however_few_pledges_have_them(
    cache: PledgeCache, log: _EmptyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pledge_cache, "CACHED_FACTS", 20)
    for turn in range(12):
        for name in ("a", "b", "c"):
            written(cache, name, 2)
            assert cache.facts <= 20, turn
    asked = len(log.asked)
    cache.load(["c"])
    assert len(log.asked) == asked


def test_what_one_request_is_about_is_kept_whatever_it_has(
    cache: PledgeCache, log: _EmptyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pledge_cache, "CACHED_FACTS", 5)
    monkeypatch.setattr(pledge_cache, "CACHED_PLEDGES", 1)
    kept = cache.load(["a", "b"])
    for name in kept:
        written(cache, name, 0)
    cache.load(["a", "b"])
    heavy = written(cache, "a", 9)
    assert cache.load(["a"])["a"] is heavy
    assert cache.facts == 9


def test_what_is_forgotten_is_not_counted(cache: PledgeCache) -> None:
    for name in ("a", "b"):
        written(cache, name, 4)
    cache.load(["a", "b"])
    assert cache.facts == 8
    cache.forget(["a", "nobody"])
    assert cache.facts == 4
    cache.clear()
    assert cache.facts == 0
