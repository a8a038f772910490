"""Files of facts: read, checked as a whole, then recorded in chunks (docs/import.md).

Bad rows are values with their place, collected; nothing is recorded while there is one. Each chunk is a request with
an idempotency key made from the file's bytes: a second run finds what the first one recorded and goes on behind it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from api.columns import label_of
from tracker.application import Draft, Recorded, Request, Tracker
from tracker.errors import BatchRefused, InvalidFact, NotOpened, Refusal, UnknownEvent
from tracker.event import event_id, fact_json
from tracker.facts import Kept, Said, read_fact

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
class Problem:
    """What is wrong with one place of a file: the line or the sheet and row, the column or JSON Pointer, a sentence."""

    place: str
    where: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.where, self.message) if part)


@dataclass(frozen=True, slots=True)
class Item:
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

    def problem(self, pointer: str, message: str) -> Problem:
        """What is wrong at a JSON Pointer into the fact."""
        where = f"/fact{pointer}" if self.labels is None else label_of(pointer, self.labels)
        return Problem(self.place, where, message)

    @property
    def content(self) -> bytes:
        """What a chunk's payload hash is made of."""
        said = [self.pledge, self.fact, self.ref, self.old_id, self.expected_version]
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


Advance = Callable[[int], None]
"""Told how many facts are done now."""

Chunk = tuple[str, list[Item], list[Draft]]
"""An idempotency key, and what is recorded under it."""


@dataclass(slots=True)
class Plan:
    """What to record, chunk by chunk: items and their drafts. ``recorded`` facts are in the log already."""

    items: Sequence[Item]
    skip_recorded: bool
    problems: list[Problem] = field(default_factory=list)
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
        items: Sequence[Item],
        problems: Iterable[Problem] = (),
        *,
        skip_recorded: bool = False,
        advance: Advance = lambda _: None,
    ) -> Plan:
        """Check every item on what the log has and what those before it add; nothing is written.

        ``skip_recorded`` leaves out facts that their pledge has word for word, whatever file they came from.

        Errors: ``IdempotencyMismatch`` when the file was imported before as other facts, ``Unavailable``.
        """
        plan = Plan(items, skip_recorded, list(problems))
        references = _References()
        known = _Known(self.tracker) if skip_recorded else None
        bad = {item.pledge for item in items if not item.sound}
        waiting: list[tuple[Item, Draft]] = []
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
                fact, wrong = _read(item, references) if item.sound else (None, [])
                found = known.take(item.pledge, fact) if known is not None and fact is not None else None
                identity = found or event_id(self.clock(), secrets.token_bytes(10))
                wrong += references.keep(item, identity)
                if found is not None:
                    plan.recorded += 1
                elif fact is not None and not wrong:
                    waiting.append((item, Draft(item.pledge, fact, identity, item.expected_version)))
                    continue
                if wrong:
                    plan.problems += wrong
                    bad.add(item.pledge)
        # What follows a bad fact of the same pledge would be refused for its sake.
        sound = not plan.problems
        blind = not {problem.place for problem in plan.problems} <= {item.place for item in items}
        plan.problems += self._refused([pair for pair in waiting if pair[0].pledge not in bad], blind=blind)
        plan.problems.sort(key=_row)
        first = 0 if known is not None else plan.recorded // self.chunk
        for number, pairs in enumerate(_chunks(waiting, self.chunk), start=first):
            kept = [item for item, _ in pairs]
            key = self._key(number) if known is None else self._key(_hash(kept).hex())
            plan.chunks.append((key, kept, [draft for _, draft in pairs]))
        if sound and plan.problems and self._is_recorded(plan.chunks[0]):
            # The same import runs somewhere else as well, and was faster.
            return self.plan(items, skip_recorded=skip_recorded)
        return plan

    def record(self, plan: Plan, advance: Advance = lambda _: None) -> list[Problem]:
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
                        return _problems(items, refused.refusals)
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

    def _record(self, key: str, items: Sequence[Item], drafts: Sequence[Draft]) -> Recorded:
        return self.tracker.record(Request(tuple(drafts), self.by, self.clock(), key, _hash(items)))

    def _refused(self, waiting: Sequence[tuple[Item, Draft]], *, blind: bool) -> list[Problem]:
        """What the log refuses. ``blind``: some row does not even tell its pledge, so that anything may be missing."""
        if not waiting:
            return []
        try:
            self.tracker.preview(Request(tuple(draft for _, draft in waiting), self.by, self.clock()))
        except BatchRefused as refused:
            lost = {waiting[index][1].id for index, _ in refused.refusals}
            own = [
                (index, refusal)
                for index, refusal in refused.refusals
                if not (isinstance(refusal, UnknownEvent) and (blind or _names(waiting[index][1], lost)))
                and not (blind and isinstance(refusal, NotOpened))
            ]
            return _problems([item for item, _ in waiting], own)
        return []

    def _key(self, part: int | str) -> str:
        return f"{self.key} {self.chunk}:{part}"


class _References:
    """The events that later items may name: by ``ref``, or by the id they had in the file."""

    def __init__(self) -> None:
        self.refs: dict[str, tuple[str, str]] = {}
        self.ids: dict[str, tuple[str, str]] = {}

    def keep(self, item: Item, identity: str) -> list[Problem]:
        problems = []
        for name, key, known in (("ref", item.ref, self.refs), ("id", item.old_id, self.ids)):
            if key is not None and known.setdefault(key, (identity, item.place))[0] != identity:
                problems.append(Problem(item.place, name, f'"{key}" is given already, at {known[key][1]}'))
        return problems

    def resolve(self, item: Item) -> tuple[Any, list[Problem]]:
        """The fact with the ids that its references have now."""
        if not isinstance(item.fact, dict):
            return item.fact, []
        fact, problems = item.fact, []
        for path in REFERENCES:
            named = _at(fact, path)
            if isinstance(named, dict) and named.keys() == {"ref"}:
                found = self.refs.get(named["ref"]) if isinstance(named["ref"], str) else None
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

    def take(self, pledge: str, fact: Said | Kept) -> str | None:
        """The id of an event with this very fact, not taken before."""
        if pledge not in self.facts:
            facts: dict[bytes, deque[str]] = defaultdict(deque)
            for event in self.tracker.events_of(pledge):
                facts[_canonical(event.fact)].append(event.id)
            self.facts[pledge] = facts
        found = self.facts[pledge].get(_canonical(fact))
        return found.popleft() if found else None


def _read(item: Item, references: _References) -> tuple[Said | Kept | None, list[Problem]]:
    raw, problems = references.resolve(item)
    if problems:
        return None, problems
    try:
        return read_fact(raw), []
    except InvalidFact as invalid:
        return None, [item.problem(pointer, message) for pointer, message in invalid.problems]


def _problems(items: Sequence[Item], refusals: Iterable[tuple[int, Refusal]]) -> list[Problem]:
    return [items[index].problem(*said) for index, refusal in refusals for said in _said(refusal)]


def _names(draft: Draft, ids: set[str]) -> bool:
    """The fact names one of these events."""
    return any(getattr(draft.fact, name, None) in ids for name in ("event", "of"))


def _row(problem: Problem) -> int:
    return int(problem.place.rpartition(" ")[2])


def _said(refusal: Refusal) -> Iterable[tuple[str, str]]:
    return refusal.problems if isinstance(refusal, InvalidFact) else [(refusal.pointer, refusal.detail)]


def _canonical(fact: Said | Kept) -> bytes:
    return json.dumps(fact_json(fact), sort_keys=True).encode()


def _hash(items: Sequence[Item]) -> bytes:
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
