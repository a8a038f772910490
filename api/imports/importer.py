"""Import files: the whole file is checked first, then it is recorded in chunks (docs/import.md).

Bad rows are values with their place, collected; nothing is recorded while there is one. Each chunk is a request with
an idempotency key made from the file's bytes: a second run finds what the first one recorded and goes on behind it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from api.imports.items import ImportItem, ImportProblem, payload_hash
from api.imports.missing_facts import MissingFacts, PlannedFact
from api.imports.recorded_facts import RecordedFacts
from api.imports.references import EventReferences
from tracker.application import Tracker
from tracker.errors import (
    BatchRefused,
    InvalidFact,
    NotOpened,
    Refusal,
)
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.facts import AnyFact
from tracker.promise_facts import PledgeMade
from tracker.requests import Draft, Recorded, Request

MAX_CHUNK_FACTS = 10_000
"""Facts in one transaction at most."""

_ADVANCE_FACTS = 500
"""Facts that are checked between two calls of `advance`."""

Advance = Callable[[int], None]
"""A callback for a progress bar: it is called with the number of facts done since its last call."""


@dataclass(frozen=True, slots=True)
class ImportChunk:
    """Facts that are recorded in one transaction, under one idempotency key."""

    key: str
    facts: Sequence[PlannedFact]

    @property
    def payload_hash(self) -> bytes:
        """The hash by which the log knows the chunk again."""
        return payload_hash(fact.item for fact in self.facts)


@dataclass(slots=True)
class ImportPlan:
    """The outcome of checking a file: its problems, or the chunks that remain to be recorded.

    `recorded` is the number of facts that are in the log already.
    """

    items: Sequence[ImportItem]
    skip_recorded: bool
    recorded_refs: Mapping[str, str] | None = None
    problems: list[ImportProblem] = field(default_factory=list)
    chunks: list[ImportChunk] = field(default_factory=list)
    recorded: int = 0

    @property
    def size(self) -> int:
        """The number of facts to record."""
        return sum(len(chunk.facts) for chunk in self.chunks)


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
    chunk_facts: int = MAX_CHUNK_FACTS

    def plan(
        self,
        items: Sequence[ImportItem],
        problems: Sequence[ImportProblem] = (),
        *,
        skip_recorded: bool = False,
        recorded_refs: Mapping[str, str] | None = None,
        advance: Advance = lambda _: None,
    ) -> ImportPlan:
        """Check every item against the log and the items before it; nothing is written.

        `problems` are those that reading the file found. `skip_recorded` leaves out facts that their pledge has word
        for word, whatever file they came from. `recorded_refs` are events of the log that items may name, by `ref`.

        Raises: IdempotencyMismatch if the file was imported before as other facts, Unavailable if the store is away.
        """
        check = _Check(self, items, problems, skip_recorded=skip_recorded, recorded_refs=recorded_refs)
        for number, start in enumerate(range(0, len(items), self.chunk_facts)):
            check.read(number, items[start : start + self.chunk_facts], advance)
        plan = check.plan
        sound = not plan.problems
        plan.problems += self._refused(check.planned, check.missing)
        plan.problems.sort(key=lambda problem: problem.row)
        plan.chunks += check.chunks()
        if sound and plan.problems and self._is_recorded(plan.chunks[0]):
            # The same import runs in another process as well, and has recorded these facts meanwhile.
            return self.plan(items, skip_recorded=skip_recorded, recorded_refs=recorded_refs)
        return plan

    def record(self, plan: ImportPlan, advance: Advance = lambda _: None) -> list[ImportProblem]:
        """Record the chunks of a plan without problems, one transaction each.

        The problems returned are those of the first chunk that another writer made wrong since it was checked; that
        chunk and those after it are not recorded.
        """
        while not plan.problems:
            for chunk in plan.chunks:
                try:
                    overtaken = self._record(chunk).replayed
                except BatchRefused as refused:
                    if not self._is_recorded(chunk):
                        return MissingFacts().unexplained(chunk.facts, dict(refused.refusals))
                    overtaken = True
                advance(len(chunk.facts))
                if overtaken:
                    break
            else:
                return []
            # The same import runs in another process as well: what follows refers to the events that it recorded.
            plan = self.plan(plan.items, skip_recorded=plan.skip_recorded, recorded_refs=plan.recorded_refs)
        return plan.problems

    def chunk_key(self, chunk: int | str) -> str:
        """The idempotency key of a chunk, by its number in the file or by the hash of its items."""
        return f"{self.key} {self.chunk_facts}:{chunk}"

    def new_event_id(self) -> str:
        """An id for an event that is to be recorded now."""
        return event_id(self.clock(), secrets.token_bytes(10))

    def _is_recorded(self, chunk: ImportChunk) -> bool:
        return self.tracker.replay(chunk.key, chunk.payload_hash) is not None

    def _record(self, chunk: ImportChunk) -> Recorded:
        drafts = tuple(fact.draft for fact in chunk.facts)
        return self.tracker.record(Request(drafts, self.by, self.clock(), chunk.key, chunk.payload_hash))

    def _refused(self, planned: Sequence[PlannedFact], missing: MissingFacts) -> list[ImportProblem]:
        """The problems of the facts that the log refuses, except refusals that missing facts explain.

        The log checks nothing behind a first fact that does not open its pledge. Such a pledge is checked once more,
        with a stand-in for the PledgeMade that is wrong or missing.
        """
        refusals = self._preview([fact.draft for fact in planned])
        problems = missing.unexplained(planned, refusals)
        not_opened = {index for index, refusal in refusals.items() if isinstance(refusal, NotOpened)}
        unopened_pledges = {
            planned[index].draft.pledge
            for index in refusals
            if index in not_opened or _opens_pledge(planned[index].draft)
        }
        unchecked = [
            fact
            for index, fact in enumerate(planned)
            if fact.draft.pledge in unopened_pledges and (index in not_opened or index not in refusals)
        ]
        if not unchecked:
            return problems
        unchecked.sort(key=lambda fact: not _opens_pledge(fact.draft))
        opened = {fact.draft.pledge for fact in unchecked if _opens_pledge(fact.draft)}
        stand_ins = [Draft(pledge, _STAND_IN, self.new_event_id()) for pledge in unopened_pledges - opened]
        for draft in stand_ins:
            missing.add(draft.pledge, "PledgeMade", draft.id)
        refusals = self._preview([*stand_ins, *(fact.draft for fact in unchecked)])
        behind = {index - len(stand_ins): refusal for index, refusal in refusals.items() if index >= len(stand_ins)}
        return problems + missing.unexplained(unchecked, behind)

    def _preview(self, drafts: Sequence[Draft]) -> Mapping[int, Refusal]:
        """The refusals of the drafts that the log would refuse, by their index."""
        try:
            if drafts:
                self.tracker.preview(Request(tuple(drafts), self.by, self.clock()))
        except BatchRefused as refused:
            return dict(refused.refusals)
        return {}


class _Check:
    """One pass over the items of a file, chunk by chunk, that makes drafts of those that are sound by themselves."""

    def __init__(
        self,
        importer: Importer,
        items: Sequence[ImportItem],
        problems: Sequence[ImportProblem],
        *,
        skip_recorded: bool,
        recorded_refs: Mapping[str, str] | None,
    ) -> None:
        self._importer = importer
        self._reported = {(problem.place, problem.where) for problem in problems}
        self._references = EventReferences(recorded_refs)
        self._recorded = RecordedFacts(importer.tracker) if skip_recorded else None
        self._chunk_numbers: list[int] = []
        self.plan = ImportPlan(items, skip_recorded, recorded_refs, list(problems))
        self.planned: list[PlannedFact] = []
        places = {item.place for item in items}
        self.missing = MissingFacts(any_pledge=any(problem.place not in places for problem in problems))

    def read(self, number: int, chunk: Sequence[ImportItem], advance: Advance) -> None:
        """Check the items of one chunk, unless an earlier import recorded it."""
        importer = self._importer
        if self._recorded is None and (
            replayed := importer.tracker.replay(importer.chunk_key(number), payload_hash(chunk))
        ):
            self.plan.recorded += len(replayed.events)
            for item, event in zip(chunk, replayed.events, strict=True):
                self._references.add(item, event.event_id)
            advance(len(chunk))
            return
        for count, item in enumerate(chunk, start=1):
            if count % _ADVANCE_FACTS == 0:
                advance(_ADVANCE_FACTS)
            self._read_item(number, item)

    def _read_item(self, number: int, item: ImportItem) -> None:
        fact, problems = self._fact_of(item) if item.certain else (None, [])
        if not item.sound:
            fact = None
        recorded_id = None if fact is None or self._recorded is None else self._recorded.take(item.pledge, fact)
        identity = recorded_id or self._importer.new_event_id()
        problems += self._references.add(item, identity)
        self.plan.problems += [problem for problem in problems if (problem.place, problem.where) not in self._reported]
        if fact is None or problems:
            self.missing.add(item.pledge, item.fact_type, identity)
        elif recorded_id is not None:
            self.plan.recorded += 1
        else:
            self.planned.append(PlannedFact(item, Draft(item.pledge, fact, identity, item.expected_version)))
            self._chunk_numbers.append(number)

    def _fact_of(self, item: ImportItem) -> tuple[AnyFact | None, list[ImportProblem]]:
        raw, problems = self._references.resolve(item)
        if problems:
            return None, problems
        try:
            return read_fact(raw), []
        except InvalidFact as invalid:
            return None, [item.problem(pointer, message) for pointer, message in invalid.problems]

    def chunks(self) -> Iterator[ImportChunk]:
        """The planned facts in the chunks in which they are recorded.

        A chunk keeps its number in the file, because another import of the file may record chunks meanwhile. Where
        recorded facts are left out the numbers mean nothing, and a chunk is named by its content.
        """
        importer = self._importer
        if self._recorded is not None:
            for start in range(0, len(self.planned), importer.chunk_facts):
                facts = self.planned[start : start + importer.chunk_facts]
                yield ImportChunk(importer.chunk_key(payload_hash(fact.item for fact in facts).hex()), facts)
            return
        by_number: dict[int, list[PlannedFact]] = {}
        for number, fact in zip(self._chunk_numbers, self.planned, strict=True):
            by_number.setdefault(number, []).append(fact)
        for number, facts in by_number.items():
            yield ImportChunk(importer.chunk_key(number), facts)


_STAND_IN = PledgeMade.model_validate(
    {
        "type": "PledgeMade",
        "stated_on": "1800-01-01",
        "source": {"publisher": "the import", "tier": "other"},
        "title": "In the place of a PledgeMade that is wrong or missing",
        "pledgor": {"name": "unknown"},
        "kind": "qualitative",
    }
)


def _opens_pledge(draft: Draft) -> bool:
    return isinstance(draft.fact, PledgeMade)
