"""Files to import, and the problems that are found in them."""

from pathlib import Path
from typing import Any

from openpyxl import Workbook

from api.imports.files import read_items


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


def problems(path: Path, **options: Any) -> list[str]:
    """What is told of a file that is read with these options of `read_items`."""
    return [str(problem) for problem in read_items(path, **options)[1]]
