"""XLSX workbooks: opened with openpyxl only after their parts were found to be sound and within bounds.

openpyxl raises whatever its code meets in a bad workbook. Here each of those errors becomes one sentence.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZipFile

from openpyxl import load_workbook
from openpyxl.worksheet._reader import WorkSheetParser

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


def check_workbook(path: Path) -> dict[str, list[MergedCells]]:
    """The merged cells of a workbook by part, checked to be a whole zip archive of parts within bounds, without
    entities.

    Raises: UnreadableFile if it is not.
    """
    check_file_size(path, MAX_WORKBOOK_BYTES)
    merged: dict[str, list[MergedCells]] = {}
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
                merged[part.filename] = check.merged
    return merged


def merged_in(merged: Mapping[str, list[MergedCells]], page: Any) -> list[MergedCells]:
    """The merged cells of one sheet of an open workbook."""
    part = getattr(page, "_worksheet_path", "")  # openpyxl reads no merged cells where it reads row by row
    return merged.get(part.removeprefix("/"), [])


@contextmanager
def opened_workbook(path: Path, *, data_only: bool = False) -> Iterator[Any]:
    """A workbook that was checked, row by row; of formulas the saved value with `data_only`, else the formula.

    Raises: UnreadableFile if openpyxl cannot open it.
    """
    with path.open("rb") as file, warnings.catch_warnings():  # openpyxl leaves a path open if it fails
        warnings.simplefilter("ignore")  # of styles and extensions, which have no part in a cell's text
        with _said("this is no XLSX workbook"):
            book = load_workbook(file, read_only=True, data_only=data_only, keep_links=False, rich_text=data_only)
        try:
            yield book
        finally:
            book.close()


def rows_of(pages: tuple[Any, Any], sheet: str) -> Iterator[tuple[int, Any, Any]]:
    """The rows of the two readings of one sheet: the number from 1, the cells with values, the cells with formulas.

    Raises: UnreadableFile if openpyxl cannot read on, with the last row that it could read.
    """
    values, formulas = pages
    rows = zip(_rich_rows(values), formulas.iter_rows(), strict=True)
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
        yield number, *row


def _rich_rows(page: Any) -> Iterator[Any]:
    """The rows of a sheet as `iter_rows` has them, but texts that stand in the cells themselves with their runs.

    openpyxl reads the runs of shared texts where it reads row by row, those of a cell's own text not.
    """
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
        self.merged: list[MergedCells] = []

    def read(self, content: IO[bytes]) -> None:
        """Read the part to its end; the zip archive checks its checksum.

        Raises: UnreadableFile if a bound is passed, or entities are declared.
        """
        parser = ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._count
        parse: Callable[[bytes], object] | None = parser.Parse
        while chunk := content.read(_CHUNK_BYTES):
            if parse is None:
                continue
            try:
                parse(chunk)
            except ExpatError:
                parse = None  # no XML; if openpyxl needs it nevertheless, it says so

    def _refuse_doctype(self, *_: object) -> None:
        raise UnreadableFile(f"{self._name} in this workbook declares a DOCTYPE, which no spreadsheet writes; {REMEDY}")

    def _count(self, tag: str, attributes: Mapping[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if not self._root:
            self._root = tag
            if tag != "worksheet" and self._size > MAX_PART_BYTES:
                self._refuse(self._size, MAX_PART_BYTES, "bytes unzipped")
        self._elements_since_row += 1
        if tag == "mergeCell" and self._root == "worksheet":
            self._note_merged(attributes.get("ref", ""))
        if tag in _REPEATED and self._root in ("worksheet", "sst"):
            limit, kind = _REPEATED[tag]
            self._counts[tag] += 1
            if self._counts[tag] > limit:
                self._refuse(self._counts[tag], limit, kind)
            if tag != "c":
                self._elements_since_row = 0
        if self._elements_since_row > MAX_PART_ELEMENTS:
            self._refuse(self._elements_since_row, MAX_PART_ELEMENTS, "XML elements at once")

    def _note_merged(self, reference: str) -> None:
        if (cells := MergedCells.read(reference)) is not None:
            self.merged.append(cells)
        if len(self.merged) > MAX_MERGED_CELLS:
            self._refuse(len(self.merged), MAX_MERGED_CELLS, "merged cells")

    def _refuse(self, count: int, limit: int, kind: str) -> None:
        raise UnreadableFile(
            f"{self._name} in this workbook has {count:,} or more {kind}; {limit:,} are read at most: {REMEDY}"
        )
