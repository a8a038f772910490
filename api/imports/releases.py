"""The next release of a sheet: its rows, known by their keys, against what its earlier releases recorded.

A row's key stands in the `locator` of its fact's source, behind the name that the map gives the sheet. What the sheet
says otherwise now is a `FigureRestated` of the day of the release, or a correction where the sheet is our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from pydantic_core import from_json

from api.formats.fact_columns import QUANTITY_PARTS, flatten
from api.imports.items import ImportItem
from api.imports.references import refers_to_rows
from tracker.acting import ACTING
from tracker.application import Tracker
from tracker.errors import InvalidFact
from tracker.event import fact_json
from tracker.fact_reading import read_fact
from tracker.facts import AnyFact, MemberReported, figure_in
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import PledgeEvents, raw_fact
from tracker.rules.pledge_history import FactInForce, PledgeHistory
from tracker.values import LAST_YEAR, Figure

ChangeKind = Literal["new", "restated", "corrected", "reported again", "by hand", "vanished"]
"""What becomes of a row. A row that is to be changed "by hand" is not recorded: no fact says what it changed."""

_READ_AT_ONCE = 1_000
_PLEDGES_AT_ONCE = 100
_ACTING = frozenset(cls.__name__ for cls in ACTING)
_END_OF_TIME = date(LAST_YEAR, 12, 31)
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
    """A release against the earlier ones. `new` and `changed` are what can be recorded of it.

    `recorded_refs` are the events of rows that stay as they are, by their `ref`, for rows that name them.
    """

    changes: list[RowChange] = field(default_factory=list)
    new: list[ImportItem] = field(default_factory=list)
    changed: list[ImportItem] = field(default_factory=list)
    unchanged: int = 0
    recorded_refs: dict[str, str] = field(default_factory=dict)

    def count(self, *kinds: ChangeKind) -> int:
        """The number of rows of these kinds."""
        return sum(change.kind in kinds for change in self.changes)


@dataclass(frozen=True, slots=True)
class _KnownRow:
    """What the log has of a row: its event, and the fact in force; None if it was voided or taken back."""

    pledge: str
    event_id: str
    version: int
    in_force: FactInForce[Any] | None
    last_id: str


def difference_of(
    items: Sequence[ImportItem], tracker: Tracker, name: str, released_on: date, *, ours: bool
) -> ReleaseDifference:
    """The rows of a release against what earlier releases of the sheet of this name recorded.

    `released_on` is when the source says what it says now; `ours` if a changed cell corrects our own record.

    Raises: Unavailable if the store is away.
    """
    known = _known_rows(tracker.log, name)
    found = ReleaseDifference()
    seen: set[str] = set()
    for item in items:
        row = None if item.key is None else known.get(item.key)
        seen.add(item.key or "")
        if row is None or not item.sound:
            found.new.append(item)
            if item.sound:
                found.changes.append(RowChange(item.place, item.key or "", item.pledge, "new", ""))
            continue
        if item.ref is not None:
            found.recorded_refs[item.ref] = row.last_id
        change, changed = _compared(item, row, released_on, ours=ours)
        if change is None:
            found.unchanged += 1
            continue
        found.changes.append(RowChange(item.place, item.key or "", item.pledge, *change))
        if changed is not None:
            found.changed.append(replace(item, fact=changed, ref=None))
    found.changes += [
        RowChange("", key, row.pledge, "vanished", _words(row.in_force))
        for key, row in known.items()
        if key not in seen and row.in_force is not None
    ]
    return found


def _compared(
    item: ImportItem, row: _KnownRow, released_on: date, *, ours: bool
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
    old = row.in_force.fact
    before, after = _cells(old, row.in_force.figure), _cells(new)
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
    was_restated = row.last_id != row.event_id
    if ours:
        if was_restated and not of_figure:
            return ("by hand", f"{what} (it was restated since)"), None
        changes = _patch(fact_json(old), fact_json(new))
        if was_restated:
            changes = {"figure": _patch(_figure_json(row.in_force.figure), _figure_json(figure_in(new)))}
        return ("corrected", what), _acting("EventCorrected", item, row, released_on, what) | {"changes": changes}
    if released_on < row.in_force.said_on:
        return ("by hand", f"{what} (it was last said on {row.in_force.said_on}, after this release)"), None
    if of_figure and row.in_force.figure is not None and "figure" in item.fact:
        fact = _acting("FigureRestated", item, row, released_on, what)
        return ("restated", what), fact | {"figure": item.fact["figure"], "source": item.fact.get("source")}
    if isinstance(new, MemberReported) and all(p.startswith("figure.") or p in _MEMBER_PATHS for p in paths):
        fact = {name: value for name, value in item.fact.items() if name != "precision"}
        return ("reported again", what), fact | {"stated_on": released_on.isoformat()}
    return ("by hand", what), None


def _figure_json(figure: Figure | None) -> dict[str, Any]:
    return {} if figure is None else figure.model_dump(mode="json", exclude_none=True)


def _acting(type_: str, item: ImportItem, row: _KnownRow, released_on: date, what: str) -> dict[str, Any]:
    """A fact that acts on the last statement of a row."""
    reason = f"The release of {released_on} says otherwise ({item.place}): {what}"
    return {"type": type_, "stated_on": released_on.isoformat(), "event": row.last_id, "reason": reason[:4_000]}


def _known_rows(log: LogRecorder, name: str) -> dict[str, _KnownRow]:
    """The rows that earlier releases recorded, by key: of several events of one key the last."""
    keys: dict[str, dict[str, str]] = {}
    for pledge, event_id, key in _keyed_events(log, name):
        keys.setdefault(pledge, {})[event_id] = key
    found: dict[str, _KnownRow] = {}
    pledges = list(keys)
    for start in range(0, len(pledges), _PLEDGES_AT_ONCE):
        for pledge, rows in log.rows_of(pledges[start : start + _PLEDGES_AT_ONCE]).items():
            for event_id, row in _rows_of_pledge(pledge, PledgeEvents.read(rows), keys[pledge]):
                key = keys[pledge][event_id]
                if key not in found or found[key].in_force is None or found[key].version < row.version:
                    found[key] = row
    return found


def _rows_of_pledge(pledge: str, known: PledgeEvents, keys: Mapping[str, str]) -> Iterator[tuple[str, _KnownRow]]:
    view = PledgeHistory(known.events).view(_END_OF_TIME) if known.events else None
    in_force = {} if view is None else {item.id: item for item in view.items}
    by_version = {event.version: event.id for event in known.events}
    for event_id in keys:
        item = in_force.get(event_id)
        last = event_id if item is None else by_version.get(item.version, event_id)
        yield event_id, _KnownRow(pledge, event_id, 0 if item is None else item.first_version, item, last)


def _keyed_events(log: LogRecorder, name: str) -> Iterator[tuple[str, str, str]]:
    """The pledge, id and key of every event that a release of the sheet of this name recorded."""
    mark = f'"locator":"{name} '.encode()
    after = 0
    while rows := log.read(after, _READ_AT_ONCE):
        for row in rows:
            if mark not in row.state:
                continue
            fact = raw_fact(from_json(row.state))
            source = fact.get("source")
            locator = source.get("locator") if isinstance(source, dict) else None
            if isinstance(locator, str) and locator.startswith(f"{name} ") and fact.get("type") not in _ACTING:
                yield row.pledge, row.event_id, locator.removeprefix(f"{name} ")
        after = rows[-1].position


def _cells(fact: AnyFact, figure: Figure | None = None) -> dict[str, str]:
    """The cells of a fact as it stands, by path: amounts in words, without those that a source words it in."""
    whole = fact.model_dump(mode="json", exclude_none=True)
    if figure is not None:
        whole["figure"] = _figure_json(figure)
    whole.get("source", {}).pop("retrieved_on", None)
    cells = flatten(_without_words(whole))
    parts = {f"{path}.{part}" for path in cells for part in QUANTITY_PARTS}
    return {path: cell for path, cell in cells.items() if path not in parts}


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        drop = {"text"} if {"op", "unit"} <= value.keys() else set()
        return {name: _without_words(part) for name, part in value.items() if name not in drop}
    return [_without_words(part) for part in value] if isinstance(value, list) else value


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


def _words(item: FactInForce[Any] | None) -> str:
    if item is None:
        return ""
    return item.fact.type if item.figure is None else f"{item.fact.type} {item.figure.quantity}"
