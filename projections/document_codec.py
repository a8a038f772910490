"""Documents as they are stored: compressed, each against what it shares with those of other days.

What a document says whatever the day is its outline, which is stored once: a deadline that passes is a small difference
to it. An outline of 1,500 bytes takes about 400, a document on top of it 150. An outline follows from the document
alone, so that equal documents are stored as equal rows.
Where very many events caused a status, `because` is stored with their versions, and their ids come from the log.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

# Never changed in place: a document packed with it can be read with it alone. Another one needs another
# `runner.PROJECTION_VERSION`. zlib finds matches near the end cheapest, so that is where the commonest words stand.
_SHARED_WORDS = (
    b'"members":{"eligible":,"met":,"not_met":,"not_applicable":,"opted_out":,"not_reported":,"total":,"projected":'
    b'"milestones":[{"milestone":"","due":"","first_due":"","state":"reached","late":false,"stated_on":"","event":"'
    b'"shares":[{"subset":"","share":{"op":"gt","value":"50","unit":"percent:"},"of":"","bound":{},"derived":true,'
    b'"conversion":{"from":"USD","to":"EUR","rate":"1.0","date":"2025-","provider":"ECB"},"original":{"target":'
    b'"projection":{"quantity":{"op":"approx","value":"000000000","unit":"EUR","text":"about billion"},"stage":"'
    b'"assessment":{"rating":"","rubric":"","rubric_version":"","reasoning":"","other_measures":[{"quantity":'
    b'"withdrawn" "superseded" "not_measurable" "exceeded" "met" "partly_met" "missed" "indeterminate" "overdue"'
    b'"disputed","suspected_unit_error","falling_total","overlap","assertion_conflict","unproven_claim","converted"'
    b'"tally_mismatch","late","revised_target","provisional","stale","allocated","disbursed","delivered","pledged"'
    b'{"pledge":"","title":"At least billion of assistance","pledgor":{"name":"","code":""},"beneficiary":null,'
    b'"beneficiary":{"name":"","code":""},"kind":"milestone" "qualitative" "count" "ratio","kind":"money","tags":["'
    b'"],"part_of":"","status":"announced","status":"in_progress","flags":["single_source"],"target":null,"actual":null,'
    b'"ratio":null,"stage":null,"period":null,"window":null,"target":{"op":"ge","value":"0000000000","unit":"EUR"},'
    b'"actual":{"op":"eq","value":"000000000","unit":"EUR"},"ratio":{"op":"eq","value":"0."},"stage":"committed",'
    b'"period":{"start":"2024-01-01","end":"2024-12-31"},"window":{"start":"2024-01-01","end":"2024-12-31"},'
    b'"latest":"2025-12-31","text":"this year"},"direction":"up","required_stage":null,"schedule":{"current":'
    b'"no_deadline","original":"due_soon","current":"overdue","original":"overdue"},"schedule":{"current":"open",'
    b'"original":"open"},"trajectory":"unknown","ahead","on_track","behind","claimed_trajectory":[],"evidence":"none",'
    b'"corroborated","retracted","evidence":"single_source","lifecycle":"active","past_targets":[],"because":{"status":["'
    b'"],"lifecycle":["","schedule":["","trajectory":["","evidence":["","target":["","actual":["","ratio":["'
    b'"],"single_source":["","stale":["0"]},"tolerance":"0.05","rules_version":"1+ecb-0.18.","last_stated_on":"2024-'
)


MAX_STORED_IDS = 100
"""Event ids in `because`, all together, from which on they are stored as versions: a sum has many increments."""

KEPT_DOCUMENTS, MAX_KEPT_BYTES = 1_024, 1_024
"""Documents that a process keeps unpacked, and how long they are at most as stored: after an event a list is asked for
anew, and all but one of its documents are those of before."""

_LASTING = ("lifecycle", "evidence", "target", "actual", "ratio", "progress", "projection", "members")
"""The members of `because` that are the same on most days of an outline."""

_WITH_VERSIONS = b"\0"  # no zlib stream begins with it


class PackedDocument(NamedTuple):
    """A document as stored: which outline it has, that as JSON, and the document against it."""

    outline: bytes
    outline_json: bytes
    body: bytes


class StoredDocument(NamedTuple):
    """What the tables have of a document: its own body, and that of its outline."""

    body: bytes
    outline: bytes = b""
    """Empty in sets of older versions, where a document stands by itself."""


def pack(document: Mapping[str, Any], outline: Mapping[str, Any], versions: Mapping[str, int]) -> PackedDocument:
    """The document as stored; `outline` has its members, those that depend on the day as None; `versions` are those
    of the pledge's events, by id.
    """
    because, prefix = document["because"], b""
    if sum(map(len, because.values())) >= MAX_STORED_IDS:
        spans: dict[int, str] = {}
        for ids in because.values():
            if id(ids) not in spans:
                spans[id(ids)] = _spans([*map(versions.__getitem__, ids)])
        because, prefix = {name: spans[id(ids)] for name, ids in because.items()}, _WITH_VERSIONS
    shared = to_json({**outline, "because": {name: because[name] for name in _LASTING if name in because}})
    packer = zlib.compressobj(1, zdict=shared)
    body = packer.compress(to_json({**document, "because": because})) + packer.flush()
    return PackedDocument(blake2b(shared, digest_size=16).digest(), shared, prefix + body)


def pack_outline(outline_json: bytes) -> bytes:
    """An outline as stored."""
    packer = zlib.compressobj(1, zdict=_SHARED_WORDS)
    return packer.compress(outline_json) + packer.flush()


def needs_ids(stored: StoredDocument) -> bool:
    """Whether the ids of the pledge's events are needed to unpack a stored document."""
    return stored.body.startswith(_WITH_VERSIONS)


