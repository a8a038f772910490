"""The problems of an import file, kept in a temporary database: a file may have very many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from api.imports.items import ImportProblem

_TABLE = """
CREATE TABLE problem (n INTEGER PRIMARY KEY, row INT NOT NULL, place TEXT NOT NULL, at TEXT NOT NULL,
                      message TEXT NOT NULL, code TEXT NOT NULL, by_check INT NOT NULL)
"""


class ProblemList:
    """Problems in the order of their rows, those of one row in the order in which they were found."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._count = self._read = 0
        self._is_indexed = False
        db.execute(_TABLE)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ImportProblem]:
        return self.first(-1)

    def first(self, limit: int) -> Iterator[ImportProblem]:
        """So many of them, all if the limit is negative."""
        found = "SELECT place, at, message, code FROM problem ORDER BY row, n LIMIT ?"
        return (ImportProblem(*row) for row in self._db.execute(found, (limit,)))

    def at(self, place: str) -> list[ImportProblem]:
        """The problems of one row."""
        self._index()
        found = "SELECT place, at, message, code FROM problem WHERE place = ? ORDER BY n"
        return [ImportProblem(*row) for row in self._db.execute(found, (place,))]

    def places(self) -> Iterator[str]:
        """The places that have problems, in the order of their rows."""
        return (
            place for (place,) in self._db.execute("SELECT place FROM problem GROUP BY place ORDER BY min(row), place")
        )

    def places_without_item(self) -> Iterator[str]:
        """Those among them where no item was read."""
        found = "SELECT place FROM problem EXCEPT SELECT place FROM body"
        return (place for (place,) in self._db.execute(found))

    def add(self, problem: ImportProblem) -> None:
        """Add a problem that reading the file found, or holding it against its earlier releases."""
        self._insert(problem, by_check=False)
        self._read += 1

    def add_found(self, problem: ImportProblem) -> None:
        """Add a problem that checking the facts found, unless reading found one at the same place in the row."""
        known = "SELECT 1 FROM problem WHERE place = ? AND at = ? AND NOT by_check LIMIT 1"
        if not self._read or self._db.execute(known, (problem.place, problem.where)).fetchone() is None:
            self._insert(problem, by_check=True)

    def settle(self) -> None:
        """Make the problems of a row easy to find; all that reading found are there."""
        if self._read:
            self._index()

    def _index(self) -> None:
        if not self._is_indexed:
            self._db.execute("CREATE INDEX problem_by_place ON problem (place, at)")
            self._is_indexed = True

    def forget_found(self) -> None:
        """Forget what checking the facts found."""
        self._db.execute("DELETE FROM problem WHERE by_check")
        self._count = self._read

    def _insert(self, problem: ImportProblem, *, by_check: bool) -> None:
        self._db.execute(
            "INSERT INTO problem (row, place, at, message, code, by_check) VALUES (?, ?, ?, ?, ?, ?)",
            (problem.row, problem.place, problem.where, problem.message, problem.code, by_check),
        )
        self._count += 1
