"""The watcher outlives whatever a look raises, and needs no hint."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.errors import Unavailable
from tracker.log import watcher as log_watcher
from tracker.log.watcher import CHANNEL, LogWatcher

LOGGER = logging.getLogger("tests.watcher")


@contextmanager
def watching(url: str, look: Callable[[], float | None], poll: float) -> Iterator[LogWatcher]:
    watcher = LogWatcher(url, look, name="watcher", logger=LOGGER, poll=poll)
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.stop()


class Looks:
    """Counts looks; the errors are raised by the first ones."""

    def __init__(self, *errors: Exception, pause: float | None = None) -> None:
        self.errors = list(errors)
        self.pause = pause
        self.done = threading.Semaphore(0)

    def __call__(self) -> float | None:
        try:
            if self.errors:
                raise self.errors.pop(0)
        finally:
            self.done.release()
        return self.pause

    def again(self) -> bool:
        return self.done.acquire(timeout=HANG_SECONDS)


def test_it_looks_again_without_any_hint() -> None:
    looks = Looks()
    with watching("sqlite:///unused.db", looks, poll=0.01):
        assert all(looks.again() for _ in range(3))


def test_a_look_that_has_more_to_do_is_not_waited_for() -> None:
    looks = Looks(pause=0.0)
    with watching("sqlite:///unused.db", looks, poll=3600):
        assert all(looks.again() for _ in range(3))


def test_a_hint_makes_it_look_at_once() -> None:
    looks = Looks()
    with watching("sqlite:///unused.db", looks, poll=3600) as watcher:
        assert looks.again()
        for _ in range(3):
            watcher.wake()
            assert looks.again()


def test_it_outlives_every_error_and_tells_each_kind_once(caplog: pytest.LogCaptureFixture) -> None:
    away = [Unavailable("the store does not answer") for _ in range(3)]
    looks = Looks(*away, KeyError("nobody listed it"), MemoryError(), RuntimeError("and another"))
    started = time.monotonic()
    with watching("sqlite:///unused.db", looks, poll=0.01) as watcher:
        assert all(looks.again() for _ in range(8))
    told = [(record.getMessage(), bool(record.exc_info)) for record in caplog.records]
    assert told == [
        ("the watcher cannot go on: the store does not answer", False),
        ("the watcher cannot go on: 'nobody listed it'", True),
        ("the watcher cannot go on: ", True),
        ("the watcher cannot go on: and another", True),
        ("the watcher goes on", False),
    ]
    assert watcher.last_seen > started


def test_a_look_that_fails_is_not_seen() -> None:
    looks = Looks(*(OSError("away") for _ in range(100)))
    with watching("sqlite:///unused.db", looks, poll=0.01) as watcher:
        seen = watcher.last_seen
        assert all(looks.again() for _ in range(5))
        assert watcher.last_seen == seen


def test_postgres_notifies_also_after_its_connection_was_lost(postgres_url: str) -> None:
    looks = Looks()

    def notified() -> bool:
        """Whether a notification makes it look; those sent before it listens are lost."""
        while looks.done.acquire(blocking=False):
            pass
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline:
            conn.execute(f"NOTIFY {CHANNEL}")
            if looks.done.acquire(timeout=0.05):
                return True
        return False

    with watching(postgres_url, looks, poll=3600), psycopg.connect(postgres_url, autocommit=True) as conn:
        assert looks.again()
        assert notified()
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE query = 'LISTEN {CHANNEL}' AND pid <> pg_backend_pid()"
        )
        assert notified()


def test_who_listens_ends_at_once_and_says_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log_watcher, "POLL_SECONDS", HANG_SECONDS)
    watcher = LogWatcher(postgres_url, Looks(), name="ending", logger=LOGGER, poll=HANG_SECONDS)
    watcher.start()
    wait_until(lambda: watcher.is_listening)
    watcher.stop(timeout=HANG_SECONDS / 2)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ending")]
    assert caplog.text == ""
