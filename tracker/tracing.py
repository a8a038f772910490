"""Where a trace is told of commits and projections, if somebody wants to know: `sink`. Without one it costs nothing.

The record itself knows no tracing library. What is told is an instant when it began (`time.time_ns`) and positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.log.rows import LogRow


class TraceSink(Protocol):
    """Takes in what was done. Called from any thread; it MUST NOT raise and MUST be short."""

    def here(self) -> object:
        """What is at work on this thread or task: the parent of what follows from it."""
        ...

    def committed(self, parent: object, began_ns: int, first: int, last: int, together: int) -> None:
        """Events from position `first` to `last` were committed just now, with those of `together` requests."""
        ...

    def projected(self, began_ns: int, first: int, last: int) -> None:
        """Events from position `first` to `last` were projected just now."""
        ...


sink: TraceSink | None = None
"""Whom to tell; None is nobody."""


def here() -> object:
    """What is at work here, for `committed` on another thread; None without a sink."""
    return None if sink is None else sink.here()


def committed(parent: object, began_ns: int, rows: Sequence[LogRow], *, together: int = 1) -> None:
    """Tell of the commit of a request's rows; the request was at work where `parent` was asked for."""
    if sink is not None and rows:
        sink.committed(parent, began_ns, rows[0].position, rows[-1].position, together)


def projected(began_ns: int, first: int, last: int) -> None:
    """Tell of a projection."""
    if sink is not None:
        sink.projected(began_ns, first, last)
