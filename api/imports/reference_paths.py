"""The places where a fact names an event, by its id or by the `ref` of another row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from api.formats.fact_columns import EVENT_PATHS

_IN_FACT = tuple(tuple(path.split(".")) for path in EVENT_PATHS)
REFERENCE_PATHS = (*_IN_FACT, *(("changes", *path) for path in _IN_FACT))
"""The places where a fact names an event; a correction changes such places too."""


_FIRST_NAMES = frozenset(path[0] for path in REFERENCE_PATHS)
_OF_OTHER_PLEDGES = "recorded_as"
"""The place that names an event of another pledge."""


def names_others(fact: Any) -> int:
    """0 of a fact, given as JSON, that names no event, 2 of one that names an event of another pledge, 1 of others."""
    if not isinstance(fact, dict) or _FIRST_NAMES.isdisjoint(fact):
        return 0
    return 2 if _OF_OTHER_PLEDGES in fact else 1


def refers_to_rows(fact: Any) -> bool:
    """Whether a fact, given as JSON, names an event by the `ref` of a row."""
    return any(isinstance(value_at_path(fact, path), dict) for path in REFERENCE_PATHS)


def named_events(fact: Any) -> Iterator[str]:
    """The ids of the events that a fact, given as JSON, names."""
    for path in REFERENCE_PATHS:
        named = value_at_path(fact, path)
        if isinstance(named, str):
            yield named


def value_at_path(value: Any, path: Sequence[str]) -> Any:
    """The value at a path of member names; None if there is none."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def with_value_at_path(value: dict[str, Any], path: Sequence[str], leaf: Any) -> dict[str, Any]:
    """A copy of the object with another value at a path of member names, which MUST be there."""
    name, *rest = path
    return value | {name: with_value_at_path(value[name], rest, leaf) if rest else leaf}
