"""What an export says of itself beside its rows: the clocks it was made at, its licence, the log it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracker.event import raw_event
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import raw_fact

StatedDays = Callable[[Sequence[str]], Mapping[str, str]]
"""From event ids to the days, YYYY-MM-DD, on which the events' facts were stated; unknown ids are left out."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the rows of an export come from.

    `footer` has the clocks and the position, and whatever else stands beside the items of a JSON answer; formats
    without a place for it leave it out. `license_` is the licence as the operator names it, `origin` the log's name.
    `stated_days` dates the events that a status names as its causes. `public_url` is what addresses begin with; without
    it they are relative.
    """

    footer: Mapping[str, Any]
    license_: str | None = None
    origin: str | None = None
    stated_days: StatedDays = lambda event_ids: {}
    public_url: str = ""
    fields: tuple[str, ...] = ()
    """The members of a status that are kept; all if it is empty."""


StatusWriter = Callable[[Iterable[bytes], Provenance], Iterator[bytes]]
"""Writes status documents, given as JSON, piece by piece. It MUST hold no more of them than one batch in memory."""

EventWriter = Callable[[Iterable[bytes], Provenance], Iterator[bytes]]
"""Writes events, given as the JSON that is served, piece by piece. It MUST hold no more of them than one in memory."""


def stated_days_in(log: LogRecorder) -> StatedDays:
    """The days on which events of the log were stated, looked up as they are asked for."""

    def stated_days(event_ids: Sequence[str]) -> dict[str, str]:
        rows = log.by_event_ids(event_ids)
        facts = {row.event_id: raw_fact(raw_event(row.state, row.position)) for row in rows}
        return {event_id: str(fact["stated_on"]) for event_id, fact in facts.items() if "stated_on" in fact}

    return stated_days
