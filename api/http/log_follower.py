"""One thread a process that follows the log: it keeps the heads and the keys fresh and wakes who waits.

It looks when told to (after an own write), when PostgreSQL notifies, and every ``POLL_SECONDS`` seconds as a net. While
the projection is behind the log it looks more often.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from api.http.auth import KEY_REFRESH_SECONDS, KeyRing
from api.http.known_heads import KnownHeads
from projections.tables import connect_postgres
from projections.timeline import Timeline
from tracker.errors import TrackerError
from tracker.log.recorder import CHANNEL, LogRecorder

POLL_SECONDS = 0.25
"""Seconds between two looks when nothing happens."""

CATCH_UP_SECONDS = 0.003
"""Seconds between two looks while somebody waits for the projection."""

FOLLOW_BATCH_ROWS = 5_000

log = logging.getLogger("tracker.api")


class LogFollower:
    """Keeps ``heads`` and ``keys`` fresh until it is stopped. A store that is away is looked for again and again."""

    def __init__(
        self, heads: KnownHeads, keys: KeyRing, journal: LogRecorder, timeline: Timeline, database_url: str
    ) -> None:
        self._heads = heads
        self._keys = keys
        self._journal = journal
        self._timeline = timeline
        self._url = database_url
        self._wake = Event()
        self._stop = Event()
        self._threads: list[Thread] = []
        self._waiting: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[bool]]] = []
        self._lock = Lock()
        self._away = False
        self.also_wake: Callable[[], None] = lambda: None
        """Who else is to be told that the log has grown: the projector, if it runs here."""
        self.grown: Callable[[], None] = lambda: None
        """Who is to be told once the heads say so: the streams."""

    def start(self) -> None:
        """Look once, so that the heads are those of the store, then follow in a thread."""
        self._look(first=True)
        self._threads = [Thread(target=self._follow, name="tracker-follower", daemon=True)]
        if not self._url.startswith("sqlite:"):
            self._threads.append(Thread(target=self._listen, name="tracker-listener", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop following; who still waits is told that the projection is not there."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self._release(everybody=True)

    def wake(self) -> None:
        """The log has grown: look now."""
        self.also_wake()
        self._wake.set()

    async def projected(self, position: int, timeout: float) -> bool:
        """Wait until the projection has an event; False if it has not within so many seconds."""
        if self._heads.projection >= position:
            return True
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        with self._lock:
            self._waiting.append((position, loop, future))
        self.wake()
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting = [waiter for waiter in self._waiting if waiter[2] is not future]

    def _follow(self) -> None:
        while not self._stop.is_set():
            self._look()
            self._wake.wait(CATCH_UP_SECONDS if self._waiting else POLL_SECONDS)
            self._wake.clear()

    def _look(self, *, first: bool = False) -> None:
        try:
            if first:
                self._heads.log = self._heads.at_start = self._journal.head()
            while changes := self._journal.changed_since(self._heads.log, FOLLOW_BATCH_ROWS):
                self._heads.advance(changes)
                self.grown()
            standing = self._timeline.standing()
            self._heads.note_standing(standing)
            self._heads.projection = standing.position
            self._keys.refresh(older_than=KEY_REFRESH_SECONDS)
            self._away = False
        except (TrackerError, SQLAlchemyError) as error:
            if first:
                raise
            if not self._away:
                log.warning("store away", extra={"reason": type(error).__name__})
            self._away = True
            self._stop.wait(POLL_SECONDS)
        self._release()

    def _release(self, *, everybody: bool = False) -> None:
        with self._lock:
            for position, loop, future in self._waiting:
                if everybody or self._heads.projection >= position:
                    loop.call_soon_threadsafe(_settle, future, not everybody)

    def _listen(self) -> None:
        """PostgreSQL says when the log grows; a hint only, so a lost connection costs nothing but time."""
        while not self._stop.is_set():
            try:
                with connect_postgres(self._url, autocommit=True) as conn:
                    conn.execute(f"LISTEN {CHANNEL}")
                    self._wake.set()
                    while not self._stop.is_set():
                        for _ in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                            self._wake.set()
            except psycopg.Error:
                time.sleep(POLL_SECONDS)


def _settle(future: asyncio.Future[Any], result: bool) -> None:
    if not future.done():
        future.set_result(result)
