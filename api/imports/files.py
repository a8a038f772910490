"""Import files as items: NDJSON lines, rows with our own columns, rows of somebody's own sheet by a map."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from api.formats.csv_table import unguarded
from api.formats.fact_columns import (
    ENVELOPE_COLUMNS,
    ITEM_COLUMNS,
    KNOWN_COLUMNS,
    LICENSE_COLUMN,
    path_of,
    unflatten,
)
from api.http.bodies import parse
from api.http.problems import Malformed
from api.imports.bounds import MAX_ROWS, check_file_size
from api.imports.iati import read_activities
from api.imports.items import ImportItem, ImportProblem, UnreadableFile, quoting
from api.imports.mapping import mapped_rows
from api.imports.party_codes import problems_of_codes
from api.imports.sheet_layout import Encoding, SheetLayout, SheetRow, SheetTable, without_columns
from api.imports.sheet_map import SheetMap
from api.imports.sheets import read_csv, read_workbook
from tracker.facts import FACT_TYPES
from tracker.values import is_slug

_MAX_NAME_CHARACTERS = max(map(len, KNOWN_COLUMNS)) * 2
"""Characters of a column's name that may be one of ours with a slip."""

ReadItems = tuple[list[ImportItem], list[ImportProblem]]
"""The items of a file, and the problems of single rows."""

NoteLeftOut = Callable[[str], None]
"""A callback that gets the place of each row that a map leaves out."""

NoteRemark = Callable[[str], None]
"""A callback that gets a sentence for each cell that is read otherwise than it stands there."""


def read_items(
    path: Path,
    *,
    mapping: SheetMap | None = None,
    sheet: str | None = None,
    oldest_first: bool = False,
    encoding: Encoding | None = None,
    ignored: Collection[str] = (),
    released_on: date | None = None,
    max_rows: int = MAX_ROWS,
    note_left_out: NoteLeftOut = lambda _: None,
    note_remark: NoteRemark = lambda _: None,
) -> ReadItems:
    """The items of a file, read by the ending of its name, and the problems of single rows.

    `oldest_first` sorts the items by `stated_on`, none before its pledge was made; a map may ask for it as well.
    `encoding` goes before the map's. Columns that are `ignored` are not read. `released_on` is the day of the release,
    for maps that read it. A file with more than `max_rows` rows, lines or activities is refused.

    Raises: UnreadableFile if the file as a whole cannot be read, BadMap if the map does not fit it.
    """
    try:
        if is_lines(path):
            check_file_size(path)
            content = path.read_bytes()
            if content.count(b"\n") > max_rows:
                raise UnreadableFile(f"a file has at most {max_rows:,} lines here; split it into several files")
            items, problems = read_lines(content.split(b"\n"))
        elif is_iati(path):
            items, problems = read_activities(path, note_remark, max_rows)
        else:
            tables = read_tables(path, mapping=mapping, sheet=sheet, encoding=encoding, max_rows=max_rows)
            items, problems = [], []
            for table in tables:
                table = without_columns(table, ignored if len(tables) == 1 else {*ignored} & {*table.columns})
                if mapping is None:
                    read = _read_rows(table)
                else:
                    read = _read_by_map(table, mapping, released_on, max_rows, note_left_out, note_remark)
                items += read[0]
                problems += read[1]
            oldest_first |= len(tables) > 1
    except OSError as wrong:
        raise UnreadableFile(wrong.strerror or str(wrong)) from None
    if oldest_first or (mapping is not None and mapping.oldest_first):
        items = sort_oldest_first(items)
    return items, problems


def is_lines(path: Path) -> bool:
    """Whether a file has a fact a line (NDJSON), by the ending of its name; any other is a table."""
    return path.suffix.lower() in (".ndjson", ".jsonl")


def is_iati(path: Path) -> bool:
    """Whether a file has IATI activities, by the ending of its name."""
    return path.suffix.lower() == ".xml"


