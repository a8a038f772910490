"""The next release of a sheet: its rows, known by their keys, against what its earlier releases recorded.

What the sheet says otherwise now is a `FigureRestated` of the day of the release, or a correction where the sheet is
our own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from api.imports.items import ImportItem, ImportProblem
from api.imports.known_rows import KnownRow, KnownRows, RowInForce, cells_of, figure_json
from api.imports.reference_paths import refers_to_rows
from api.imports.spool import ItemSpool
from tracker.errors import InvalidFact
from tracker.event import fact_json
from tracker.fact_reading import read_fact
from tracker.facts import AnyFact, MemberReported, figure_in
from tracker.log.recorder import LogRecorder

ChangeKind = Literal["new", "restated", "corrected", "reported again", "by hand", "vanished"]
"""What becomes of a row. A row that is to be changed "by hand" is not recorded: no fact says what it changed."""

MAX_KEPT_CHANGES = 1_000
"""Rows of a difference that can be shown, at most; all are counted."""

_MEMBER_PATHS = ("verdict", "on", "nature")
"""The fields of a MemberReported that a later report replaces beside its figure."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of the difference: its place, key and pledge, what becomes of it, and which cells say what now."""

    place: str
    key: str
    pledge: str
    kind: ChangeKind
    what: str


@dataclass(slots=True)
class ReleaseDifference:
    """A release against the earlier ones: how many rows there are of each kind, and the first of them.

    `first` has rows of every kind, `first_not_new` those that are more than new.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    first: list[RowChange] = field(default_factory=list)
    first_not_new: list[RowChange] = field(default_factory=list)

    def count(self, *kinds: ChangeKind) -> int:
        """The number of rows of these kinds."""
        return sum(self.counts[kind] for kind in kinds)

    def add(self, change: RowChange) -> None:
        """Count a row that differs."""
        self.counts[change.kind] += 1
        if len(self.first) < MAX_KEPT_CHANGES:
            self.first.append(change)
        if change.kind != "new" and len(self.first_not_new) < MAX_KEPT_CHANGES:
            self.first_not_new.append(change)


def difference_of(
    spool: ItemSpool, log: LogRecorder, name: str, released_on: date, *, ours: bool, restate: bool
) -> ReleaseDifference:
    """The rows of a release against what earlier releases of the sheet of this name recorded.

    The spool keeps what can be recorded of it: new rows, and the facts that changed rows become if they are to be
    restated. `released_on` is when the source says what it says now; `ours` if a changed cell corrects our own record.
    A row with the key of an earlier one of the release is a problem of the spool.

    Raises: Unavailable if the store is away.
    """
    found = ReleaseDifference()
    kept: list[tuple[int, int]] = []
    with KnownRows(log, name) as known:
        for spooled in spool.items():
            item = spooled.item
            seen = None if item.key is None else known.see(item.key, item.place)
            row, earlier = seen or (None, None)
            if earlier is not None:
                spool.problems.add(ImportProblem(item.place, "ref", f'"{item.key}" is given already, at {earlier}'))
                continue
            if row is None or not item.sound:
                kept.append((spooled.rank, _NEW))
                if item.sound:
                    found.add(RowChange(item.place, item.key or "", item.pledge, "new", ""))
                continue
            if item.ref is not None:
                spool.note_there(item.ref, row.last_id)
            change, changed = _compared(item, row, released_on, ours=ours)
            if change is None:
                found.unchanged += 1
                continue
            found.add(RowChange(item.place, item.key or "", item.pledge, *change))
            if changed is not None and restate:
                kept.append((spooled.rank, _CHANGED))
                spool.replace(spooled, changed)
        for key, row in known.unseen():
            words = "" if row.in_force is None else row.in_force.words
            found.add(RowChange("", key, row.pledge, "vanished", words))
    spool.keep(kept)
    return found


_NEW, _CHANGED = 0, 1
"""The order in which rows of a release are recorded."""


def _compared(
    item: ImportItem, row: KnownRow, released_on: date, *, ours: bool
) -> tuple[tuple[ChangeKind, str] | None, dict[str, Any] | None]:
    """What becomes of a row that the log has, if anything, and the fact that says so."""
    if row.in_force is None:
        return None, None  # a reviewer or the source took it back: a release does not bring it again
    if refers_to_rows(item.fact):
        return None, None
    try:
        new = read_fact(item.fact)
    except InvalidFact:
        return ("new", ""), item.fact  # what is wrong with it is told with the other problems
    old = row.in_force
    before, after = {**old.cells}, cells_of(new)
    if new.stated_on == released_on:  # the day of the release is no cell of the sheet
        for cells in (before, after):
            cells.pop("stated_on", None)
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    if not paths and row.pledge == item.pledge:
        return None, None
    what = "; ".join(f"{path}: {before.get(path, '—')} → {after.get(path, '—')}" for path in paths)
    if row.pledge != item.pledge:
        return ("by hand", f"it stands on {row.pledge}: void it there and record it here"), None
    if old.type != new.type:
        return ("by hand", f"it is recorded as {old.type}: void it and record it anew"), None
    of_figure = all(path.startswith("figure.") for path in paths)
    if ours:
        return _correction(item, row, old, new, released_on, what, of_figure=of_figure)
    if released_on < old.said_on:
        return ("by hand", f"{what} (it was last said on {old.said_on}, after this release)"), None
    if of_figure and old.figure is not None and "figure" in item.fact:
        fact = _acting("FigureRestated", item, row, released_on, what)
        return ("restated", what), fact | {"figure": item.fact["figure"], "source": item.fact.get("source")}
    if isinstance(new, MemberReported) and all(p.startswith("figure.") or p in _MEMBER_PATHS for p in paths):
        fact = {name: value for name, value in item.fact.items() if name != "precision"}
        return ("reported again", what), fact | {"stated_on": released_on.isoformat()}
    return ("by hand", what), None


def _correction(
    item: ImportItem, row: KnownRow, old: RowInForce, new: AnyFact, released_on: date, what: str, *, of_figure: bool
) -> tuple[tuple[ChangeKind, str], dict[str, Any] | None]:
    """What becomes of a changed row of our own sheet: its fact is corrected, or the restatement of its figure."""
    was_restated = row.last_id != row.event_id
    if was_restated and not of_figure:
        return ("by hand", f"{what} (it was restated since)"), None
    changes = _patch(old.fact, fact_json(new))
    if was_restated:
        changes = {"figure": _patch(old.figure or {}, figure_json(figure_in(new)))}
    return ("corrected", what), _acting("EventCorrected", item, row, released_on, what) | {"changes": changes}


def _acting(type_: str, item: ImportItem, row: KnownRow, released_on: date, what: str) -> dict[str, Any]:
    """A fact that acts on the last statement of a row."""
    reason = f"The release of {released_on} says otherwise ({item.place}): {what}"
    return {"type": type_, "stated_on": released_on.isoformat(), "event": row.last_id, "reason": reason[:4_000]}


def _patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7386) that makes the old object the new one."""
    changes: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            if inner := _patch(before, value):
                changes[name] = inner
        elif before != value:
            changes[name] = value
    return changes
