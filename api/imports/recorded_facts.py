"""The facts that a pledge has already, word for word: `--skip-recorded` leaves them out of an import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from tracker.event import fact_json, raw_event
from tracker.facts import AnyFact
from tracker.log.rows import LogRow
from tracker.pledge_events import raw_fact


class RecordedFacts:
    """The recorded facts of one pledge; each is found once."""

    def __init__(self, rows: Iterable[LogRow]) -> None:
        self._event_ids: dict[bytes, list[str]] = {}
        for row in rows:
            content = _content(raw_fact(raw_event(row.state, row.position)))
            self._event_ids.setdefault(content, []).append(row.event_id)

    def take(self, fact: AnyFact) -> str | None:
        """The id of the first event with this very fact that was not taken before; None if there is none."""
        event_ids = self._event_ids.get(_content(fact_json(fact))) if self._event_ids else None
        return event_ids.pop(0) if event_ids else None


def _content(fact: Mapping[str, Any]) -> bytes:
    """A hash of a fact, given as JSON."""
    return hashlib.blake2b(json.dumps(fact, sort_keys=True).encode(), digest_size=16).digest()
