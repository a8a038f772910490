"""Why a pledge's status is another one at a later point: time went by, something was said, or our record was repaired.

    time      the earlier record, asked on the later day, gives the later answer: a deadline passed
    said      it does so with the facts between, without the corrections, voids, ranks and captures among them
    repaired  it takes those too

The answer is the headline and the actual; where neither differs, the whole status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic_core import from_json

from tracker.acting import REPAIRS
from tracker.event import Event
from tracker.rules.event_days import days
from tracker.rules.status import StatusFold

Cause = Literal["time", "said", "repaired"]

_SHOWN = ("status", "actual")
"""The members that are the answer, where one of them differs."""


@dataclass(frozen=True, slots=True)
class Point:
    """A day on the as-of axis, and a position on the known axis."""

    as_of: date
    position: int


def between(events: Sequence[Event], earlier: Point, later: Point) -> list[Event]:
    """The events that make the later record out of the earlier one, in order.

    The points differ on one axis: they are the events said between the two days, or recorded between the positions.
    """
    known = [event for event in events if event.position <= later.position]
    if earlier.position != later.position:
        return [event for event in known if event.position > earlier.position]
    on = days(known)
    return [event for event in known if earlier.as_of < on[event.id] <= later.as_of]


def cause_of(events: Sequence[Event], earlier: Point, later: Point) -> Cause:
    """Why the status of a pledge at a later point is another than at an earlier one."""
    known = [event for event in events if event.position <= later.position]
    new = {event.id for event in between(known, earlier, later)}
    if not new:
        return "time"
    record = [event for event in known if event.id not in new]
    before = _document(record if earlier.position != later.position else known, earlier.as_of)
    after = _document(known, later.as_of)
    is_same = _comparison(before, after)
    if is_same(_document(record, later.as_of)):
        return "time"
    if not any(event.id in new and isinstance(event.fact, REPAIRS) for event in known):
        return "said"
    unrepaired = [event for event in known if event.id not in new or not isinstance(event.fact, REPAIRS)]
    return "said" if is_same(_document(unrepaired, later.as_of)) else "repaired"


def _document(events: Sequence[Event], as_of: date) -> dict[str, Any] | None:
    status = StatusFold(events).status(as_of) if events else None
    return None if status is None else from_json(status.body)


def _comparison(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Callable[[dict[str, Any] | None], bool]:
    """Whether a document gives the answer of `after`."""

    def shown(document: dict[str, Any] | None) -> list[Any] | None:
        return None if document is None else [document[name] for name in _SHOWN]

    if shown(before) != shown(after):
        return lambda document: shown(document) == shown(after)
    return lambda document: document == after
