"""Where a table lies in its file: its header of one or several rows, cells that span others, columns as rows.

Merged cells of text are filled down. A number that spans several rows is one number: its lower rows are broken cells
unless the map fills the column down, since to repeat it would count it more than once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal, NamedTuple

from api.imports.bounds import MAX_ROWS, TableBounds
from api.imports.cell_conditions import is_like
from api.imports.cell_numbers import without_footnotes, without_marks
from api.imports.items import UnreadableFile

Encoding = Literal["utf-8", "utf-16", "cp1252"]
"""How the characters of a CSV file are written."""

MAX_HEADER_ROWS = 10
"""Rows of a header, at most."""

_MAX_NAMELESS_CELLS = 20
"""Cells without a column name that are told of one row, at most."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """The cells of one row by column name; empty ones are left out.

    `place` is the line, or the sheet and row. `broken` has the columns whose cells hold no value, and why. `numbers`
    are the columns whose cells held a number rather than text. `headings` has the columns of the file in which cells
    of an unpivoted row stand.
    """

    place: str
    cells: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    headings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A header and its rows, which are read once, as they are asked for. `place` is the line, or the sheet and row, of
    the header; `title` the sheet. `is_only` tells that no other table of its file is read.
    """

    place: str
    columns: tuple[str, ...]
    rows: Iterable[SheetRow]
    title: str = ""
    is_only: bool = True


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """The first row of the header, its number of rows (None: as merged cells have it), and what is filled down.

    `header` is the row's number, or a pattern of a cell that the row has. `encoding` is that of a CSV file; UTF-8 if it
    is None. A table with more than `max_rows` rows is refused. `names` are those of columns without a heading, by their
    letters. With `ends_at_blank` the table ends at the first blank row.
    """

    header: int | str = 1
    header_rows: int | None = None
    encoding: Encoding | None = None
    fill_down: tuple[str, ...] = ()
    max_rows: int = MAX_ROWS
    names: Mapping[str, str] = field(default_factory=dict)
    ends_at_blank: bool = False


def openpyxl_utils() -> Any:
    """The library's helpers, loaded when a table is read: a server that reads none does without them."""
    from openpyxl import utils

    return utils


def column_letter(number: int) -> str:
    """The letter of a column: A is 1."""
    return str(openpyxl_utils().get_column_letter(number))


class SheetLine(NamedTuple):
    """A line of a file: its number from 1, its texts, its broken cells with why, and the indexes of its numbers."""

    number: int
    texts: list[str]
    broken: dict[int, str]
    numbers: set[int]


