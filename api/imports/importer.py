"""Files of facts: read, checked as a whole, then recorded in chunks (docs/import.md).

Bad rows are values with their place, collected; nothing is recorded while there is one. Each chunk is a request with
an idempotency key made from the file's bytes: a second run finds what the first one recorded and goes on behind it.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from api.formats.columns import label_of
from tracker.application import Draft, Recorded, Request, Tracker
from tracker.errors import (
    AlreadyVoided,
    BatchRefused,
    DuplicateFact,
    InvalidFact,
    MixedBasis,
    NotOpened,
    Refusal,
    UnitMismatch,
    UnknownEvent,
    VersionConflict,
    WrongEventType,
)
from tracker.event import event_id, fact_json
from tracker.fact_reading import read_fact
from tracker.facts import FACT_TYPES, AnyFact, PledgeMade
from tracker.values import is_slug

_T = TypeVar("_T")

MAX_CHUNK = 10_000
"""Facts in one transaction at most."""

_STRIDE = 500

REFERENCES = (
    ("event",),
    ("of",),
    ("recorded_as", "event"),
    ("changes", "event"),
    ("changes", "of"),
    ("changes", "recorded_as", "event"),
)
"""Where a fact names an event."""


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """What is wrong with one place of a file: the line or the sheet and row, the column or JSON Pointer, a sentence."""

    place: str
    where: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.where, self.message) if part)


@dataclass(frozen=True, slots=True)
class ImportItem:
    """One fact of a file, its references still as they were written.

    ``labels`` are the columns of its places; None where places are JSON Pointers. ``old_id`` is the id that the event
    had where it was exported from. One that is not ``sound`` has a problem already and is there for what follows it.
    """

    place: str
    pledge: str
    fact: Any
    ref: str | None = None
    old_id: str | None = None
    expected_version: int | None = None
    labels: Mapping[str, str] | None = None
    sound: bool = True
    clear: bool = True

    def problem(self, pointer: str, message: str) -> ImportProblem:
        """What is wrong at a JSON Pointer into the fact."""
        where = f"/fact{pointer}" if self.labels is None else label_of(pointer, self.labels)
        return ImportProblem(self.place, where, message)

    @property
    def content(self) -> bytes:
        """What a chunk's payload hash is made of."""
        said = [self.pledge, self.fact, self.ref, self.old_id, self.expected_version]
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


Advance = Callable[[int], None]
"""Told how many facts are done now."""

Waiting = tuple[ImportItem, Draft]
"""An item and what is to be recorded of it."""

Chunk = tuple[str, list[ImportItem], list[Draft]]
"""An idempotency key, and what is recorded under it."""


@dataclass(slots=True)
class ImportPlan:
    """What to record, chunk by chunk: items and their drafts. ``recorded`` facts are in the log already."""

    items: Sequence[ImportItem]
    skip_recorded: bool
    problems: list[ImportProblem] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    recorded: int = 0

    @property
    def size(self) -> int:
        """How many facts there are to record."""
        return sum(len(drafts) for _, _, drafts in self.chunks)


