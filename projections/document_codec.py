"""Documents as they are stored: compressed one by one, with the words that all of them share given in advance.

A status document of 1,800 bytes is stored in about 250; to unpack it takes some 6 µs, less than to read it unpacked.
Where very many events caused a status, `because` is stored with their versions, and their ids come from the log.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

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

_WITH_VERSIONS = b"\0"  # no zlib stream begins with it


def pack(document: dict[str, Any], versions: Mapping[str, int]) -> bytes:
    """The document as stored; `versions` are those of the pledge's events, by id."""
    because = document["because"]
    if sum(map(len, because.values())) < MAX_STORED_IDS:
        return _deflated(to_json(document))
    spans: dict[int, str] = {}
    for ids in because.values():
        if id(ids) not in spans:
            spans[id(ids)] = _spans([*map(versions.__getitem__, ids)])
    brief = {**document, "because": {name: spans[id(ids)] for name, ids in because.items()}}
    return _WITH_VERSIONS + _deflated(to_json(brief))


def needs_ids(stored: bytes) -> bool:
    """Whether the ids of the pledge's events are needed to unpack a stored document."""
    return stored.startswith(_WITH_VERSIONS)


def brief(stored: bytes) -> dict[str, Any]:
    """The document as an object; where ids are needed, `because` has versions as text in place of the ids."""
    document: dict[str, Any] = from_json(_inflated(stored.removeprefix(_WITH_VERSIONS)))
    return document


def unpack(stored: bytes, ids: Sequence[str] = ()) -> bytes:
    """The document that was packed; `ids` are those of the pledge's events by version, where they are needed."""
    if not needs_ids(stored):
        return _inflated(stored)
    document = brief(stored)
    named = {spans: [ids[version - 1] for version in _versions(spans)] for spans in set(document["because"].values())}
    document["because"] = {name: named[spans] for name, spans in document["because"].items()}
    return to_json(document)


def _deflated(document: bytes) -> bytes:
    packer = zlib.compressobj(1, zdict=_SHARED_WORDS)
    return packer.compress(document) + packer.flush()


def _inflated(packed: bytes) -> bytes:
    return _unpacked_before(packed) if len(packed) <= MAX_KEPT_BYTES else _unzipped(packed)


def _unzipped(packed: bytes) -> bytes:
    return zlib.decompressobj(zdict=_SHARED_WORDS).decompress(packed)


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
