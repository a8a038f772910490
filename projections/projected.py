"""What a projector tells of each of its commits, to a process that waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracker.log.identity import LogStanding
from tracker.log.rows import LogRow


class Ahead(NamedTuple):
    """A look at the log, and the next events that a projector has not taken in (`LogRecorder.look_on`)."""

    found: LogStanding
    rows: Sequence[LogRow]


class Projected(NamedTuple):
    """How far a projector is, at its last commit.

    `parked` is 0 or tells the events parked beside the set (as `queries.answering`), `withheld` is the number of the
    last withholding that the set is made with.
    """

    set: int
    parked: int
    withheld: int
    position: int

    @property
    def told(self) -> str:
        """What one process tells another of it, which `read` understands."""
        return " ".join(map(str, self))

    @classmethod
    def read(cls, told: str | bytes) -> Projected | None:
        """What was told; None if it is something else."""
        try:
            return cls(*map(int, told.split()))
        except (ValueError, TypeError):
            return None
