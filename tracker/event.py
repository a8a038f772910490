"""A recorded fact in its envelope, and the one line of JSON that is stored, served, exported and signed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from tracker.errors import UnreadableEvent
from tracker.fact_decoding import Undecodable, decode_fact
from tracker.facts import AnyFact

_STAMP = re.compile(rb'"recorded_at":"[^"]*"')


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to one pledge. `version` counts the pledge's events, `position` all events, both from 1.

    `position` is not part of the stored line: it is added on the way out.
    """

    id: str
    pledge: str
    version: int
    recorded_at: datetime
    recorded_by: str
    fact: AnyFact
    position: int = 0
    proposal: str | None = None
    """The id of the proposal that the fact was, where it was proposed first."""

    @property
    def type(self) -> str:
        """The stored name of the fact's type."""
        return self.fact.type

    @property
    def in_force_on(self) -> date:
        """The first `as_of` at which a replay may know the fact."""
        return self.fact.in_force_on

    @property
    def line(self) -> bytes:
        """The stored bytes: one line of JSON, fields as they were posted."""
        return to_json(_envelope(self))

    @classmethod
    def read(cls, line: bytes, position: int, pledge: str = "") -> Event:
        """The event of a stored line, decoded and not checked; facts of older shapes are upcast on the way in.

        `pledge` is the pledge that the log has it under, for the error of a line that does not say so itself.

        Raises: UnreadableEvent if this version cannot understand the line.
        """
        try:
            stored = from_json(line, allow_inf_nan=False)
            pledge = str(stored["pledge"])
            return cls(
                id=stored["id"],
                pledge=pledge,
                version=stored["version"],
                recorded_at=datetime.fromisoformat(stored["recorded_at"]),
                recorded_by=stored["recorded_by"],
                fact=decode_fact(stored["fact"]),
                position=position,
                proposal=stored.get("proposal"),
            )
        except Undecodable as wrong:
            raise UnreadableEvent(position, pledge, line, str(wrong)) from None
        except KeyError as missing:
            raise UnreadableEvent(position, pledge, line, f"its envelope has no {missing}") from None
        except Exception as wrong:  # an upcast may raise whatever it will
            raise UnreadableEvent(position, pledge, line, f"the stored line is broken: {wrong}") from None

    def at(self, position: int, recorded_at: datetime) -> Event:
        """The same event with the place and the instant that the log gave it."""
        return replace(self, position=position, recorded_at=recorded_at)


def _envelope(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "pledge": event.pledge,
        "version": event.version,
        "recorded_at": stamp(event.recorded_at),
        "recorded_by": event.recorded_by,
        **({} if event.proposal is None else {"proposal": event.proposal}),
        "fact": fact_json(event.fact),
    }


def event_line(id_: str, pledge: str, version: int, recorded_at: datetime, recorded_by: str, fact: bytes) -> bytes:
    """The stored bytes of an event without a proposal, made of the JSON of its fact: those of `Event.line`."""
    envelope = {
        "id": id_,
        "pledge": pledge,
        "version": version,
        "recorded_at": stamp(recorded_at),
        "recorded_by": recorded_by,
    }
    return b'%s,"fact":%s}' % (to_json(envelope)[:-1], fact)


def event_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object, as it is served: the stored members and the `position`."""
    return {**_envelope(event), "position": event.position}


def fact_line(fact: AnyFact) -> bytes:
    """The JSON of the fact as it is stored, on one line."""
    return fact.model_dump_json(exclude_unset=True, exclude_none=True).encode()


def fact_json(fact: AnyFact) -> dict[str, Any]:
    """The fact as it was posted: what was left out stays out."""
    return fact.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def stamp(instant: datetime) -> str:
    """RFC 3339 in UTC with six decimals, so that text order is time order.

    Raises: ValueError if the datetime is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is no instant")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def restamp(line: bytes, recorded_at: datetime) -> bytes:
    """The stored line with another `recorded_at`: the log's clock never runs backwards."""
    return _STAMP.sub(f'"recorded_at":"{stamp(recorded_at)}"'.encode(), line, count=1)


def served(line: bytes, position: int) -> bytes:
    """The stored line with its `position`, as it is answered: one line of JSON, whatever bytes the store has."""
    stored = _stored_object(line)
    if stored is None:
        return to_json(raw_event(line, position))
    if line.startswith(b'{"') and line.endswith(b"}") and b"\n" not in line and b"\r" not in line:
        return b'%s,"position":%d}' % (line[:-1], position)
    return to_json({**stored, "position": position})


def raw_event(line: bytes, position: int) -> dict[str, Any]:
    """A stored line as a JSON object with its position, whatever is in it; a line that is no object is text there."""
    stored = _stored_object(line)
    if stored is None:
        return {"line": line.decode("utf-8", "replace"), "position": position}
    return {**stored, "position": position}


def _stored_object(line: bytes) -> dict[str, Any] | None:
    """The object that a stored line says; None if its bytes are not the JSON of one."""
    try:
        stored = from_json(line, allow_inf_nan=False)
    except ValueError:
        return None
    return stored if isinstance(stored, dict) else None


def event_id(at: datetime, randomness: bytes) -> str:
    """A UUID version 7 (RFC 9562 §5.7) from an instant and 10 random bytes."""
    millis = int(at.timestamp() * 1000)
    value = (millis << 80) | int.from_bytes(randomness, "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(UUID(int=value))
