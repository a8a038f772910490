"""Statuses folded from the log itself, pledge by pledge, and how the read model differs from them.

The read model is right when there is no mismatch. The events of one pledge are in memory at a time, and the documents
and rows of COMPARE_BATCH_PLEDGES.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pydantic_core import from_json

from projections.document_codec import pack, pack_outline
from projections.fold import CatalogueRow, TimelineRow, catalogue_row, timeline_row
from projections.queries import Clocks
from projections.table_reader import StoredRows
from projections.table_writer import StalledPledge
from projections.timeline import Timeline
from projections.words import WordsRow, words_on
from tracker.event import Event
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import PledgeEvents, UnreadEvent
from tracker.rules.replayed import answered, flagged
from tracker.rules.status import StatusFold

REPLAY_BATCH_ROWS = 5_000
"""Rows of the log that are looked through at a time for opened pledges."""

COMPARE_BATCH_PLEDGES = 200
"""Pledges whose rows are read at once."""


@dataclass(frozen=True, slots=True)
class ReplayedPledge:
    """One pledge as the log has it, and the rows that the read model should have of it.

    Document and rows are None where the pledge does not exist at the clocks. `unread` are the events that could not be
    taken in: the document is flagged, and is that of the events before them.
    """

    pledge: str
    document: bytes | None = None
    timeline: TimelineRow | None = None
    catalogue: CatalogueRow | None = None
    words: frozenset[WordsRow] = frozenset()
    outline: bytes = b""
    unread: tuple[UnreadEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A pledge that the read model has otherwise than the log.

    A document is None where the pledge does not exist, or where what is stored of it cannot be read (`readable` is
    False then); `projected` is empty for a pledge that the log does not have. `rows` names the columns and tables that
    differ.
    """

    pledge: str
    replayed: bytes | None
    projected: bytes | None
    rows: tuple[str, ...] = ()
    readable: bool = True

    @property
    def members(self) -> list[str]:
        """The names of the document's members that differ; none where there are not two documents."""
        if self.replayed is None or self.projected is None:
            return []
        replayed, projected = from_json(self.replayed), from_json(self.projected)
        return sorted(name for name in replayed.keys() | projected.keys() if replayed.get(name) != projected.get(name))

    def __str__(self) -> str:
        if not self.readable:
            return f"{self.pledge}: what the projection has cannot be read"
        if self.replayed is None:
            return f"{self.pledge}: the projection has it, the log does not"
        if self.projected is None:
            return f"{self.pledge}: the log has it, the projection does not"
        return f"{self.pledge}: {', '.join((*self.members, *self.rows))}"


def replay_one(log: LogRecorder, pledge: str, clocks: Clocks, *, thoroughly: bool = False) -> ReplayedPledge:
    """One pledge from its events.

    `thoroughly` derives its status on every day, as the projector does, and not on that of the clocks alone: where the
    rules fail on some day, both then stop at the same event.
    """

    def fold(events: Sequence[Event]) -> ReplayedPledge:
        statuses = StatusFold(events)
        if thoroughly and events:
            statuses.segments()
        status = statuses.status(clocks.as_of) if events else None
        if status is None:
            return ReplayedPledge(pledge)
        changed = statuses.changed_on(clocks.as_of) or clocks.as_of
        packed = pack(status.document, status.outline, statuses.history.versions)
        rows = timeline_row(status, changed, packed), catalogue_row(status)
        words, outline = words_on(statuses.history, clocks.as_of), pack_outline(packed.outline_json)
        return ReplayedPledge(pledge, status.body, *rows, words, outline)

    folded, known = PledgeEvents.read(log.pledge_rows(pledge, clocks.position)).fold(fold)
    if folded.document is None:
        return replace(folded, unread=known.unread)
    document = answered(folded.document, known, as_of=clocks.as_of, known_at=clocks.known_at)
    return replace(folded, document=document, unread=known.unread)


def replay(log: LogRecorder, clocks: Clocks) -> Iterator[ReplayedPledge]:
    """Every pledge that the log opens up to the position, in the order in which they were opened."""
    after = 0
    while True:
        rows = log.changed_since(after, REPLAY_BATCH_ROWS)
        for position, pledge, version in rows:
            if position > clocks.position:
                return
            if version == 1:
                yield replay_one(log, pledge, clocks)
        if len(rows) < REPLAY_BATCH_ROWS:
            return
        after = rows[-1][0]


def compare(log: LogRecorder, timeline: Timeline, clocks: Clocks) -> Iterator[Mismatch | None]:
    """For every pledge of the log its mismatch, None if there is none; then the pledges that only the projection has.

    The projection MUST have reached the position.
    """
    return (mismatch for _, mismatch in compare_documents(log, timeline, clocks))


def compare_documents(
    log: LogRecorder, timeline: Timeline, clocks: Clocks
) -> Iterator[tuple[bytes | None, Mismatch | None]]:
    """As `compare`, each beside the document that the log gives; None where a pledge does not exist at the clocks."""
    replayed, stalled = replay(log, clocks), timeline.stalled(clocks)
    while some := list(islice(replayed, COMPARE_BATCH_PLEDGES)):
        stored = timeline.stored_rows([one.pledge for one in some], clocks)
        for one in some:
            if one.pledge in stalled:
                one = replay_stalled(log, one.pledge, clocks, stalled[one.pledge])
            wrong = _wrong_rows(one, stored[one.pledge])
            yield one.document, _mismatch(one, wrong, timeline, clocks) if wrong or one.pledge in stalled else None
    strays: set[str] = set()
    for names in timeline.stored_names(clocks):
        known = log.heads(names, clocks.position)
        strays |= {name for name in names if name not in known}
    yield from ((None, Mismatch(name, None, b"")) for name in sorted(strays))


def replay_stalled(log: LogRecorder, pledge: str, clocks: Clocks, stalled: StalledPledge) -> ReplayedPledge:
    """A pledge that is answered without some of its events, as it is answered."""
    if not stalled.waits:
        return replay_one(log, pledge, clocks, thoroughly=True)
    found = replay_one(log, pledge, replace(clocks, position=stalled.first - 1))
    return found if found.document is None else replace(found, document=flagged(found.document))


def _wrong_rows(one: ReplayedPledge, stored: StoredRows) -> tuple[str, ...]:
    """The columns whose values are not what the rules say, or the table that has not exactly the rows it should."""
    found: list[str] = []
    for table, wanted, rows in (
        ("timeline", one.timeline, stored.timeline),
        ("catalogue", one.catalogue, stored.catalogue),
    ):
        if len(rows) != (wanted is not None):
            found.append(f"{table} has {len(rows)} rows of it" if len(rows) != 1 else f"{table} has a row of it")
        elif wanted is not None:
            pairs = zip(wanted._fields, wanted, rows[0], strict=True)
            found += [f"{table}.{name}" for name, own, other in pairs if own != other]
    if one.timeline is not None and (len(stored.words) != len(one.words) or set(stored.words) != one.words):
        found.append("words")
    is_there = one.timeline is not None and [row.outline for row in stored.timeline] == [one.timeline.outline]
    if is_there and stored.outlines != [one.outline]:
        found.append("outlines")
    return tuple(found)


def _mismatch(one: ReplayedPledge, wrong: tuple[str, ...], timeline: Timeline, clocks: Clocks) -> Mismatch | None:
    try:
        projected = timeline.one(one.pledge, clocks)
        if projected is not None:
            from_json(projected)
    except (zlib.error, ValueError):
        return Mismatch(one.pledge, one.document, None, wrong, readable=False)
    return Mismatch(one.pledge, one.document, projected, wrong) if wrong or projected != one.document else None
