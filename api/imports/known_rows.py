"""The rows that earlier releases of a sheet recorded, by their keys, in a temporary database while one is compared.

A row's key stands in the `locator` of its fact's source, behind the name that the map gives the sheet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any, Self

from pydantic_core import from_json, to_json

from api.formats.fact_columns import QUANTITY_PARTS, flatten
from tracker.acting import ACTING
from tracker.event import fact_json
from tracker.facts import AnyFact
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import PledgeEvents, raw_fact
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.views import FactInForce
from tracker.values import LAST_YEAR, Figure

_SPAN = 20_000
"""Positions of the log that the store looks through at once."""
_EVENTS_AT_ONCE = 5_000
_ACTING = frozenset(cls.__name__ for cls in ACTING)
_END_OF_TIME = date(LAST_YEAR, 12, 31)

_TABLES = """
PRAGMA cache_size = -4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE keyed (n INTEGER PRIMARY KEY, pledge TEXT NOT NULL, event TEXT NOT NULL, key TEXT NOT NULL);
CREATE INDEX keyed_by_pledge ON keyed (pledge, n);
CREATE TABLE known (key TEXT PRIMARY KEY, version INT NOT NULL, stands INT NOT NULL, seen TEXT,
                    row BLOB NOT NULL) WITHOUT ROWID;
"""

# Of several events of one key the last counts, and before all those that still stand.
_KEEP = """
INSERT INTO known (key, version, stands, row) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET version = excluded.version, stands = excluded.stands, row = excluded.row
WHERE NOT stands OR version < excluded.version
"""


@dataclass(frozen=True, slots=True)
class RowInForce:
    """What a row says now: the type, the fact as it stands and its cells by path, its figure as it was last restated.

    `words` say it shortly, `said_on` is the day on which it was last said.
    """

    type: str
    fact: dict[str, Any]
    cells: dict[str, str]
    figure: dict[str, Any] | None
    words: str
    said_on: date


@dataclass(frozen=True, slots=True)
class KnownRow:
    """What the log has of a row: its event, the last statement of it, and what is in force; None if it was voided or
    taken back."""

    pledge: str
    event_id: str
    last_id: str
    in_force: RowInForce | None


class KnownRows:
    """The rows that the log has of the sheet of one name."""

    def __init__(self, log: LogRecorder, name: str) -> None:
        """Look through the log.

        Raises: Unavailable if the store is away.
        """
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO keyed (pledge, event, key) VALUES (?, ?, ?)", _keyed_events(log, name))
        waiting: list[str] = []
        events = 0
        for (pledge,) in self._db.execute("SELECT pledge FROM keyed GROUP BY pledge ORDER BY min(n)").fetchall():
            waiting.append(pledge)
            events += log.version(pledge)
            if events >= _EVENTS_AT_ONCE:
                self._keep(log, waiting)
                waiting, events = [], 0
        self._keep(log, waiting)
        self._db.execute("DROP TABLE keyed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, _: TracebackType | None) -> None:
        self._db.close()

    def see(self, key: str, place: str) -> tuple[KnownRow, str | None] | None:
        """The row of a key, which is in the release at this place, and the earlier place where the release has the key
        as well; None if the log has no such row."""
        found = self._db.execute("SELECT row, seen FROM known WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        row, seen = found
        if seen is None:
            self._db.execute("UPDATE known SET seen = ? WHERE key = ?", (place, key))
        return _read(row), seen

    def unseen(self) -> Iterator[tuple[str, KnownRow]]:
        """The keys and rows in force that nobody asked for."""
        for key, row in self._db.execute("SELECT key, row FROM known WHERE stands AND seen IS NULL ORDER BY key"):
            yield key, _read(row)

    def _keep(self, log: LogRecorder, pledges: list[str]) -> None:
        if not pledges:
            return
        for pledge, rows in log.rows_of(pledges).items():
            keys = dict(self._db.execute("SELECT event, key FROM keyed WHERE pledge = ? ORDER BY n", (pledge,)))
            for event_id, version, row in _rows_of_pledge(pledge, PledgeEvents.read(rows), keys):
                told = [row.pledge, row.event_id, row.last_id, None if row.in_force is None else _told(row.in_force)]
                self._db.execute(_KEEP, (keys[event_id], version, row.in_force is not None, to_json(told)))


def _told(row: RowInForce) -> list[Any]:
    return [row.type, row.fact, row.cells, row.figure, row.words, row.said_on.isoformat()]


def _read(row: bytes) -> KnownRow:
    pledge, event_id, last_id, told = from_json(row)
    if told is None:
        return KnownRow(pledge, event_id, last_id, None)
    type_, fact, cells, figure, words, said_on = told
    in_force = RowInForce(type_, fact, cells, figure, words, date.fromisoformat(said_on))
    return KnownRow(pledge, event_id, last_id, in_force)


def _rows_of_pledge(pledge: str, known: PledgeEvents, keys: Mapping[str, str]) -> Iterator[tuple[str, int, KnownRow]]:
    view = PledgeHistory(known.events).view(_END_OF_TIME) if known.events else None
    in_force = {} if view is None else {item.id: item for item in view.items}
    by_version = {event.version: event.id for event in known.events}
    for event_id in keys:
        item = in_force.get(event_id)
        last = event_id if item is None else by_version.get(item.version, event_id)
        row = KnownRow(pledge, event_id, last, None if item is None else _in_force(item))
        yield event_id, 0 if item is None else item.first_version, row


def _in_force(item: FactInForce[Any]) -> RowInForce:
    words = item.fact.type if item.figure is None else f"{item.fact.type} {item.figure.quantity}"
    figure = None if item.figure is None else figure_json(item.figure)
    return RowInForce(item.fact.type, fact_json(item.fact), cells_of(item.fact, figure), figure, words, item.said_on)


def _keyed_events(log: LogRecorder, name: str) -> Iterator[tuple[str, str, str]]:
    """The pledge, id and key of every event that a release of the sheet of this name recorded."""
    mark = f'"locator":"{name} '.encode()
    head = log.head()
    for after in range(0, head, _SPAN):
        for row in log.read_with(mark, after, min(after + _SPAN, head)):
            fact = raw_fact(from_json(row.state))
            source = fact.get("source")
            locator = source.get("locator") if isinstance(source, dict) else None
            if isinstance(locator, str) and locator.startswith(f"{name} ") and fact.get("type") not in _ACTING:
                yield row.pledge, row.event_id, locator.removeprefix(f"{name} ")


def cells_of(fact: AnyFact, figure: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The cells of a fact as it stands, by path: amounts in words, without those that a source words it in."""
    whole = fact.model_dump(mode="json", exclude_none=True)
    if figure is not None:
        whole["figure"] = figure
    whole.get("source", {}).pop("retrieved_on", None)
    cells = flatten(_without_words(whole))
    parts = {f"{path}.{part}" for path in cells for part in QUANTITY_PARTS}
    return {path: cell for path, cell in cells.items() if path not in parts}


def figure_json(figure: Figure | None) -> dict[str, Any]:
    """A figure as a JSON object; an empty one of none."""
    return {} if figure is None else figure.model_dump(mode="json", exclude_none=True)


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        drop = {"text"} if {"op", "unit"} <= value.keys() else set()
        return {name: _without_words(part) for name, part in value.items() if name not in drop}
    return [_without_words(part) for part in value] if isinstance(value, list) else value
