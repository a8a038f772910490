"""Corrections of our own record: JSON merge patches of a fact (RFC 7386), checked as the fact is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tracker.errors import InvalidFact
from tracker.event import fact_json
from tracker.fact_decoding import UPCASTS, Undecodable, Upcast, decode_fact, in_todays_shape
from tracker.fact_reading import read_fact, read_recorded_fact
from tracker.facts import AnyFact

_QUANTITY = {"op", "value", "upper", "unit"}


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386 §2, with one rule of ours: a quantity that changes loses its `text` unless it is given a new one."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    if {"op", "unit", "text"} <= merged.keys() and _QUANTITY & patch.keys() and "text" not in patch:
        del merged["text"]
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def corrected(posted: AnyFact, recorded: Iterable[Mapping[str, Any]], changes: Mapping[str, Any]) -> AnyFact:
    """The posted fact with the corrections on record and then new changes, checked as a fact is.

    What today's rules would refuse in the fact without the changes is not held against them.

    Raises: InvalidFact if what comes out is not a valid fact.
    """
    patches = [*_in_todays_shape(posted, recorded), changes]
    try:
        return read_fact(_merged(posted, patches))
    except InvalidFact as invalid:
        if not set(invalid.problems) <= _problems(_merged(posted, patches[:-1]) or fact_json(posted)):
            raise
    return corrected_on_record(posted, patches)


def corrected_on_record(
    posted: AnyFact, patches: Iterable[Mapping[str, Any]], upcasts: Sequence[Upcast] = UPCASTS
) -> AnyFact:
    """The recorded fact with corrections of the record: no table of today refuses what stands there (DOMAIN §3).

    A fact that today's rules would refuse as it was posted is corrected without a check. A correction in the words of
    an older version changes what those are called today.

    Raises: InvalidFact if the corrections do not fit the fact, as where an earlier one of them was voided.
    """
    raw = _merged(posted, _in_todays_shape(posted, patches, upcasts))
    if raw is None:
        return posted
    try:
        return read_recorded_fact(raw)
    except InvalidFact:
        if not _problems(fact_json(posted), read_recorded_fact):
            raise
    try:
        return decode_fact(raw)
    except Undecodable as wrong:
        raise InvalidFact(str(wrong)) from None


def corrected_by(posted: AnyFact, patches: Sequence[tuple[str, Any]]) -> tuple[AnyFact, tuple[str, ...]]:
    """The fact with those corrections that still fit, in order, and their ids; `patches` are ids with corrections."""
    try:
        return corrected_on_record(posted, [patch.changes for _, patch in patches]), tuple(id_ for id_, _ in patches)
    except InvalidFact:
        pass
    changes: list[dict[str, Any]] = []
    fact, by = posted, []
    for id_, correction in patches:
        try:
            fact = corrected_on_record(posted, [*changes, correction.changes])
        except InvalidFact:
            continue
        changes.append(correction.changes)
        by.append(id_)
    return fact, tuple(by)


def _in_todays_shape(
    posted: AnyFact, patches: Iterable[Mapping[str, Any]], upcasts: Sequence[Upcast] = UPCASTS
) -> list[Mapping[str, Any]]:
    return [in_todays_shape(posted.type, patch, upcasts) for patch in patches]


def _merged(posted: AnyFact, patches: Iterable[Mapping[str, Any]]) -> Any:
    """The JSON of the fact with the patches; None without any."""
    raw: Any = None
    for patch in patches:
        raw = merge(fact_json(posted) if raw is None else raw, patch)
    return raw


def _problems(raw: Any, read: Callable[[Any], AnyFact] = read_fact) -> set[tuple[str, str]]:
    """What is wrong with a fact, as pairs of a JSON Pointer and a sentence; nothing of a valid one."""
    try:
        read(raw)
    except InvalidFact as invalid:
        return set(invalid.problems)
    return set()
