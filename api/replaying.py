"""Statuses folded from the log itself, pledge by pledge, and how the read model differs from them.

One pledge is in memory at a time. The read model is right when there are no differences.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from projections.timeline import Clocks, Filters, Timeline
from tracker.event import Event
from tracker.recorder import LogRecorder
from tracker.status import Record, complete

_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """One pledge as the log has it; ``document`` is None where it does not exist at the clocks."""

    pledge: str
    document: bytes | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A pledge whose document the read model has otherwise; None where one of them has none, or none that can be read.

    ``members`` are the names of what differs.
    """

    pledge: str
    replayed: bytes | None
    projected: bytes | None
    readable: bool = True

    @property
    def members(self) -> list[str]:
        """The members of the document that are not the same."""
        if self.replayed is None or self.projected is None:
            return []
        log, read = from_json(self.replayed), from_json(self.projected)
        return sorted(name for name in log.keys() | read.keys() if log.get(name) != read.get(name))

    def __str__(self) -> str:
        if not self.readable:
            return f"{self.pledge}: what the projection has cannot be read"
        if self.replayed is None:
            return f"{self.pledge}: the projection has it, the log does not"
        if self.projected is None:
            return f"{self.pledge}: the log has it, the projection does not"
        return f"{self.pledge}: {', '.join(self.members) or 'the order of members'}"


def replay_one(log: LogRecorder, pledge: str, clocks: Clocks) -> bytes | None:
    """The status document of one pledge from its events; None where it does not exist at the clocks."""
    events = [Event.read(row.state, row.position) for row in log.pledge_rows(pledge, clocks.position)]
    status = Record(events).status(clocks.as_of) if events else None
    if status is None:
        return None
    last = events[-1]
    return complete(
        status.body, as_of=clocks.as_of, known_at=clocks.known_at, position=last.position, version=last.version
    )


def replay(log: LogRecorder, clocks: Clocks) -> Iterator[Replayed]:
    """Every pledge that the log opens up to the position, in the order in which they were opened."""
    after = 0
    while True:
        rows = log.changed_since(after, _BATCH)
        for position, pledge, version in rows:
            if position > clocks.position:
                return
            if version == 1:
                yield Replayed(pledge, replay_one(log, pledge, clocks))
        if len(rows) < _BATCH:
            return
        after = rows[-1][0]


def compare(log: LogRecorder, timeline: Timeline, clocks: Clocks) -> Iterator[Difference | None]:
    """For every pledge of the log its difference, None if there is none; then what only the projection has.

    The projection MUST have reached the position.
    """
    return (difference for _, difference in compared(log, timeline, clocks))


def compared(log: LogRecorder, timeline: Timeline, clocks: Clocks) -> Iterator[tuple[bytes | None, Difference | None]]:
    """The same beside the documents that the log gives; None where a pledge does not exist at the clocks."""
    found = 0
    for one in replay(log, clocks):
        difference = None
        try:
            projected = timeline.one(one.pledge, clocks)
            found += projected is not None
            if projected != one.document:
                if projected is not None:
                    from_json(projected)
                difference = Difference(one.pledge, one.document, projected)
        except (zlib.error, ValueError):
            difference = Difference(one.pledge, one.document, None, readable=False)
        yield one.document, difference
    for stray in _only_projected(timeline, clocks, found):
        yield None, stray


def _only_projected(timeline: Timeline, clocks: Clocks, found: int) -> Iterator[Difference]:
    """The first pledge that the read model has beside those found: the log knows no version of it."""
    try:
        if timeline.page(Filters(), clocks, limit=1).total != found:
            for _ in timeline.export(clocks):
                pass
    except KeyError as unknown:
        yield Difference(str(unknown.args[0]), None, b"")
    except (zlib.error, ValueError):
        pass  # told with its pledge
