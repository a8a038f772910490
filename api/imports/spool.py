"""The facts and problems of a file, put aside in a temporary database: a file of any length takes little memory.

A file is read once, row by row, into the spool. Then its facts are asked for in the order in which they are recorded,
or pledge by pledge; what becomes of each is noted beside it. The database has no name: it is gone with its connection.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from tempfile import gettempdir
from types import TracebackType
from typing import Any, Self

from pydantic_core import from_json, to_json

from api.imports.items import ImportItem, ImportProblem
from api.imports.problem_list import ProblemList
from api.imports.reference_paths import names_others
from tracker.errors import Unavailable
from tracker.event import event_id
from tracker.values import is_slug

_CACHE_KIB = 8_192
_AT_ONCE = 500
_LABELS = 1_000

_TABLES = """
CREATE TABLE body (n INTEGER PRIMARY KEY, place TEXT NOT NULL, labels INTEGER, content BLOB NOT NULL);
CREATE TABLE head (n INTEGER PRIMARY KEY, pledge TEXT NOT NULL, opens INT NOT NULL, stated TEXT NOT NULL, ref TEXT,
                   old_id TEXT, key TEXT, sound INT NOT NULL, certain INT NOT NULL, event TEXT NOT NULL,
                   names_others INT NOT NULL);
