"""The facts that the log has already, word for word: `--skip-recorded` leaves them out of an import."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from tracker.application import Tracker
from tracker.event import fact_json, raw_event
from tracker.facts import AnyFact
from tracker.pledge_events import raw_fact


class RecordedFacts:
    """The recorded facts of the pledges that are asked about; each is found once."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._event_ids: dict[str, dict[bytes, deque[str]]] = {}

    def take(self, pledge: str, fact: AnyFact) -> str | None:
        """The id of an event of the pledge with this very fact that was not taken before; None if there is none."""
        if pledge not in self._event_ids:
            by_content: defaultdict[bytes, deque[str]] = defaultdict(deque)
            for row in self._tracker.log.pledge_rows(pledge):
                by_content[_content(raw_fact(raw_event(row.state, row.position)))].append(row.event_id)
            self._event_ids[pledge] = by_content
        event_ids = self._event_ids[pledge].get(_content(fact_json(fact)))
        return event_ids.popleft() if event_ids else None


def _content(fact: Mapping[str, Any]) -> bytes:
    return json.dumps(fact, sort_keys=True).encode()
