"""XLSX workbooks: opened with openpyxl only after their parts were found to be sound and within bounds.

openpyxl raises whatever its code meets in a bad workbook. Here each of those errors becomes one sentence.
"""

from __future__ import annotations

import warnings
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZipFile

from api.imports.bounds import (
    MAX_CELLS,
    MAX_MERGED_CELLS,
    MAX_PART_BYTES,
    MAX_PART_ELEMENTS,
    MAX_PARTS,
    MAX_ROWS,
    MAX_SHARED_STRINGS,
    MAX_UNZIPPED_BYTES,
    MAX_WORKBOOK_BYTES,
    REMEDY,
    check_file_size,
)
from api.imports.items import UnreadableFile
from api.imports.sheet_layout import MergedCells

_CHUNK_BYTES = 65_536
_MAX_REASON_CHARACTERS = 200

_REPEATED = {"row": (MAX_ROWS, "rows"), "c": (MAX_CELLS, "cells"), "si": (MAX_SHARED_STRINGS, "shared texts")}
"""The XML elements of a sheet and of the shared strings that are bounded by themselves."""


@dataclass(slots=True)
class SheetNotes:
    """What openpyxl does not tell of a sheet: its merged cells, and its formulas without a saved value."""

    merged: list[MergedCells] = field(default_factory=list)
    _unsaved: array[int] = field(default_factory=lambda: array("q"))

    def note_unsaved(self, row: int, column: int) -> None:
        """Note a formula without a saved value, in the order of the sheet."""
        self._unsaved.append(row * _COLUMNS + column)

    def is_unsaved(self, row: int, column: int) -> bool:
        """Whether the cell, counted from 1, has a formula without a saved value."""
        if not self._unsaved:
            return False
        place = row * _COLUMNS + column
        found = bisect_left(self._unsaved, place)
        return found < len(self._unsaved) and self._unsaved[found] == place


_COLUMNS = 2**16
"""More columns than a sheet has."""


def check_workbook(path: Path) -> dict[str, SheetNotes]:
    """What there is to know of each part of a workbook beside its cells, checked to be a whole zip archive of parts
    within bounds, without entities.

    Raises: UnreadableFile if it is not.
    """
    check_file_size(path, MAX_WORKBOOK_BYTES)
    notes: dict[str, SheetNotes] = {}
    with _said("this is no XLSX workbook"), ZipFile(path) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS:
            raise UnreadableFile(f"this workbook has {len(parts):,} parts; {MAX_PARTS:,} are read at most: {REMEDY}")
        unzipped = sum(part.file_size for part in parts)
        if unzipped > MAX_UNZIPPED_BYTES:
            raise UnreadableFile(
                f"this workbook has {unzipped:,} bytes unzipped; {MAX_UNZIPPED_BYTES:,} are read at most: {REMEDY}"
            )
        for part in parts:
            with archive.open(part) as content:
                check = _PartCheck(part.filename, part.file_size)
                check.read(content)
                notes[part.filename] = check.notes
    return notes


def notes_on(notes: Mapping[str, SheetNotes], page: Any) -> SheetNotes:
    """The notes on one sheet of an open workbook."""
    part = getattr(page, "_worksheet_path", "")
    return notes.get(part.removeprefix("/"), SheetNotes())


@contextmanager
def opened_workbook(path: Path) -> Iterator[Any]:
    """A workbook that was checked, row by row; of formulas the saved value.

    Raises: UnreadableFile if openpyxl cannot open it.
    """
    from openpyxl import load_workbook  # it takes 20 MB, which an import of another file does without

    with path.open("rb") as file, warnings.catch_warnings():  # openpyxl leaves a path open if it fails
        warnings.simplefilter("ignore")  # of styles and extensions, which have no part in a cell's text
        with _said("this is no XLSX workbook"):
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False, rich_text=True)
        try:
            yield book
        finally:
            book.close()


def rows_of(page: Any, sheet: str) -> Iterator[tuple[int, Any]]:
    """The rows of a sheet: the number from 1, and the cells.

    Raises: UnreadableFile if openpyxl cannot read on, with the last row that it could read.
    """
    rows = _rich_rows(page)
    number = 0
    while True:
        try:
            row = next(rows, None)
        except Exception as wrong:
            where = f"behind row {number}" if number else "before its first row"
            raise _unreadable(f'sheet "{sheet}" {where}: this workbook is damaged', wrong) from None
        if row is None:
            return
        number += 1
        yield number, row