CREATE TABLE made (pledge TEXT PRIMARY KEY, stated TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE labels (number INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE there (ref TEXT PRIMARY KEY, event TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE planned (rank INTEGER PRIMARY KEY, version INT NOT NULL, type TEXT NOT NULL, fact BLOB NOT NULL);
"""

# `state` is 0 of an item to be checked, 1 of one that the log has; `names_others` as `references.names_others` says.
_ITEM = """
CREATE TABLE item (rank INTEGER PRIMARY KEY, n INT NOT NULL, pledge TEXT NOT NULL, ref TEXT, old_id TEXT, key TEXT,
                   certain INT NOT NULL, event TEXT NOT NULL, names_others INT NOT NULL, sound INT NOT NULL,
                   state INT NOT NULL DEFAULT 0)
"""
_ITEM_INDEXES = (
    "CREATE INDEX item_by_event ON item (event)",
    "CREATE INDEX item_by_pledge ON item (pledge)",
    "CREATE INDEX item_by_ref ON item (ref) WHERE ref IS NOT NULL",
    "CREATE INDEX item_by_old_id ON item (old_id) WHERE old_id IS NOT NULL",
)
_NAMES = ("ref", "old_id")
_COLUMNS = "n, pledge, ref, old_id, key, certain, event, names_others, sound"
_FILL = f"INSERT INTO item ({_COLUMNS}) SELECT {_COLUMNS} FROM "  # noqa: S608 - words of ours
_OLDEST_FIRST = """
LEFT JOIN (SELECT pledge AS of, stated AS made FROM made) ON of = pledge
ORDER BY max(stated, coalesce(made, stated)), NOT opens, stated, n
"""
_READ = """
SELECT i.rank, i.event, i.ref, i.old_id, i.key, i.sound, i.certain, i.names_others, b.place, b.labels, b.content
FROM {} JOIN body AS b ON b.n = i.n
"""
_PLANNED = """
SELECT p.rank, b.place, i.pledge, i.event, p.version, p.type, p.fact, b.content, i.names_others
FROM {} JOIN body AS b ON b.n = i.n ORDER BY p.rank
"""
_PLANNED_OF_PLEDGE = "(SELECT * FROM item WHERE pledge = ?) AS i JOIN planned AS p ON p.rank = i.rank"


@dataclass(frozen=True, slots=True)
class SpooledItem:
    """An item with its place in the order of recording, from 1, and the id that its event has or is to have.

    `names_others` tells that its fact may name other events.
    """

    rank: int
    event: str
    item: ImportItem
    names_others: bool


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """An item that passed the check: its rank, place and pledge, the id that its event gets, the version it gets if
    nothing comes between, its type, its fact as JSON, and what its chunk's hash is made of.
    """

    rank: int
    place: str
    pledge: str
    event: str
    version: int
    type: str
    fact: bytes
    content: bytes
    names_others: bool


class ItemSpool:
    """The items of one file in the order in which they are recorded, and the problems of its rows.

    Leaving its context raises Unavailable if there was no room for it.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            f"PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}"
        )
        self._db.execute("BEGIN")  # and no end: nothing of it is kept
        self.problems = ProblemList(self._db)
        self._waiting: list[tuple[Any, ...]] = []
        self._bodies: list[tuple[Any, ...]] = []
        self._labels: dict[tuple[tuple[str, str], ...], int] = {}
        self._last_labels: tuple[Mapping[str, str] | None, int | None] = (None, None)
        self._number = 0
        self.pledges_missing = False
        """Whether a row has no readable pledge, so that a fact of any pledge may be missing."""
        self._read_labels = lru_cache(_LABELS)(self._labels_of)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, _: TracebackType | None) -> None:
        self._db.close()
        if isinstance(wrong, sqlite3.OperationalError):
            sentence = (
                f"there is no room in {gettempdir()} for what is put aside of a file: {wrong}; name another in TMPDIR"
            )
            raise Unavailable(sentence) from wrong

    # Filling

    def fill(self, read: Iterable[ImportItem | ImportProblem]) -> None:
        """Take in what is read of a file."""
        for found in read:
            if isinstance(found, ImportProblem):
                self.problems.add(found)
            else:
                self._add(found)
        self._flush()
        self.problems.settle()
        self.pledges_missing |= next(self.problems.places_without_item(), None) is not None

    def _add(self, item: ImportItem) -> None:
        self._number += 1
        stated, opens = _stated_on(item), item.fact_type == "PledgeMade"
        if opens:
            self._db.execute("INSERT OR IGNORE INTO made VALUES (?, ?)", (item.pledge, stated))
        self.pledges_missing |= not is_slug(item.pledge)
        self._bodies.append((self._number, item.place, self._number_of(item.labels), item.content))
        self._waiting.append(
            (self._number, item.pledge, opens, stated, item.ref, item.old_id, item.key, item.sound, item.certain,
             self.new_event_id(), names_others(item.fact))
        )  # fmt: skip
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO body VALUES (?, ?, ?, ?)", self._bodies)
        self._db.executemany("INSERT INTO head VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._waiting)
        self._bodies.clear()
        self._waiting.clear()

    def _number_of(self, labels: Mapping[str, str] | None) -> int | None:
        """The number by which labels are kept: many items have the same."""
        if labels is self._last_labels[0]:
            return self._last_labels[1]
        if labels is None:
            return None
        content = tuple(labels.items())
        if (number := self._labels.get(content)) is None:
            number = self._db.execute("INSERT INTO labels (content) VALUES (?)", (to_json(dict(content)),)).lastrowid
            assert number is not None
            if len(self._labels) >= _LABELS:
                self._labels.clear()
            self._labels[content] = number
        self._last_labels = labels, number
        return number

    def _labels_of(self, number: int) -> dict[str, str]:
        (content,) = self._db.execute("SELECT content FROM labels WHERE number = ?", (number,)).fetchone()
        found: dict[str, str] = from_json(content)
        return found

    def new_event_id(self) -> str:
        """An id for an event that is to be recorded now."""
        return event_id(self._clock(), secrets.token_bytes(10))

    def order(self, *, oldest_first: bool) -> None:
        """Give each item its place in the order of recording: by `stated_on`, none before its pledge was made, or the
        order of the file."""
        self._fill_items(f"head {_OLDEST_FIRST if oldest_first else 'ORDER BY n'}")
        self._run("DROP TABLE head", "DROP TABLE made")

    def _fill_items(self, source: str) -> None:
        self._run(_ITEM, _FILL + source, *_ITEM_INDEXES)

    def _run(self, *statements: str) -> None:
        for statement in statements:
            self._db.execute(statement)

    # Releases

    def keep(self, decided: Iterable[tuple[int, int]]) -> None:
        """Keep only the items of these ranks, those of a part behind those of the parts before it."""
        self._run("CREATE TABLE kept (rank INTEGER PRIMARY KEY, part INT NOT NULL)")
        self._db.executemany("INSERT INTO kept VALUES (?, ?)", decided)
        self._run("ALTER TABLE item RENAME TO before", *(f"DROP INDEX {index.split()[2]}" for index in _ITEM_INDEXES))
        self._fill_items("before JOIN kept USING (rank) ORDER BY part, rank")
        self._run("DROP TABLE before", "DROP TABLE kept")

    def replace(self, spooled: SpooledItem, fact: Mapping[str, Any]) -> None:
        """Put another fact in the place of an item's, and take away its `ref`."""
        item = spooled.item
        changed = ImportItem(item.place, item.pledge, fact, None, item.old_id, item.expected_version)
        self._db.execute(
            "UPDATE body SET content = ? WHERE n = (SELECT n FROM item WHERE rank = ?)", (changed.content, spooled.rank)
        )
        self._db.execute("UPDATE item SET ref = NULL, names_others = 1 WHERE rank = ?", (spooled.rank,))

    def note_there(self, ref: str, event: str) -> None:
        """Note an event of the log that items may name by this `ref`."""
        self._db.execute("INSERT OR REPLACE INTO there VALUES (?, ?)", (ref, event))

    # Asking

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM item").fetchone()[0])

    @property
    def pledges(self) -> int:
        """The number of pledges that the items are of."""
        return int(self._db.execute("SELECT count(DISTINCT pledge) FROM item").fetchone()[0])

    def pledges_of_problems(self, codes: Sequence[str], limit: int) -> list[str]:
        """So many of the pledges whose facts were refused with one of these codes."""
        marks = ", ".join("?" for _ in codes)
        refused = f"SELECT place FROM problem WHERE code IN ({marks})"  # noqa: S608 - marks alone
        sql = "SELECT DISTINCT i.pledge FROM item AS i JOIN body AS b ON b.n = i.n WHERE b.place IN"
        return [pledge for (pledge,) in self._db.execute(f"{sql} ({refused}) LIMIT ?", (*codes, limit))]

    def items(self) -> Iterator[SpooledItem]:
        """All items, in the order of recording."""
        return self._spooled(_READ.format("item AS i") + "ORDER BY i.rank", ())

    def unrecorded_by_pledge(self) -> Iterator[SpooledItem]:
        """The items that the log does not have, pledge by pledge; last those whose facts may name events of others."""
        self._run(
            "DROP TABLE IF EXISTS grouped",
            "CREATE TABLE grouped (place INTEGER PRIMARY KEY, rank INT NOT NULL)",
            "INSERT INTO grouped (rank) SELECT i.rank FROM item AS i"
            " LEFT JOIN (SELECT DISTINCT pledge AS late FROM item WHERE names_others = 2) ON late = i.pledge"
            " WHERE i.state = 0 ORDER BY late IS NOT NULL, i.pledge, i.rank",
        )
        read = _READ.format("grouped AS g JOIN item AS i ON i.rank = g.rank")
        return self._spooled(read + "ORDER BY g.place", ())

    def planned(self, pledge: str | None = None) -> Iterator[PlannedItem]:
        """The items that are to be recorded, in this order; those of one pledge if one is named."""
        joined = "planned AS p JOIN item AS i ON i.rank = p.rank" if pledge is None else _PLANNED_OF_PLEDGE
        given = () if pledge is None else (pledge,)
        return (PlannedItem(*row) for row in self._db.execute(_PLANNED.format(joined), given))

    def item_at(self, rank: int) -> SpooledItem:
        """The item of a rank."""
        return next(self._spooled(_READ.format("item AS i") + "WHERE i.rank = ?", (rank,)))

    def _spooled(self, sql: str, given: Sequence[Any]) -> Iterator[SpooledItem]:
        return map(self._made, self._db.execute(sql, given))

    def _made(self, row: Sequence[Any]) -> SpooledItem:
        rank, event, ref, old_id, key, sound, certain, names_others, place, labels, content = row[:11]
        pledge, fact, _, _, version = from_json(content)
        told = None if labels is None else self._read_labels(labels)
        item = ImportItem(place, pledge, fact, ref, old_id, version, told, bool(sound), bool(certain), key)
        return SpooledItem(rank, event, item, bool(names_others))

    def chunk_hashes(self, size: int) -> Iterator[bytes]:
        """The SHA-256 of so many items at a time, in the order of recording."""
        digest, count = hashlib.sha256(), 0
        sql = "SELECT b.content FROM item AS i JOIN body AS b ON b.n = i.n ORDER BY i.rank"
        for (content,) in self._db.execute(sql):
            digest.update(content + b"\n")
            count += 1
            if count == size:
                yield digest.digest()
                digest, count = hashlib.sha256(), 0
        if count:
            yield digest.digest()

    # Names

    @property
    def repeats_names(self) -> bool:
        """Whether two items have one `ref` or one old id, or an item has the `ref` of an event that is there."""
        found = ["SELECT 1 FROM item JOIN there USING (ref)"]
        found += [f"SELECT 1 FROM item WHERE {n} IS NOT NULL GROUP BY {n} HAVING count(*) > 1" for n in _NAMES]  # noqa: S608
        return any(self._db.execute(f"{sql} LIMIT 1").fetchone() for sql in found)

    def by_ref(self, ref: str, before: int) -> tuple[str, str] | None:
        """The id and the place of the event that has a `ref`: one of the log, or of an item before this rank."""
        there = self._db.execute("SELECT event, 'the record' FROM there WHERE ref = ?", (ref,)).fetchone()
        return there or self._first("i.ref = ? AND i.rank < ? AND i.certain ORDER BY i.rank", ref, before)

    def by_uncertain_ref(self, ref: str, before: int) -> tuple[str, str] | None:
        """The same of the last row before this rank that may become the item with the `ref`."""
        return self._first("i.ref = ? AND i.rank < ? AND NOT i.certain ORDER BY i.rank DESC", ref, before)

    def by_old_id(self, old_id: str, before: int) -> tuple[str, str] | None:
        """The same of the item before this rank that had this id where it was exported."""
        return self._first("i.old_id = ? AND i.rank < ? AND i.certain ORDER BY i.rank", old_id, before)

    def _first(self, which: str, *given: Any) -> tuple[str, str] | None:
        sql = f"SELECT i.event, b.place FROM item AS i JOIN body AS b ON b.n = i.n WHERE {which} LIMIT 1"  # noqa: S608
        found: tuple[str, str] | None = self._db.execute(sql, given).fetchone()
        return found

    def place_of(self, event: str) -> str | None:
        """The place of the item whose event has this id; None if there is none."""
        found = self._first("i.event = ?", event)
        return None if found is None else found[1]

    # Planning

    def begin(self) -> None:
        """Forget what was planned and what a check found before."""
        self._run("DELETE FROM planned", "UPDATE item SET state = 0 WHERE state <> 0")
        self.problems.forget_found()

    def note_recorded(self, rank: int, event: str) -> None:
        """Note that the log has an item, as this event."""
        self._db.execute("UPDATE item SET state = 1, event = ? WHERE rank = ?", (event, rank))

    def plan(self, planned: Iterable[tuple[int, int, str, bytes]]) -> None:
        """Keep the checked facts: their ranks, versions, types, and JSON."""
        self._db.executemany("INSERT INTO planned VALUES (?, ?, ?, ?)", planned)

    def drop_planned(self) -> None:
        """Forget the facts that were planned: there is a problem."""
        self._db.execute("DELETE FROM planned")


def _stated_on(item: ImportItem) -> str:
    """The day as it is written; the last day there is for an item that has none, which is refused later."""
    stated_on = item.fact.get("stated_on") if isinstance(item.fact, dict) else None
    return stated_on if isinstance(stated_on, str) else date.max.isoformat()