@dataclass(frozen=True, slots=True)
class Importer:
    """Records items under a key that names the file. ``clock`` gives the instant of each request."""

    tracker: Tracker
    key: str
    by: str
    clock: Callable[[], datetime]
    chunk: int = MAX_CHUNK

    def plan(
        self,
        items: Sequence[ImportItem],
        problems: Iterable[ImportProblem] = (),
        *,
        skip_recorded: bool = False,
        advance: Advance = lambda _: None,
    ) -> ImportPlan:
        """Check every item on what the log has and what those before it add; nothing is written.

        ``skip_recorded`` leaves out facts that their pledge has word for word, whatever file they came from.

        Errors: ``IdempotencyMismatch`` when the file was imported before as other facts, ``Unavailable``.
        """
        plan = ImportPlan(items, skip_recorded, list(problems))
        references = _References()
        known = _Known(self.tracker) if skip_recorded else None
        told = {(problem.place, problem.where) for problem in plan.problems}
        lost = _Lost(blind=not {place for place, _ in told} <= {item.place for item in items})
        waiting: list[Waiting] = []
        by_number: defaultdict[int, list[Waiting]] = defaultdict(list)
        for number, chunk in enumerate(_chunks(items, self.chunk)):
            if known is None and (replayed := self.tracker.replay(self._key(number), _hash(chunk))):
                plan.recorded += len(replayed.events)
                for item, event in zip(chunk, replayed.events, strict=True):
                    references.keep(item, event.id)
                advance(len(chunk))
                continue
            for count, item in enumerate(chunk, start=1):
                if count % _STRIDE == 0:
                    advance(_STRIDE)
                fact, wrong = _read(item, references) if item.clear else (None, [])
                whole = item.sound and fact is not None
                found = known.take(item.pledge, fact) if known is not None and fact is not None and whole else None
                identity = found or event_id(self.clock(), secrets.token_bytes(10))
                wrong += references.keep(item, identity)
                plan.problems += [problem for problem in wrong if (problem.place, problem.where) not in told]
                if found is not None and not wrong:
                    plan.recorded += 1
                elif fact is not None and whole and not wrong:
                    waiting.append((item, Draft(item.pledge, fact, identity, item.expected_version)))
                    by_number[number].append(waiting[-1])
                else:
                    lost.add(item.pledge, _type(item), identity)
        sound = not plan.problems
        plan.problems += self._refused(waiting, lost)
        plan.problems.sort(key=_row)
        # By their own numbers: another import of the file may record chunks while this one looks.
        numbered = enumerate(_chunks(waiting, self.chunk)) if known is not None else by_number.items()
        for number, pairs in numbered:
            kept = [item for item, _ in pairs]
            key = self._key(number) if known is None else self._key(_hash(kept).hex())
            plan.chunks.append((key, kept, [draft for _, draft in pairs]))
        if sound and plan.problems and self._is_recorded(plan.chunks[0]):
            # The same import runs somewhere else as well, and was faster.
            return self.plan(items, skip_recorded=skip_recorded)
        return plan

    def record(self, plan: ImportPlan, advance: Advance = lambda _: None) -> list[ImportProblem]:
        """Record the chunks of a plan without problems, one transaction each.

        Problems are those of the first chunk that another writer has made wrong meanwhile; it and those after it are
        not recorded.
        """
        while not plan.problems:
            for chunk in plan.chunks:
                key, items, drafts = chunk
                try:
                    overtaken = self._record(key, items, drafts).replayed
                except BatchRefused as refused:
                    if not self._is_recorded(chunk):
                        return _Lost(blind=False).unexplained(
                            list(zip(items, drafts, strict=True)), dict(refused.refusals)
                        )
                    overtaken = True
                advance(len(drafts))
                if overtaken:
                    break
            else:
                return []
            # The same import runs somewhere else as well: what follows refers to the events that it recorded.
            plan = self.plan(plan.items, skip_recorded=plan.skip_recorded)
        return plan.problems

    def _is_recorded(self, chunk: Chunk) -> bool:
        key, items, _ = chunk
        return self.tracker.replay(key, _hash(items)) is not None

    def _record(self, key: str, items: Sequence[ImportItem], drafts: Sequence[Draft]) -> Recorded:
        return self.tracker.record(Request(tuple(drafts), self.by, self.clock(), key, _hash(items)))

    def _refused(self, waiting: Sequence[Waiting], lost: _Lost) -> list[ImportProblem]:
        """What the log refuses, but for what may only follow from facts that are lost.

        Behind a first fact that does not open its pledge the log does not look; there, something stands in for one.
        """
        refusals = self._preview([draft for _, draft in waiting])
        problems = lost.unexplained(waiting, refusals)
        unopened = {index for index, refusal in refusals.items() if isinstance(refusal, NotOpened)}
        closed = {waiting[index][1].pledge for index in refusals if index in unopened or _opens(waiting[index][1])}
        rest = [
            pair
            for index, pair in enumerate(waiting)
            if pair[1].pledge in closed and (index in unopened or index not in refusals)
        ]
        if not rest:
            return problems
        rest.sort(key=lambda pair: not _opens(pair[1]))
        stand_ins = [
            Draft(pledge, _STAND_IN, event_id(self.clock(), secrets.token_bytes(10)))
            for pledge in closed - {draft.pledge for _, draft in rest if _opens(draft)}
        ]
        for draft in stand_ins:
            lost.add(draft.pledge, "PledgeMade", draft.id)
        behind = self._preview([*stand_ins, *(draft for _, draft in rest)])
        first = len(stand_ins)
        return problems + lost.unexplained(rest, {at - first: no for at, no in behind.items() if at >= first})

    def _preview(self, drafts: Sequence[Draft]) -> dict[int, Refusal]:
        """The drafts that are refused, by their index."""
        try:
            if drafts:
                self.tracker.preview(Request(tuple(drafts), self.by, self.clock()))
        except BatchRefused as refused:
            return dict(refused.refusals)
        return {}

    def _key(self, part: int | str) -> str:
        return f"{self.key} {self.chunk}:{part}"


