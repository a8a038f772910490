"""Posted JSON as drafts of events: envelopes, ids, references inside a batch, and the place of every mistake."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TypeGuard

from pydantic_core import to_json

from api.http.problems import MAX_ERRORS
from tracker.errors import BatchRefused, InvalidFact, NotOpened, Refusal, TooLarge, UnknownEvent, VersionConflict
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.facts import FACT_TYPES, MAX_FACT_BYTES, AnyFact
from tracker.promise_facts import PledgeMade
from tracker.requests import Draft
from tracker.values import is_slug, slug_of

MAX_BATCH_ITEMS = 10_000
"""Items in one batch at most: one request is one transaction."""

MAX_BATCH_OBJECTS = 150_000
"""JSON objects in one batch at most, fifteen an item: each becomes some two kilobytes of values in memory."""

MAX_BATCH_ENTRIES = 1_000_000
"""Entries of lists in one batch at most: members, tags, steps."""

MAX_REF_CHARACTERS = 100
"""Characters of an item's `ref` at most."""

Refusals = list[tuple[int, Refusal]]
"""The refused items of a batch: their indexes and why each is refused."""


def draft(pledge: str, raw: Any, now: datetime, *, expected_version: int | None = None, at: str = "") -> Draft:
    """One posted fact as a draft with an id of its own; `at` is the JSON Pointer of the fact in the body.

    Raises: TooLarge if the fact is over `MAX_FACT_BYTES`, InvalidFact if it does not have the shape of its type.
    """
    return Draft(pledge, _fact(raw, at), _new_id(now), expected_version)


def opening_draft(raw: Any, now: datetime) -> Draft:
    """The draft of `{"pledge"?, "fact"}` that opens a pledge; a slug that is left out is made from the title.

    Raises: InvalidFact if the body or the fact does not have its shape, NotOpened if the fact is not PledgeMade.
    """
    must_have(raw, needed=("fact",), allowed=("pledge",))
    problems: list[tuple[str, str]] = []
    if "pledge" in raw and not is_slug(raw["pledge"]):
        problems.append(("/pledge", _SLUG_FORM))
    try:
        fact = _fact(raw["fact"], "/fact")
    except InvalidFact as invalid:
        problems.extend(invalid.problems)
    if problems:
        raise InvalidFact(problems[0][1], pointer=problems[0][0], problems=tuple(problems))
    if not isinstance(fact, PledgeMade):
        raise NotOpened("a pledge is opened by a PledgeMade", pointer="/fact/type")
    return Draft(raw.get("pledge") or slug_of(fact.title), fact, _new_id(now))


class BatchDrafts:
    """A batch as it is read: its drafts with their indexes, and as many refusals of other items as an answer tells."""

    def __init__(self) -> None:
        self.drafts: list[tuple[int, Draft]] = []
        self.refusals: Refusals = []
        self.more_items = 0
        self.more_problems = 0
        """Items and problems that are counted, beyond those in `refusals`."""

        self._listed = 0
        self._objects = 0
        self._entries = 0
        self._refs_of: dict[int, set[str]] = {}
        self._refused_openings: dict[str, int] = {}
        self._refused_refs: set[str] = set()

    @property
    def is_sound(self) -> bool:
        """Whether no item is refused."""
        return not self.refusals

    @property
    def may_list(self) -> bool:
        """Whether an answer has room for more problems."""
        return self._listed < MAX_ERRORS

    def add(self, index: int, raw: dict[str, Any], draft: Draft) -> None:
        """Add the draft that an item is.

        Raises: TooLarge if the batch has more objects or entries of lists than it may.
        """
        self._count(raw)
        self.drafts.append((index, draft))
        if refs := _refs_in(raw["fact"]):
            self._refs_of[index] = refs

    def _count(self, raw: Any) -> None:
        """Count what the item holds: all drafts of a batch are in memory together, and so are their events."""
        waiting = [raw]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                self._objects += 1
                waiting += [inner for inner in value.values() if isinstance(inner, (dict, list))]
            else:
                self._entries += len(value)
                waiting += [inner for inner in value if isinstance(inner, (dict, list))]
        if self._objects > MAX_BATCH_OBJECTS or self._entries > MAX_BATCH_ENTRIES:
            raise TooLarge(
                f"a batch has at most {MAX_BATCH_OBJECTS} objects and {MAX_BATCH_ENTRIES} entries of lists; "
                "send it in several"
            )

    def refuse(self, index: int, raw: Any, refusal: Refusal) -> None:
        """Add the refusal of an item, its pointers from the beginning of the body."""
        if self.may_list:
            refusal = below(refusal, f"/{index}")
            if isinstance(refusal, InvalidFact):
                refusal.problems = refusal.problems[:MAX_ERRORS]
            self.refusals.append((index, refusal))
            self._listed += refusal.problem_count
        else:
            self.more_items += 1
            self.more_problems += refusal.problem_count
        if isinstance(raw, dict):
            pledge = raw.get("pledge")
            if isinstance(pledge, str) and is_slug(pledge) and _may_open(raw.get("fact")):
                self._refused_openings.setdefault(pledge, index)
            if _is_ref(ref := raw.get("ref")):
                self._refused_refs.add(ref)

    def independent(self) -> list[tuple[int, Draft]]:
        """The drafts that can be checked although other items are refused: those that do not build on a refused one."""
        return [
            (index, draft)
            for index, draft in self.drafts
            if self._refused_openings.get(draft.pledge, index) >= index
            and self._refused_refs.isdisjoint(self._refs_of.get(index, ()))
        ]


