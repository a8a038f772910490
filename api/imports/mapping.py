"""The rows of somebody's own spreadsheet as facts, by a map (`api.imports.sheet_map`, docs/import.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pycountry

from api.formats.csv_table import unguarded
from api.formats.fact_columns import CELL_SHAPES
from api.imports.bounds import MAX_ROWS
from api.imports.cell_numbers import plain_number, rounded, without_footnotes, without_marks
from api.imports.cell_periods import NamedBy, SaidPeriod, read_dated, read_period
from api.imports.sheet_layout import SheetRow, SheetTable, unpivoted
from api.imports.sheet_map import PLACEHOLDER, RELEASE_COLUMN, BadMap, FactRule, SheetMap
from tracker import quantity_words
from tracker.comparison import compare
from tracker.quantity import plain, unmistakable
from tracker.quantity_words_tables import UnclearWords
from tracker.values import is_slug, slug_of

_TWICE_PERCENT = re.compile(r"\s*%\s*(?=%|per ?cent\b)", re.IGNORECASE)
"""The sign of a cell, `2%`, before the map's own `percent:gdp`."""
_CELL_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)(%?)")
"""A number of a workbook, as it is read."""
_FIRST_DAY_PATHS = ("figure.period.start", "window.start", "recurrence.start")
"""The places where an imprecise date means its first day; elsewhere it means its last, since a replay must never know
early."""


class MappedFact:
    """One fact that a row becomes: its cells by path, the columns they come from by path, and problems by path.

    `remarks` has what was read otherwise than it stands there, as column and sentence.
    """

    def __init__(self, row: SheetRow, rule: FactRule) -> None:
        self.place = row.place
        self.type = rule.type
        self.pledge = ""
        self.ref: str | None = None
        self.cells: dict[str, str] = {"type": rule.type}
        self.labels: dict[str, str] = {"pledge": "pledge", "type": "type"}
        self.problems: list[tuple[str, str]] = []
        self.remarks: list[tuple[str, str]] = []

    @property
    def slug(self) -> str:
        """The id of the pledge; empty if the row gives none that can be one."""
        return "" if any(path == "pledge" for path, _ in self.problems) or not is_slug(self.pledge) else self.pledge


@dataclass(slots=True)
class MappedRow:
    """What a row mapped. `left_out`: nothing, as the map wants it.

    `problems` are those of the row, by column. `uncertain` is what it may become when they are mended.
    """

    place: str
    facts: list[MappedFact] = field(default_factory=list)
    uncertain: list[MappedFact] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    left_out: bool = False


_MAX_NAMED_COLUMNS = 100
"""Columns of a table that a sentence names, at most."""


def mapped_rows(
    table: SheetTable, mapping: SheetMap, released_on: str = "", max_rows: int = MAX_ROWS
) -> Iterator[MappedRow]:
    """The facts that the rows of a table become, row by row, in the order of the map's facts.

    `released_on` is the day of the release, for maps that read it.

    Raises: BadMap if the table lacks a column that the map reads, UnreadableFile if it cannot be unpivoted.
    """
    if mapping.unpivot is not None:
        spread = mapping.unpivot
        table = unpivoted(table, spread.patterns, spread.name, spread.value, max_rows)
    columns = frozenset(table.columns)
    if missing := sorted(mapping.columns - columns):
        there = ", ".join(table.columns[:_MAX_NAMED_COLUMNS])
        if (more := len(columns) - _MAX_NAMED_COLUMNS) > 0:
            there += f" and {more} more"
        raise BadMap([f'{table.place}: there is no column "{name}"; there are: {there}' for name in missing])
    opened: set[tuple[int, str]] = set()
    for row in table.rows:
        if released_on:
            row = replace(row, cells={**row.cells, RELEASE_COLUMN: released_on})
        mapped = _mapped_row(row, mapping, opened)
        mapped.problems += [(column, why) for column, why in row.broken.items() if column not in columns]
        yield mapped


