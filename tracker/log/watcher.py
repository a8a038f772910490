"""One thread that looks at the log again whenever it may have grown, for who keeps something up with it.

A hint makes it look at once: `wake` after a write of this process, PostgreSQL's NOTIFY after one of another. No hint is
relied on: it looks every `poll` seconds as well. A look may raise whatever it will; the thread tells it once and goes
on, because a process whose thread has ended answers stale data for ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from math import inf
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from tracker.errors import Unavailable
from tracker.log.away import READ_SECONDS, unavailable
from tracker.log.sqlstates import READ_ONLY_TRANSACTION, has_sqlstate

if TYPE_CHECKING:
    import psycopg

CHANNEL = "tracker_log"
"""PostgreSQL's NOTIFY channel for "the log has grown". A hint only: the watcher polls as well."""

POLL_SECONDS = 0.25
"""Seconds between two looks when nothing happens, and between two attempts to listen."""

REPLICA_SECONDS = 10.0
"""Seconds between two attempts to listen to a replica, which tells nothing until it is promoted."""


class LogWatcher:
    """Calls `look` in a thread of its own until it is stopped; MUST be stopped before what `look` uses is closed.

    `look` returns the seconds after which to look again at the latest (0 at once), or None for `poll`. `name` is that
    of the threads and of the messages to `logger`. Notifications of the log with the payload `own` are passed over: who
    sent them knows. What comes on the other channels of `heard` is given to their functions, in the listening thread.
    A store that tells nothing, as a replica does, is looked at without `listens`.
    """

    is_listening: bool = False
    """Whether PostgreSQL tells this process what is committed."""

    last_seen: float
    """When a look last succeeded, on the monotonic clock; at first when the watcher was made."""

    def __init__(
        self,
        database_url: str,
        look: Callable[[], float | None],
        *,
        name: str,
        logger: logging.Logger,
        poll: float = POLL_SECONDS,
        own: str = "",
        heard: Mapping[str, Callable[[str], None]] | None = None,
        listens: bool = True,
    ) -> None:
        self._url, self._look, self._name, self._logger, self._poll = database_url, look, name, logger, poll
        self._own, self._heard, self._listens = own, heard or {}, listens
        self._woken = Event()
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._listening: psycopg.Connection[Any] | None = None
        self.last_seen = time.monotonic()

    def start(self) -> None:
        """Begin to look; on PostgreSQL listen for notifications, too."""
        self._stopping.clear()
        self._threads = [Thread(target=self._watch, name=self._name, daemon=True)]
        if self._listens and not self._url.startswith("sqlite"):
            self._threads.append(Thread(target=self._listen, name=f"{self._name}-listener", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Let the look at hand finish, for at most so many seconds, and look no more."""
        self._stopping.set()
        self._woken.set()
        if (listening := self._listening) is not None:
            from tracker.log.postgres_connection import hang_up

            hang_up(listening)
        for thread in self._threads:
            thread.join(timeout)
        self._threads = []

    def wake(self) -> None:
        """The log may have grown: look now. From any thread."""
        self._woken.set()

    def wait(self, timeout: float) -> None:
        """Wait for the next hint, `timeout` seconds at most. For the watching thread alone: it takes the hint."""
        self._woken.wait(timeout)
        self._woken.clear()

    @property
    def age(self) -> float:
        """Seconds since a look last succeeded; without end once the thread has died."""
        return time.monotonic() - self.last_seen if self.is_alive else inf

    @property
    def is_alive(self) -> bool:
        """Whether the thread that looks runs, or was not started yet."""
        return not self._threads or self._threads[0].is_alive()

    def _watch(self) -> None:
        told: set[type[Exception]] = set()
        while not self._stopping.is_set():
            try:
                pause = self._look()
                self.last_seen = time.monotonic()
                self._tell_over(told)
            except Exception as error:
                self._tell("cannot go on", error, told)
                # Hints come with every write, and a store that is away is not to be asked at that pace.
                self._stopping.wait(min(self._poll, POLL_SECONDS))
                continue
            self.wait(self._poll if pause is None else pause)

    def _listen(self) -> None:
        from psycopg import OperationalError

        from tracker.log.postgres_connection import connect

        told: set[type[Exception]] = set()
        while not self._stopping.is_set():
            try:
                with connect(self._url, READ_SECONDS) as conn:
                    for channel in (CHANNEL, *self._heard):
                        conn.execute(f"LISTEN {channel}")
                    self._tell_over(told)
                    self._listening, self.is_listening = conn, True
                    self.wake()
                    while not self._stopping.is_set():
                        for notice in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                            self._hear(notice)
            except Exception as error:
                self._listening, self.is_listening = None, False
                if self._stopping.is_set():
                    return
                lost = unavailable(error) if isinstance(error, OperationalError) else error
                self._tell("is not notified, and looks every so often", lost, told)
                is_replica = has_sqlstate(error, READ_ONLY_TRANSACTION)
                self._stopping.wait(REPLICA_SECONDS if is_replica else POLL_SECONDS)

    def _hear(self, notice: psycopg.Notify) -> None:
        if (heard := self._heard.get(notice.channel)) is not None:
            heard(notice.payload)
        elif not notice.payload or notice.payload != self._own:
            self.wake()

    def _tell(self, what: str, error: Exception, told: set[type[Exception]]) -> None:
        """Log an error unless its class was told already; with a traceback unless only the store is away."""
        if type(error) not in told:
            is_away = isinstance(error, Unavailable)
            self._logger.warning("the %s %s: %s", self._name, what, error, exc_info=not is_away)
        told.add(type(error))

    def _tell_over(self, told: set[type[Exception]]) -> None:
        if told:
            self._logger.warning("the %s goes on", self._name)
            told.clear()
