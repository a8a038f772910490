"""A file checked as `tracker import` checks it, and what can be recorded of it as batches for `POST /v1/events`.

The page of imports asks for it. It writes nothing: whoever records the batches does it with a key of his own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from api.imports.bounds import MAX_ROWS
from api.imports.files import is_iati, read_items
from api.imports.iati import FOLLOWED_AS
from api.imports.importer import MAX_CHUNK_FACTS, Importer
from api.imports.items import ImportItem, ImportProblem
from api.imports.missing_facts import PlannedFact
from api.imports.references import REFERENCE_PATHS, value_at_path, with_value_at_path
from api.imports.releases import ReleaseDifference, difference_of
from api.imports.sheet_map import Follow, SheetMap
from tracker.application import Tracker
from tracker.event import fact_json

BATCH_FACTS = 500
"""Facts of a batch, so that progress is seen and a cancelled import stops soon."""


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """Facts that are recorded together: the key to send them with, their number, and a line of JSON for each."""

    key: str
    facts: int
    lines: bytes


@dataclass(slots=True)
class CheckedFile:
    """The outcome of a check: problems, or batches. `recorded` facts are there already, word for word."""

    problems: list[ImportProblem] = field(default_factory=list)
    batches: list[ImportBatch] = field(default_factory=list)
    recorded: int = 0
    left_out: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    difference: ReleaseDifference | None = None

    @property
    def facts(self) -> int:
        """The number of facts to record."""
        return sum(batch.facts for batch in self.batches)


def check_file(
    path: Path,
    tracker: Tracker,
    clock: Callable[[], datetime],
    *,
    mapping: SheetMap | None = None,
    sheet: str | None = None,
    ignored: Collection[str] = (),
    released_on: date | None = None,
    restate: bool = False,
    max_rows: int = MAX_ROWS,
) -> CheckedFile:
    """Check a file against the log. Facts that their pledge has word for word are left out of the batches.

    Raises: UnreadableFile, BadMap, Unavailable as `tracker import` tells them.
    """
    found = CheckedFile()
    day = released_on or clock().date()
    items: Sequence[ImportItem]
    items, problems = read_items(
        path,
        mapping=mapping,
        sheet=sheet,
        ignored=ignored,
        released_on=day,
        max_rows=max_rows,
        note_left_out=found.left_out.append,
        note_remark=found.remarks.append,
    )
    follow = Follow(name=FOLLOWED_AS) if is_iati(path) else None if mapping is None else mapping.follow
    refs: dict[str, str] = {}
    if follow is not None:
        difference = difference_of(items, tracker, follow.name, day, ours=follow.ours)
        items = [*difference.new, *(difference.changed if restate else ())]
        found.difference, refs = difference, difference.recorded_refs
    head = tracker.log.head()
    importer = Importer(tracker, f"check {head}", "import", clock)
    plan = importer.plan(items, problems, skip_recorded=True, recorded_refs=refs)
    found.problems, found.recorded = list(plan.problems), plan.recorded
    if not found.problems:
        try:
            found.batches = _batches([fact for chunk in plan.chunks for fact in chunk.facts], head)
        except _TooFarApart as apart:
            found.problems.append(apart.problem)
    return found


class _TooFarApart(Exception):
    """A fact names another one that is recorded in another batch, whose id is not known here."""

    def __init__(self, problem: ImportProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _batches(facts: Sequence[PlannedFact], head: int) -> list[ImportBatch]:
    """The facts in batches; facts of one file that name each other are in one batch."""
    places = {fact.draft.id: index for index, fact in enumerate(facts)}
    bodies = [fact_json(fact.draft.fact) for fact in facts]
    named = {place for body in bodies for id_ in _named(body) if (place := places.get(id_)) is not None}
    size = MAX_CHUNK_FACTS if named else BATCH_FACTS
    found: list[ImportBatch] = []
    for start in range(0, len(facts), size):
        lines: list[bytes] = []
        for index in range(start, min(start + size, len(facts))):
            item: dict[str, Any] = {"pledge": facts[index].draft.pledge, "fact": bodies[index]}
            for path in REFERENCE_PATHS:
                place = places.get(str(value_at_path(item["fact"], path)))
                if place is None:
                    continue
                if place < start:
                    sentence = "it names a fact so far above it that only `tracker import` can record this file"
                    raise _TooFarApart(ImportProblem(facts[index].item.place, "", sentence))
                item["fact"] = with_value_at_path(item["fact"], path, {"ref": f"row-{place}"})
            if index in named:
                item["ref"] = f"row-{index}"
            lines.append(to_json(item))
        content = b"\n".join(lines)
        found.append(ImportBatch(f"import-{head}-{hashlib.sha256(content).hexdigest()}", len(lines), content))
    return found


def _named(body: dict[str, Any]) -> list[str]:
    return [id_ for path in REFERENCE_PATHS if isinstance(id_ := value_at_path(body, path), str)]
