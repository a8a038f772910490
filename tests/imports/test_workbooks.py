"""XLSX workbooks: sheets, formulas, percentages and numbers, and what is told of a damaged one."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

from api.imports.items import UnreadableFile
from api.imports.sheets import text_of
from tests.support.import_files import problems, read_xlsx, workbook


def test_a_workbook_reads_as_its_csv_would(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["pledge", "type", "stated_on", "partly", "bytes"],
        ["p", "X", datetime(2024, 7, 10), True, 7.0],
    ]
    table = read_xlsx(workbook(tmp_path / "f.xlsx", rows, second="Other"))
    assert table.rows[0].place == 'sheet "Facts" row 2'
    assert table.rows[0].cells == {
        "pledge": "p",
        "type": "X",
        "stated_on": "2024-07-10",
        "partly": "true",
        "bytes": "7",
    }
    with pytest.raises(UnreadableFile, match='there is no sheet "Third"; there are: Facts, Other'):
        read_xlsx(tmp_path / "f.xlsx", "Third")


def test_a_formula_without_a_saved_value_is_a_problem_not_an_empty_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path / "f.xlsx", [["pledge", "type", "summary"], ["p", "StatementMade", "=1+1"]])
    (problem,) = problems(path)
    assert problem.startswith('sheet "Facts" row 2: summary: the value of this formula was not saved;')


def rewritten(path: Path, inside: str, change: Any) -> Path:
    """The workbook with one of its parts changed."""
    with ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[inside] = change(parts[inside])
    with ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


@pytest.mark.parametrize("noted", [b"A1", b"A1:B2", b"A1:XFD1048576"])
def test_the_size_that_a_sheet_notes_does_not_cut_it_off(tmp_path: Path, noted: bytes) -> None:
    path = workbook(tmp_path / "f.xlsx", [["pledge", "type", "summary"], *(["p", "X", str(n)] for n in range(3))])
    dimension = b'<dimension ref="' + noted + b'"'
    rewritten(path, "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<dimension ref="[^"]*"', dimension, xml))
    table = read_xlsx(path)
    assert table.columns == ("pledge", "type", "summary")
    assert [row.cells["summary"] for row in table.rows] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("value", "shown_as", "text"),
    [
        (0.02, "0%", "2%"),
        (1, "0%", "100%"),
        (0.0215, "0%", "2.15%"),
        (1.1, "0.0 %", "110%"),
        (-0.07, "0%;[Red]-0%", "-7%"),
        (2, '0"%"', "2%"),
        (2, "0\\%", "2%"),
        (2, "0.0_%", "2"),
        (2, "0.00", "2"),
    ],
)
def test_a_percentage_is_read_as_it_is_shown(tmp_path: Path, value: float, shown_as: str, text: str) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["share"])
    page.append([value])
    page["A2"].number_format = shown_as
    book.save(tmp_path / "f.xlsx")
    assert read_xlsx(tmp_path / "f.xlsx").rows[0].cells == {"share": text}


def test_a_chart_sheet_is_not_the_sheet_that_is_read(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "Data"
    page.append(["x"])
    page.append([1])
    chart = BarChart()
    chart.add_data(Reference(page, min_col=1, min_row=1, max_row=2))
    book.create_chartsheet("Chart", 0).add_chart(chart)
    book.save(tmp_path / "f.xlsx")
    assert read_xlsx(tmp_path / "f.xlsx").rows[0].place == 'sheet "Data" row 2'
    with pytest.raises(UnreadableFile, match='there is no sheet "Chart"; there are: Data'):
        read_xlsx(tmp_path / "f.xlsx", "Chart")


def test_a_chart_sheet_without_a_chart_is_told(tmp_path: Path) -> None:
    book = Workbook()
    book.create_chartsheet("Chart", 0)
    book.save(tmp_path / "f.xlsx")
    with pytest.raises(UnreadableFile, match=r"this is no XLSX workbook: .*save the sheet that is meant as CSV UTF-8"):
        read_xlsx(tmp_path / "f.xlsx")


def test_a_damaged_workbook_is_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "f.xlsx", [["pledge", "type"], ["p", "X"]])
    rewritten(path, "xl/worksheets/sheet1.xml", lambda xml: xml[: xml.rindex(b"<row")])
    with pytest.raises(UnreadableFile, match='sheet "Facts" behind row 1: this workbook is damaged: no element found'):
        read_xlsx(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [(20.9, "20.9"), (0.1 + 0.2, "0.3"), (5e10, "50000000000"), (3, "3"), (date(2024, 1, 2), "2024-01-02"), (None, "")],
)
def test_numbers_are_read_to_the_digits_a_spreadsheet_keeps(value: object, text: str) -> None:
    assert text_of(value) == text
