"""Whether an entry is an event as the tracker writes it: one JSON object on one line, each member once, and nothing
unknown in it.

    {"id": UUID 7, "pledge": slug, "version": 1…, "recorded_at": RFC 3339 in UTC with six decimals, "recorded_by": …,
     "fact": {…}}        and "proposal" where the fact was proposed first

A fact is decoded, not judged: what was recorded under older rules is as good as what is recorded today.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from tracker.fact_decoding import Undecodable, decode_fact
from tracker.values import is_slug
from tracker.verification.quick_reading import (
    ID_PATTERN,
    MAX_NAME_CHARACTERS,
    MAX_VERSION,
    STAMP_PATTERN,
    surely_well_formed,
)

_MEMBERS = {"id", "pledge", "version", "recorded_at", "recorded_by", "fact"}
_OPTIONAL = {"proposal"}
_is_id = re.compile(ID_PATTERN).fullmatch
_is_stamp = re.compile(STAMP_PATTERN).fullmatch


class IllFormed(Exception):
    """An entry that the tracker would not have written; the message says why."""


class RecordedEvent(NamedTuple):
    """What a verifier needs to know of an entry. `recorded_at` is text: as text it sorts as in time."""

    id: str
    pledge: str
    version: int
    recorded_at: str


def read_entry(entry: bytes) -> RecordedEvent:
    """The event of an entry.

    Raises: IllFormed if the tracker would not have written it, or this version cannot understand it.
    """
    event = surely_well_formed(entry) or look_closely(entry)
    return RecordedEvent(event["id"], event["pledge"], event["version"], event["recorded_at"])


def look_closely(entry: bytes) -> dict[str, Any]:
    """The event of an entry, looked at member by member.

    Raises: IllFormed as `read_entry` does.
    """
    event = _parsed(entry)
    if not (event.keys() >= _MEMBERS and event.keys() <= _MEMBERS | _OPTIONAL):
        raise IllFormed(f"the members of an event are {', '.join(sorted(_MEMBERS))}")
    if not (isinstance(event["id"], str) and _is_id(event["id"])):
        raise IllFormed("its id is no UUID of version 7 in small letters")
    pledge, version, recorded_at = event["pledge"], event["version"], event["recorded_at"]
    if not is_slug(pledge):
        raise IllFormed("its pledge is no slug")
    if version.__class__ is not int or not 1 <= version <= MAX_VERSION:
        raise IllFormed("its version is no whole number from 1 on")
    if not (isinstance(recorded_at, str) and _is_stamp(recorded_at) and _is_instant(recorded_at)):
        raise IllFormed("its recorded_at is no instant in UTC with six decimals")
    for name in ("recorded_by", *(_OPTIONAL & event.keys())):
        if not isinstance(event[name], str) or not 1 <= len(event[name]) <= MAX_NAME_CHARACTERS:
            raise IllFormed(f"its {name} is no text of 1 to {MAX_NAME_CHARACTERS} characters")
    try:
        fact = decode_fact(event["fact"])
    except Undecodable as wrong:
        raise IllFormed(f"this version cannot read its fact: {wrong}") from None
    except Exception as wrong:  # a stranger's fact may break an upcast in ways of its own
        raise IllFormed(f"its fact is broken: {type(wrong).__name__}") from None
    if (fact.type == "PledgeMade") is not (version == 1):
        raise IllFormed("the first event of a pledge, and no other, is its PledgeMade")
    return event


def _parsed(entry: bytes) -> dict[str, Any]:
    try:
        event = _DECODER.decode(entry.decode())
        entry_again = json.dumps(event, ensure_ascii=False)
    except IllFormed:
        raise
    except (ValueError, RecursionError):
        raise IllFormed("it is no JSON") from None
    if not isinstance(event, dict):
        raise IllFormed("it is no JSON object")
    if not (entry.startswith(b"{") and entry.endswith(b"}")) or b"\n" in entry or b"\r" in entry:
        raise IllFormed("it is not one line of JSON: there are spaces around it, or a line end in it")
    if any("\ud800" <= char <= "\udfff" for char in entry_again):
        raise IllFormed("a text in it has half of a surrogate pair, which is no character")
    return event


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose members stand once: of two readers one would take the first, the other the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise IllFormed("a member stands twice in one object")
    return found


def _no_number(word: str) -> NoReturn:
    raise IllFormed(f"{word} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_each_once, parse_constant=_no_number)


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
