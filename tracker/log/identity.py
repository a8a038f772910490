"""Which log this is: a random id made with its tables, and a new one each time that the operator forks it.

The ids stand in a table beside the log, which like the log only grows. The id of the log is that of the last row. The
first row was made with the tables; each later one is a fork: from that position on, the history is another one than
under the id before it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tracker.errors import Unavailable

ID_BYTES = 10
"""Random bytes of a log's id, which is written as twice as many hexadecimal digits."""

FIRST_REASON = "the tables were made"
"""The reason of the first id."""

COLUMNS = "number, log, forked_from, position, event_id, at, reason"
"""The columns of the table of ids, on both stores."""


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """One id of a log: since when, and after which event. `forked_from` is the id before it, None for the first."""

    number: int
    log: str
    forked_from: str | None
    position: int
    event_id: str | None
    at: datetime
    reason: str


class LogPoint(NamedTuple):
    """One event of a log, which a process remembers in order to find it there again; of an empty log `NOWHERE`."""

    position: int
    event_id: str
    leaf: bytes


NOWHERE = LogPoint(0, "", b"")
"""Before the first event."""


class LogStanding(NamedTuple):
    """A look at a log: its id, its last event, the id of the event at a position that was asked for, if any, and the
    number of the last withholding."""

    log: str
    head: LogPoint
    event_there: str | None
    withheld: int = 0


def new_log_id() -> str:
    """A random id for a log, safe in addresses."""
    return secrets.token_hex(ID_BYTES)


def standing_of(row: Sequence[Any]) -> LogStanding:
    """A row of the query STANDING.

    Raises: Unavailable if the log has no id.
    """
    log, position, event_id, leaf, event_there, withheld = row[:6]
    if log is None:
        raise Unavailable("the log has no id; run `tracker init`")
    head = NOWHERE if position is None else LogPoint(position, event_id, bytes(leaf))
    return LogStanding(log, head, event_there, withheld)
