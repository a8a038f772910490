"""Rows of the read models as SQLite takes them: the statements that end and insert them, and their values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Table

from projections.fold import Rectangle
from projections.tables import OPEN_POSITION
from projections.words import WordsRow


def ending(table: Table) -> str:
    """The statement for where a row ends; its values are those of `ends`."""
    # Not `=`: SQLite would walk the index of days, where a common deadline has a row of most pledges.
    found = f"pledge = ? AND known_to = {OPEN_POSITION} AND valid_from BETWEEN ? AND ?"
    which = " AND version = ?" if "version" in table.c else ""
    return f"UPDATE {table.name} SET known_to = ? WHERE {found}{which}"  # noqa: S608


def ends(ended: Iterable[tuple[str, Rectangle[Any]]]) -> list[tuple[Any, ...]]:
    """The values of `ending` for rectangles of some pledges."""
    found = []
    for pledge, r in ended:
        day = r.valid_from.isoformat()
        which = (r.content.version,) if isinstance(r.content, WordsRow) else ()
        found.append((r.known_to, pledge, day, day, *which))
    return found


def insertion(table: Table, *, or_ignore: bool = False) -> str:
    """The statement that inserts a row of a table, its values in the order of the columns; or not if it is there."""
    names, marks = ", ".join(column.name for column in table.columns), ", ".join("?" * len(table.columns))
    insert = "INSERT OR IGNORE" if or_ignore else "INSERT"
    return f"{insert} INTO {table.name} ({names}) VALUES ({marks})"


def stored(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows with their values as they are stored: days as text."""
    return [tuple(value.isoformat() if isinstance(value, date) else value for value in row) for row in rows]
