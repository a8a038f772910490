"""What the statuses of an export rest on: their figures and their events, for a file that has them beside the statuses.

They are read from the log, some pledges at a time, and once more each time that they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from api.formats.item_table import ItemTable
from api.formats.provenance import Grounds, stated_days_in
from api.resources.answer_schemas import SCHEMAS
from projections.queries import Clocks, Filters
from projections.timeline import Timeline
from tracker.event import served
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import PledgeEvents, StoredEvent, is_said
from tracker.rules import explanations
from tracker.rules.event_days import said_by
from tracker.rules.pledge_history import PledgeHistory

BATCH_PLEDGES = 100
"""Pledges whose events are in memory at a time."""

FIGURES = ItemTable(SCHEMAS["Figures"]["properties"]["items"]["items"], SCHEMAS)
"""The columns of figures."""


def grounds_of(pledges: Callable[[], Iterable[str]], log: LogRecorder, timeline: Timeline, clocks: Clocks) -> Grounds:
    """The grounds of the statuses of some pledges; `pledges` names them in order, each time it is called."""

    def known() -> Iterator[PledgeEvents]:
        remaining, stalled = iter(pledges()), timeline.stalled(clocks)
        while some := list(islice(remaining, BATCH_PLEDGES)):
            rows = log.rows_of(some, clocks.position)
            for pledge in some:
                events = PledgeEvents.read(rows[pledge])
                for parked in timeline.unread(pledge, clocks.position)[:1] if pledge in stalled else ():
                    events = events.before(parked.position, parked.reason)
                yield events

    def figures() -> Iterator[dict[str, str]]:
        for events in known():
            found, _ = events.fold(lambda taken: explanations.figures(taken, clocks.as_of))
            for figure in found or ():
                yield {"pledge": events.rows[0].pledge, **FIGURES.cells(figure)}

    def lines() -> Iterator[bytes]:
        return (served(row.state, row.position) for events in known() for row in said_rows(events, clocks.as_of))

    return Grounds({"pledge": "text", **FIGURES.columns}, figures, lines)


def beside_statuses(log: LogRecorder, timeline: Timeline, clocks: Clocks, filters: Filters) -> dict[str, Any]:
    """What formats may ask for beside all statuses that pass the filters: members of a `Provenance`, by name."""
    return {
        "stated_days": stated_days_in(log),
        "first_days": lambda pledges: timeline.first_days(pledges, clocks),
        "grounds": grounds_of(lambda: timeline.names(clocks, filters), log, timeline, clocks),
    }


def said_rows(events: PledgeEvents, as_of: date) -> list[StoredEvent]:
    """The rows of a pledge's events that had been said by a day, those that could not be taken in among them."""
    said, known = events.fold(
        lambda taken: said_by(taken, as_of) if PledgeHistory(taken).view(as_of) is not None else []
    )
    shown = {event.position for event in said}
    shown |= {event.position for event in known.unread if is_said(event.line, as_of)}
    return [row for row in known.rows if row.position in shown]
