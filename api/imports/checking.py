"""A file checked as `tracker import` checks it, and what can be recorded of it as batches for `POST /v1/events`.

The page of imports asks for it. It writes nothing: whoever records the batches, or proposes their facts, does it with a
key of his own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic_core import from_json, to_json

from api.imports.files import ImportFile, Read
from api.imports.importer import MAX_CHUNK_FACTS, Importer
from api.imports.items import ImportProblem, Noted
from api.imports.reference_paths import REFERENCE_PATHS, named_events, value_at_path, with_value_at_path
from api.imports.releases import ReleaseDifference, difference_of
from api.imports.spool import ItemSpool, PlannedItem
from tracker.application import Tracker

BATCH_FACTS = 500
"""Facts of a batch, so that progress is seen and a cancelled import stops soon."""

_TOO_FAR = "it names a fact so far above it that only `tracker import` can record this file"


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """Facts that are recorded together: the key to send them with, a line of JSON for each, and of each the place in
    the file and a hash of its line.
    """

    key: str
    lines: bytes
    rows: list[tuple[str, str]]


@dataclass(slots=True)
class CheckedFile:
    """The outcome of a check: problems, or `facts` to record, in batches. `recorded` are there already, word for word.

    `problems` are the first ones, of so many in all.
    """

    problems: list[ImportProblem] = field(default_factory=list)
    problems_total: int = 0
    facts: int = 0
    recorded: int = 0
    left_out: Noted = field(default_factory=Noted)
    remarks: Noted = field(default_factory=Noted)
    difference: ReleaseDifference | None = None
    batches: Iterator[ImportBatch] = field(default_factory=lambda: iter(()))


def check_file(
    file: ImportFile,
    spool: ItemSpool,
    tracker: Tracker,
    clock: Callable[[], datetime],
    *,
    restate: bool = False,
    max_problems: int,
    go_on: Callable[[], None] = lambda: None,
) -> CheckedFile:
    """Check a file against the log, by way of an empty spool, which the batches are made from.

    Facts that their pledge has word for word are left out of the batches. `go_on` is called between rows and facts, and
    stops the check by raising.

    Raises: UnreadableFile, BadMap, Unavailable as `tracker import` tells them.
    """
    spool.fill(_watched(file.read(), go_on))
    spool.order(oldest_first=file.oldest_first)
    found = CheckedFile(left_out=file.left_out, remarks=file.remarks)
    head = tracker.log.head()
    if (follow := file.follow) is not None:
        day = file.released_on or clock().date()
        found.difference = difference_of(spool, tracker.log, follow.name, day, ours=follow.ours, restate=restate)
    plan = Importer(tracker, f"check {head}", "import", clock).plan(
        spool, skip_recorded=True, advance=lambda _: go_on()
    )
    found.recorded = plan.recorded
    if not plan.problems:
        references = _References(spool)
        found.facts, found.batches = plan.size, _batches(spool, references, head)
        for problem in references.problems:
            plan.problems.add_found(problem)
    if plan.problems:
        found.facts, found.batches = 0, iter(())
    found.problems, found.problems_total = list(plan.problems.first(max_problems)), len(plan.problems)
    return found


def _watched(read: Iterator[Read], go_on: Callable[[], None]) -> Iterator[Read]:
    for found in read:
        go_on()
        yield found


class _References:
    """Which of the planned facts name each other. Those that do are recorded in one batch."""

    def __init__(self, spool: ItemSpool) -> None:
        self.problems: list[ImportProblem] = []
        """Facts that name one of another batch, whose id is not known here."""
        self._places: dict[str, int] = {}
        self.size = BATCH_FACTS
        naming = [
            (place, planned.place, event)
            for place, planned in enumerate(spool.planned())
            if planned.names_others
            for event in named_events(from_json(planned.fact))
        ]
        if not naming:
            return
        named = {event for _, _, event in naming}
        for place, planned in enumerate(spool.planned()):
            if planned.event in named:
                self._places[planned.event] = place
        if self._places:
            self.size = MAX_CHUNK_FACTS
        self.problems += [
            ImportProblem(row, "", _TOO_FAR)
            for place, row, event in naming
            if event in self._places and self._places[event] < place - place % self.size
        ]

    def line(self, planned: PlannedItem) -> bytes:
        """The line of a fact: a fact of the file is named by a `ref`."""
        item: dict[str, Any] = {"pledge": planned.pledge, "fact": from_json(planned.fact)}
        for path in REFERENCE_PATHS if planned.names_others else ():
            place = self._places.get(str(value_at_path(item["fact"], path)))
            if place is not None:
                item["fact"] = with_value_at_path(item["fact"], path, {"ref": f"row-{place}"})
        if (own := self._places.get(planned.event)) is not None:
            item["ref"] = f"row-{own}"
        return to_json(item)


def _batches(spool: ItemSpool, references: _References, head: int) -> Iterator[ImportBatch]:
    """The planned facts in batches; facts of one file that name each other are in one batch."""
    planned = spool.planned()
    while some := list(islice(planned, references.size)):
        lines = [references.line(item) for item in some]
        content = b"\n".join(lines)
        rows = [(item.place, hashlib.sha256(line).hexdigest()) for item, line in zip(some, lines, strict=True)]
        yield ImportBatch(f"import-{head}-{hashlib.sha256(content).hexdigest()}", content, rows)
