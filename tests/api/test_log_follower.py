"""A request waits for the projection in one place, in a thread or on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from unittest.mock import patch

import pytest

from api.http import min_position
from projections.projected import Projected
from tests.support.api import Api, catch_up, prepare, running, statement
from tests.support.waiting import HANG_SECONDS, wait_until


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """The API on a store that nothing projects."""
    prepare(database_url)
    with running(database_url, projector=False) as api:
        yield api


def test_a_thread_and_an_event_loop_wait_in_the_same_place(api: Api) -> None:
    follower = api.services.follower
    position = api.open()["position"]
    with ThreadPoolExecutor(2) as threads:
        waiting = [
            threads.submit(follower.wait, position, HANG_SECONDS),
            threads.submit(lambda: asyncio.run(follower.wait_async(position, HANG_SECONDS))),
        ]
        catch_up(api)
        assert [found.result() for found in waiting] == [True, True]
    assert follower.wait(position, 0)


def test_a_wait_that_times_out_leaves_nothing_behind(api: Api) -> None:
    follower = api.services.follower
    beyond = api.open()["position"] + 1
    assert not follower.wait(beyond, 0.01)
    assert not asyncio.run(follower.wait_async(beyond, 0.01))
    assert len(follower.waits) == 0


def test_the_end_of_the_process_ends_every_wait(api: Api) -> None:
    follower = api.services.follower
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(follower.wait, 1000, 3600.0)
        follower.stop()
        assert waiting.result(HANG_SECONDS) is False
    assert not follower.wait(1000, 3600.0)


def test_an_event_that_a_projector_told_of_is_known_before_anything_is_answered_from_memory(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(min_position, "WAIT_SECONDS", HANG_SECONDS)
    prepare(database_url)
    with running(database_url) as writer, running(database_url, projector=False) as reader:
        writer.open()
        follower, heads, log = reader.services.follower, reader.services.heads, reader.services.tracker.log
        wait_until(lambda: heads.log == heads.projection == 1)
        assert reader.get("/v1/pledges/aid-2024").json()["position"] == 1  # and kept
        may_look, look = Event(), log.changed_since

        def changed_since(position: int, limit: int) -> list[tuple[int, str, int]]:
            may_look.wait(HANG_SECONDS)
            return look(position, limit)

        with patch.object(log, "changed_since", changed_since), ThreadPoolExecutor(1) as threads:
            position = writer.add(statement())["position"]
            follower.hear(Projected(*heads.generation, position))
            assert (heads.projection, heads.log) == (2, 1)
            named = {min_position.HEADER: str(position)}
            answer = threads.submit(reader.get, "/v1/pledges/aid-2024", headers=named)
            wait_until(lambda: answer.done() or len(follower.known_waits) == 1)
            may_look.set()
            assert answer.result().json()["position"] == position
