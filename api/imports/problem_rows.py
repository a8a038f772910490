"""`--problems FILE`: the rows of an import file that have problems, with a column that says which, to hand back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from api.formats.csv_table import guarded, write_table
from api.imports.files import is_iati, is_lines, read_tables
from api.imports.items import ImportProblem
from api.imports.sheet_layout import Encoding
from api.imports.sheet_map import SheetMap

PLACE_COLUMN, PROBLEM_COLUMN = "row in the file", "problem"
"""The columns beside those of the file."""


def write_problem_rows(
    file: Path,
    problems: Sequence[ImportProblem],
    *,
    mapping: SheetMap | None = None,
    sheet: str | None = None,
    encoding: Encoding | None = None,
) -> Iterator[bytes]:
    """The rows of the file that have problems, as CSV; problems of the file as a whole have a row of their own.

    Raises: UnreadableFile if the file cannot be read any more.
    """
    said: defaultdict[str, list[str]] = defaultdict(list)
    for problem in problems:
        said[problem.place].append(": ".join(part for part in (problem.where, problem.message) if part))
    columns, rows = _rows(file, mapping, sheet, encoding)
    beside = [_unlike(name, columns) for name in (PLACE_COLUMN, PROBLEM_COLUMN)]
    told = ({**rows.get(place, {}), beside[0]: place, beside[1]: "; ".join(of)} for place, of in said.items())
    yield from write_table([guarded(name) for name in (*beside, *columns)], told)


def _rows(
    file: Path, mapping: SheetMap | None, sheet: str | None, encoding: Encoding | None
) -> tuple[Sequence[str], Mapping[str, Mapping[str, str]]]:
    """The columns of the file, and its rows by their place."""
    if is_lines(file):
        lines = file.read_bytes().split(b"\n")
        return ("line",), {f"line {n}": {"line": line.decode(errors="replace")} for n, line in enumerate(lines, 1)}
    if is_iati(file):
        return (), {}
    tables = read_tables(file, mapping=mapping, sheet=sheet, encoding=encoding)
    columns = dict.fromkeys(column for table in tables for column in table.columns)
    return tuple(columns), {row.place: row.cells for table in tables for row in table.rows}


def _unlike(name: str, columns: Sequence[str]) -> str:
    while name in columns:
        name += "*"
    return name
