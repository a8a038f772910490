"""The collector of cycles: what survived a full pass is set aside, and it rests beside large bodies."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from api.http.collector import WHOLE_SECONDS, Passes, resting
from api.http.server import BoundedConnection
from tests.support.api import made, statement
from tests.support.live import Live, serving
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_a_full_pass_sets_aside_what_it_leaves_and_once_an_hour_takes_it_back() -> None:
    now = 100.0
    passes = Passes(lambda: now)
    for phase, generation in (("start", 2), ("stop", 0), ("stop", 1)):
        passes(phase, {"generation": generation})
        assert gc.get_freeze_count() == 0
    passes("stop", {"generation": 2})
    assert gc.get_freeze_count() > 0
    now += WHOLE_SECONDS
    passes("stop", {"generation": 2})
    assert gc.get_freeze_count() == 0
    passes("stop", {"generation": 2})
    assert gc.get_freeze_count() > 0


def test_the_collector_rests_and_what_is_left_is_set_aside() -> None:
    with resting():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with resting():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def ask(live: Live, kind: str) -> None:
    """One request of a kind, on a connection of its own that ends with it."""
    with httpx.Client(base_url=live.address, headers=live.client.headers, timeout=live.client.timeout) as client:
        if kind == "stream":
            with client.stream("GET", "/v1/events/stream", headers={"Last-Event-ID": "0"}) as answer:
                assert any(line.startswith("id:") for line in answer.iter_lines())
        elif kind == "write":
            assert client.post("/v1/pledges/aid-2024/events", json=statement()).status_code == 201
        elif kind == "refused":
            with suppress(httpx.TransportError):
                assert client.get("/" + "x" * 20_000).status_code == 414
        else:
            assert client.get("/v1/pledges/aid-2024").status_code == 200


@pytest.mark.parametrize("kind", ["read", "write", "stream", "refused"])
def test_a_connection_that_has_ended_is_freed_without_the_collector(sqlite_url: str, kind: str) -> None:
    with serving(sqlite_url) as live:
        live.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
        gc.collect()
        gc.disable()
        try:
            before = connections()
            for _ in range(3):
                ask(live, kind)
            wait_until(lambda: connections() == before)
        finally:
            gc.enable()


def connections() -> int:
    return sum(isinstance(value, BoundedConnection) for value in gc.get_objects())
