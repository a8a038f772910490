"""CSV files and XLSX sheets as rows of text: the content of each cell, and its place (docs/import.md).

Numbers are written plainly, dates as YYYY-MM-DD, so that a cell reads the same from either kind of file.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from tracker.quantity import plain


class UnreadableFile(Exception):
    """The file cannot be read at all; the message says why."""


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
    with _opened(path, data_only=True) as values, _opened(path) as formulas:
        names = [page.title for page in values.worksheets]
        name = sheet or next(iter(names), "")
        if name not in names:
            raise UnreadableFile(f'there is no sheet "{name}"; there are: {", ".join(names)}')
        for page in (values[name], formulas[name]):
            page.reset_dimensions()  # what a file notes of its size may be wrong, and would cut off what is beyond
        lines = _xlsx_lines(values[name].iter_rows(), formulas[name].iter_rows())
        return _table(lines, header, lambda number: f'sheet "{name}" row {number}')


@contextmanager
def _opened(path: Path, *, data_only: bool = False) -> Iterator[Any]:
    try:
        book = load_workbook(path, read_only=True, data_only=data_only)
    except (BadZipFile, KeyError, ValueError, OSError) as wrong:
        raise UnreadableFile(f"this is no XLSX workbook: {wrong}") from None
    except (AttributeError, TypeError, *_DAMAGED) as wrong:
        # A chart sheet without a chart is an AttributeError of openpyxl.
        raise UnreadableFile(f"this workbook cannot be read; save the sheet as CSV UTF-8 ({wrong})") from None
    try:
        yield book
    finally:
        book.close()


_DAMAGED = (BadZipFile, EOFError, IndexError, ParseError, zlib.error)
"""The exceptions with which openpyxl meets a damaged file."""


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


def _xlsx_lines(values: Iterable[Any], formulas: Iterable[Any]) -> Iterator[_Line]:
    try:
        for number, (cells, behind) in enumerate(zip(values, formulas, strict=True), start=1):
            broken: dict[int, str] = {}
            texts: list[str] = []
            numbers: set[int] = set()
            for index, (cell, source) in enumerate(zip(cells, behind, strict=True)):
                if cell.value is None and isinstance(source.value, str) and source.data_type == "f":
                    broken[index] = _NOT_SAVED
                elif cell.data_type == "e":
                    broken[index] = f"this formula ends in {cell.value}"
                texts.append("" if index in broken else _shown(cell))
                if isinstance(cell.value, int | float):
                    numbers.add(index)
            yield _Line(number, texts, broken, numbers)
    except _DAMAGED as wrong:
        raise UnreadableFile(f"this workbook is damaged: {wrong}") from None


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
    """A cell's value as text: numbers to the 15 digits a spreadsheet keeps, a day without its midnight."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return plain(Decimal(format(value, ".15g")))
        case datetime():
            return value.date().isoformat() if value.time() == time(0) else value.isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _table(lines: Iterator[_Line], header: int, place: Callable[[int], str]) -> SheetTable:
    columns: list[str] = []
    rows: list[SheetRow] = []
    for number, cells, broken, numbers in lines:
        if not columns:
            if number >= header and any(cell.strip() for cell in cells):
                columns = [cell.strip() for cell in cells]
                where = place(number)
                if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
                    raise UnreadableFile(f'{where}: column "{twice[0]}" is there twice')
            continue
        if not any(cell.strip() for cell in cells) and not broken:
            continue
        names = [*columns, *[""] * (len(cells) - len(columns))]
        beyond = {
            f"column {get_column_letter(index + 1)}": "this cell has no column name"
            for index, (name, cell) in enumerate(zip(names, cells, strict=False))
            if not name and (cell.strip() or index in broken)
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
