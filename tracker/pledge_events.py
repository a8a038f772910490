"""A pledge's stored events as far as they can be read and folded, and what is left: one harms its own pledge alone.

Every answer that is folded from the log is made of `PledgeEvents`. What stands behind an event that cannot be taken in
is not taken in either: a correction or a void among it would else be missed in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar, cast, get_args

from tracker.errors import TrackerError, UnreadableEvent
from tracker.event import Event, raw_event
from tracker.values import FIRST_YEAR, LAST_YEAR, Precision, last_day

AnswerT = TypeVar("AnswerT")

MAX_REASON_CHARACTERS = 2_000
"""Characters that are kept of the reason why an event cannot be taken in."""


class StoredEvent(Protocol):
    """A row of the log, or anything else that has an event's stored line and its place."""

    @property
    def position(self) -> int:
        """The place in the whole log."""

    @property
    def pledge(self) -> str:
        """The pledge that it happened to."""

    @property
    def version(self) -> int:
        """The place among the pledge's events."""

    @property
    def state(self) -> bytes:
        """The stored line."""


@dataclass(frozen=True, slots=True)
class UnreadEvent:
    """An event that was not taken in: its stored line, and why."""

    position: int
    pledge: str
    line: bytes
    reason: str

    @property
    def json(self) -> dict[str, Any]:
        """The raw event with its position, and why it was not taken in, as it is served."""
        return {"event": raw_event(self.line, self.position), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class PledgeEvents:
    """One pledge's rows of the log up to a position, by version, and the events of the first of them.

    `reason` is why the row behind them was not taken in; empty where all rows were.
    """

    rows: tuple[StoredEvent, ...] = ()
    events: tuple[Event, ...] = ()
    reason: str = ""

    @classmethod
    def read(cls, rows: Iterable[StoredEvent]) -> PledgeEvents:
        """The events of the rows as far as this version understands them."""
        rows = tuple(rows)
        events: list[Event] = []
        for row in rows:
            try:
                events.append(Event.read(row.state, row.position, row.pledge))
            except UnreadableEvent as unreadable:
                return cls(rows, tuple(events), reason_of(unreadable))
        return cls(rows, tuple(events))

    @property
    def version(self) -> int:
        """The version of the last row; 0 of a pledge without any."""
        return self.rows[-1].version if self.rows else 0

    @property
    def position(self) -> int:
        """The position of the last row; 0 of a pledge without any."""
        return self.rows[-1].position if self.rows else 0

    @property
    def unread(self) -> tuple[UnreadEvent, ...]:
        """The rows that were not taken in: the first for the reason, the others because they stand behind it."""
        rest = self.rows[len(self.events) :]
        reasons = (self.reason, *(waits_for(rest[0].position) for _ in rest[1:]))
        return tuple(
            UnreadEvent(row.position, row.pledge, row.state, why) for row, why in zip(rest, reasons, strict=False)
        )

    def before(self, position: int, reason: str) -> PledgeEvents:
        """The same without the events from a position on, for a reason."""
        kept = tuple(event for event in self.events if event.position < position)
        return self if len(kept) == len(self.events) else PledgeEvents(self.rows, kept, reason)

    def fold(self, answer: Callable[[tuple[Event, ...]], AnswerT]) -> tuple[AnswerT, PledgeEvents]:
        """The answer that a function makes of the events, and the events that it was made of.

        Where the function fails on them it is asked about fewer, so that an event that the rules cannot take in is set
        aside as one that cannot be read is. It MUST answer about no events.
        """
        try:
            return answer(self.events), self
        except TrackerError:
            raise
        except Exception as error:
            failure = error
        taken, failing = 0, len(self.events)
        found = answer(())
        while failing - taken > 1:
            middle = (taken + failing) // 2
            try:
                found = answer(self.events[:middle])
                taken = middle
            except Exception as error:
                failing, failure = middle, error
        return found, PledgeEvents(self.rows, self.events[:taken], reason_of(failure))


def unread_json(unread: Sequence[UnreadEvent]) -> dict[str, Any]:
    """The member `unreadable` of an answer that was made without some events; none where all were taken in."""
    return {"unreadable": [event.json for event in unread]} if unread else {}


def waits_for(position: int) -> str:
    """Why an event is not taken in that stands behind one of its pledge that cannot be."""
    return f"it waits for event {position} of the same pledge"


def reason_of(error: Exception) -> str:
    """Why an event was not taken in, in words."""
    if isinstance(error, UnreadableEvent):
        return error.reason[:MAX_REASON_CHARACTERS]
    return f"{type(error).__name__}: {error}"[:MAX_REASON_CHARACTERS]


def raw_fact(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fact of a raw event; an empty one where there is none."""
    fact = event.get("fact")
    return fact if isinstance(fact, dict) else {}


def raw_in_force_on(event: Mapping[str, Any]) -> date | None:
    """The first day on which a replay may know the fact of a raw event; None where its day does not read."""
    fact = raw_fact(event)
    precision = fact.get("precision", "day")
    try:
        day = date.fromisoformat(fact["stated_on"])
    except (KeyError, TypeError, ValueError):
        return None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return last_day(day, cast(Precision, precision)) if precision in get_args(Precision) else day


def is_said(line: bytes, as_of: date) -> bool:
    """Whether a stored fact had been said by a day as it was posted; one whose day does not read counts as said."""
    on = raw_in_force_on(raw_event(line, 0))
    return on is None or on <= as_of
