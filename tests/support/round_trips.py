"""How often a process waits for PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tracker.log.postgres_connection import TimedConnection


@contextmanager
def round_trips() -> Iterator[list[TimedConnection]]:
    """The connections that were waited on, one for each time, in all threads."""
    found: list[TimedConnection] = []
    wait = TimedConnection.wait

    def seen(conn: TimedConnection, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(gen)
            found.append(conn)
            while True:
                wanted = gen.send((yield wanted))
        except StopIteration as ended:
            return ended.value

    def watched(conn: TimedConnection, gen: Generator[Any, Any, Any], *given: Any, **options: Any) -> Any:
        return wait(conn, seen(conn, gen), *given, **options)

    with patch.object(TimedConnection, "wait", watched):
        yield found
