"""A request waits for the projection in one place, in a thread or on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.api import Api, catch_up, prepare, running
from tests.support.waiting import HANG_SECONDS


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