def batch_drafts(items: Iterable[Any], now: datetime) -> BatchDrafts:
    """The drafts and refusals of the items of a batch. No item outlives its turn.

    Raises: InvalidFact if there is no item, TooLarge at the one that is over `MAX_BATCH_ITEMS`, or with which the
    batch holds more than it may.
    """
    batch = BatchDrafts()
    ids: dict[str, str] = {}
    index = -1
    for index, item in enumerate(items):
        if index == MAX_BATCH_ITEMS:
            raise TooLarge(f"a batch has at most {MAX_BATCH_ITEMS} items")
        id_ = _new_id(now)
        try:
            must_have(item, needed=("pledge", "fact"), allowed=("expected_version", "ref"))
            _must_be_an_item(item, ids)
            fact = _fact(_with_event_ids(item["fact"], ids), "/fact", worded=batch.may_list)
        except Refusal as refusal:
            batch.refuse(index, item, refusal.with_traceback(None))
        else:
            batch.add(index, item, Draft(item["pledge"], fact, id_, item.get("expected_version")))
        if isinstance(item, dict) and _is_ref(ref := item.get("ref")):
            ids.setdefault(ref, id_)
    if index < 0:
        raise InvalidFact("a batch is a list of one item or more")
    return batch


def _is_ref(ref: object) -> TypeGuard[str]:
    return isinstance(ref, str) and 0 < len(ref) <= MAX_REF_CHARACTERS


def _may_open(raw: Any) -> bool:
    """Whether the posted fact is, or was meant to be, a PledgeMade."""
    given = raw.get("type") if isinstance(raw, dict) else None
    return not isinstance(given, str) or given not in FACT_TYPES or given == "PledgeMade"


def batch_refusals(refused: BatchRefused, indexes: list[int]) -> Refusals:
    """The tracker's refusals of a batch, by the indexes of the items in the body, their pointers from its beginning."""
    moved: Refusals = []
    for position, refusal in refused.refusals:
        index = indexes[position]
        moved.append((index, below(refusal, f"/{index}" if _is_of_item(refusal) else f"/{index}/fact")))
    return moved


def single_refusal(refused: BatchRefused, prefix: str) -> Refusal:
    """The refusal of the only fact of a request, its pointer below the place of the fact in the body."""
    refusal = refused.refusals[0][1]
    return refusal if _is_of_item(refusal) else below(refusal, prefix)


def below(refusal: Refusal, prefix: str) -> Refusal:
    """The same refusal, with its pointers below `prefix`."""
    if isinstance(refusal, VersionConflict) and not refusal.pointer and prefix:
        refusal.pointer = "/expected_version"
    refusal.pointer = prefix + refusal.pointer
    if isinstance(refusal, InvalidFact):
        refusal.problems = tuple((prefix + pointer, message) for pointer, message in refusal.problems)
    return refusal


