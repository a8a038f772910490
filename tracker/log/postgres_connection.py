"""A connection to PostgreSQL that is given up when the server says nothing.

`statement_timeout` is the server's own clock, and TCP's time-outs ask whether the machine at the other end is there. A
server that is stopped (SIGSTOP, a machine that swaps, a disk that hangs) keeps neither: its kernel goes on saying that
all was received. So the waiting itself ends here, in this process, a moment after the server should have ended it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from math import inf
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tracker.log.away import SilentStore

ReplyT = TypeVar("ReplyT")

GRACE_SECONDS = 0.5
"""Seconds that the server has beyond its own time-out, so that it is the one that ends a slow statement."""


class NoAnswer(psycopg.OperationalError, SilentStore):
    """The server said nothing for too long; the connection is closed."""


class TimedConnection(psycopg.Connection[Any]):
    """A connection whose statements raise NoAnswer after `answer_seconds`, whatever the server does."""

    answer_seconds: float = inf

    def wait(self, gen: Generator[Any, Any, ReplyT], *args: Any, **kwargs: Any) -> ReplyT:
        """Wait for the server as psycopg does, for `answer_seconds` at most."""
        if self.answer_seconds < inf:
            gen = _ended(gen, time.monotonic() + self.answer_seconds)
        try:
            return super().wait(gen, *args, **kwargs)
        except NoAnswer:
            self.pgconn.finish()
            raise

    @contextmanager
    def answering_within(self, seconds: float) -> Iterator[None]:
        """Let statements take so long, and no longer; `inf` for those whose time nobody knows."""
        before, self.answer_seconds = self.answer_seconds, seconds
        try:
            yield
        finally:
            self.answer_seconds = before


def hang_up(conn: psycopg.Connection[Any]) -> None:
    """Let a connection that another thread waits on see its end at once."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(conn.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _ended(gen: Generator[Any, Any, ReplyT], until: float) -> Generator[Any, Any, ReplyT]:
    """The same conversation with the server, ended when nothing came by `until`. What has come is always taken."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > until:
                raise NoAnswer("the server says nothing")
            wanted = gen.send(ready)
    except StopIteration as ended:
        reply: ReplyT = ended.value
        return reply


def connection_timeouts(read_seconds: float) -> dict[str, int]:
    """libpq's parameters that give a connection up: while it is made, and while the other side acknowledges nothing."""
    return {"connect_timeout": max(2, round(read_seconds)), "tcp_user_timeout": round(1000 * read_seconds)}


def connect(database_url: str, read_seconds: float) -> TimedConnection:
    """A connection of its own to PostgreSQL, in autocommit mode, that is given up as those of the pool are."""
    given: dict[str, Any] = conninfo_to_dict(f"postgresql://{database_url.partition('://')[2]}")
    conn = TimedConnection.connect(**connection_timeouts(read_seconds) | given, autocommit=True)
    conn.answer_seconds = read_seconds + GRACE_SECONDS
    return conn