def _rich_rows(page: Any) -> Iterator[Any]:
    """The rows of a sheet as `iter_rows` has them, but texts that stand in the cells themselves with their runs.

    openpyxl reads the runs of shared texts where it reads row by row, those of a cell's own text not.
    """
    from openpyxl.worksheet._reader import WorkSheetParser

    book, number = page.parent, 1
    with page._get_source() as source:
        parser = WorkSheetParser(
            source,
            page._shared_strings,
            data_only=book.data_only,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
            rich_text=True,
        )
        for index, row in parser.parse():
            for _ in range(number, index):
                number += 1
                yield ()
            if number <= index:
                number += 1
                yield page._get_row(row)


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Turn whatever is raised within into one sentence that begins so.

    Raises: UnreadableFile in the place of any other error.
    """
    try:
        yield
    except UnreadableFile:
        raise
    except Exception as wrong:
        raise _unreadable(what, wrong) from None


def _unreadable(what: str, wrong: Exception) -> UnreadableFile:
    reason = " ".join(str(wrong).split())[:_MAX_REASON_CHARACTERS] or type(wrong).__name__
    return UnreadableFile(f"{what}: {reason}; if a spreadsheet can open it, {REMEDY}")


class _PartCheck:
    """Reads one part of a workbook as a stream of XML, and counts; a part that is no XML (a picture) passes."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._root = ""
        self._counts = dict.fromkeys(_REPEATED, 0)
        self._elements_since_row = 0
        self._parser = ParserCreate()
        self._row = self._since = 0
        self._named = ""
        self._cell: Mapping[str, str] = {}
        self._is_pending = False
        self.notes = SheetNotes()

    def read(self, content: IO[bytes]) -> None:
        """Read the part to its end; the zip archive checks its checksum.

        Raises: UnreadableFile if a bound is passed, or entities are declared.
        """
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._count
        parse: Callable[[bytes], object] | None = self._parser.Parse
        while chunk := content.read(_CHUNK_BYTES):
            if parse is None:
                continue
            try:
                parse(chunk)
            except ExpatError:
                parse = None  # no XML; if openpyxl needs it nevertheless, it says so
        self._settle_formula()

    def _refuse_doctype(self, *_: object) -> None:
        raise UnreadableFile(f"{self._name} in this workbook declares a DOCTYPE, which no spreadsheet writes; {REMEDY}")

    def _count(self, tag: str, attributes: Mapping[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if not self._root:
            self._root = tag
            if tag != "worksheet" and self._size > MAX_PART_BYTES:
                self._refuse(self._size, MAX_PART_BYTES, "bytes unzipped")
        self._elements_since_row += 1
        if self._root == "worksheet":
            self._look(tag, attributes)
        if tag in _REPEATED and self._root in ("worksheet", "sst"):
            limit, kind = _REPEATED[tag]
            self._counts[tag] += 1
            if self._counts[tag] > limit:
                self._refuse(self._counts[tag], limit, kind)
            if tag != "c":
                self._elements_since_row = 0
        if self._elements_since_row > MAX_PART_ELEMENTS:
            self._refuse(self._elements_since_row, MAX_PART_ELEMENTS, "XML elements at once")

    def _look(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Keep what is to be noted of a sheet."""
        if tag == "c":
            if self._is_pending:
                self._settle_formula()
            self._cell = attributes
            if "r" in attributes:
                self._named, self._since = attributes["r"], 0
            else:
                self._since += 1
        elif tag == "row":
            if self._is_pending:
                self._settle_formula()
            self._row, self._named, self._since = _number(attributes.get("r", "")) or self._row + 1, "", 0
        elif tag == "f":
            # An empty <v> is an empty text where the value is one; elsewhere openpyxl and others write it for none.
            self._is_pending = self._cell.get("t") != "str"
        elif tag == "v" and self._is_pending:
            self._parser.CharacterDataHandler = self._see_value
        elif tag == "mergeCell":
            self._note_merged(attributes.get("ref", ""))

    def _see_value(self, _: str) -> None:
        self._is_pending = False
        self._parser.CharacterDataHandler = None

    def _settle_formula(self) -> None:
        """Note the last cell if its formula has no saved value."""
        if self._is_pending:
            self._is_pending = False
            self._parser.CharacterDataHandler = None
            self.notes.note_unsaved(self._row, _column_number(self._named) + self._since)

    def _note_merged(self, reference: str) -> None:
        if (cells := MergedCells.read(reference)) is not None:
            self.notes.merged.append(cells)
        if len(self.notes.merged) > MAX_MERGED_CELLS:
            self._refuse(len(self.notes.merged), MAX_MERGED_CELLS, "merged cells")

    def _refuse(self, count: int, limit: int, kind: str) -> None:
        raise UnreadableFile(
            f"{self._name} in this workbook has {count:,} or more {kind}; {limit:,} are read at most: {REMEDY}"
        )


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _number(text: str) -> int:
    """A row's number; 0 of what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _column_number(reference: str) -> int:
    """The number of a cell's column, from 1: 28 of AB7; 0 of what is no cell."""
    number = 0
    for letter in reference[:4].rstrip("0123456789"):
        number = number * 26 + _LETTERS.find(letter) + 1
    return number