def _mapped_row(row: SheetRow, mapping: SheetMap, opened: set[tuple[int, str]]) -> MappedRow:
    """The facts of one row; `opened` has the number and pledge of each rule with `once` that had its first row."""
    mapped = MappedRow(row.place)
    left_out = [rule.unreadable(row) for rule in mapping.leave_out if rule.conditions]
    if [] in left_out:
        mapped.left_out = True
        return mapped
    broken = [column for unreadable in left_out for column in unreadable or ()]
    if broken:
        mapped.uncertain = [
            _mapped_fact(row, rule, mapping) for rule in mapping.fact if rule.unreadable(row) is not None
        ]
    for number, rule in enumerate(() if broken else mapping.fact):
        unreadable = rule.unreadable(row)
        if unreadable is None:
            continue
        fact = _mapped_fact(row, rule, mapping)
        if unreadable:
            broken += unreadable
            mapped.uncertain.append(fact)
            continue
        if rule.once and fact.slug:
            if (number, fact.slug) in opened:
                continue
            opened.add((number, fact.slug))
        mapped.facts.append(fact)
    if not mapped.facts and not broken:
        mapped.left_out = any(not rule.conditions for rule in mapping.leave_out)
        if not mapped.left_out:
            mapped.uncertain = [_mapped_fact(row, rule, mapping) for rule in mapping.fact]
            mapped.problems.append(("", _NO_FACT))
    mapped.problems += [(column, row.broken[column]) for column in dict.fromkeys(broken)]
    return mapped


_NO_FACT = "this row becomes no fact; mend the row or the map, or name such rows in [[leave_out]] of the map"


def _mapped_fact(row: SheetRow, rule: FactRule, mapping: SheetMap) -> MappedFact:
    fact = MappedFact(row, rule)
    reader = _TemplateReader(row, mapping)
    fact.pledge = reader.fill(rule.pledge, "pledge", fact)
    fact.ref = reader.fill(rule.ref, "ref", fact) or None if rule.ref else None
    for path, template in mapping.templates[id(rule)]:
        text = reader.fill(template, path, fact)
        if text and CELL_SHAPES.get(path) in ("day", "partial"):
            text = reader.day(text, path, fact)
        if text:
            fact.cells[path] = text
    if mapping.follow is not None:
        if fact.ref is None:
            fact.problems.append(("ref", "a row of a sheet that is followed needs its key"))
        fact.labels["source.locator"] = fact.labels["ref"]
        fact.cells["source.locator"] = f"{mapping.follow.name} {fact.ref}"
    if rule.verdict_against is not None:
        _derive_verdict(fact, reader.fill(rule.verdict_against, "verdict", fact), rule)
    fact.labels = _shared(tuple(fact.labels.items()))
    return fact


