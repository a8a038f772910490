"""Facts that a file cannot add as it stands, and the refusals that may only follow from their absence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from api.imports.items import ImportItem, ImportProblem
from api.imports.reference_paths import named_events
from tracker.errors import InvalidFact, NotOpened, Refusal, UnknownEvent, VersionConflict
from tracker.event import fact_json
from tracker.requests import Draft

_EVENT_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class PlannedFact:
    """An item that is sound by itself, and the draft of its event."""

    item: ImportItem
    draft: Draft


class MissingFacts:
    """The facts of a pledge that are missing because their rows have problems.

    `any_pledge` is True if a row has no readable pledge id, so that a fact of any pledge may be missing. `place_of`
    finds the row of an event that is only in the file so far.
    """

    def __init__(self, place_of: Callable[[str], str | None], *, any_pledge: bool = False) -> None:
        self._any_pledge, self._place_of = any_pledge, place_of
        self._types: Counter[str] = Counter()
        self._event_ids: set[str] = set()

    def add(self, fact_type: str, event_id: str) -> None:
        """Note a missing fact; `fact_type` is empty where it is not known."""
        self._types[fact_type] += 1
        self._event_ids.add(event_id)

    def unexplained(self, refused: Iterable[tuple[PlannedFact, Refusal]]) -> Iterator[ImportProblem]:
        """The problems of those refusals, in their order, that missing facts do not explain.

        Every refused fact is missing from then on.
        """
        for planned, refusal in refused:
            if not self._explain(refusal, planned.draft):
                yield from _problems(planned.item, refusal, self._place_of)
            self.add(planned.draft.fact.type, planned.draft.id)

    def _explain(self, refusal: Refusal, draft: Draft) -> bool:
        """Whether the refusal may follow from nothing but the absence of missing facts."""
        if isinstance(refusal, VersionConflict):
            short_by = (draft.expected_version or 0) - int(str(refusal.members["version"]))
            return 1 <= short_by <= self._types.total()
        if isinstance(refusal, UnknownEvent):
            return self._any_pledge or not self._event_ids.isdisjoint(named_events(fact_json(draft.fact)))
        if isinstance(refusal, NotOpened) and self._any_pledge:
            return True
        causes = refusal.explained_by_missing
        return bool(causes) and any(fact_type == "" or fact_type in causes for fact_type in self._types)


def _problems(item: ImportItem, refusal: Refusal, place_of: Callable[[str], str | None]) -> Iterator[ImportProblem]:
    """The problems that a refusal has with an item; events that are only in the file are named by their place."""
    found = refusal.problems if isinstance(refusal, InvalidFact) else [(refusal.pointer, refusal.detail)]
    for pointer, message in found:
        told = _EVENT_ID.sub(lambda match: place_of(match[0]) or match[0], message)
        yield item.problem(pointer, told, refusal.code)
