"""The rules told in facts: `given(pledge(…), progress(…)).then(as_of=…, status=…)`. Pure: no store, no clock.

A fact is recorded at noon of the day on which it was said, never before the one above it, unless `recorded="…"` says
otherwise; `then(known_at="…")` knows what was recorded by the end of that day. A fact that acts on another takes that
other fact itself: `h1 = progress(…)`, `corrected(h1, {…})`.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.facts import Posted
from tracker import quantity_words
from tracker.errors import Refusal
from tracker.event import Event, fact_json
from tracker.fact_reading import read_fact
from tracker.pledge import Pledge
from tracker.quantity import Quantity
from tracker.rules.explanations import figures, members
from tracker.rules.status import StatusFold, derive
from tracker.rules.status_history import HistoryStep, history


class Given:
    """A pledge with its facts on record, each accepted by the aggregate on what the ones before it left."""

    def __init__(self, *facts: Posted, slug: str = "aid") -> None:
        self.slug = slug
        self.events: list[Event] = []
        self.ids: dict[int, str] = {}
        self.pledge = Pledge(slug)
        for posted in facts:
            self.record(posted)

    def __repr__(self) -> str:
        lines = [f"{event.id[-2:]} {json.dumps(fact_json(event.fact))}" for event in self.events]
        return "\n".join(["", *lines])

    def record(self, posted: Posted) -> Event:
        """Record a fact as the tracker does, or raise its refusal."""
        fact = read_fact(self.resolved(posted.fact))
        last = self.events[-1].recorded_at + timedelta(seconds=1) if self.events else datetime.min.replace(tzinfo=UTC)
        now = max(_noon(posted.recorded or fact.stated_on.isoformat()), last)
        self.pledge.check(fact, now)
        number = len(self.events) + 1
        event = Event(str(UUID(int=number)), self.slug, number, now, "monitor", fact, number)
        event = Event.read(event.line, number)
        assert fact_json(event.fact) == fact_json(fact)
        self.pledge.apply(event)
        self.events.append(event)
        self.ids[id(posted)] = event.id
        self._keep = [*getattr(self, "_keep", []), posted]
        return event

    def resolved(self, value: Any) -> Any:
        """A fact with the ids of the facts that it names."""
        if isinstance(value, Posted):
            return self.ids.get(id(value), str(UUID(int=0)))
        if isinstance(value, dict):
            return {name: self.resolved(part) for name, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.resolved(part) for part in value]
        return value

    def id(self, posted: Posted) -> str:
        """The id of the event that a fact became."""
        return self.ids[id(posted)]

    def known(self, known_at: str | None = None) -> list[Event]:
        """What was recorded by the end of a day."""
        if known_at is None:
            return self.events
        instant = datetime.fromisoformat(f"{known_at}T23:59:59+00:00")
        return [event for event in self.events if event.recorded_at <= instant]

    def document(self, as_of: str, known_at: str | None = None) -> dict[str, Any] | None:
        """The status document at a point on both clocks; None where the pledge does not exist."""
        instant = None if known_at is None else datetime.fromisoformat(f"{known_at}T23:59:59+00:00")
        status = derive(self.events, date.fromisoformat(as_of), instant)
        return None if status is None else status.document

    def then(self, *, as_of: str, known_at: str | None = None, **expected: Any) -> Given:
        """At these clocks every named member of the status is as expected.

        Quantities and ratios are given in words, `schedule` as (current, original), a mapping as the part of it that
        matters, `flags` as all of them; `flag` and `no_flag` name one. `because` maps to the facts themselves.
        """
        document = self.document(as_of, known_at)
        assert document is not None, f"on {as_of} the pledge does not exist"
        found = {name: _seen(document, name, wanted) for name, wanted in expected.items()}
        differing = {n: found[n] for n, wanted in expected.items() if found[n] != self._wanted(n, wanted)}
        assert not differing, (differing, document)
        return self

    def does_not_exist(self, *, as_of: str, known_at: str | None = None) -> Given:
        """At these clocks there is no such pledge."""
        assert self.document(as_of, known_at) is None
        return self

    def refuses(self, posted: Posted, code: str, pointer: str | None = None, **members: Any) -> Given:
        """The fact is refused, and the record is as before."""
        before = (self.pledge.version, self.document("2999-01-01"))
        with pytest.raises(Refusal) as refusal:
            self.record(posted)
        said = {name: refusal.value.members.get(name) for name in members}
        found = (refusal.value.code, refusal.value.pointer if pointer is not None else None, said)
        wanted = {name: self.resolved(value) for name, value in members.items()}
        assert found == (code, pointer, wanted), refusal.value.detail
        assert (self.pledge.version, self.document("2999-01-01")) == before
        return self

    def accepts(self, posted: Posted) -> Given:
        """The fact is recorded."""
        self.record(posted)
        return self

    def figure(self, posted: Posted, *, as_of: str, **expected: Any) -> Given:
        """The row of the figures report for a fact."""
        rows = {row["event"]: row for row in figures(self.events, date.fromisoformat(as_of)) or []}
        row = rows[self.id(posted)]
        found = {name: _seen(row, name, wanted) for name, wanted in expected.items()}
        assert found == {name: self._wanted(name, wanted) for name, wanted in expected.items()}, row
        return self

    def figures(self, as_of: str) -> list[dict[str, Any]]:
        """The figures report."""
        return figures(self.events, date.fromisoformat(as_of)) or []

    def members(self, as_of: str) -> dict[str, str]:
        """The verdict on each member by the members report."""
        return {row["member"]: row["verdict"] for row in members(self.events, date.fromisoformat(as_of)) or []}

    def member_rows(self, as_of: str) -> list[dict[str, Any]]:
        """The members report."""
        return members(self.events, date.fromisoformat(as_of)) or []

    def history(self, as_of: str, axis: Any = "as_of") -> list[tuple[str | None, str, str | None, str | None]]:
        """(type of the event, its day, status before, status after) of each step."""
        return [
            (None if s.event is None else s.event.type, s.as_of.isoformat(), s.status_before, s.status_after)
            for s in self.steps(as_of, axis)
        ]

    def steps(self, as_of: str, axis: Any = "as_of") -> list[HistoryStep]:
        """The steps of the history."""
        return history(self.events, axis, date.fromisoformat(as_of))

    def holds(self) -> Given:
        """What must hold of any record: the status changes only on a boundary, a new event only from where it acts."""
        for count in range(1, len(self.events) + 1):
            before, after = StatusFold(self.events[: count - 1]), StatusFold(self.events[:count])
            acts_from = after.acts_from(self.events[count - 1])
            days = {*after.boundaries(), *(before.boundaries() if count > 1 else ())}
            near = {day + timedelta(days=n) for day in days for n in (-1, 0, 1, 179, 180, 181)}
            last = None
            for day in sorted(near):
                body = _body(after, day)
                if day not in after.boundaries() and last is not None:
                    assert body == _body(after, day - timedelta(days=1)), f"{day} is no boundary"
                if count > 1 and day < acts_from:
                    assert body == _body(before, day), f"event {count} acts before {acts_from}: {day}"
                last = day
            for segment in after.segments():
                assert segment.status.body == _body(after, segment.valid_from)
        return self

    def _wanted(self, name: str, wanted: Any) -> Any:
        if name == "because" and isinstance(wanted, dict):
            return {axis: sorted(self.id(posted) for posted in facts) for axis, facts in wanted.items()}
        if isinstance(wanted, Posted):
            return self.id(wanted)
        if isinstance(wanted, dict):
            return {part: self._wanted(part, value) for part, value in wanted.items()}
        if isinstance(wanted, (list, tuple)) and name not in ("schedule", "flags"):
            return [self._wanted(name, value) for value in wanted]
        return set(wanted) if name == "flags" else wanted


RECORDS: list[Given] = []


def given(*facts: Posted, slug: str = "aid") -> Given:
    """A pledge with its facts, recorded in this order."""
    record = Given(*facts, slug=slug)
    RECORDS.append(record)
    return record


def _body(fold: StatusFold, day: date) -> bytes | None:
    status = fold.status(day) if fold.events else None
    return None if status is None else status.body


def _noon(day: str) -> datetime:
    return datetime.fromisoformat(day if "T" in day else f"{day}T12:00:00+00:00")


def _seen(document: dict[str, Any], name: str, wanted: Any) -> Any:
    """The member of a document in the shape in which a test expects it."""
    if name == "flag":
        return wanted if wanted in document["flags"] else document["flags"]
    if name == "no_flag":
        return wanted if wanted not in document["flags"] else document["flags"]
    seen = document.get(name)
    if name == "flags":
        return set(seen or ())
    if name == "schedule":
        return (document["schedule"]["current"], document["schedule"]["original"]) if seen else None
    if name == "because" and isinstance(wanted, dict):
        return {axis: sorted(document["because"][axis]) for axis in wanted}
    if isinstance(seen, dict) and "op" in seen and isinstance(wanted, str):
        return wanted if _says(seen, wanted) else str(seen)
    if isinstance(seen, dict) and isinstance(wanted, dict):
        return {part: _seen(seen, part, value) for part, value in wanted.items()}
    if isinstance(seen, list) and isinstance(wanted, (list, tuple)) and len(seen) == len(wanted):
        pairs = zip(seen, wanted, strict=True)
        return [_seen({name: one}, name, other) for one, other in pairs]
    return seen


def _says(seen: dict[str, Any], words: str) -> bool:
    """Whether a quantity, or a ratio (which has no unit), says what the words say; "-0.2" is read as a number."""
    unit = seen.get("unit")
    if words.startswith("-"):
        return (seen["op"], seen["value"]) == ("eq", words.split()[0])
    other = quantity_words.read(words if unit is not None else f"{words} count:times")
    said = {name: value for name, value in seen.items() if name != "open"}
    return Quantity.model_validate({"unit": "count:times", **said}) == other
