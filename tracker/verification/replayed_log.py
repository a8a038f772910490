"""The statuses that a verified log adds up to: folded from the very bytes that were verified, a pledge at a time.

The lines are kept in a file while the log is walked, and where each begins in memory: 8 bytes an event. Nothing is
fetched a second time, for a server might answer otherwise.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from struct import Struct
from typing import BinaryIO

from tracker.event import stamp
from tracker.rules.replayed import replayed
from tracker.verification.log_verification import VerifiedEvent

_HEAD = Struct(">QQI")
"""Position, version and length of a line."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One line as it was kept."""

    position: int
    pledge: str
    version: int
    state: bytes


class KeptEvents:
    """The verified lines of all pledges in a file that nobody else writes to, up to a point on the known axis.

    The point is an instant or a position. Documents at a position say the instant at which the event there was
    recorded; `known_at` beside it gives that instant, which a withheld line does not.
    """

    def __init__(self, file: BinaryIO, *, known_at: datetime | None = None, at_position: int | None = None) -> None:
        self._file = file
        self._upto = None if known_at is None else stamp(known_at)
        self._last = at_position
        self._not_before: str | None = None
        self._not_after: str | None = None
        self._starts: dict[str, array[int]] = {}
        self._end = 0

    def keep(self, verified: VerifiedEvent) -> None:
        """Keep an event, unless it was recorded later."""
        recorded_at = verified.event.recorded_at
        if self._last is None:
            if self._upto is not None and recorded_at > self._upto:
                return
        elif verified.position > self._last:
            self._not_after = self._not_after or recorded_at
            return
        else:
            self._not_before = recorded_at
            self._not_after = recorded_at if verified.position == self._last else None
        self._starts.setdefault(verified.pledge, array("Q")).append(self._end)
        self._file.write(_HEAD.pack(verified.position, verified.version, len(verified.line)))
        self._file.write(verified.line)
        self._end += _HEAD.size + len(verified.line)

    def known_at(self) -> datetime | None:
        """The instant that documents say, once all events were kept; None if none was asked for, or it is not known.

        Raises: ValueError if the instant that was given cannot be that of the event at the position.
        """
        known = self._upto
        if self._last is not None:
            if known is None and self._not_before == self._not_after:
                known = self._not_before
            elif known is not None and not (self._not_before or "") <= known <= (self._not_after or known):
                earliest, latest = self._not_before or "at any time", self._not_after or "now"
                raise ValueError(
                    f"the event at position {self._last} was recorded {earliest} at the earliest, and {latest} at the"
                    " latest"
                )
        return None if known is None else datetime.fromisoformat(known)

    @property
    def pledges(self) -> Collection[str]:
        """The pledges, in the order in which they were opened."""
        return self._starts.keys()

    def statuses(self, as_of: date) -> Iterator[tuple[str, bytes | None, int]]:
        """`(pledge, document, unread)` of every pledge; the document is None where it does not exist on the day.

        `unread` is the number of events that the rules could not take in.
        """
        self._file.flush()
        known_at = self.known_at()
        for pledge in self._starts:
            document, unread = replayed(self._rows(pledge), as_of=as_of, known_at=known_at)
            yield pledge, document, len(unread)

    def _rows(self, pledge: str) -> Iterator[KeptEvent]:
        for start in self._starts[pledge]:
            self._file.seek(start)
            position, version, length = _HEAD.unpack(self._file.read(_HEAD.size))
            yield KeptEvent(position, pledge, version, self._file.read(length))
