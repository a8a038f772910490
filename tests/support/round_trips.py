"""How often a process waits for PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any
from unittest.mock import patch

from tracker.log.postgres_connection import TimedConnection


@contextmanager
def round_trips() -> Iterator[list[TimedConnection]]:
    """The connections that this thread waited on, one for each time: those of a pool are opened in others."""
    found: list[TimedConnection] = []
    wait, thread = TimedConnection.wait, get_ident()

    def seen(conn: TimedConnection, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(gen)
            if get_ident() == thread:
                found.append(conn)
            while True:
                wanted = gen.send((yield wanted))
        except StopIteration as ended:
            return ended.value

    def watched(conn: TimedConnection, gen: Generator[Any, Any, Any], *given: Any, **options: Any) -> Any:
        return wait(conn, seen(conn, gen), *given, **options)

    with patch.object(TimedConnection, "wait", watched):
        yield found
