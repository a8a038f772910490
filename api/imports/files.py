"""Import files as items: NDJSON lines, rows with our own columns, rows of somebody's own sheet by a map."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
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
from api.imports.iati import FOLLOWED_AS, read_activities
from api.imports.items import ImportItem, ImportProblem, Noted, UnreadableFile, quoting
from api.imports.mapping import MappedRow, mapped_rows
from api.imports.party_codes import problems_of_codes
from api.imports.sheet_layout import Encoding, SheetLayout, SheetRow, SheetTable, without_columns
from api.imports.sheet_map import Follow, SheetMap
from api.imports.sheets import read_csv, read_workbook
from tracker.facts import FACT_TYPES
from tracker.values import is_slug

_MAX_NAME_CHARACTERS = max(map(len, KNOWN_COLUMNS)) * 2
"""Characters of a column's name that may be one of ours with a slip."""

Read = ImportItem | ImportProblem
"""What is read of a file, in its order: an item, or the problem of a single row."""


@dataclass(slots=True)
class ImportFile:
    """A file to import, read by the ending of its name, and how it is to be read.

    `encoding` goes before the map's. Columns that are `ignored` are not read. `released_on` is the day of the release,
    for maps that read it. A file with more than `max_rows` rows, lines or activities is refused. `oldest_first` orders
    the facts by `stated_on`; reading sets it if the map asks for it or the file has several tables.
    """

    path: Path
    mapping: SheetMap | None = None
    sheet: str | None = None
    encoding: Encoding | None = None
    ignored: Collection[str] = ()
    released_on: date | None = None
    max_rows: int = MAX_ROWS
    oldest_first: bool = False
    left_out: Noted = field(default_factory=Noted)
    """The places of the rows that the map leaves out."""
    remarks: Noted = field(default_factory=Noted)
    """A sentence for each cell that is read otherwise than it stands there."""

    def read(self) -> Iterator[Read]:
        """The items of the file and the problems of single rows, one row after the other.

        Raises: UnreadableFile if the file as a whole cannot be read, BadMap if the map does not fit it; both may come
        after some rows.
        """
        try:
            if is_lines(self.path):
                yield from read_lines(self.lines())
            elif is_iati(self.path):
                yield from read_activities(self.path, self.remarks.add, self.max_rows)
            else:
                self.oldest_first |= self.mapping is not None and self.mapping.oldest_first
                yield from self._read_tables()
        except OSError as wrong:
            raise UnreadableFile(wrong.strerror or str(wrong)) from None

    @property
    def follow(self) -> Follow | None:
        """How the file is followed from release to release; None if it is not."""
        if is_iati(self.path):
            return Follow(name=FOLLOWED_AS)
        return None if self.mapping is None else self.mapping.follow

    def tables(self) -> Iterator[SheetTable]:
        """The table in a CSV or XLSX file, in the layout of the map; without one all sheets that are named by types of
        facts. Each is to be read before the next one is asked for.

        Raises: UnreadableFile if the file cannot be read, OSError if it is not there.
        """
        layout = replace(SheetLayout() if self.mapping is None else self.mapping.layout, max_rows=self.max_rows)
        if self.encoding is not None:
            layout = replace(layout, encoding=self.encoding)
        ending = self.path.suffix.lower()
        if ending in (".csv", ".tsv"):
            yield read_csv(self.path, layout)
        elif ending == ".xlsx":
            if self.mapping is None:
                yield from read_workbook(self.path, self.sheet, layout, FACT_TYPES.keys())
            else:
                yield from read_workbook(self.path, self.sheet or self.mapping.sheet, layout)
        else:
            raise UnreadableFile("the name of a file to import ends in .ndjson, .csv, .xlsx or .xml")

    def _read_tables(self) -> Iterator[Read]:
        facts = 0
        for table in self.tables():
            self.oldest_first |= not table.is_only
            ignored = self.ignored if table.is_only else {*self.ignored} & {*table.columns}
            table = without_columns(table, ignored)
            if self.mapping is None:
                yield from _read_rows(table)
                continue
            for row in mapped_rows(table, self.mapping, self._release, self.max_rows):
                facts += len(row.facts)
                if facts > self.max_rows * _MAX_FACTS_A_ROW:
                    raise UnreadableFile(f"{row.place}: the rows up to it become {facts:,} facts; split the file")
                yield from self._read_mapped(row, is_followed=self.mapping.follow is not None)

    @property
    def _release(self) -> str:
        return "" if self.released_on is None else self.released_on.isoformat()

    def _read_mapped(self, row: MappedRow, *, is_followed: bool) -> Iterator[Read]:
        if row.left_out:
            self.left_out.add(row.place)
        for column, remark in dict.fromkeys(remark for fact in row.facts for remark in fact.remarks):
            self.remarks.add(f"{row.place}: {column}: {remark}")
        for column, message in row.problems:
            yield ImportProblem(row.place, column, message)
        for fact in row.facts:
            wrong = [ImportProblem(fact.place, fact.labels.get(path, path), message) for path, message in fact.problems]
            item, wrong = _item(fact.place, fact.pledge, fact.cells, fact.labels, wrong, fact.ref)
            key = fact.ref if is_followed else None
            if key is not None or row.problems or item.pledge != fact.slug:
                item = replace(item, pledge=fact.slug, sound=item.sound and not row.problems, key=key)
            yield item
            yield from wrong
        for fact in row.uncertain:
            yield ImportItem(fact.place, fact.slug, {"type": fact.type}, fact.ref, sound=False, certain=False)

    def lines(self) -> Iterator[bytes]:
        """The lines of an NDJSON file, each of a bounded length.

        Raises: UnreadableFile if a bound is passed, OSError if the file is not there.
        """
        check_file_size(self.path)
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise UnreadableFile(f"line {number} has more than {MAX_LINE_BYTES:,} bytes; a fact has far fewer")
                if number > self.max_rows:
                    raise UnreadableFile(
                        f"a file has at most {self.max_rows:,} lines here; split it into several files"
                    )
                yield line.removesuffix(b"\n")


