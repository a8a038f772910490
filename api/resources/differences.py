"""What differs between two points on the clocks, pledge by pledge, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import from_json, to_json

from api.http.clocks import ReadClocks, instant, must_be_past
from api.http.parameters import Query, day, invalid
from api.http.system_clock import today
from projections.queries import Clocks, Filters
from projections.timeline import PledgeDifference, Timeline
from tracker.event import Event, event_json
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import PledgeEvents, unread_json
from tracker.rules.causes import Cause, Point, between, cause_of


def compared_clocks(query: Query, at: ReadClocks, log: LogRecorder) -> tuple[ReadClocks, ReadClocks]:
    """The earlier and the later clocks of a diff: they differ on one of the two.

    Raises: InvalidParameter if the query does not name exactly one pair.
    """
    known_from = instant(query, "known_from")
    if ("from" in query) == (known_from is not None):
        raise invalid("from", "or 'known_from' says where to begin: give one of them")
    if known_from is None:
        if "known_to" in query or "as_of" in query:
            raise invalid("to", "goes with 'from'; 'known_to' and 'as_of' go with 'known_from'")
        since, until = day(query, "from", today()), day(query, "to", today())
        if until < since:
            raise invalid("to", "is not before 'from'")
        return replace(at, as_of=since, dated=True), replace(at, as_of=until, dated="to" in query)
    if "to" in query or at.position is not None:
        raise invalid("known_to", "goes with 'known_from'; 'to', 'known_at' and 'at_position' do not")
    known_to = instant(query, "known_to")
    must_be_past(known_from, log, "known_from")
    before = replace(at, position=log.position_at(known_from), known_at=known_from)
    if known_to is None:
        return before, at
    must_be_past(known_to, log, "known_to")
    if known_to < known_from:
        raise invalid("known_to", "is not before 'known_from'")
    return before, replace(at, position=log.position_at(known_to), known_at=known_to)


class Differences:
    """The differences between two points, written a piece at a time, and how many there are of each sort."""

    def __init__(self, timeline: Timeline, log: LogRecorder, filters: Filters, earlier: Clocks, later: Clocks) -> None:
        self._log = log
        self._differing = timeline.diff(earlier, later, filters)
        self._earlier, self._later = Point(earlier.as_of, earlier.position), Point(later.as_of, later.position)
        self._counts: Counter[tuple[str | None, str | None, str]] = Counter()

    def items(self) -> Iterator[dict[str, Any]]:
        """The pledges that differ, in order."""
        for some in self._differing:
            rows = self._log.rows_of([found.pledge for found in some], self._later.position)
            for found in some:
                item = self._item(found, PledgeEvents.read(rows[found.pledge]))
                self._counts[item["status_before"], item["status_after"], item["cause"]] += 1
                yield item

    def json(self, footer: Mapping[str, Any], *, counted: bool) -> Iterator[bytes]:
        """The answer as JSON; `counted` if it has the counts."""
        separator = b'{"items":['
        for item in self.items():
            yield separator + to_json(item)
            separator = b","
        more = {"counts": self._matrix(), **footer} if counted else footer
        yield (b'{"items":[' if separator != b"," else b"") + b"]," + to_json(more)[1:]

    def _matrix(self) -> list[dict[str, Any]]:
        names = ("status_before", "status_after", "cause")
        ordered = sorted(self._counts.items(), key=lambda pair: tuple(word or "" for word in pair[0]))
        return [{**dict(zip(names, key, strict=True)), "pledges": pledges} for key, pledges in ordered]

    def _item(self, found: PledgeDifference, recorded: PledgeEvents) -> dict[str, Any]:
        old: dict[str, Any] = {} if found.before is None else from_json(found.before)
        new: dict[str, Any] = {} if found.after is None else from_json(found.after)
        (events, cause), known = recorded.fold(self._explained)
        return {
            "pledge": found.pledge,
            "status_before": old.get("status"),
            "status_after": new.get("status"),
            "actual_before": old.get("actual"),
            "actual_after": new.get("actual"),
            "cause": cause,
            "events": [event_json(event) for event in events],
            **unread_json(known.unread),
        }

    def _explained(self, events: Sequence[Event]) -> tuple[list[Event], Cause]:
        return between(events, self._earlier, self._later), cause_of(events, self._earlier, self._later)
