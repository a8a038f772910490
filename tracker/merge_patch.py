"""Corrections of our own record: JSON merge patches of a fact (RFC 7386), checked as the fact is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracker.errors import InvalidFact
from tracker.event import fact_json
from tracker.fact_reading import read_fact
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


def corrected(posted: AnyFact, patches: Iterable[Mapping[str, Any]]) -> AnyFact:
    """The fact with its corrections applied in order.

    Raises: InvalidFact if what comes out is not a valid fact.
    """
    raw: Any = None
    for patch in patches:
        raw = merge(fact_json(posted) if raw is None else raw, patch)
    return posted if raw is None else read_fact(raw)


def still_fitting(posted: AnyFact, patches: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[AnyFact, tuple[str, ...]]:
    """The fact with those of its corrections, given with their ids in order, that fit still, and their ids.

    One may fit no longer when an earlier one was undone.
    """
    try:
        return corrected(posted, [changes for _, changes in patches]), tuple(id_ for id_, _ in patches)
    except InvalidFact:
        pass
    kept: list[Mapping[str, Any]] = []
    fact, by = posted, list[str]()
    for id_, changes in patches:
        try:
            fact = corrected(posted, [*kept, changes])
        except InvalidFact:
            continue
        kept.append(changes)
        by.append(id_)
    return fact, tuple(by)