@lru_cache(maxsize=1_000)
def _shared(labels: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The labels as one object for all facts that have the same: there are as many facts as rows."""
    return dict(labels)


def _derive_verdict(fact: MappedFact, target: str, rule: FactRule) -> None:
    """Give a member the verdict that its figure has against the target; one that is open is a problem."""
    figure = fact.cells.get("figure.quantity")
    if "verdict" in fact.cells or figure is None:
        return
    try:
        actual, wanted = quantity_words.read(figure), quantity_words.read(target)
        found = compare(actual, wanted, rule.direction)
    except UnclearWords:  # the figure itself is a problem as well; so is a target that cannot be read
        fact.problems.append(("verdict", f'no verdict follows from "{figure}" against "{target}"'))
    except ValueError as wrong:
        fact.problems.append(("verdict", str(wrong)))
    else:
        if found == "unknown":
            sentence = f'"{figure}" against "{target}" is open; give such members their verdict in a column'
            fact.problems.append(("verdict", sentence))
        fact.cells["verdict"] = "not_met" if found == "below" else "met"


class _TemplateReader:
    """Fills the templates of a map from the cells of one row."""

    def __init__(self, row: SheetRow, mapping: SheetMap) -> None:
        self.row = row
        self.mapping = mapping

    def fill(self, template: str, path: str, fact: MappedFact) -> str:
        """The template with the row's cells in it; empty if it names columns and all of them are empty."""
        columns = _columns_of(template)
        headings = self.row.headings
        fact.labels[path] = _label(path, tuple(headings.get(c, c) for c in columns) if headings else columns)
        if not columns and "{" not in template and "}" not in template:
            return template.strip()
        for column in columns:
            if column in self.row.broken:
                fact.problems.append((path, self.row.broken[column]))
        if columns and not any(self.row.cells.get(column) for column in columns):
            return ""

        is_amount = CELL_SHAPES.get(path) in ("quantity", "count")

        def cell(match: re.Match[str]) -> str:
            if match[0] in ("{{", "}}"):
                return match[0][0]
            text = unguarded(" ".join(self.row.cells.get(match[1], "").split()))
            if is_amount or match[2] == "number":
                text = self._amount(match[1], text, is_amount, fact)
            try:
                plain_already = match[2] == "number" and match[1] in self.row.numbers
                return self._filtered(text, match[2], match[3]) if match[2] and text and not plain_already else text
            except ValueError as wrong:
                fact.problems.append((path, str(wrong)))
                return text

        filled = PLACEHOLDER.sub(cell, template).strip()
        return _TWICE_PERCENT.sub(" ", filled) if is_amount else filled

    def _amount(self, column: str, text: str, is_amount: bool, fact: MappedFact) -> str:
        """The text of a cell that holds an amount: a number of a workbook rounded, a text without footnote marks."""
        if column in self.row.numbers:
            if (number := _CELL_NUMBER.fullmatch(text)) and self.mapping.decimals is not None:
                text = f"{plain(rounded(Decimal(number[1]), self.mapping.decimals))}{number[2]}"
            return unmistakable(text) if is_amount else text
        bare, marks = without_footnotes(text)
        if marks:
            heading = self.row.headings.get(column, column)
            fact.remarks.append(
                (heading, f'"{text}" is read as "{bare}", its footnote mark {" ".join(marks)} left out')
            )
        return bare

    def _filtered(self, text: str, name: str, argument: str | None) -> str:
        match name:
            case "slug":
                return slug_of(text)
            case "number":
                return plain_number(text, self.mapping.number_style, self.mapping.decimals)
            case "country":
                return _country(text)
            case "lookup":
                known = {key.casefold(): value for key, value in self.mapping.lookup[argument or ""].items()}
                if text.casefold() not in known:
                    raise ValueError(f'"{text}" is not in the table [lookup.{argument}]')
                return known[text.casefold()]
            case "month" | "year":
                if (said := self._period(text)) is None:
                    raise ValueError(f'"{text}" has no {name}; name its format in dates')
                return said.last.isoformat()[: 7 if name == "month" else 4]
            case _:
                return text.lower() if name == "lower" else text.upper()

    def _period(self, text: str) -> SaidPeriod | None:
        """The day or period that a text names, by the map's formats first."""
        of_map = self.mapping
        return _read_period(text, of_map.dates, of_map.fiscal_year_start, of_map.fiscal_year_named_by)

    def day(self, text: str, path: str, fact: MappedFact) -> str:
        """A date or a period as the day that it means there; what cannot be read stays as it is, to be refused."""
        try:
            said = self._period(text)
        except ValueError as wrong:
            fact.problems.append((path, str(wrong)))
            return ""
        if said is None:
            return text
        if CELL_SHAPES[path] == "partial":
            return said.partial
        if path == "stated_on" and said.precision != "day":
            fact.cells.setdefault("precision", said.precision)
        return (said.first if path in _FIRST_DAY_PATHS else said.last).isoformat()


@lru_cache(maxsize=10_000)
def _columns_of(template: str) -> tuple[str, ...]:
    return tuple(match[0] for match in PLACEHOLDER.findall(template) if match[0])


@lru_cache(maxsize=10_000)
def _label(path: str, headings: tuple[str, ...]) -> str:
    """What the place of a fact is called: its path, and the columns that it is read from."""
    return f"{path} ({', '.join(dict.fromkeys(headings))})" if headings else f"{path} (of the map)"


@lru_cache(maxsize=10_000)
def _read_period(text: str, formats: tuple[str, ...], fiscal_start: int | None, named_by: NamedBy) -> SaidPeriod | None:
    return read_dated(text, (*formats, "%Y-%m-%d")) or read_period(text, fiscal_start, named_by)


@lru_cache(maxsize=10_000)
def _country(text: str) -> str:
    try:
        found: Any = pycountry.countries.lookup(without_marks(text))
    except LookupError:
        raise ValueError(f'"{text}" is no country that ISO 3166 names; use a lookup table') from None
    return str(found.alpha_2)
