"""What the law wants gone from every answer: texts of a recorded event, in whose place a word stands from then on.

The stored line stays as it is, and so does its leaf. Only what is read of it is changed, in one place: where the rows
of the log are read (`tracker.log.recorder`). Fields by which the rules decide cannot be withheld, so that no status
changes by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json

from tracker.errors import TrackerError

WITHHELD = "[withheld]"
"""What stands in the place of a withheld text."""

WITHHELD_URL = "https://withheld.invalid/"
"""What stands in the place of a withheld address: a name that RFC 2606 keeps from ever being anybody's."""

_TEXTS = frozenset(
    ("summary", "quote", "title", "reason", "reasoning", "measurable_note", "window/text", "source/title")
)
_URLS = frozenset(("source/url", "source/archive_url", "archive_url"))
_PARTIES = frozenset(("speaker", "pledgor", "beneficiary"))

CHANGES = "changes/"
"""Before the fields that a correction changes: what may be withheld of a fact may be withheld there."""


class NotWithholdable(TrackerError):
    """A field that an event does not have, or by which the rules decide."""


@dataclass(frozen=True, slots=True)
class Withholding:
    """One field of an event that is withheld. `number` counts the withholdings of a log, from 1; fields may share it.

    `field` is the path below the event's fact, with `/` between its names.
    """

    number: int
    event_id: str
    field: str
    reason: str
    recorded_at: datetime
    recorded_by: str


def withholdable(line: bytes) -> list[str]:
    """The fields of a stored event that can be withheld."""
    fact = _fact(line)
    known = sorted(_TEXTS | _URLS | _PARTIES)
    return [field for field in (*known, *(CHANGES + field for field in known)) if _value(fact, field) is not None]


def must_be_withholdable(line: bytes, fields: Sequence[str]) -> None:
    """Check that an event has these fields, and that no rule decides by them.

    Raises: NotWithholdable with what can be withheld of the event.
    """
    can = withholdable(line)
    instead = f"of this event can be withheld: {', '.join(can)}" if can else "nothing of this event can be withheld"
    for field in fields:
        if field in can:
            continue
        if _value(_fact(line), field) is None:
            raise NotWithholdable(f"the event has no {field!r}; {instead}")
        raise NotWithholdable(f"{field!r} cannot be withheld: the rules decide by it, and statuses would change;"
                              f" {instead}")  # fmt: skip


def withheld_line(line: bytes, fields: Sequence[str]) -> bytes:
    """The stored line with the word in the place of these fields; one that the event does not have is passed over.

    Of a line that cannot be read nobody can say where the fields stand, so that all of it is withheld.
    """
    try:
        event = from_json(line)
        for field in fields:
            _replace(event["fact"], field)
        return to_json(event)
    except (ValueError, TypeError, KeyError, AttributeError):
        return WITHHELD.encode()


def texts_of(line: bytes, fields: Sequence[str]) -> list[str]:
    """The texts that stand in these fields of a stored event: of a party its name and its code."""
    found: list[str] = []
    for field in fields:
        value = _value(_fact(line), field)
        parts = value.values() if isinstance(value, Mapping) else [value]
        found += [part for part in parts if isinstance(part, str)]
    return found


def places_of(line: bytes, texts: Sequence[str]) -> list[str]:
    """The fields of a stored event in which one of these texts stands still, in any case."""
    sought = [text.casefold() for text in texts]
    return [place for place, text in _texts(_fact(line), "") if any(one in text.casefold() for one in sought)]


def _fact(line: bytes) -> Mapping[str, Any]:
    try:
        fact = from_json(line)["fact"]
    except (ValueError, KeyError, TypeError):
        return {}
    return fact if isinstance(fact, dict) else {}


def _value(fact: Mapping[str, Any], field: str) -> Any:
    value: Any = fact
    for name in field.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _replace(fact: dict[str, Any], field: str) -> None:
    *path, last = field.split("/")
    for name in path:
        inner = fact.get(name)
        if not isinstance(inner, dict):
            return
        fact = inner
    if fact.get(last) is None:
        return
    kind = field.removeprefix(CHANGES)
    if kind in _PARTIES:
        # In a correction the code is taken out by name: left out, the code that was corrected would stand again.
        fact[last] = {"name": WITHHELD} | ({"code": None} if field != kind else {})
    else:
        fact[last] = WITHHELD_URL if kind in _URLS else WITHHELD


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in named:
        yield from _texts(inner, f"{place}/{name}" if place else str(name))
