"""`--problems FILE`: the rows of an import file that have problems, with a column that says which, to hand back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from api.formats.csv_table import guarded, write_table
from api.imports.files import ImportFile, is_iati, is_lines
from api.imports.problem_list import ProblemList
from api.imports.sheet_layout import SheetRow, SheetTable

PLACE_COLUMN, PROBLEM_COLUMN = "row in the file", "problem"
"""The columns beside those of the file."""


def write_problem_rows(file: ImportFile, problems: ProblemList) -> Iterator[bytes]:
    """The rows of the file that have problems, as CSV; problems of the file as a whole have a row of their own.

    The file is read once more, row by row.

    Raises: UnreadableFile if the file cannot be read any more.
    """
    columns = tuple(dict.fromkeys(column for table in _tables(file) for column in table.columns))
    beside = [_unlike(name, columns) for name in (PLACE_COLUMN, PROBLEM_COLUMN)]
    yield from write_table([guarded(name) for name in (*beside, *columns)], _told(file, problems, beside))


def _told(file: ImportFile, problems: ProblemList, beside: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """The rows with problems, those of a header before the rows below it; at the end what is no row of a table."""
    left = dict.fromkeys(problems.places() if is_iati(file.path) else problems.places_without_item())
    for table in _tables(file):
        for row in _with_header(table):
            left.pop(row.place, None)
            yield from _row(row.place, row.cells, problems, beside)
    for place in left:
        yield from _row(place, {}, problems, beside)


def _row(
    place: str, cells: Mapping[str, str], problems: ProblemList, beside: Sequence[str]
) -> Iterator[Mapping[str, str]]:
    if said := [": ".join(filter(None, (found.where, found.message))) for found in problems.at(place)]:
        yield {**cells, beside[0]: place, beside[1]: "; ".join(said)}


def _tables(file: ImportFile) -> Iterator[SheetTable]:
    """The tables of the file; lines of NDJSON as a table of one column, none of IATI activities."""
    if is_lines(file.path):
        lines = ((f"line {number}", line.rstrip(b"\r")) for number, line in enumerate(file.lines(), start=1))
        rows = (SheetRow(place, {"line": line.decode(errors="replace")}) for place, line in lines)
        yield SheetTable("", ("line",), rows)
    elif not is_iati(file.path):
        yield from file.tables()


def _with_header(table: SheetTable) -> Iterable[SheetRow]:
    yield SheetRow(table.place, {})
    yield from table.rows


def _unlike(name: str, columns: Sequence[str]) -> str:
    while name in columns:
        name += "*"
    return name
