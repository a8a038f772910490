"""Files to import, and the problems that are found in them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook

from api.imports.files import ImportFile
from api.imports.items import ImportItem, ImportProblem
from api.imports.sheet_layout import SheetLayout, SheetRow, SheetTable
from api.imports.sheets import read_workbook
from api.imports.spool import ItemSpool


def written(path: Path, text: str) -> Path:
    """A file with this text, in UTF-8 and with its line ends as they are."""
    path.write_text(text, encoding="utf-8", newline="")
    return path


def workbook(path: Path, rows: list[list[Any]], sheet: str = "Facts", *, second: str | None = None) -> Path:
    """An XLSX workbook with these rows on a sheet, and perhaps a second sheet that is not meant."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    if second is not None:
        book.create_sheet(second).append(["nothing"])
    book.save(path)
    return path


def read_items(
    path: Path,
    *,
    note_left_out: Callable[[str], object] = lambda _: None,
    note_remark: Callable[[str], object] = lambda _: None,
    **options: Any,
) -> tuple[list[ImportItem], list[ImportProblem]]:
    """The items of a file in the order in which they are recorded, and its problems in the order of its rows.

    The options are those of `ImportFile`; what it notes of left out rows and remarks is told one by one.
    """
    file = ImportFile(path, **options)
    with ItemSpool(lambda: datetime.now(UTC)) as spool:
        spool.fill(file.read())
        spool.order(oldest_first=file.oldest_first)
        found = [spooled.item for spooled in spool.items()], list(spool.problems)
    for place in file.left_out.first:
        note_left_out(place)
    for remark in file.remarks.first:
        note_remark(remark)
    return found


class ReadTable(NamedTuple):
    """A table of which all rows are read."""

    place: str
    columns: tuple[str, ...]
    rows: list[SheetRow]


def whole(table: SheetTable) -> ReadTable:
    """The table with its rows read."""
    return ReadTable(table.place, table.columns, list(table.rows))


def read_xlsx(path: Path, sheet: str | None = None, layout: SheetLayout | None = None) -> ReadTable:
    """The first table that is read of a workbook, with its rows."""
    return next(map(whole, read_workbook(path, sheet, layout)))


def problems(path: Path, **options: Any) -> list[str]:
    """What is told of a file that is read with these options of `read_items`."""
    return [str(problem) for problem in read_items(path, **options)[1]]