def brief(stored: StoredDocument) -> dict[str, Any]:
    """The document as an object; where ids are needed, `because` has versions as text in place of the ids."""
    document: dict[str, Any] = from_json(_inflated(stored._replace(body=stored.body.removeprefix(_WITH_VERSIONS))))
    return document


def unpack(stored: StoredDocument, ids: Sequence[str] = ()) -> bytes:
    """The document that was packed; `ids` are those of the pledge's events by version, where they are needed."""
    if not needs_ids(stored):
        return _inflated(stored)
    document = brief(stored)
    named = {spans: [ids[version - 1] for version in _versions(spans)] for spans in set(document["because"].values())}
    document["because"] = {name: named[spans] for name, spans in document["because"].items()}
    return to_json(document)


def _inflated(stored: StoredDocument) -> bytes:
    is_short = len(stored.body) + len(stored.outline) <= MAX_KEPT_BYTES
    return _unpacked_before(*stored) if is_short else _unzipped(*stored)


def _unzipped(body: bytes, outline: bytes) -> bytes:
    shared = zlib.decompressobj(zdict=_SHARED_WORDS).decompress(outline) if outline else _SHARED_WORDS
    return zlib.decompressobj(zdict=shared).decompress(body)


_unpacked_before = lru_cache(KEPT_DOCUMENTS)(_unzipped)


def _spans(versions: Sequence[int]) -> str:
    """Ascending numbers as text: "1-4,7" for 1, 2, 3, 4 and 7."""
    found: list[str] = []
    at = 0
    while at < len(versions):
        end = _end_of_run(versions, at)
        first, last = versions[at], versions[end - 1]
        found.append(str(first) if first == last else f"{first}-{last}")
        at = end
    return ",".join(found)


def _end_of_run(versions: Sequence[int], at: int) -> int:
    """The place behind the numbers that follow one another from a place on, found in steps that double."""
    first, size, whole = versions[at], 1, len(versions) - at
    while size < whole and versions[at + size] - first == size:
        size *= 2
    behind = range(size // 2, min(size, whole))
    return at + size // 2 + bisect_right(behind, 0, key=lambda place: versions[at + place] - first - place)


def _versions(spans: str) -> Iterator[int]:
    for span in spans.split(",") if spans else ():
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)
