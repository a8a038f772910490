"""How the facts of a file name events: by the `ref` of an earlier row, or by the id that an exported event had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.formats.fact_columns import EVENT_PATHS
from api.imports.items import ImportItem, ImportProblem

_IN_FACT = tuple(tuple(path.split(".")) for path in EVENT_PATHS)
REFERENCE_PATHS = (*_IN_FACT, *(("changes", *path) for path in _IN_FACT))
"""The places where a fact names an event; a correction changes such places too."""


class EventReferences:
    """The events that later items may name, with the ids they get in the log; some are there already, by `ref`."""

    def __init__(self, recorded: Mapping[str, str] | None = None) -> None:
        self._by_ref = {ref: (event_id, "the record") for ref, event_id in (recorded or {}).items()}
        self._by_old_id: dict[str, tuple[str, str]] = {}
        self._uncertain: dict[str, tuple[str, str]] = {}

    def add(self, item: ImportItem, event_id: str) -> list[ImportProblem]:
        """Let later items name the event; a problem for each name that an earlier item has already."""
        if not item.certain:
            self._uncertain[item.ref or ""] = (event_id, item.place)
            return []
        problems = []
        for field, name, known in (("ref", item.ref, self._by_ref), ("id", item.old_id, self._by_old_id)):
            if name is not None and known.setdefault(name, (event_id, item.place))[0] != event_id:
                problems.append(ImportProblem(item.place, field, f'"{name}" is given already, at {known[name][1]}'))
        return problems

    def resolve(self, item: ImportItem) -> tuple[Any, list[ImportProblem]]:
        """The item's fact with ids of the log in its references, and a problem for each `ref` that no item has."""
        if not isinstance(item.fact, dict):
            return item.fact, []
        fact, problems = item.fact, []
        for path in REFERENCE_PATHS:
            named = value_at_path(fact, path)
            if isinstance(named, dict) and named.keys() == {"ref"}:
                ref = named["ref"] if isinstance(named["ref"], str) else ""
                found = self._by_ref.get(ref) or self._uncertain.get(ref)
                if found is None:
                    problems.append(item.problem(f"/{'/'.join(path)}", f'no earlier row has the ref "{named["ref"]}"'))
                    continue
            elif isinstance(named, str) and named in self._by_old_id:
                found = self._by_old_id[named]
            else:
                continue
            fact = with_value_at_path(fact, path, found[0])
        return fact, problems


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
