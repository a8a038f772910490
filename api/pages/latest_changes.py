"""The changes of status that came last in the world, each with its cause."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock

from pydantic_core import from_json

from api.pages.frame import PageRequest
from projections.queries import Clocks, Filters
from projections.trait_runs import DatedMove
from tracker.event import Event
from tracker.facts import StatementMade
from tracker.promise_facts import PledgeMade
from tracker.rules.causes import Cause, Point, between, cause_of

LATEST_CHANGES = 5
"""Changes that the overview tells."""

_ONE_DAY = timedelta(days=1)

MAX_KNOWN_CAUSES = 1_000
"""Causes that a process remembers, at most: each takes folding the pledge three times."""

_NAMED_EVENTS = 2
"""Events that are named as the cause of a change, at most."""


@dataclass(frozen=True, slots=True)
class CausingEvent:
    """An event on the day of a change: its id and the type of its fact."""

    id: str
    type: str


@dataclass(frozen=True, slots=True)
class LatestChange:
    """A change of status on a day, with why, and the events of that day that are the cause; none if time passed."""

    pledge: str
    title: str
    on: date
    before: str | None
    after: str
    cause: Cause
    events: tuple[CausingEvent, ...]


_Cause = tuple[Cause, tuple[CausingEvent, ...]]

_causes: OrderedDict[tuple[object, ...], _Cause] = OrderedDict()
_lock = Lock()


def latest_changes(page: PageRequest, filters: Filters, at: Clocks) -> list[LatestChange]:
    """The latest changes by the day of the clocks among the pledges that pass the filters, the last first."""
    timeline = page.services.timeline
    found = timeline.latest_moves(filters, at, LATEST_CHANGES)
    titles = {
        name: from_json(document)["title"]
        for name, document in timeline.documents([change.pledge for change in found], at).items()
    }
    versions = page.services.tracker.log.heads(list(titles), at.position)
    return [
        LatestChange(
            change.pledge,
            titles.get(change.pledge, change.pledge),
            change.on,
            change.before,
            change.after,
            *_known_cause(page, change, versions.get(change.pledge, (0, 0))[0], at),
        )
        for change in found
    ]


def _known_cause(page: PageRequest, change: DatedMove, version: int, at: Clocks) -> _Cause:
    """The cause of a change and the events that are named; remembered while the pledge has this version."""
    generation = page.services.heads.generation
    asked = (page.log, generation, change.pledge, version, change.on)
    with _lock:
        if (known := _causes.get(asked)) is not None:
            _causes.move_to_end(asked)
            return known
    cause = _cause(page, change, at)
    with _lock:
        _causes[asked] = cause
        while len(_causes) > MAX_KNOWN_CAUSES:
            _causes.popitem(last=False)
    return cause


def _cause(page: PageRequest, change: DatedMove, at: Clocks) -> _Cause:
    earlier, later = Point(change.on - _ONE_DAY, at.position), Point(change.on, at.position)

    def why(events: Sequence[Event]) -> tuple[Cause, list[Event]]:
        return cause_of(events, earlier, later), between(events, earlier, later)

    (cause, events), _ = page.taken_in(change.pledge, at.position).fold(why)
    return cause, () if cause == "time" else _named(events)


def _named(events: Sequence[Event]) -> tuple[CausingEvent, ...]:
    """The events of the day that are named: the pledge's making alone, statements only where there is nothing else."""
    made = [event for event in events if isinstance(event.fact, PledgeMade)]
    told = made or [event for event in events if not isinstance(event.fact, StatementMade)] or events
    return tuple(CausingEvent(event.id, event.type) for event in told[-_NAMED_EVENTS:])
