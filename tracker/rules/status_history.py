"""How a status came to be: the pledge's events in the order in which they changed it, along either clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from tracker.event import Event, event_json
from tracker.rules.days import ONE_DAY
from tracker.rules.event_days import days_of
from tracker.rules.status import Status, StatusFold

Axis = Literal["as_of", "known"]


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One change, or one event that changed nothing. `event` is None where only a deadline passed.

    `status_before` and `status_after` are headlines, None while the pledge does not exist; `changed` names the
    members of the status that differ.
    """

    event: Event | None
    as_of: date
    status_before: str | None
    status_after: str | None
    changed: tuple[str, ...]


def step_json(step: HistoryStep) -> dict[str, Any]:
    """The step as a JSON object, as it is served."""
    return {
        "event": None if step.event is None else event_json(step.event),
        "as_of": step.as_of.isoformat(),
        "status_before": step.status_before,
        "status_after": step.status_after,
        "changed": step.changed,
    }


def history(events: Sequence[Event], axis: Axis, as_of: date) -> list[HistoryStep]:
    """The steps up to `as_of`: by the day from which each event acts, or by the order in which we recorded them.

    On the as-of axis everything that `events` holds is known throughout; a correction stands at the day from which
    it acts. On the known axis `as_of` stays where it is, and the history grows event by event.
    """
    return list(_along_known(events, as_of) if axis == "known" else _along_as_of(events, as_of))


def _along_known(events: Sequence[Event], as_of: date) -> Iterator[HistoryStep]:
    fold, before = StatusFold(()), None
    for event in events:
        fold = fold.followed_by(event)
        after = fold.status(as_of)
        yield _step(event, as_of, before, after)
        before = after


def _along_as_of(events: Sequence[Event], as_of: date) -> Iterator[HistoryStep]:
    fold = StatusFold(events)
    acts_from = days_of(fold.history, as_of)
    acting: dict[date, list[Event]] = {}
    for event in events:
        acting.setdefault(acts_from[event.id], []).append(event)
    passed = {deadline + ONE_DAY for deadline in fold.deadlines()}
    before: Status | None = None
    for day in sorted({day for day in (*fold.boundaries(), *acting) if day <= as_of}):
        after, today = fold.status(day), acting.get(day, [])
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
    """A step for each of several events of one day, in the order of recording."""
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
