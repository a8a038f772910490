"""CSV files and XLSX sheets as rows of text: the content of each cell, and its place (docs/import.md).

Numbers are written plainly, dates as YYYY-MM-DD, so that a cell reads the same from either kind of file.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import StringIO
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl.utils import get_column_letter

from api.imports.bounds import TableBounds, check_file_size
from api.imports.items import UnreadableFile
from api.imports.workbook import check_workbook, opened_workbook, rows_of
from tracker.quantity import plain


@dataclass(frozen=True, slots=True)
class SheetRow:
    """The cells of one row by column name; empty ones are left out.

    `place` is the line, or the sheet and row. `broken` has the columns whose cells hold no value, and why. `numbers`
    are the columns whose cells held a number rather than text.
    """

    place: str
    cells: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A header and its rows. `place` is the line, or the sheet and row, of the header."""

    place: str
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def read_csv(path: Path, header: int = 1) -> SheetTable:
    """A CSV file in UTF-8, separated by commas, semicolons or tabs; `header` is the line of the column names.

    Raises: UnreadableFile if it is not UTF-8 or not CSV, or has no header.
    """
    check_file_size(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = wrong.object[: wrong.start].count(b"\n") + 1
        raise UnreadableFile(f"line {line} is not UTF-8; save the file as CSV UTF-8") from None
    return _table(_csv_lines(text, _delimiter(text, header)), header, lambda number: f"line {number}")


def read_xlsx(path: Path, sheet: str | None = None, header: int = 1) -> SheetTable:
    """A sheet of an XLSX workbook, the first with cells if none is named; `header` is the row of the column names.

    Of formulas the saved value counts.

    Raises: UnreadableFile if it is no XLSX workbook, is damaged, or lacks the sheet or a header.
    """
    check_workbook(path)
    with opened_workbook(path, data_only=True) as values, opened_workbook(path) as formulas:
        names = [page.title for page in values.worksheets]
        name = sheet or next(iter(names), "")
        if name not in names:
            raise UnreadableFile(f'there is no sheet "{name}"; there are: {", ".join(names)}')
        pages = values[name], formulas[name]
        for page in pages:
            page.reset_dimensions()  # what a file notes of its size may be wrong, and would cut off what is beyond
        lines = _xlsx_lines(rows_of(pages, name))
        return _table(lines, header, lambda number: f'sheet "{name}" row {number}')


class _Line(NamedTuple):
    """A line of a file: its number from 1, its texts, its broken cells with why, and the indexes of its numbers."""

    number: int
    texts: list[str]
    broken: dict[int, str]
    numbers: set[int]


_HEADER_CHARACTERS = 65_536
"""Characters of a header in which its delimiter is looked for, at most."""


def _delimiter(text: str, header: int) -> str:
    """The mark that is most often in the header, outside of quotes."""
    rest = "".join(text.splitlines(keepends=True)[header - 1 :])[:_HEADER_CHARACTERS]
    first = next((line for line in re.sub(r'"[^"]*"', "quoted", rest).splitlines() if line.strip()), "")
    return max(",;\t", key=lambda mark: (first.count(mark), mark == ","))


def _csv_lines(text: str, delimiter: str) -> Iterator[_Line]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            yield _Line(number, cells, {}, set())
            number = reader.line_num + 1
    except csv.Error as wrong:
        raise UnreadableFile(f"line {number} is not CSV: {wrong}") from None


def _xlsx_lines(rows: Iterable[tuple[int, Any, Any]]) -> Iterator[_Line]:
    for number, cells, behind in rows:
        broken: dict[int, str] = {}
        texts: list[str] = []
        numbers: set[int] = set()
        for index, (cell, source) in enumerate(zip(cells, behind, strict=False)):
            text = ""
            if cell.value is None and isinstance(source.value, str) and source.data_type == "f":
                broken[index] = _NOT_SAVED
            elif cell.data_type == "e":
                broken[index] = f"this formula ends in {cell.value}"
            else:
                try:
                    text = _shown(cell)
                except Exception as wrong:  # a value that no spreadsheet shows, a style that is not there
                    broken[index] = f"this cell cannot be read: {wrong}"
            texts.append(text)
            if isinstance(cell.value, int | float):
                numbers.add(index)
        yield _Line(number, texts, broken, numbers)


_NOT_SAVED = "the value of this formula was not saved; open the file in a spreadsheet and save it"
_HIDDEN = re.compile(r"[_*].|\[[^\]]*\]")
_QUOTED = re.compile(r'"[^"]*"|\\.')


def _shown(cell: Any) -> str:
    """The text of a cell; a percentage as it is shown, since a workbook keeps 2 % as 0.02."""
    text = text_of(cell.value)
    if isinstance(cell.value, bool) or not isinstance(cell.value, int | float) or "%" not in cell.number_format:
        return text
    shown = _HIDDEN.sub("", cell.number_format)
    if "%" in _QUOTED.sub("", shown):
        return f"{plain(Decimal(text) * 100)}%"
    return f"{text}%" if "%" in shown else text


def text_of(value: object) -> str:
    """A cell's value as text: numbers to the 15 digits a spreadsheet keeps, a day without its midnight.

    Raises: ValueError if the value is a float that is no number.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if not isfinite(value):
            raise ValueError(f"{value} is no number")
        case float():
            return plain(Decimal(format(value, ".15g")))
        case datetime():
            return value.date().isoformat() if value.time() == time(0) else value.isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value)


_MAX_NAMELESS_CELLS = 20
"""Cells without a column name that are told of one row, at most."""


def _table(lines: Iterator[_Line], header: int, place: Callable[[int], str]) -> SheetTable:
    columns: list[str] = []
    rows: list[SheetRow] = []
    bounds = TableBounds()
    for number, cells, broken, numbers in lines:
        bounds.count(number, len(cells), place)
        if not columns:
            if number >= header and any(cell.strip() for cell in cells):
                columns = [cell.strip() for cell in cells]
                where = place(number)
                if twice := sorted(name for name, count in Counter(columns).items() if name and count > 1):
                    raise UnreadableFile(f'{where}: column "{twice[0]}" is there twice')
            continue
        if not any(cell.strip() for cell in cells) and not broken:
            continue
        names = [*columns, *[""] * (len(cells) - len(columns))]
        nameless = (
            index
            for index, (name, cell) in enumerate(zip(names, cells, strict=False))
            if not name and (cell.strip() or index in broken)
        )
        beyond = {
            f"column {get_column_letter(index + 1)}": "this cell has no column name"
            for index in islice(nameless, _MAX_NAMELESS_CELLS)
        }
        rows.append(
            SheetRow(
                place(number),
                {name: cell for name, cell in zip(names, cells, strict=False) if name and cell.strip()},
                {names[index]: why for index, why in broken.items() if names[index]} | beyond,
                frozenset(names[index] for index in numbers),
            )
        )
    if not columns:
        raise UnreadableFile("there is no header: the first row names the columns")
    return SheetTable(where, tuple(name for name in columns if name), tuple(rows))
