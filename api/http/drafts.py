"""Posted JSON as drafts of events: envelopes, ids, references inside a batch, and the place of every mistake."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from tracker.application import Draft
from tracker.errors import BatchRefused, InvalidFact, NotOpened, Refusal, TooLarge, UnknownEvent, VersionConflict
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.facts import FACT_TYPES, MAX_FACT_BYTES, AnyFact
from tracker.promise_facts import PledgeMade
from tracker.values import is_slug, slug_of

MAX_BATCH_ITEMS = 10_000
"""Items in one batch at most: one request is one transaction."""

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


def batch_drafts(raw: Any, now: datetime) -> tuple[list[tuple[int, Draft]], Refusals]:
    """The drafts of a batch with their indexes, and the refusals of the other items.

    Raises: InvalidFact if the body is no list of one item or more, TooLarge if it has over `MAX_BATCH_ITEMS`.
    """
    if not isinstance(raw, list) or not raw:
        raise InvalidFact("a batch is a list of one item or more")
    if len(raw) > MAX_BATCH_ITEMS:
        raise TooLarge(f"a batch has at most {MAX_BATCH_ITEMS} items, this one has {len(raw)}")
    drafts: list[tuple[int, Draft]] = []
    refusals: Refusals = []
    ids: dict[str, str] = {}
    for index, item in enumerate(raw):
        id_ = _new_id(now)
        try:
            must_have(item, needed=("pledge", "fact"), allowed=("expected_version", "ref"))
            _must_be_an_item(item, ids)
            fact = _fact(_with_event_ids(item["fact"], ids), "/fact")
            drafts.append((index, Draft(item["pledge"], fact, id_, item.get("expected_version"))))
        except Refusal as refusal:
            refusals.append((index, below(refusal, f"/{index}")))
        if isinstance(item, dict) and isinstance(ref := item.get("ref"), str):
            ids.setdefault(ref, id_)
    return drafts, refusals


def independent_drafts(raw: list[Any], drafts: list[tuple[int, Draft]], refusals: Refusals) -> list[tuple[int, Draft]]:
    """The drafts that can be checked although other items are refused: those that do not build on a refused item."""
    bad = {index: raw[index] for index, _ in refusals if isinstance(raw[index], dict)}
    openings: dict[str, int] = {}
    for index, item in sorted(bad.items(), reverse=True):
        if _may_open(item.get("fact")):
            openings[str(item.get("pledge"))] = index
    refs = {str(item["ref"]) for item in bad.values() if "ref" in item}
    return [
        (index, draft)
        for index, draft in drafts
        if openings.get(draft.pledge, index) >= index and not refs.intersection(_refs_in(raw[index]["fact"]))
    ]


def _may_open(raw: Any) -> bool:
    """Whether the posted fact is, or was meant to be, a PledgeMade."""
    return not isinstance(raw, dict) or raw.get("type") not in FACT_TYPES or raw["type"] == "PledgeMade"


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
        if not isinstance(ref, str) or not 0 < len(ref) <= MAX_REF_CHARACTERS:
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


def _fact(raw: Any, at: str) -> AnyFact:
    try:
        if (size := len(to_json(raw))) > MAX_FACT_BYTES:
            raise TooLarge(f"the fact has {size} bytes, {MAX_FACT_BYTES} are allowed; keep documents outside")
        return read_fact(raw)
    except Refusal as refusal:
        raise below(refusal, at) from None


def _is_of_item(refusal: Refusal) -> bool:
    """Whether a refusal of the tracker is of the item's envelope rather than its fact."""
    return isinstance(refusal, VersionConflict) or refusal.pointer == "/pledge"


def _new_id(now: datetime) -> str:
    return event_id(now, secrets.token_bytes(10))
