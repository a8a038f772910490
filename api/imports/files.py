"""The facts of an import file, as items: NDJSON lines, rows of our own columns, rows of somebody's sheet by a map."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from api.formats.columns import ENVELOPE, ITEM, KNOWN, LICENSE, path_of, unflatten, unguarded
from api.http.bodies import parse
from api.http.problems import Malformed
from api.imports.importer import ImportItem, ImportProblem
from api.imports.mapping import SheetMap, mapped
from api.imports.rows import SheetRow, Table, UnreadableFile, read_csv, read_xlsx
from tracker.values import is_slug

Items = tuple[list[ImportItem], list[ImportProblem]]

Leave = Callable[[str], None]
"""Told the place of each row that a map leaves out."""


def read_items(
    path: Path,
    *,
    mapping: SheetMap | None = None,
    sheet: str | None = None,
    oldest_first: bool = False,
    leave: Leave = lambda _: None,
) -> Items:
    """The facts of a file by its name's ending, and what is wrong with single rows of it.

    ``oldest_first`` orders them as they must be recorded: by ``stated_on``, and none before its pledge was made.

    Errors: ``UnreadableFile``, ``BadMap``.
    """
    try:
        items, problems = _read(path, mapping, sheet, leave)
    except OSError as wrong:
        raise UnreadableFile(wrong.strerror or str(wrong)) from None
    if oldest_first or (mapping is not None and mapping.oldest_first):
        items = sort_oldest_first(items)
    return items, problems


def _read(path: Path, mapping: SheetMap | None, sheet: str | None, leave: Leave) -> Items:
    ending = path.suffix.lower()
    if ending in (".ndjson", ".jsonl"):
        return read_lines(path.read_bytes().split(b"\n"))
    header = 1 if mapping is None else mapping.header
    if ending in (".csv", ".tsv"):
        table = read_csv(path, header)
    elif ending == ".xlsx":
        table = read_xlsx(path, sheet or (mapping.sheet if mapping is not None else None), header)
    else:
        raise UnreadableFile("the name of a file to import ends in .ndjson, .csv or .xlsx")
    return _rows(table) if mapping is None else _by_map(table, mapping, leave)


def read_lines(lines: Iterable[bytes]) -> Items:
    """NDJSON: batch items of `POST /v1/events`, or events as they are exported."""
    items: list[ImportItem] = []
    problems: list[ImportProblem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            said = parse(line.removeprefix(b"\xef\xbb\xbf"))
        except (Malformed, UnicodeDecodeError) as unreadable:
            problems.append(ImportProblem(place, "", str(unreadable).replace("the body", "this")))
            continue
        wrong = [ImportProblem(place, where, message) for where, message in _wrong_with(said)]
        problems += wrong
        if isinstance(said, dict) and isinstance(said.get("pledge"), str):
            ref, old_id, version = said.get("ref"), said.get("id"), said.get("expected_version")
            items.append(ImportItem(place, said["pledge"], said.get("fact"), ref, old_id, version, sound=not wrong))
    return items, problems


def _wrong_with(said: Any) -> Iterable[tuple[str, str]]:
    if not isinstance(said, dict):
        yield "", "a line is a JSON object"
        return
    for name in said.keys() - {"fact", *ITEM, *ENVELOPE}:
        yield f"/{name}", "an item has no such field"
    if "fact" not in said:
        yield "/fact", "this field is needed"
    yield from _wrong_pledge(said.get("pledge"), "/pledge")
    for name in ("ref", "id"):
        if not isinstance(said.get(name, ""), str):
            yield f"/{name}", "a JSON string is wanted here"
    version = said.get("expected_version", 0)
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        yield "/expected_version", "a whole number is wanted here"


def _wrong_pledge(pledge: Any, where: str) -> Iterable[tuple[str, str]]:
    if pledge is None or pledge == "":
        yield where, "the pledge is needed"
    elif not is_slug(pledge):
        yield where, f'"{pledge}" is no slug: small letters, digits and hyphens'


def _rows(table: Table) -> Items:
    """Rows under our own column names."""
    problems = [ImportProblem(table.place, column, _unknown(column)) for column in table.columns if column not in KNOWN]
    if missing := [column for column in ("pledge", "type") if column not in table.columns]:
        problems += [ImportProblem(table.place, column, "this column is needed") for column in missing]
    if problems:
        return [], problems
    items: list[ImportItem] = []
    for row in table.rows:
        item, wrong = _row(row)
        items.append(item)
        problems += wrong
    return items, problems


def _unknown(column: str) -> str:
    near = difflib.get_close_matches(column, KNOWN, 1)
    return f"there is no such column{f'; is it {near[0]}?' if near else ''}"


def _row(row: SheetRow) -> tuple[ImportItem, list[ImportProblem]]:
    said = {column: unguarded(cell) for column, cell in row.cells.items()}
    cells: dict[str, str] = {}
    type_ = said.get("type", "")
    labels = {path_of(column, type_): column for column in row.broken}
    problems = [ImportProblem(row.place, column, why) for column, why in row.broken.items()]
    for column, text in said.items():
        if column in ENVELOPE or column in ITEM or column == LICENSE:
            continue
        path = path_of(column, type_)
        if path in cells:
            problems.append(ImportProblem(row.place, column, f"{labels[path]} says the same already"))
        cells[path], labels[path] = text, column
    version = said.get("expected_version")
    if version is not None and not re.fullmatch(r"\d{1,9}", version):
        problems.append(ImportProblem(row.place, "expected_version", f'"{version}" is no whole number'))
        version = None
    expected = None if version is None else int(version)
    return _item(row.place, said.get("pledge", ""), cells, labels, problems, said.get("ref"), said.get("id"), expected)


def _by_map(table: Table, mapping: SheetMap, leave: Leave) -> Items:
    items: list[ImportItem] = []
    problems: list[ImportProblem] = []
    for row in mapped(table, mapping):
        if row.left_out:
            leave(row.place)
        problems += [ImportProblem(row.place, *said) for said in row.problems]
        for fact in row.facts:
            wrong = [ImportProblem(fact.place, fact.labels.get(path, path), message) for path, message in fact.problems]
            item, wrong = _item(fact.place, fact.pledge, fact.cells, fact.labels, wrong, fact.ref)
            items.append(replace(item, pledge=fact.slug, sound=item.sound and not row.problems))
            problems += wrong
        items += [
            ImportItem(fact.place, fact.slug, {"type": fact.type}, fact.ref, sound=False, clear=False)
            for fact in row.unclear
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
    problems += [ImportProblem(place, *wrong) for wrong in _wrong_pledge(pledge, labels.get("pledge", "pledge"))]
    fact, wrong_cells = unflatten(cells)
    problems += [ImportProblem(place, labels.get(path, path), message) for path, message in wrong_cells]
    item = ImportItem(place, pledge, fact, ref, old_id, expected_version, labels, sound=not problems)
    return item, list(dict.fromkeys(problems))


def sort_oldest_first(items: Iterable[ImportItem]) -> list[ImportItem]:
    """By ``stated_on``, rows of one day as they stood; what was said before its pledge was made comes right after."""
    items = list(items)
    made = {item.pledge: _stated(item) for item in reversed(items) if _opens(item)}

    def place(item: ImportItem) -> tuple[str, bool, str]:
        stated = _stated(item)
        return max(stated, made.get(item.pledge, stated)), not _opens(item), stated

    return sorted(items, key=place)


def _opens(item: ImportItem) -> bool:
    return isinstance(item.fact, dict) and item.fact.get("type") == "PledgeMade"


def _stated(item: ImportItem) -> str:
    stated = item.fact.get("stated_on") if isinstance(item.fact, dict) else None
    return stated if isinstance(stated, str) else date.max.isoformat()