MAX_LINE_BYTES = 2**20
"""Bytes of a line of NDJSON, at most."""


def is_lines(path: Path) -> bool:
    """Whether a file has a fact a line (NDJSON), by the ending of its name; any other is a table."""
    return path.suffix.lower() in (".ndjson", ".jsonl")


def is_iati(path: Path) -> bool:
    """Whether a file has IATI activities, by the ending of its name."""
    return path.suffix.lower() == ".xml"


def read_lines(lines: Iterable[bytes]) -> Iterator[Read]:
    """The items of NDJSON lines: batch items of `POST /v1/events`, or events as they are exported."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            raw = parse(line.removeprefix(b"\xef\xbb\xbf"))
        except (Malformed, UnicodeDecodeError) as unreadable:
            yield ImportProblem(place, "", str(unreadable).replace("the body", "this"))
            continue
        wrong = [ImportProblem(place, where, message) for where, message in _problems_of_line(raw)]
        yield from wrong
        if isinstance(raw, dict) and isinstance(raw.get("pledge"), str):
            ref, old_id = (name if isinstance(name := raw.get(field), str) else None for field in ("ref", "id"))
            version = raw.get("expected_version")
            expected = version if isinstance(version, int) and not isinstance(version, bool) else None
            yield ImportItem(place, raw["pledge"], raw.get("fact"), ref, old_id, expected, sound=not wrong)


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


def _read_rows(table: SheetTable) -> Iterator[Read]:
    """Rows under our own column names. A sheet that is named by a type of fact needs no column for it."""
    if "type" not in table.columns and table.title in FACT_TYPES:
        rows = (replace(row, cells={"type": table.title, **row.cells}) for row in table.rows)
        table = replace(table, columns=("type", *table.columns), rows=rows)
    unknown = [column for column in table.columns if column not in KNOWN_COLUMNS]
    for number, column in enumerate(unknown):
        yield ImportProblem(table.place, column, _unknown_column(column, number))
    if missing := [column for column in ("pledge", "type") if column not in table.columns]:
        for column in missing:
            yield ImportProblem(table.place, column, "this column is needed")
        return
    for row in without_columns(table, unknown).rows:
        yield from _read_row(row)


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


def _read_row(row: SheetRow) -> Iterator[Read]:
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
    item, problems = _item(
        row.place, texts.get("pledge", ""), cells, labels, problems, texts.get("ref"), texts.get("id"), expected
    )
    yield item
    yield from problems


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
