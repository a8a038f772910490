"""The copies of sources that the facts of a pledge name: whether each is kept here, and is what its hash says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from api.archive import Archive, NoArchive, is_as_named

MAX_READ_BYTES = 100_000_000
"""Bytes of copies that are read for one page, at most; of what lies beyond it is said that nobody looked."""

_WORDS = {
    "matches": "A copy is kept here, and it matches.",
    "damaged": "A copy is kept here, and its bytes no longer match.",
    "unread": "A copy is kept here; it was not read for this page.",
    "missing": "No copy is kept here.",
}
_OTHER = " The fact names another one."


class SourceCopy(NamedTuple):
    """A copy that an event or a capture of it names: its hash, how it stands, and that in words."""

    sha256: str
    state: str
    words: str


def copies_of(events: Sequence[Mapping[str, Any]], archive: Archive) -> dict[str, list[SourceCopy]]:
    """The copies of the source of each event, by the event's id, as a pledge's story lists the events.

    An event names a copy in its source; a SourceCaptured names one of the event that it acts on.
    """
    captured: dict[str, list[str]] = {}
    for event in events:
        if event["type"] == "SourceCaptured" and not event["is_void"]:
            captured.setdefault(event["target_of"], []).append(event["fact"]["sha256"])
    remaining = MAX_READ_BYTES
    found: dict[str, list[SourceCopy]] = {}
    for event in events:
        named = (event["fact"].get("source") or {}).get("sha256")
        for sha256 in _each_once(named, captured.get(event["id"], [])):
            state, size = _state(archive, sha256, remaining)
            remaining -= size
            words = _WORDS[state] + (_OTHER if named is not None and sha256 != named else "")
            found.setdefault(event["id"], []).append(SourceCopy(sha256, state, words))
    return found


def _each_once(named: str | None, captured: Sequence[str]) -> Iterator[str]:
    yield from dict.fromkeys([*([] if named is None else [named]), *captured])


def _state(archive: Archive, sha256: str, remaining: int) -> tuple[str, int]:
    """How a copy stands, and the bytes that were read to know."""
    try:
        kept = archive.find(sha256)
    except NoArchive:
        kept = None
    if kept is None:
        return "missing", 0
    if kept.bytes > remaining:
        return "unread", 0
    return ("matches" if is_as_named(kept) else "damaged"), kept.bytes