@dataclass(slots=True)
class _Lost:
    """Facts that the file cannot add as it stands: their types by pledge, ``""`` for an unknown one, and their ids.

    ``blind``: some row does not even tell its pledge, so that anything may be missing.
    """

    blind: bool
    types: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ids: set[str] = field(default_factory=set)

    def add(self, pledge: str, type_: str, identity: str) -> None:
        self.types[pledge].append(type_)
        self.ids.add(identity)
        self.blind |= not is_slug(pledge)

    def unexplained(self, waiting: Sequence[Waiting], refusals: Mapping[int, Refusal]) -> list[ImportProblem]:
        """What is refused, by its index, for more than the want of lost facts; it is lost as well."""
        problems: list[ImportProblem] = []
        places = {draft.id: item.place for item, draft in waiting}
        for index, refusal in refusals.items():
            item, draft = waiting[index]
            if not self._explains(refusal, draft):
                problems += _problems(item, refusal, places)
            self.add(draft.pledge, draft.fact.type, draft.id)
        return problems

    def _explains(self, refusal: Refusal, draft: Draft) -> bool:
        types = self.types[draft.pledge]
        if isinstance(refusal, VersionConflict):
            return (draft.expected_version or 0) - int(str(refusal.members["version"])) in range(1, len(types) + 1)
        if isinstance(refusal, UnknownEvent):
            return self.blind or any(str(_at(fact_json(draft.fact), path)) in self.ids for path in REFERENCES)
        if isinstance(refusal, NotOpened) and self.blind:
            return True
        causes = _CAUSES.get(type(refusal))
        return causes is not None and any(type_ in causes for type_ in types)


_CAUSES: dict[type[Refusal], tuple[str, ...]] = {
    NotOpened: ("", "PledgeMade"),
    AlreadyVoided: ("", "EventVoided"),
    WrongEventType: ("", "EventCorrected", "EventVoided"),
    DuplicateFact: ("", "EventCorrected", "EventVoided"),
    MixedBasis: ("", "EventCorrected", "EventVoided", "FigureRestated"),
    UnitMismatch: ("", "EventCorrected", "EventVoided", "PledgeMade"),
    InvalidFact: ("", "EventCorrected", "EventVoided", "PledgeMade", "PledgeRevised"),
}
"""What can be refused for want of an earlier fact of the pledge, and of which types."""

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


