"""What an export says of itself beside its rows, and what a format may ask for beside them.

The clocks it was made at, its licence, the log it comes from; and what the statuses rest on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.formats.cell_kinds import Columns
from api.settings import Settings
from tracker.acting import REPAIRS
from tracker.event import raw_event
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import raw_fact

_REPAIRS = frozenset(fact_type.__name__ for fact_type in REPAIRS)

StatedDays = Callable[[Sequence[str]], Mapping[str, str]]
"""From event ids to the days, YYYY-MM-DD, on which the events' facts were stated; unknown ids are left out."""


FirstDays = Callable[[Sequence[str]], Mapping[str, date]]
"""From pledges to the first days on which they exist; unknown ones are left out."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What statuses rest on, in their order: `figures` as cells of `figure_columns`, `events` as they are served.

    Both are read anew each time they are asked for.
    """

    figure_columns: Columns
    figures: Callable[[], Iterator[Mapping[str, str]]]
    events: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the rows of an export come from.

    `footer` has the clocks and the position, and whatever else stands beside the items of a JSON answer; formats
    without a place for it leave it out. `license_` is the licence as the operator names it, `log` the log's id,
    `origin` its name. `public_url` is what addresses begin with; without it they are relative. `stated_days` dates the
    events that a status names as its causes, `first_days` the beginnings of pledges.
    """

    footer: Mapping[str, Any]
    license_: str | None = None
    log: str = ""
    origin: str = ""
    public_url: str = ""
    stated_days: StatedDays = lambda event_ids: {}
    first_days: FirstDays = lambda pledges: {}
    grounds: Grounds | None = None
    """None where a file has statuses alone."""
    fields: tuple[str, ...] = ()
    """The members of a status that are kept; all if it is empty."""

    @classmethod
    def of(cls, settings: Settings, log: str, footer: Mapping[str, Any], **more: Any) -> Provenance:
        """The provenance of an export of the log with this id; `more` are further members by name."""
        given = {"public_url": settings.public_address(""), **more}
        return cls(footer, settings.data_license, log, settings.log_origin(log), **given)


StatusWriter = Callable[[Iterable[bytes], Provenance], Iterator[bytes]]
"""Writes status documents, given as JSON, piece by piece. It MUST hold no more of them than one batch in memory."""

EventWriter = Callable[[Iterable[bytes], Provenance], Iterator[bytes]]
"""Writes events, given as the JSON that is served, piece by piece. It MUST hold no more of them than one in memory."""


def stated_days_in(log: LogRecorder) -> StatedDays:
    """The days on which events of the log were stated, looked up as they are asked for.

    What we did to our own record was said by nobody and has no day; a day that it corrects among them is the new one.
    """

    def stated_days(event_ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for row in log.by_event_ids(event_ids):
            fact = raw_fact(raw_event(row.state, row.position))
            if fact.get("type") not in _REPAIRS:
                found |= {row.event_id: str(fact["stated_on"])} if "stated_on" in fact else {}
                continue
            corrected, changes = fact.get("event"), fact.get("changes")
            if isinstance(changes, dict) and "stated_on" in changes and corrected in found:
                found[str(corrected)] = str(changes["stated_on"])
        return found

    return stated_days
