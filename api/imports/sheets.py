"""CSV files and XLSX sheets as rows of text: the content of each cell, and its place (docs/import.md).

Numbers are written plainly, dates as YYYY-MM-DD, so that a cell reads the same from either kind of file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from io import StringIO
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from openpyxl.cell.rich_text import CellRichText, TextBlock

from api.imports.bounds import check_file_size
from api.imports.cell_numbers import superscript
from api.imports.items import UnreadableFile
from api.imports.sheet_layout import SEPARATOR_LINE, Encoding, MergedCells, SheetLayout, SheetLine, SheetTable, table_of
from api.imports.workbook import check_workbook, merged_in, opened_workbook, rows_of
from tracker.quantity import plain


def read_csv(path: Path, layout: SheetLayout | None = None) -> SheetTable:
    """A CSV file, separated by commas, semicolons or tabs, or as its first line `sep=|` says.

    Raises: UnreadableFile if it is not in its encoding or not CSV, or has no header.
    """
    layout = layout or SheetLayout()
    check_file_size(path)
    text = _decoded(path.read_bytes(), layout.encoding)
    first = 1
    delimiter = None
    if said := SEPARATOR_LINE.match(text):
        text, first, delimiter = text[said.end() :], 2, said[1]
    delimiter = delimiter or _delimiter(text, layout.header)
    return table_of(_csv_lines(text, delimiter, first), layout, lambda number: f"line {number}")


_CODECS: Mapping[Encoding, str] = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "cp1252": "cp1252"}


def _decoded(content: bytes, encoding: Encoding | None) -> str:
    try:
        return content.decode(_CODECS[encoding or "utf-8"])
    except UnicodeDecodeError as wrong:
        if encoding is not None:
            raise UnreadableFile(f"the file is not {encoding}: {wrong.reason} at byte {wrong.start}") from None
        line = content[: wrong.start].count(b"\n") + 1
        likely = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"
        raise UnreadableFile(
            f"line {line} is not UTF-8; save the file as CSV UTF-8, or say what it is: --encoding {likely}"
        ) from None


def read_xlsx(path: Path, sheet: str | None = None, layout: SheetLayout | None = None) -> SheetTable:
    """A sheet of an XLSX workbook, the first with cells if none is named. Of formulas the saved value counts.

    Raises: UnreadableFile if it is no XLSX workbook, is damaged, or lacks the sheet or a header.
    """
    return read_workbook(path, sheet, layout)[0]


def read_workbook(
    path: Path, sheet: str | None = None, layout: SheetLayout | None = None, together: Collection[str] = ()
) -> list[SheetTable]:
    """The sheet of this name; without one all sheets with cells whose names are `together`, else the first with cells.

    Raises: UnreadableFile as `read_xlsx`.
    """
    merged = check_workbook(path)
    with opened_workbook(path, data_only=True) as values, opened_workbook(path) as formulas:
        names = [page.title for page in values.worksheets]
        if sheet is not None and sheet not in names:
            raise UnreadableFile(f'there is no sheet "{sheet}"; there are: {", ".join(names)}')
        chosen = [sheet] if sheet else [name for name in names if name in together and _has_cells(values[name])]
        chosen = chosen or list(islice((name for name in names if _has_cells(values[name])), 1))
        if not chosen:
            raise UnreadableFile(f"no sheet has cells; there are: {', '.join(names)}")
        return [
            _table_on(name, (values[name], formulas[name]), layout, merged_in(merged, values[name])) for name in chosen
        ]


def _table_on(
    name: str, pages: tuple[Any, Any], layout: SheetLayout | None, merged: Sequence[MergedCells]
) -> SheetTable:
    for page in pages:
        page.reset_dimensions()  # what a file notes of its size may be wrong, and would cut off what is beyond
    lines = _xlsx_lines(rows_of(pages, name))
    table = table_of(lines, layout or SheetLayout(), lambda number: f'sheet "{name}" row {number}', merged)
    return replace(table, title=name)


def _has_cells(page: Any) -> bool:
    """Whether a sheet has a cell with a value; one that cannot be read is told later."""
    page.reset_dimensions()
    try:
        return any(cell.value is not None for row in page.iter_rows() for cell in row)
    except Exception:
        return True


_HEADER_CHARACTERS = 65_536
"""Characters of a header in which its delimiter is looked for, at most."""


def _delimiter(text: str, header: int) -> str:
    """The mark that is most often in the header, outside of quotes."""
    rest = "".join(text.splitlines(keepends=True)[header - 1 :])[:_HEADER_CHARACTERS]
    first = next((line for line in re.sub(r'"[^"]*"', "quoted", rest).splitlines() if line.strip()), "")
    return max(",;\t", key=lambda mark: (first.count(mark), mark == ","))


def _csv_lines(text: str, delimiter: str, first: int) -> Iterator[SheetLine]:
    """The lines of a CSV file, of which the first one has this number."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = first
    try:
        for cells in reader:
            yield SheetLine(number, cells, {}, set())
            number = reader.line_num + first
    except csv.Error as wrong:
        raise UnreadableFile(f"line {number} is not CSV: {wrong}") from None


def _xlsx_lines(rows: Iterable[tuple[int, Any, Any]]) -> Iterator[SheetLine]:
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
        yield SheetLine(number, texts, broken, numbers)


_NOT_SAVED = "the value of this formula was not saved; open the file in a spreadsheet and save it"
_HIDDEN = re.compile(r"[_*].|\[[^\]]*\]")
_QUOTED = re.compile(r'"[^"]*"|\\.')


def _shown(cell: Any) -> str:
    """The text of a cell; a percentage as it is shown, since a workbook keeps 2 % as 0.02."""
    if isinstance(cell.value, CellRichText):
        return "".join(_run(part) for part in cell.value)
    text = text_of(cell.value)
    if isinstance(cell.value, bool) or not isinstance(cell.value, int | float) or "%" not in cell.number_format:
        return text
    shown = _HIDDEN.sub("", cell.number_format)
    if "%" in _QUOTED.sub("", shown):
        return f"{plain(Decimal(text) * 100)}%"
    return f"{text}%" if "%" in shown else text


def _run(part: str | TextBlock) -> str:
    """A run of a cell's text; a raised one in characters that are raised themselves, so that 12.5 with a raised 1 is
    never 12.51."""
    if isinstance(part, TextBlock):
        return superscript(part.text) if part.font.vertAlign == "superscript" and part.text.strip() else part.text
    return part


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
