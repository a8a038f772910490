"""Answers over all pledges that are kept, and brought from one point of the clocks to another by what differs.

An event changes its own pledge, and a midnight those whose rows begin or end with it. So what was added up at one point
is brought to another one by the rows of these pledges alone: what they were is taken away, what they are is added.
The database answers for every point anew; what is kept MUST be the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock
from typing import NamedTuple, Protocol, TypeVar, cast

from projections import changed_pledges, queries
from projections.queries import Clocks, Filters
from projections.table_reader import TableReader
from tracker.log.recorder import LogRecorder

T = TypeVar("T")

MAX_BEHIND_EVENTS = 100
"""Events by which a position is behind the newest one, at most, where its answer is kept: a read may come late."""

MAX_KEPT_ANSWERS = 256
"""Answers that are kept, at most; the one that was asked for longest ago goes."""

MAX_KEPT_COUNTS = 200_000
"""What all kept answers may have together, in counts and names of about 100 bytes."""


def among(filters: Filters, pledges: Iterable[str]) -> Filters:
    """The filters, for some of the pledges; they name no pledge if none of these can pass."""
    return replace(filters, pledge=tuple(name for name in pledges if not filters.pledge or name in filters.pledge))


class Kept(Protocol):
    """What is added up over pledges at one point."""

    has_words: bool
    """Whether it depends on the words by which pledges are found."""

    @property
    def size(self) -> int:
        """How many counts and names it has."""

    def read(self, tables: TableReader, clocks: Clocks) -> None:
        """Add up all that holds at the clocks."""

    def difference(
        self, tables: TableReader, pledges: Sequence[str], before: Clocks, after: Clocks
    ) -> Callable[[], None]:
        """What brings it from the clocks `before`, where it is, to `after`, between which only these pledges differ.

        It reads all that it needs, and changes nothing yet.
        """


KeptT = TypeVar("KeptT", bound=Kept)


class _Made(NamedTuple):
    """The set that answers, and the last withholding that it is made with: rows of another one are other rows."""

    set: int
    withheld: int


_NEVER = Clocks(date.min, 0)


@dataclass(slots=True)
class _Entry:
    """A kept answer, where it is at, and what it is made of; there is none before it is read."""

    kept: Kept | None = None
    clocks: Clocks = _NEVER
    of: _Made | None = None
    lock: Lock = field(default_factory=Lock)


class KeptAnswers:
    """The answers that one process keeps of one database."""

    def __init__(self, tables: TableReader, log: LogRecorder) -> None:
        self._tables, self._log = tables, log
        self._lock = Lock()
        self._entries: OrderedDict[tuple[Hashable, date], _Entry] = OrderedDict()

    def forget(self) -> None:
        """Forget them: the rows are others than before."""
        with self._lock:
            self._entries.clear()

    def at(self, question: Hashable, new: Callable[[], KeptT], clocks: Clocks, ask: Callable[[KeptT], T]) -> T:
        """What `ask` makes of the answer to a question at the clocks; `new` is one that has not read anything.

        One that is not of now, or while an event is parked, is read, asked and not kept.
        """
        clocks = Clocks(queries.day_of(clocks), clocks.position)
        made = self._made(clocks.position)
        if made is None:
            answer = new()
            answer.read(self._tables, clocks)
            return ask(answer)
        entry = self._entry(question, clocks.as_of)
        with entry.lock:
            if not self._bring(question, entry, clocks, made):
                entry.kept = None
                answer = new()
                answer.read(self._tables, clocks)
                if self._made(clocks.position) != made:
                    return ask(answer)
                entry.kept, entry.clocks, entry.of = answer, clocks, made
            asked = ask(cast(KeptT, entry.kept))
        self._make_room()
        return asked

    def is_of_now(self, position: int) -> bool:
        """Whether an answer at a position would be kept."""
        return self._made(position) is not None

    def _made(self, position: int) -> _Made | None:
        """What answers are made of; None where a position is not of now, and while an event is parked."""
        head = self._tables.head()
        if head.parked or not 0 <= head.position - position <= MAX_BEHIND_EVENTS:
            return None
        return _Made(head.set, self._tables.withheld_upto())

    def _entry(self, question: Hashable, day: date) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault((question, day), _Entry())
            self._entries.move_to_end((question, day))
            return entry

    def _make_room(self) -> None:
        with self._lock:
            size = sum(kept.size for entry in self._entries.values() if (kept := entry.kept) is not None)
            while self._entries and (size > MAX_KEPT_COUNTS or len(self._entries) > MAX_KEPT_ANSWERS):
                _, entry = self._entries.popitem(last=False)
                size -= 0 if (kept := entry.kept) is None else kept.size

    def _bring(self, question: Hashable, entry: _Entry, clocks: Clocks, made: _Made) -> bool:
        """Bring an answer to the clocks; False if there is none of the same, or it lies too far away."""
        if entry.kept is None:
            self._copy(question, entry, clocks)
        if (kept := entry.kept) is None or entry.of != made:
            return False
        for after in (replace(entry.clocks, position=clocks.position), clocks):
            pledges = changed_pledges.between(self._tables, self._log, entry.clocks, after, words=kept.has_words)
            if pledges is None:
                return False
            if pledges:
                change = kept.difference(self._tables, pledges, entry.clocks, after)
                if self._made(clocks.position) != made:
                    return False
                entry.kept = None  # an answer that is changed by half is none
                change()
                entry.kept = kept
            entry.clocks = after
        return True

    def _copy(self, question: Hashable, entry: _Entry, clocks: Clocks) -> None:
        """Take the answer of the nearest other day, if there is one that nobody is at."""
        with self._lock:
            others = [other for key, other in self._entries.items() if key[0] == question and other is not entry]
        for other in sorted(others, key=lambda one: abs(one.clocks.as_of - clocks.as_of)):
            if other.lock.acquire(blocking=False):
                try:
                    if other.kept is not None:
                        entry.kept, entry.clocks, entry.of = deepcopy(other.kept), other.clocks, other.of
                        return
                finally:
                    other.lock.release()
