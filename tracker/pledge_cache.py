"""The pledges that the tracker decides on: read from the log once, then kept in memory between writes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from tracker.errors import UnreadableEvent
from tracker.log.recorder import LogRecorder
from tracker.pledge import Pledge
from tracker.pledge_events import PledgeEvents, reason_of

CACHED_PLEDGES = 4_096
"""Pledges kept in memory between writes, at most; the least recently used goes first."""

CACHED_FACTS = 100_000
"""Their facts, at most, each of which takes some 370 bytes. What one request is about is kept whatever it has."""

_READ_AT_ONCE = 1_000


class PledgeCache:
    """Pledges by name, as far as one writer knows them. Whoever finds that the log went on MUST forget them."""

    def __init__(self, log: LogRecorder) -> None:
        self._log = log
        self._pledges: OrderedDict[str, Pledge] = OrderedDict()
        self._counted: dict[str, int] = {}
        self.facts = 0
        """Facts of the pledges that are kept, each counted when it was last loaded."""

    def load(self, names: Iterable[str], *, fresh: bool = False) -> dict[str, Pledge]:
        """The pledges by name, from memory or from their events; an unknown one is empty.

        With `fresh` all come from their events, and none is kept.
        """
        wanted = set(names)
        found = {} if fresh else {name: self._pledges[name] for name in wanted if name in self._pledges}
        missing = sorted(wanted - found.keys())
        known = self._log.heads(missing) if missing else {}
        for name in missing:
            found[name] = self._read(name) if name in known else Pledge(name)
        if not fresh:
            self._keep(found)
        return found

    def forget(self, names: Iterable[str]) -> None:
        """Read these pledges from their events when they are next asked for."""
        for name in names:
            self._drop(name)

    def clear(self) -> None:
        """Forget all pledges."""
        self._pledges.clear()
        self._counted.clear()
        self.facts = 0

    def _keep(self, found: dict[str, Pledge]) -> None:
        for name, pledge in found.items():
            self._drop(name)
            if pledge.unreadable is not None:
                continue
            self._pledges[name] = pledge
            self._counted[name] = len(pledge.facts)
            self.facts += len(pledge.facts)
        while len(self._pledges) > len(found) and (len(self._pledges) > CACHED_PLEDGES or self.facts > CACHED_FACTS):
            self._drop(next(iter(self._pledges)))

    def _drop(self, name: str) -> None:
        if self._pledges.pop(name, None) is not None:
            self.facts -= self._counted.pop(name)

    def _read(self, name: str) -> Pledge:
        """The pledge after its events; `unreadable` where one of them cannot be read or taken in."""
        pledge = Pledge(name)
        rows = self._log.read(0, _READ_AT_ONCE, pledge=name)
        while rows:
            recorded = PledgeEvents.read(rows)
            reason = recorded.reason
            taken = 0
            for event in recorded.events:
                try:
                    pledge.apply(event)
                except Exception as error:  # whatever it is, the other pledges of the group go on
                    reason = reason_of(error)
                    break
                taken += 1
            if reason:
                row = rows[taken]
                pledge.unreadable = UnreadableEvent(row.position, name, row.state, reason)
                pledge.version = self._log.version(name)
                break
            rows = self._log.read(rows[-1].position, _READ_AT_ONCE, pledge=name) if len(rows) == _READ_AT_ONCE else []
        return pledge