class MergedCells(NamedTuple):
    """Cells that are one: the first and last row, and the first and last column, from 1."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def read(cls, reference: str) -> MergedCells | None:
        """The cells of a reference such as A2:A3; None if it is none."""
        try:
            left, top, right, bottom = openpyxl_utils().range_boundaries(reference)
        except (ValueError, TypeError):
            return None
        if left is None or top is None or right is None or bottom is None:
            return None
        return cls(top, bottom, left, right)


def filled_down(lines: Iterable[SheetLine], merged: Iterable[MergedCells]) -> Iterator[SheetLine]:
    """The lines with the text of merged cells in each of their rows, in the first column."""
    waiting = sorted((cells for cells in merged if cells.bottom > cells.top), reverse=True)
    active: list[tuple[MergedCells, str, str]] = []
    for line in lines:
        active = [span for span in active if span[0].bottom >= line.number]
        for cells, text, why in active:
            index = cells.left - 1
            if index >= len(line.texts):
                line.texts.extend([""] * (index + 1 - len(line.texts)))
            line.texts[index] = text
            if why:
                line.broken[index] = why
        while waiting and waiting[-1].top <= line.number:
            cells = waiting.pop()
            index = cells.left - 1
            if cells.top == line.number and index < len(line.texts):
                active.append((cells, *_repeated(line, index, cells)))
        yield line


def _repeated(line: SheetLine, index: int, cells: MergedCells) -> tuple[str, str]:
    """What the lower rows of merged cells say: the text, or why they say nothing."""
    if index in line.broken:
        return "", line.broken[index]
    if index in line.numbers:
        where = f"{column_letter(cells.left)}{cells.top}:{column_letter(cells.left)}{cells.bottom}"
        return "", (
            f'{where} is one cell with the number "{line.texts[index]}", which is counted once; '
            "if each row means it, name the column in fill_down"
        )
    return line.texts[index], ""


def table_of(
    lines: Iterator[SheetLine],
    layout: SheetLayout,
    place: Callable[[int], str],
    merged: Sequence[MergedCells] = (),
    title: str = "",
) -> SheetTable:
    """The table that the lines hold: its header is read, its rows are read as they are asked for.

    Raises: UnreadableFile if there is no header, a column is there twice, or a bound is passed, in a row too.
    """
    lines = _counted(filled_down(lines, merged), TableBounds(layout.max_rows), place)
    header: list[SheetLine] = []
    height = 0
    for line in lines:
        if not header and not _begins_header(line, layout.header):
            continue
        if not header:
            height = layout.header_rows or _spanned_rows(line.number, merged)
        header.append(line)
        if len(header) == height:
            break
    columns = _column_names(header, merged, place) if header and len(header) == height else []
    if not columns:
        raise UnreadableFile("there is no header: the first row names the columns")
    columns = _named(columns, layout.names, place(header[-1].number))
    names = tuple(name for name in columns if name)
    if unknown := sorted(set(layout.fill_down) - set(names)):
        raise UnreadableFile(f'{place(header[0].number)}: there is no column "{unknown[0]}" to fill down')
    return SheetTable(place(header[-1].number), names, _rows(lines, columns, layout, place), title)


def _begins_header(line: SheetLine, header: int | str) -> bool:
    """Whether the header begins in this line, if it did not begin before."""
    if isinstance(header, str):
        return any(is_like(text, (header,)) for text in line.texts)
    return line.number >= header and any(text.strip() for text in line.texts)


def _named(columns: list[str], names: Mapping[str, str], place: str) -> list[str]:
    """The columns, those without a heading by the names that a map gives them."""
    if not names:
        return columns
    filled = [name or names.get(column_letter(index), "") for index, name in enumerate(columns, start=1)]
    return _different(filled, place)


def _counted(lines: Iterable[SheetLine], bounds: TableBounds, place: Callable[[int], str]) -> Iterator[SheetLine]:
    for line in lines:
        bounds.count(line.number, len(line.texts), place)
        yield line


def _rows(
    lines: Iterator[SheetLine], columns: Sequence[str], layout: SheetLayout, place: Callable[[int], str]
) -> Iterator[SheetRow]:
    """The rows below the header that have a cell."""
    fill_down = layout.fill_down
    above: dict[str, tuple[str, bool]] = {}
    is_named = all(columns)
    for line in lines:
        if not line.broken and not line.numbers and is_named and len(line.texts) <= len(columns):
            cells = {name: text for name, text in zip(columns, line.texts, strict=False) if text and not text.isspace()}
            if cells:
                yield _filled_from_above(SheetRow(place(line.number), cells), fill_down, above)
            elif layout.ends_at_blank:
                return
        elif line.broken or any(text.strip() for text in line.texts):
            yield _filled_from_above(_row(line, columns, place), fill_down, above)
        elif layout.ends_at_blank:
            return


def _spanned_rows(number: int, merged: Sequence[MergedCells]) -> int:
    """The rows of a header that begins in this one: as many as its tallest merged cell has."""
    tallest = max((cells.bottom - cells.top + 1 for cells in merged if cells.top == number), default=1)
    return tallest if tallest <= MAX_HEADER_ROWS else 1


def _column_names(header: Sequence[SheetLine], merged: Sequence[MergedCells], place: Callable[[int], str]) -> list[str]:
    """The names of the columns, made of all rows of the header; those above others reach to the right."""
    if len(header) == 1:
        return _different([text.strip() for text in header[0].texts], place(header[0].number))
    width = max(len(line.texts) for line in header)
    levels: list[list[str]] = []
    for line in header:
        texts = [" ".join(text.split()) for text in line.texts] + [""] * (width - len(line.texts))
        spans = [cells for cells in merged if cells.top <= line.number <= cells.bottom and cells.right > cells.left]
        for cells in spans:
            texts[cells.left : cells.right] = [texts[cells.left - 1]] * len(texts[cells.left : cells.right])
        if not merged and line is not header[-1]:
            for index in range(1, width):
                texts[index] = texts[index] or texts[index - 1]
        levels.append(texts)
    names = [" ".join(dict.fromkeys(filter(None, parts))) for parts in zip(*levels, strict=True)]
    return _different(names, place(header[-1].number))


def _different(names: list[str], place: str) -> list[str]:
    """The names of columns, checked to be different."""
    if twice := sorted(name for name, count in Counter(names).items() if name and count > 1):
        raise UnreadableFile(f'{place}: column "{twice[0]}" is there twice')
    return names


def _row(line: SheetLine, columns: Sequence[str], place: Callable[[int], str]) -> SheetRow:
    names = [*columns, *[""] * (len(line.texts) - len(columns))]
    nameless = (
        index
        for index, (name, text) in enumerate(zip(names, line.texts, strict=False))
        if not name and (text.strip() or index in line.broken)
    )
    beyond = {
        f"column {column_letter(index + 1)}": "this cell has no column name"
        for index in islice(nameless, _MAX_NAMELESS_CELLS)
    }
    return SheetRow(
        place(line.number),
        {name: text for name, text in zip(names, line.texts, strict=False) if name and text.strip()},
        {names[index]: why for index, why in line.broken.items() if names[index]} | beyond,
        frozenset(names[index] for index in line.numbers),
    )


def _filled_from_above(row: SheetRow, names: Sequence[str], above: dict[str, tuple[str, bool]]) -> SheetRow:
    """The row, its empty cells in these columns as in the last row that has them, which `above` keeps."""
    if not names:
        return row
    cells, numbers, broken = dict(row.cells), set(row.numbers), dict(row.broken)
    for name in names:
        if name in cells:
            above[name] = cells[name], name in numbers
        elif name in above:
            cells[name], is_number = above[name]
            broken.pop(name, None)
            if is_number:
                numbers.add(name)
    return replace(row, cells=cells, broken=broken, numbers=frozenset(numbers))


def unpivoted(
    table: SheetTable, patterns: Sequence[str], name: str, value: str, max_rows: int = MAX_ROWS
) -> SheetTable:
    """The table with a row for each filled cell of these columns: the column's heading under `name`, the cell under
    `value`. A row without any stays one row. A heading with a footnote mark, `2024¹`, fits without it, and is named so.

    Raises: UnreadableFile if no column fits, two have one name, or one has the new names already.
    """
    wide = {column: said for column in table.columns if (said := _name_like(column, patterns)) is not None}
    _different([*wide.values()], table.place)
    kept = [column for column in table.columns if column not in wide]
    if not wide:
        raise UnreadableFile(f"{table.place}: no column is named like {' or '.join(patterns)}, to be read as rows")
    if taken := [column for column in (name, value) if column in kept]:
        raise UnreadableFile(f'{table.place}: there is a column "{taken[0]}" already; call the unpivoted one otherwise')
    return replace(table, columns=(*kept, name, value), rows=_spread(table.rows, wide, name, value, max_rows))


def _name_like(heading: str, patterns: Sequence[str]) -> str | None:
    """The heading, or what it is without its footnote mark, that is named like one of the patterns."""
    for name in (heading, without_marks(without_footnotes(heading)[0])):
        if is_like(name, patterns):
            return name
    return None


def _spread(
    rows: Iterable[SheetRow], wide: Mapping[str, str], name: str, value: str, max_rows: int
) -> Iterator[SheetRow]:
    bounds, is_wide = TableBounds(max_rows), frozenset(wide)
    number = 0
    for row in rows:
        for part in _rows_of(row, is_wide, wide, name, value):
            number += 1
            bounds.count(number, len(part.cells), lambda number: f"row {number} of those that columns become")
            yield part


def _rows_of(
    row: SheetRow, is_wide: frozenset[str], wide: Mapping[str, str], name: str, value: str
) -> Iterator[SheetRow]:
    cells = {column: cell for column, cell in row.cells.items() if column not in is_wide}
    broken = {column: why for column, why in row.broken.items() if column not in is_wide}
    filled = [column for column in wide if column in row.cells or column in row.broken]
    if not filled:
        yield SheetRow(row.place, cells, broken, row.numbers - is_wide)
    for column in filled:
        yield SheetRow(
            row.place,
            cells | {name: wide[column]} | ({value: row.cells[column]} if column in row.cells else {}),
            broken | ({value: row.broken[column]} if column in row.broken else {}),
            (row.numbers - is_wide) | ({value} if column in row.numbers else set()),
            {value: column},
        )


def without_columns(table: SheetTable, ignored: Collection[str]) -> SheetTable:
    """The table without these columns; cells without a column name are ignored as they are told, "column E".

    Raises: UnreadableFile if there is no such column; of cells without a name it is known behind the last row.
    """
    if not ignored:
        return table
    out = frozenset(ignored)
    for column in sorted(out - set(table.columns)):
        if not _NAMELESS.fullmatch(column):
            raise _nothing_to_ignore(table.place, column)
    kept = tuple(column for column in table.columns if column not in out)
    return replace(table, columns=kept, rows=_rows_without(table, out))


_NAMELESS = re.compile(r"column [A-Z]{1,3}")
"""How a cell without a column name is told."""


def _nothing_to_ignore(place: str, column: str) -> UnreadableFile:
    return UnreadableFile(f'{place}: there is no column "{column}" to ignore')


def _rows_without(table: SheetTable, out: frozenset[str]) -> Iterator[SheetRow]:
    unseen = out - set(table.columns)
    for row in table.rows:
        unseen -= row.broken.keys()
        yield replace(
            row,
            cells={column: cell for column, cell in row.cells.items() if column not in out},
            broken={column: why for column, why in row.broken.items() if column not in out},
            numbers=row.numbers - out,
        )
    if unseen:
        raise _nothing_to_ignore(table.place, min(unseen))


SEPARATOR_LINE = re.compile(r"(\"?)sep=([^\r\n\"\w])\1\r?(?:\n|$)", re.IGNORECASE)
"""The first line of a CSV file that tells spreadsheets what separates its cells."""
