"""How a status came to be: the pledge's events in the order in which they changed it, along either clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tracker.acting import REPAIRS
from tracker.event import Event
from tracker.rules.status import ONE_DAY, Status, StatusFold

Axis = Literal["as_of", "known"]


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One change or one event that changed nothing. ``event`` is None where only a deadline passed.

    ``status_before`` and ``status_after`` are headlines, None while the pledge does not exist; ``changed`` names the
    members of the status that differ.
    """

    event: Event | None
    as_of: date
    status_before: str | None
    status_after: str | None
    changed: tuple[str, ...]


def history(events: Sequence[Event], axis: Axis, as_of: date) -> list[HistoryStep]:
    """The steps up to ``as_of``: by the day from which each event acts, or by the order in which we recorded them.

    On the as-of axis everything that ``events`` holds is known throughout; a correction stands at the day from which
    it acts. On the known axis ``as_of`` stays where it is, and the record grows event by event.
    """
    return list(_along_known(events, as_of) if axis == "known" else _along_as_of(events, as_of))


def _along_known(events: Sequence[Event], as_of: date) -> Iterator[HistoryStep]:
    record, before = StatusFold(()), None
    for event in events:
        record = record.followed_by(event)
        after = record.status(as_of)
        yield _step(event, as_of, before, after)
        before = after


def _along_as_of(events: Sequence[Event], as_of: date) -> Iterator[HistoryStep]:
    record = StatusFold(events)
    standing = {s.event.id: s.in_force_on for s in record.ledger.resolve(as_of)[0]}
    acting: dict[date, list[Event]] = {}
    for event in events:
        kept = isinstance(event.fact, REPAIRS)
        day = record.acts_from(event) if kept else standing.get(event.id, event.in_force_on)
        acting.setdefault(day, []).append(event)
    passed = {deadline + ONE_DAY for deadline in record.deadlines()}
    before: Status | None = None
    for day in sorted({day for day in (*record.boundaries(), *acting) if day <= as_of}):
        after, today = record.status(day), acting.get(day, [])
        if day in passed or not today:
            ids = {event.id for event in today}
            alone = StatusFold([e for e in events if e.id not in ids]).status(day) if today else after
            step = _step(None, day, before, alone)
            if step.changed:
                yield step
                before = alone
        if len(today) == 1:
            yield _step(today[0], day, before, after)
        elif today:
            yield from _one_by_one(events, today, day, before)
        before = after


def _one_by_one(
    events: Sequence[Event], today: Sequence[Event], day: date, before: Status | None
) -> Iterator[HistoryStep]:
    """Several events of one day, each on what the ones before it leave; in the order of recording."""
    still_to_come = {event.id for event in today}
    for event in today:
        still_to_come.discard(event.id)
        after = StatusFold([e for e in events if e.id not in still_to_come]).status(day)
        yield _step(event, day, before, after)
        before = after


def _step(event: Event | None, day: date, before: Status | None, after: Status | None) -> HistoryStep:
    old = {} if before is None else before.document
    new = {} if after is None else after.document
    changed = tuple(
        name for name in (new or old) if old.get(name) != new.get(name) and name not in ("because", "last_stated_on")
    )
    return HistoryStep(event, day, old.get("status"), new.get("status"), changed)
