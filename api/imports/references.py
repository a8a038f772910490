"""How the facts of a file name events: by the `ref` of an earlier row, or by the id that an exported event had."""

from __future__ import annotations

from typing import Any

from api.imports.items import ImportProblem
from api.imports.reference_paths import REFERENCE_PATHS, value_at_path, with_value_at_path
from api.imports.spool import ItemSpool, SpooledItem


class EventReferences:
    """The events that items may name, with the ids they get in the log: of items before them, and of the log."""

    def __init__(self, spool: ItemSpool) -> None:
        self._spool = spool
        self._repeats_names = spool.repeats_names

    def problems_of_names(self, spooled: SpooledItem) -> list[ImportProblem]:
        """A problem for each name of an item that an earlier item has already."""
        item, problems = spooled.item, []
        if not self._repeats_names or not item.certain:
            return []
        for field, name, find in (("ref", item.ref, self._spool.by_ref), ("id", item.old_id, self._spool.by_old_id)):
            known = None if name is None else find(name, spooled.rank)
            if known is not None and known[0] != spooled.event:
                problems.append(ImportProblem(item.place, field, f'"{name}" is given already, at {known[1]}'))
        return problems

    def resolve(self, spooled: SpooledItem) -> tuple[Any, list[ImportProblem]]:
        """The item's fact with ids of the log in its references, and a problem for each `ref` that no item has."""
        item = spooled.item
        if not spooled.names_others:
            return item.fact, []
        fact, problems = item.fact, []
        for path in REFERENCE_PATHS:
            named = value_at_path(fact, path)
            if isinstance(named, dict) and named.keys() == {"ref"}:
                ref = named["ref"] if isinstance(named["ref"], str) else ""
                found = self._spool.by_ref(ref, spooled.rank) or self._spool.by_uncertain_ref(ref, spooled.rank)
                if found is None:
                    problems.append(item.problem(f"/{'/'.join(path)}", f'no earlier row has the ref "{named["ref"]}"'))
                    continue
            elif not isinstance(named, str) or (found := self._spool.by_old_id(named, spooled.rank)) is None:
                continue
            fact = with_value_at_path(fact, path, found[0])
        return fact, problems
