"""Lines to append to a log, and what restamping makes of them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow, NewLogRow

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def line(pledge: str = "p", version: int = 1, **given: Any) -> NewLogRow:
    event_id = given.pop("event_id", None) or uuid.uuid4().hex
    given = {"type": "ProgressReported", "state": b"{}", "recorded_at": NOON} | given
    return NewLogRow(pledge=pledge, version=version, event_id=event_id, **given)


def stamp(state: bytes, recorded_at: datetime) -> bytes:
    return b"restamped " + recorded_at.isoformat().encode()


def append(log: LogRecorder, *lines: NewLogRow) -> list[LogRow]:
    return log.append(lines, restamp=stamp)
