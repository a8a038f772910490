"""Bounds of import files: how large a file, a table and a workbook may be, so that none takes all memory or hours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from api.imports.items import UnreadableFile

MAX_FILE_BYTES = 512 * 2**20
"""Bytes of an import file, at most."""

MAX_WORKBOOK_BYTES = 64 * 2**20
"""Bytes of an XLSX file, at most; it is a zip archive, and what it holds has bounds of its own."""

MAX_UNZIPPED_BYTES = 256 * 2**20
"""Bytes of all parts of a workbook together, unzipped, at most."""

MAX_PARTS = 10_000
"""Parts (files in the zip archive) of a workbook, at most."""

MAX_PART_BYTES = 32 * 2**20
"""Bytes, unzipped, of a part that is read as a whole, at most: styles, the list of sheets, shared strings."""

MAX_PART_ELEMENTS = 1_000_000
"""XML elements of a part that is read as a whole, at most, and of what is read of a sheet at once, a row."""

MAX_SHARED_STRINGS = 1_000_000
"""Texts that the cells of a workbook share, at most."""

MAX_MERGED_CELLS = 100_000
"""Merged cells of a sheet, at most."""

MAX_ROWS = 1_048_576
"""Rows of a table, at most: as many as a spreadsheet has."""

MAX_COLUMNS = 16_384
"""Columns of a table, at most: as many as a spreadsheet has."""

MAX_CELLS = 5_000_000
"""Cells of a table, at most; empty ones to the left of filled ones count."""

REMEDY = "save the sheet that is meant as CSV UTF-8, in several files if need be"


def check_file_size(path: Path, limit: int = MAX_FILE_BYTES) -> None:
    """Check that a file has at most `limit` bytes.

    Raises: UnreadableFile if it has more.
    """
    if (size := path.stat().st_size) > limit:
        raise UnreadableFile(f"the file has {size:,} bytes; {limit:,} are read at most: split it into several files")


class TableBounds:
    """Counts the rows and cells of a table while it is read."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._cells = 0
        self._max_rows = max_rows

    def count(self, number: int, width: int, place: Callable[[int], str]) -> None:
        """Count the row of this number, from 1, with so many cells.

        Raises: UnreadableFile if a bound is passed.
        """
        self._cells += width
        if number > (limit := min(self._max_rows, MAX_ROWS)):
            raise UnreadableFile(f"{place(number)}: a table has at most {limit:,} rows; split it into several files")
        if width > MAX_COLUMNS:
            raise UnreadableFile(
                f"{place(number)} has {width:,} columns; a table has at most {MAX_COLUMNS:,}: "
                "leave out those that are not meant"
            )
        if self._cells > MAX_CELLS:
            raise UnreadableFile(
                f"{place(number)}: a table has at most {MAX_CELLS:,} cells, empty ones between filled ones included; "
                "split it into several files"
            )
