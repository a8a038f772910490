"""The collector of cycles: what survived a full pass is set aside, and it rests beside large bodies."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from api.http.collector import WHOLE_SECONDS, Passes, resting


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
