"""Facts that a file cannot add as it stands, and the refusals that may only follow from their absence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.imports.items import ImportItem, ImportProblem
from api.imports.references import named_events
from tracker.errors import InvalidFact, NotOpened, Refusal, UnknownEvent, VersionConflict
from tracker.event import fact_json
from tracker.requests import Draft
from tracker.values import is_slug

_EVENT_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class PlannedFact:
    """An item that is sound by itself, and the draft of its event."""

    item: ImportItem
    draft: Draft


class MissingFacts:
    """The facts that are missing because their rows have problems, by pledge and type.

    `any_pledge` is True if a row has no readable pledge id, so that a fact of any pledge may be missing.
    """

    def __init__(self, *, any_pledge: bool = False) -> None:
        self._any_pledge = any_pledge
        self._types: defaultdict[str, list[str]] = defaultdict(list)
        self._event_ids: set[str] = set()

    def add(self, pledge: str, fact_type: str, event_id: str) -> None:
        """Note a missing fact; `fact_type` is empty where it is not known."""
        self._types[pledge].append(fact_type)
        self._event_ids.add(event_id)
        self._any_pledge |= not is_slug(pledge)

    def unexplained(self, planned: Sequence[PlannedFact], refusals: Mapping[int, Refusal]) -> list[ImportProblem]:
        """The problems of those refusals, by index, that missing facts do not explain.

        Every refused fact is missing from then on.
        """
        problems: list[ImportProblem] = []
        places = {fact.draft.id: fact.item.place for fact in planned}
        for index, refusal in refusals.items():
            item, draft = planned[index].item, planned[index].draft
            if not self._explain(refusal, draft):
                problems += _problems(item, refusal, places)
            self.add(draft.pledge, draft.fact.type, draft.id)
        return problems

    def _explain(self, refusal: Refusal, draft: Draft) -> bool:
        """Whether the refusal may follow from nothing but the absence of missing facts."""
        types = self._types[draft.pledge]
        if isinstance(refusal, VersionConflict):
            short_by = (draft.expected_version or 0) - int(str(refusal.members["version"]))
            return 1 <= short_by <= len(types)
        if isinstance(refusal, UnknownEvent):
            return self._any_pledge or not self._event_ids.isdisjoint(named_events(fact_json(draft.fact)))
        if isinstance(refusal, NotOpened) and self._any_pledge:
            return True
        causes = refusal.explained_by_missing
        return bool(causes) and any(fact_type == "" or fact_type in causes for fact_type in types)


def _problems(item: ImportItem, refusal: Refusal, places: Mapping[str, str]) -> list[ImportProblem]:
    """The problems that a refusal has with an item; events that are only in the file so far are named by `places`."""
    found = refusal.problems if isinstance(refusal, InvalidFact) else [(refusal.pointer, refusal.detail)]
    return [
        item.problem(pointer, _EVENT_ID.sub(lambda match: places.get(match[0], match[0]), message), refusal.code)
        for pointer, message in found
    ]
