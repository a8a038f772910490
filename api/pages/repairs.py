"""A status document beside another one of the same day: as we knew it, or as it would be without our repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pydantic_core import from_json

from api import amounts
from tracker.event import Event
from tracker.facts import EventCorrected, EventVoided
from tracker.rules.status import StatusFold

_SHOWN = (
    "title", "status", "actual", "ratio", "target", "deadline", "stage", "trajectory", "evidence", "members",
    "milestones", "periods", "instalments", "conditions", "flags",
)  # fmt: skip
"""Members of a status document that a page shows."""

_REPAIR = EventCorrected | EventVoided

_MOST_ALONE = 20
"""Repairs that are each tried alone, at most: of more, all are named."""


class Repair(NamedTuple):
    """A repair of our record, and the event that it repairs, by their ids."""

    event: str
    repaired: str


class Repaired(NamedTuple):
    """What our repairs changed of a day: the document without them, and the repairs that changed what is shown."""

    without: Mapping[str, Any]
    repairs: tuple[Repair, ...]
    position: int
    """The position before the first of them."""


def differences(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> list[str]:
    """The members that are shown and differ between two documents; None stands for no pledge."""
    return [name for name in _SHOWN if not amounts.same((one or {}).get(name), (other or {}).get(name))]


def without_repairs(events: Sequence[Event], as_of: date) -> Repaired | None:
    """The status of a day without the corrections and voids among the events.

    None where there are none, or they change nothing that is shown: what the world said since is never a repair.
    """
    repairs = [event for event in events if isinstance(event.fact, _REPAIR)]
    if not repairs:
        return None
    now = _document(events, as_of)
    without = _document([event for event in events if not isinstance(event.fact, _REPAIR)], as_of)
    if not differences(without, now):
        return None
    if len(repairs) <= _MOST_ALONE:
        alone = [r for r in repairs if differences(_document([e for e in events if e is not r], as_of), now)]
        repairs = alone or repairs
    named = tuple(Repair(event.id, event.fact.event) for event in repairs if isinstance(event.fact, _REPAIR))
    return Repaired(without or {}, named, repairs[0].position - 1)


def _document(events: Sequence[Event], as_of: date) -> Mapping[str, Any] | None:
    status = StatusFold(events).status(as_of) if events else None
    return None if status is None else dict(from_json(status.body))