def read_tables(
    path: Path,
    *,
    mapping: SheetMap | None = None,
    sheet: str | None = None,
    encoding: Encoding | None = None,
    max_rows: int = MAX_ROWS,
) -> list[SheetTable]:
    """The table in a CSV or XLSX file, in the layout of a map; without one all sheets that are named by types of facts.

    Raises: UnreadableFile if the file cannot be read, OSError if it is not there.
    """
    layout = replace(SheetLayout() if mapping is None else mapping.layout, max_rows=max_rows)
    if encoding is not None:
        layout = replace(layout, encoding=encoding)
    ending = path.suffix.lower()
    if ending in (".csv", ".tsv"):
        return [read_csv(path, layout)]
    if ending == ".xlsx":
        if mapping is None:
            return read_workbook(path, sheet, layout, FACT_TYPES.keys())
        return read_workbook(path, sheet or mapping.sheet, layout)
    raise UnreadableFile("the name of a file to import ends in .ndjson, .csv, .xlsx or .xml")


def read_lines(lines: Iterable[bytes]) -> ReadItems:
    """The items of NDJSON lines: batch items of `POST /v1/events`, or events as they are exported."""
    items: list[ImportItem] = []
    problems: list[ImportProblem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            raw = parse(line.removeprefix(b"\xef\xbb\xbf"))
        except (Malformed, UnicodeDecodeError) as unreadable:
            problems.append(ImportProblem(place, "", str(unreadable).replace("the body", "this")))
            continue
        wrong = [ImportProblem(place, where, message) for where, message in _problems_of_line(raw)]
        problems += wrong
        if isinstance(raw, dict) and isinstance(raw.get("pledge"), str):
            ref, old_id, version = raw.get("ref"), raw.get("id"), raw.get("expected_version")
            items.append(ImportItem(place, raw["pledge"], raw.get("fact"), ref, old_id, version, sound=not wrong))
    return items, problems


def _problems_of_line(raw: Any) -> Iterable[tuple[str, str]]:
    if not isinstance(raw, dict):
        yield "", "a line is a JSON object"
        return
    for name in raw.keys() - {"fact", *ITEM_COLUMNS, *ENVELOPE_COLUMNS}:
        yield f"/{name}", "an item has no such field"
    if "fact" not in raw:
        yield "/fact", "this field is needed"
    yield from _problems_of_pledge(raw.get("pledge"), "/pledge")
    for name in ("ref", "id"):
        if not isinstance(raw.get(name, ""), str):
            yield f"/{name}", "a JSON string is wanted here"
    version = raw.get("expected_version", 0)
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        yield "/expected_version", "a whole number is wanted here"


def _problems_of_pledge(pledge: Any, where: str) -> Iterable[tuple[str, str]]:
    if pledge is None or pledge == "":
        yield where, "the pledge is needed"
    elif not is_slug(pledge):
        yield where, f'"{pledge}" is no slug: small letters, digits and hyphens'


def _read_rows(table: SheetTable) -> ReadItems:
    """Rows under our own column names. A sheet that is named by a type of fact needs no column for it."""
    if "type" not in table.columns and table.title in FACT_TYPES:
        rows = tuple(replace(row, cells={"type": table.title, **row.cells}) for row in table.rows)
        table = replace(table, columns=("type", *table.columns), rows=rows)
    unknown = [column for column in table.columns if column not in KNOWN_COLUMNS]
    problems = [
        ImportProblem(table.place, column, _unknown_column(column, number)) for number, column in enumerate(unknown)
    ]
    if missing := [column for column in ("pledge", "type") if column not in table.columns]:
        problems += [ImportProblem(table.place, column, "this column is needed") for column in missing]
        return [], problems
    table = without_columns(table, unknown)
    items: list[ImportItem] = []
    for row in table.rows:
        item, wrong = _read_row(row)
        items.append(item)
        problems += wrong
    return items, problems


_MAX_FACTS_A_ROW = 5
"""Facts that a row becomes by a map, at most, on the average of a whole file of the most rows."""

_MAX_SUGGESTIONS = 20
"""Unknown columns for which a near name is looked for: it takes some milliseconds each."""


def _unknown_column(column: str, number: int) -> str:
    """The problem of the unknown column of this number, from 0."""
    is_looked_for = number < _MAX_SUGGESTIONS and len(column) <= _MAX_NAME_CHARACTERS
    near = difflib.get_close_matches(column, KNOWN_COLUMNS, 1) if is_looked_for else []
    hint = f"is it {near[0]}?" if near else "if it is not meant to be read, --ignore-column leaves it out"
    return f"there is no such column; {hint}"


def _read_row(row: SheetRow) -> tuple[ImportItem, list[ImportProblem]]:
    texts = {column: unguarded(cell) for column, cell in row.cells.items()}
    cells: dict[str, str] = {}
    fact_type = texts.get("type", "")
    labels = {path_of(column, fact_type): column for column in row.broken}
    problems = [ImportProblem(row.place, column, why) for column, why in row.broken.items()]
    for column, text in texts.items():
        if column in ENVELOPE_COLUMNS or column in ITEM_COLUMNS or column == LICENSE_COLUMN:
            continue
        path = path_of(column, fact_type)
        if path in cells:
            problems.append(ImportProblem(row.place, column, f"{labels[path]} says the same already"))
        cells[path], labels[path] = text, column
    version = texts.get("expected_version")
    if version is not None and not re.fullmatch(r"\d{1,9}", version):
        problems.append(ImportProblem(row.place, "expected_version", f'"{version}" is no whole number'))
        version = None
    expected = None if version is None else int(version)
    return _item(
        row.place, texts.get("pledge", ""), cells, labels, problems, texts.get("ref"), texts.get("id"), expected
    )


def _read_by_map(
    table: SheetTable,
    mapping: SheetMap,
    released_on: date | None,
    max_rows: int,
    note_left_out: NoteLeftOut,
    note_remark: NoteRemark,
) -> ReadItems:
    items: list[ImportItem] = []
    problems: list[ImportProblem] = []
    for row in mapped_rows(table, mapping, "" if released_on is None else released_on.isoformat(), max_rows):
        if len(items) > max_rows * _MAX_FACTS_A_ROW:
            raise UnreadableFile(f"{row.place}: the rows before it become {len(items):,} facts; split the file")
        if row.left_out:
            note_left_out(row.place)
        for column, remark in dict.fromkeys(remark for fact in row.facts for remark in fact.remarks):
            note_remark(f"{row.place}: {column}: {remark}")
        problems += [ImportProblem(row.place, column, message) for column, message in row.problems]
        for fact in row.facts:
            wrong = [ImportProblem(fact.place, fact.labels.get(path, path), message) for path, message in fact.problems]
            item, wrong = _item(fact.place, fact.pledge, fact.cells, fact.labels, wrong, fact.ref)
            key = fact.ref if mapping.follow is not None else None
            items.append(replace(item, pledge=fact.slug, sound=item.sound and not row.problems, key=key))
            problems += wrong
        items += [
            ImportItem(fact.place, fact.slug, {"type": fact.type}, fact.ref, sound=False, certain=False)
            for fact in row.uncertain
        ]
    return items, problems


def _item(
    place: str,
    pledge: str,
    cells: Mapping[str, str],
    labels: Mapping[str, str],
    problems: list[ImportProblem],
    ref: str | None,
    old_id: str | None = None,
    expected_version: int | None = None,
) -> tuple[ImportItem, list[ImportProblem]]:
    """The item that cells by path make, and all its problems: those given, and those of the pledge and the cells."""
    fact, wrong_cells = unflatten(cells)
    problems = [
        *problems,
        *(ImportProblem(place, *wrong) for wrong in _problems_of_pledge(pledge, labels.get("pledge", "pledge"))),
        *(ImportProblem(place, labels.get(path, path), quoting(message, cells[path])) for path, message in wrong_cells),
        *(ImportProblem(place, labels.get(path, path), message) for path, message in problems_of_codes(fact, cells)),
    ]
    item = ImportItem(place, pledge, fact, ref, old_id, expected_version, labels, sound=not problems)
    return item, list(dict.fromkeys(problems))


def sort_oldest_first(items: Iterable[ImportItem]) -> list[ImportItem]:
    """The items by `stated_on`, those of one day in their order in the file.

    An item that was stated before its pledge was made comes right after the pledge's PledgeMade.
    """
    items = list(items)
    made_on = {item.pledge: _stated_on(item) for item in reversed(items) if _opens_pledge(item)}

    def order(item: ImportItem) -> tuple[str, bool, str]:
        stated_on = _stated_on(item)
        return max(stated_on, made_on.get(item.pledge, stated_on)), not _opens_pledge(item), stated_on

    return sorted(items, key=order)


def _opens_pledge(item: ImportItem) -> bool:
    return item.fact_type == "PledgeMade"


def _stated_on(item: ImportItem) -> str:
    """The day as it is written; the last day there is for an item that has none, which is refused later."""
    stated_on = item.fact.get("stated_on") if isinstance(item.fact, dict) else None
    return stated_on if isinstance(stated_on, str) else date.max.isoformat()
