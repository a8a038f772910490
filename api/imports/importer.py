"""Import files: the whole file is checked first, then it is recorded in chunks (docs/import.md).

Bad rows are values with their place, collected; nothing is recorded while there is one. Each chunk is a request with
an idempotency key made from the file's bytes: a second run finds what the first one recorded and goes on behind it.
What is kept of the file lies in its spool, so that the memory of an import does not grow with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice

from api.imports.file_check import FileCheck, planned_fact
from api.imports.items import ImportProblem
from api.imports.missing_facts import MissingFacts
from api.imports.problem_list import ProblemList
from api.imports.spool import ItemSpool, PlannedItem
from tracker.application import Tracker
from tracker.errors import BatchRefused, VersionConflict
from tracker.requests import DecidedFact, DecidedRequest, Recorded, Request

CHUNK_FACTS = 2_000
"""Facts in one transaction: many enough that a commit costs little of each, few enough to be held in memory."""

MAX_CHUNK_FACTS = 10_000
"""Facts in one transaction at most."""

Advance = Callable[[int], None]
"""A callback for a progress bar: it is called with the number of facts done since its last call."""


@dataclass(frozen=True, slots=True)
class ImportChunk:
    """Facts that are recorded in one transaction, under one idempotency key, and the hash of what is recorded."""

    key: str
    facts: Sequence[PlannedItem]
    payload_hash: bytes


@dataclass(slots=True)
class ImportPlan:
    """The outcome of checking a file: its problems, or `size` facts that remain to be recorded.

    `recorded` is the number of facts that are in the log already.
    """

    spool: ItemSpool
    skip_recorded: bool
    recorded: int = 0
    size: int = 0

    @property
    def problems(self) -> ProblemList:
        """The problems of the file."""
        return self.spool.problems


@dataclass(frozen=True, slots=True)
class Importer:
    """Records the items of one file.

    `key` names the file, and `chunk_facts` is the number of facts in a transaction: both stand in every idempotency
    key. `by` is the recorder's name. `clock` gives the instant of each request.
    """

    tracker: Tracker
    key: str
    by: str
    clock: Callable[[], datetime]
    chunk_facts: int = CHUNK_FACTS

    def plan(self, spool: ItemSpool, *, skip_recorded: bool = False, advance: Advance = lambda _: None) -> ImportPlan:
        """Check every item against the log and the items before it; nothing is written.

        `skip_recorded` leaves out facts that their pledge has word for word, whatever file they came from.

        Raises: IdempotencyMismatch if the file was imported before as other facts, Unavailable if the store is away.
        """
        spool.begin()
        plan = ImportPlan(spool, skip_recorded)
        sound, head = not spool.problems, self.tracker.log.head()
        recorded = 0 if skip_recorded else self._find_recorded_chunks(spool, advance)
        check = FileCheck(self.tracker, spool, self.by, self.clock, skip_recorded=skip_recorded)
        check.run(advance)
        plan.recorded, plan.size = recorded + check.recorded, check.planned
        if sound and plan.problems and self._was_overtaken(plan, recorded, head):
            return self.plan(spool, skip_recorded=skip_recorded)
        return plan

    def _was_overtaken(self, plan: ImportPlan, recorded: int, head: int) -> bool:
        """Whether the same import runs in another process as well, and has recorded some of these facts meanwhile."""
        if plan.skip_recorded:
            return self.tracker.log.head() > head
        return sum(len(rows.events) for _, rows in self._recorded_chunks(plan.spool)) > recorded

    def _find_recorded_chunks(self, spool: ItemSpool, advance: Advance) -> int:
        """Note the items of chunks that an earlier import recorded; their number."""
        count = 0
        for number, recorded in list(self._recorded_chunks(spool)):
            for place, row in enumerate(recorded.events, start=number * self.chunk_facts + 1):
                spool.note_recorded(place, row.event_id)
            count += len(recorded.events)
            advance(len(recorded.events))
        return count

    def _recorded_chunks(self, spool: ItemSpool) -> Iterator[tuple[int, Recorded]]:
        for number, digest in enumerate(spool.chunk_hashes(self.chunk_facts)):
            if recorded := self.tracker.replay(self.chunk_key(number), digest):
                yield number, recorded

    def chunks(self, plan: ImportPlan) -> Iterator[ImportChunk]:
        """The facts of a plan in the chunks in which they are recorded.

        A chunk keeps its number in the file, because another import of the file may record chunks meanwhile. Where
        recorded facts are left out the numbers mean nothing, and a chunk is named by its content.
        """
        planned = plan.spool.planned()
        if plan.skip_recorded:
            while some := list(islice(planned, self.chunk_facts)):
                digest = _hash_of(some)
                yield self._chunk(digest.hex(), digest, some)
            return
        for number, rest in groupby(planned, lambda found: (found.rank - 1) // self.chunk_facts):
            some = list(rest)
            yield self._chunk(number, _hash_of(some), some)

    def _chunk(self, name: int | str, digest: bytes, planned: Sequence[PlannedItem]) -> ImportChunk:
        return ImportChunk(self.chunk_key(name), planned, digest)

    def record(self, plan: ImportPlan, advance: Advance = lambda _: None) -> list[ImportProblem]:
        """Record the chunks of a plan without problems, one transaction each.

        The problems returned are those of the first chunk that another writer made wrong since it was checked; that
        chunk and those after it are not recorded.
        """
        while not plan.problems:
            for chunk in self.chunks(plan):
                try:
                    overtaken = self._record(chunk, plan.spool).replayed
                except BatchRefused as refused:
                    if not self._is_recorded(chunk):
                        return self._problems_of(chunk, plan.spool, refused)
                    overtaken = True
                advance(len(chunk.facts))
                if overtaken:
                    break
            else:
                return []
            # The same import runs in another process as well: what follows refers to the events that it recorded.
            plan = self.plan(plan.spool, skip_recorded=plan.skip_recorded)
        return list(plan.problems)

    def chunk_key(self, chunk: int | str) -> str:
        """The idempotency key of a chunk, by its number in the file or by the hash of its items."""
        return f"{self.key} {self.chunk_facts}:{chunk}"

    def _is_recorded(self, chunk: ImportChunk) -> bool:
        return self.tracker.replay(chunk.key, chunk.payload_hash) is not None

    def _record(self, chunk: ImportChunk, spool: ItemSpool) -> Recorded:
        facts = [DecidedFact(each.pledge, each.version, each.event, each.type, each.fact) for each in chunk.facts]
        request = DecidedRequest(facts, self.by, self.clock(), chunk.key, chunk.payload_hash)
        try:
            return self.tracker.record_decided(request)
        except VersionConflict:  # another writer was at these pledges meanwhile
            drafts = tuple(planned_fact(spool, each).draft for each in chunk.facts)
            return self.tracker.record(Request(drafts, self.by, self.clock(), chunk.key, chunk.payload_hash))

    def _problems_of(self, chunk: ImportChunk, spool: ItemSpool, refused: BatchRefused) -> list[ImportProblem]:
        missing = MissingFacts(spool.place_of)
        return list(
            missing.unexplained(
                (planned_fact(spool, chunk.facts[index]), refusal) for index, refusal in refused.refusals
            )
        )


def _hash_of(planned: Sequence[PlannedItem]) -> bytes:
    """The SHA-256 of the items of one chunk, by which a second run knows that it is the same chunk."""
    digest = hashlib.sha256()
    for found in planned:
        digest.update(found.content + b"\n")
    return digest.digest()