def must_have(raw: Any, *, needed: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    """Check that the value is an object with all the needed fields and no others than those and the allowed ones.

    Raises: InvalidFact with a problem for each field that is missing or unknown.
    """
    if not isinstance(raw, dict):
        raise InvalidFact("a JSON object is wanted here")
    problems = [(f"/{name}", "this field is needed") for name in needed if name not in raw]
    problems += [
        ("/" + name.replace("~", "~0").replace("/", "~1"), "there is no such field here")
        for name in raw
        if name not in needed + allowed
    ]
    if problems:
        raise InvalidFact(problems[0][1], pointer=problems[0][0], problems=tuple(problems))


_SLUG_FORM = "a slug is 1 to 128 of a-z, 0-9 and -, and begins with a letter or digit"


def _must_be_an_item(item: dict[str, Any], ids: dict[str, str]) -> None:
    if not is_slug(item["pledge"]):
        raise InvalidFact(_SLUG_FORM, pointer="/pledge")
    expected = item.get("expected_version", 0)
    if not isinstance(expected, int) or isinstance(expected, bool) or not 0 <= expected < 2**53:
        raise InvalidFact("a version is a whole number", pointer="/expected_version")
    if "ref" in item:
        ref = item["ref"]
        if not _is_ref(ref):
            raise InvalidFact(f"a ref is a string of 1 to {MAX_REF_CHARACTERS} characters", pointer="/ref")
        if ref in ids:
            raise InvalidFact("an earlier item has the same ref", pointer="/ref")


def _with_event_ids(raw: Any, ids: dict[str, str]) -> Any:
    """The fact with event ids in the place of the refs of earlier items."""
    if not isinstance(raw, dict):
        return raw
    resolved = dict(raw)
    for name in ("event", "of"):
        given = raw.get(name)
        if not isinstance(given, dict):
            continue
        ref = given.get("ref")
        if len(given) != 1 or not isinstance(ref, str):
            raise InvalidFact('this is an event id, or {"ref": "<ref of an earlier item>"}', pointer=f"/fact/{name}")
        if ref not in ids:
            raise UnknownEvent(f"no earlier item has the ref {ref!r}", pointer=f"/fact/{name}")
        resolved[name] = ids[ref]
    return resolved


def _refs_in(raw: Any) -> set[str]:
    given = [raw.get(name) for name in ("event", "of")] if isinstance(raw, dict) else []
    return {str(value["ref"]) for value in given if isinstance(value, dict) and "ref" in value}


def _fact(raw: Any, at: str, *, worded: bool = True) -> AnyFact:
    try:
        if (size := len(to_json(raw))) > MAX_FACT_BYTES:
            raise TooLarge(f"the fact has {size} bytes, {MAX_FACT_BYTES} are allowed; keep documents outside")
        return read_fact(raw, worded=worded)
    except Refusal as refusal:
        raise below(refusal, at) from None


def _is_of_item(refusal: Refusal) -> bool:
    """Whether a refusal of the tracker is of the item's envelope rather than its fact."""
    return isinstance(refusal, VersionConflict) or refusal.pointer == "/pledge"


class _RandomBytes(threading.local):
    """Random bytes of a thread for the ids of events, drawn for a thousand at a time.

    Each draw gives the interpreter's lock away for some microseconds, too few for another thread to wake up and take
    it, and has that thread wait anew. Drawn at every fact they would hold all others up.
    """

    def __init__(self) -> None:
        self._left: Iterator[bytes] = iter(())

    def take(self) -> bytes:
        """The next ten bytes."""
        for part in self._left:
            return part
        drawn = secrets.token_bytes(10_000)
        self._left = iter([drawn[at : at + 10] for at in range(10, len(drawn), 10)])
        return drawn[:10]

    def forget(self) -> None:
        """Draw anew: a forked process must not make the ids of its parent."""
        self._left = iter(())


_RANDOM = _RandomBytes()
os.register_at_fork(after_in_child=_RANDOM.forget)


def _new_id(now: datetime) -> str:
    return event_id(now, _RANDOM.take())