class _References:
    """The events that later items may name: by ``ref``, or by the id they had in the file."""

    def __init__(self) -> None:
        self.unclear: dict[str, tuple[str, str]] = {}
        self.refs: dict[str, tuple[str, str]] = {}
        self.ids: dict[str, tuple[str, str]] = {}

    def keep(self, item: ImportItem, identity: str) -> list[ImportProblem]:
        if not item.clear:
            self.unclear[item.ref or ""] = (identity, item.place)
            return []
        problems = []
        for name, key, known in (("ref", item.ref, self.refs), ("id", item.old_id, self.ids)):
            if key is not None and known.setdefault(key, (identity, item.place))[0] != identity:
                problems.append(ImportProblem(item.place, name, f'"{key}" is given already, at {known[key][1]}'))
        return problems

    def resolve(self, item: ImportItem) -> tuple[Any, list[ImportProblem]]:
        """The fact with the ids that its references have now."""
        if not isinstance(item.fact, dict):
            return item.fact, []
        fact, problems = item.fact, []
        for path in REFERENCES:
            named = _at(fact, path)
            if isinstance(named, dict) and named.keys() == {"ref"}:
                name = named["ref"] if isinstance(named["ref"], str) else ""
                found = self.refs.get(name) or self.unclear.get(name)
                if found is None:
                    problems.append(item.problem(f"/{'/'.join(path)}", f'no earlier row has the ref "{named["ref"]}"'))
                    continue
            elif isinstance(named, str) and named in self.ids:
                found = self.ids[named]
            else:
                continue
            fact = _with(fact, path, found[0])
        return fact, problems


class _Known:
    """The facts that pledges have already; each can be taken once."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.facts: dict[str, dict[bytes, deque[str]]] = {}

    def take(self, pledge: str, fact: AnyFact) -> str | None:
        """The id of an event with this very fact, not taken before."""
        if pledge not in self.facts:
            facts: dict[bytes, deque[str]] = defaultdict(deque)
            for event in self.tracker.events_of(pledge):
                facts[_canonical(event.fact)].append(event.id)
            self.facts[pledge] = facts
        found = self.facts[pledge].get(_canonical(fact))
        return found.popleft() if found else None


def _read(item: ImportItem, references: _References) -> tuple[AnyFact | None, list[ImportProblem]]:
    raw, problems = references.resolve(item)
    if problems:
        return None, problems
    try:
        return read_fact(raw), []
    except InvalidFact as invalid:
        return None, [item.problem(pointer, message) for pointer, message in invalid.problems]


def _problems(item: ImportItem, refusal: Refusal, places: Mapping[str, str]) -> list[ImportProblem]:
    """What a refusal says of an item; events that are only in the file so far are named by their ``places``."""
    said = refusal.problems if isinstance(refusal, InvalidFact) else [(refusal.pointer, refusal.detail)]
    return [
        item.problem(pointer, re.sub(r"[0-9a-f-]{36}", lambda found: places.get(found[0], found[0]), message))
        for pointer, message in said
    ]


def _opens(draft: Draft) -> bool:
    return isinstance(draft.fact, PledgeMade)


def _type(item: ImportItem) -> str:
    """The type of an item's fact; empty if it is none."""
    said = item.fact.get("type") if isinstance(item.fact, dict) else None
    return said if isinstance(said, str) and said in FACT_TYPES else ""


def _row(problem: ImportProblem) -> int:
    return int(problem.place.rpartition(" ")[2])


def _canonical(fact: AnyFact) -> bytes:
    return json.dumps(fact_json(fact), sort_keys=True).encode()


def _hash(items: Sequence[ImportItem]) -> bytes:
    digest = hashlib.sha256()
    for item in items:
        digest.update(item.content + b"\n")
    return digest.digest()


def _chunks(items: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _with(value: dict[str, Any], path: Sequence[str], leaf: str) -> dict[str, Any]:
    name, *rest = path
    return value | {name: _with(value[name], rest, leaf) if rest else leaf}
