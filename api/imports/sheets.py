"""CSV files and XLSX sheets as rows of text: the content of each cell, and its place (docs/import.md).

Numbers are written plainly, dates as YYYY-MM-DD, so that a cell reads the same from either kind of file.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from api.imports.bounds import check_file_size
from api.imports.cell_numbers import TO_SUBSCRIPT, superscript
from api.imports.items import UnreadableFile
from api.imports.sheet_layout import SEPARATOR_LINE, Encoding, SheetLayout, SheetLine, SheetTable, table_of
from api.imports.workbook import SheetNotes, check_workbook, notes_on, opened_workbook, rows_of
from tracker.quantity import plain


def read_csv(path: Path, layout: SheetLayout | None = None) -> SheetTable:
    """A CSV file, separated by commas, semicolons or tabs, or as its first line `sep=|` says.

    Raises: UnreadableFile if it is not in its encoding or not CSV, or has no header; in a row that is asked for, too.
    """
    layout = layout or SheetLayout()
    check_file_size(path)
    codec = _codec_of(path, layout.encoding or "utf-8")
    _check_encoding(path, codec, layout.encoding)
    with path.open(encoding=codec, newline="") as file:
        said = SEPARATOR_LINE.match(file.readline(_HEADER_CHARACTERS))
        delimiter = said[2] if said else None
        if not said:
            file.seek(0)
        delimiter = delimiter or _delimiter(file, layout.header)
    lines = _csv_lines(path, codec, delimiter, skipped=1 if said else 0)
    return table_of(lines, layout, lambda number: f"line {number}")


_CODECS: Mapping[Encoding, str] = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "cp1252": "cp1252"}
_BLOCK_BYTES = 65_536
MAX_LINE_CHARACTERS = 16 * 2**20
"""Characters of a line of a CSV file, at most."""


def _codec_of(path: Path, encoding: Encoding) -> str:
    """The codec of an encoding; UTF-16 without a byte order mark is little-endian, as spreadsheets write it, unless its
    first byte is zero."""
    with path.open("rb") as file:
        start = file.read(2)
    if encoding != "utf-16" or start in (BOM_UTF16_LE, BOM_UTF16_BE):
        return _CODECS[encoding]
    return "utf-16-be" if start[:1] == b"\0" else "utf-16-le"


def _check_encoding(path: Path, codec: str, encoding: Encoding | None) -> None:
    """Read the whole file once, in blocks.

    Raises: UnreadableFile if it is not written so.
    """
    decoder = getincrementaldecoder(codec)()
    read = lines = 0
    start = b""
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK_BYTES)
            start = start or block[:4]
            if not read:
                _check_start(start, encoding)
            kept = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as wrong:
                if encoding is not None:
                    place = max(read - kept + wrong.start, 0)
                    raise UnreadableFile(f"the file is not {encoding}: {wrong.reason} at byte {place}") from None
                line = lines + block[: max(wrong.start - kept, 0)].count(b"\n") + 1
                likely = "utf-16" if start[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "cp1252"
                raise UnreadableFile(
                    f"line {line} is not UTF-8; save the file as CSV UTF-8, or say what it is: --encoding {likely}"
                ) from None
            if not block:
                return
            read += len(block)
            lines += block.count(b"\n")


def _check_start(start: bytes, encoding: Encoding | None) -> None:
    """Look at the first four bytes of a file, which would be read in a wrong encoding without an error.

    Raises: UnreadableFile if they are of another encoding.
    """
    if encoding != "utf-16" and b"\0" in start:
        raise UnreadableFile("the file has zeros between its characters, as UTF-16 has; say so: --encoding utf-16")
    if encoding is not None and encoding != "utf-8" and start.startswith(BOM_UTF8):
        raise UnreadableFile(f"the file is not {encoding}: it begins with the mark of UTF-8")


def read_workbook(
    path: Path, sheet: str | None = None, layout: SheetLayout | None = None, together: Collection[str] = ()
) -> Iterator[SheetTable]:
    """The sheet of this name; without one all sheets with cells whose names are `together`, else the first with cells.

    Of formulas the saved value counts. Each table is to be read before the next one is asked for.

    Raises: UnreadableFile if it is no XLSX workbook, is damaged, or lacks the sheet or a header; in a row that is asked
    for, too.
    """
    notes = check_workbook(path)
    with opened_workbook(path) as book:
        chosen = _chosen(book, sheet, together)
        for name in chosen:
            table = _table_on(name, book[name], layout, notes_on(notes, book[name]))
            yield replace(table, is_only=len(chosen) == 1)


def beginning_of(path: Path, sheet: str | None, lines: int) -> Callable[[SheetLayout], SheetTable]:
    """What makes a table in some layout of the first lines of a sheet, which are read now.

    Raises: UnreadableFile as `read_workbook`.
    """
    notes = check_workbook(path)
    with opened_workbook(path) as book:
        (name,) = _chosen(book, sheet)
        of_sheet = notes_on(notes, book[name])
        kept = list(islice(_xlsx_lines(rows_of(book[name], name), of_sheet), lines))

    def table(layout: SheetLayout) -> SheetTable:
        copies = (line._replace(texts=[*line.texts], broken={**line.broken}) for line in kept)
        return table_of(copies, layout, lambda number: f'sheet "{name}" row {number}', of_sheet.merged, name)

    return table


def _chosen(book: Any, sheet: str | None, together: Collection[str] = ()) -> list[str]:
    """The names of the sheets to read, of which one is there at least."""
    names = [page.title for page in book.worksheets]
    if sheet is not None and sheet not in names:
        raise UnreadableFile(f'there is no sheet "{sheet}"; there are: {", ".join(names)}')
    chosen = [sheet] if sheet else [name for name in names if name in together and _has_cells(book[name])]
    chosen = chosen or list(islice((name for name in names if _has_cells(book[name])), 1))
    if not chosen:
        raise UnreadableFile(f"no sheet has cells; there are: {', '.join(names)}")
    for name in chosen:
        book[name].reset_dimensions()  # what a file notes of its size may be wrong, and would cut off what is beyond
    return chosen


def _table_on(name: str, page: Any, layout: SheetLayout | None, notes: SheetNotes) -> SheetTable:
    lines = _xlsx_lines(rows_of(page, name), notes)
    return table_of(lines, layout or SheetLayout(), lambda number: f'sheet "{name}" row {number}', notes.merged, name)


def _has_cells(page: Any) -> bool:
    """Whether a sheet has a cell with a value; one that cannot be read is told later."""
    page.reset_dimensions()
    try:
        return any(cell.value is not None for row in page.iter_rows() for cell in row)
    except Exception:
        return True


_HEADER_CHARACTERS = 65_536
"""Characters of a header in which its delimiter is looked for, at most."""


def _delimiter(file: TextIO, header: int | str) -> str:
    """The mark that is most often in the header, outside of quotes; in the beginning if its row is not known."""
    for _ in range(header - 1 if isinstance(header, int) else 0):
        file.readline(MAX_LINE_CHARACTERS)
    looked_at = re.sub(r'"[^"]*"', "quoted", file.read(_HEADER_CHARACTERS))
    if isinstance(header, int):
        looked_at = next((line for line in looked_at.splitlines() if line.strip()), "")
    return max(",;\t", key=lambda mark: (looked_at.count(mark), mark == ","))


def _csv_lines(path: Path, codec: str, delimiter: str, skipped: int) -> Iterator[SheetLine]:
    """The lines of a CSV file behind those that are skipped."""
    with path.open(encoding=codec, newline="") as file:
        texts = _bounded_lines(file)
        for _ in range(skipped):
            next(texts, None)
        reader = csv.reader(texts, delimiter=delimiter, strict=True)
        number = skipped + 1
        try:
            for cells in reader:
                yield SheetLine(number, cells, {}, set())
                number = reader.line_num + skipped + 1
        except csv.Error as wrong:
            raise UnreadableFile(f"line {number} is not CSV: {wrong}") from None


def _bounded_lines(file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE_CHARACTERS + 1):
        number += 1
        if len(line) > MAX_LINE_CHARACTERS:
            raise UnreadableFile(f"line {number} has more than {MAX_LINE_CHARACTERS:,} characters")
        yield line


def _xlsx_lines(rows: Iterable[tuple[int, Any]], notes: SheetNotes) -> Iterator[SheetLine]:
    for number, cells in rows:
        broken: dict[int, str] = {}
        texts: list[str] = []
        numbers: set[int] = set()
        for index, cell in enumerate(cells):
            value, text = cell.value, ""
            if value is None:
                if notes.is_unsaved(number, index + 1):
                    broken[index] = _NOT_SAVED
            elif cell.data_type == "e":
                broken[index] = f"this formula ends in {value}"
            elif type(value) is str:
                text = value
            else:
                try:
                    text = _shown(cell)
                except Exception as wrong:  # a value that no spreadsheet shows, a style that is not there
                    broken[index] = f"this cell cannot be read: {wrong}"
            texts.append(text)
            if isinstance(value, int | float):
                numbers.add(index)
        yield SheetLine(number, texts, broken, numbers)


_NOT_SAVED = "the value of this formula was not saved; open the file in a spreadsheet and save it"
_HIDDEN = re.compile(r"[_*].|\[[^\]]*\]")
_QUOTED = re.compile(r'"[^"]*"|\\.')


def _shown(cell: Any) -> str:
    """The text of a cell; a percentage as it is shown, since a workbook keeps 2 % as 0.02."""
    if isinstance(cell.value, list):
        return "".join(_run(part) for part in cell.value)
    text = text_of(cell.value)
    if isinstance(cell.value, bool) or not isinstance(cell.value, int | float) or "%" not in cell.number_format:
        return text
    shown = _HIDDEN.sub("", cell.number_format)
    if "%" in _QUOTED.sub("", shown):
        return f"{plain(Decimal(text) * 100)}%"
    return f"{text}%" if "%" in shown else text


def _run(part: Any) -> str:
    """A run of a cell's text, with a font if it is no bare text; a raised or lowered one in characters that are so
    themselves, so that 12.5 with a raised or lowered 1 is never 12.51."""
    if isinstance(part, str):
        return part
    text = str(part.text)
    if part.font.vertAlign == "subscript":
        return text.translate(TO_SUBSCRIPT)
    return superscript(text) if part.font.vertAlign == "superscript" and text.strip() else text


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
