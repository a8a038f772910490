"""A map from somebody's own spreadsheet to facts, written in TOML (docs/import.md).

header = 2
[fields]                                      # of every fact
"source.publisher" = "Example Institute"
[[fact]]
when = { "Measure" = "Commitment" }
type = "ProgressReported"
pledge = "{Donor|slug}-aid-2024"
fields = { "figure.quantity" = "{Amount} {Currency}", "stated_on" = "{Date}" }
"""

from __future__ import annotations

import calendar
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

import pycountry
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from api.formats.fact_columns import CELL_SHAPES, KNOWN_COLUMNS, path_of
from api.imports.sheets import SheetRow, SheetTable
from tracker.facts import FACT_TYPES
from tracker.quantity import plain, unmistakable
from tracker.values import is_slug, slug_of

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}|]+)(?:\|([a-z]+)(?::([^{}|]+))?)?\}")
_NUMBER = re.compile(r"\d+(?:[.,'\s]\d+)*")
_FILTERS = ("slug", "number", "lower", "upper", "country", "lookup")
_TWICE_PERCENT = re.compile(r"\s*%\s*(?=%|per ?cent\b)", re.IGNORECASE)
"""The sign of a cell, `2%`, before the map's own `percent:gdp`."""
_FIRST_DAY_PATHS = ("figure.period.start", "window.start", "recurrence.start")
"""The places where an imprecise date means its first day; elsewhere it means its last, since a replay must never know
early."""

_Cell = Annotated[str, StringConstraints(strict=True)]


class BadMap(Exception):
    """The map cannot be used; `problems` has a sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _MapPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _RowRule(_MapPart):
    when: dict[str, _Cell | list[_Cell]] | list[_Cell] | _Cell = Field(default_factory=list)
    """Columns that must be filled, or columns and the texts that must stand in them: one of several texts, "*" for any
    text, "" for none."""

    @property
    def conditions(self) -> dict[str, list[str]]:
        """The texts that may stand in each column that the rule looks at."""
        if isinstance(self.when, str):
            return {self.when: ["*"]}
        if isinstance(self.when, list):
            return {column: ["*"] for column in self.when}
        return {column: [texts] if isinstance(texts, str) else texts for column, texts in self.when.items()}

    def unreadable(self, row: SheetRow) -> list[str] | None:
        """The columns whose broken cells leave open whether the rule applies to the row; None if it does not apply."""
        broken = [column for column in self.conditions if column in row.broken]
        readable = {column: texts for column, texts in self.conditions.items() if column not in broken}
        holds = all(_holds(row.cells.get(column, ""), texts) for column, texts in readable.items())
        return broken if holds else None


class FactRule(_RowRule):
    """One kind of fact that a row can become."""

    type: str
    pledge: _Cell
    once: bool = False
    """Only the first row of each pledge."""
    ref: _Cell | None = None
    fields: dict[str, _Cell] = Field(default_factory=dict)


class LeaveOutRule(_RowRule):
    """Rows that are meant to become no fact."""


class SheetMap(_MapPart):
    """How the rows of one sheet become facts."""

    sheet: str | None = None
    header: Annotated[int, Field(ge=1)] = 1
    oldest_first: bool = True
    dates: tuple[str, ...] = ()
    """`strptime` formats of dates written as text; one without a day is a month, without a month a year."""
    decimal: Literal[".", ","] = "."
    lookup: dict[str, dict[str, _Cell]] = Field(default_factory=dict)
    fields: dict[str, _Cell] = Field(default_factory=dict)
    fact: Annotated[tuple[FactRule, ...], Field(min_length=1)]
    leave_out: tuple[LeaveOutRule, ...] = ()

    @model_validator(mode="after")
    def _must_name_known_parts(self) -> Self:
        problems = []
        for rule in self.fact:
            if rule.type not in FACT_TYPES:
                problems.append(f"no fact is of type {rule.type!r}")
            fields = self.fields | rule.fields
            problems += [
                f'no fact has a field "{name}"' for name in fields if name not in KNOWN_COLUMNS or name == "pledge"
            ]
            for template in (rule.pledge, rule.ref or "", *fields.values()):
                problems += self._problems_of_template(template)
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self

    def _problems_of_template(self, template: str) -> Iterator[str]:
        rest = _PLACEHOLDER.sub("", template)
        if "{" in rest or "}" in rest:
            yield f"a brace in {template!r} is not closed, or not doubled"
        for _, name, argument in _PLACEHOLDER.findall(template):
            if name and name not in _FILTERS:
                yield f"{template!r}: there is no {name!r}; there are {', '.join(_FILTERS)}"
            if (name == "lookup") != bool(argument) or (argument and argument not in self.lookup):
                yield f"{template!r}: lookup names one of the tables [lookup.…]"

    @property
    def columns(self) -> set[str]:
        """The columns that the map reads."""
        templates = [*self.fields.values()]
        for rule in self.fact:
            templates += [rule.pledge, rule.ref or "", *rule.fields.values()]
        return {match[0] for t in templates for match in _PLACEHOLDER.findall(t) if match[0]} | {
            column for rule in (*self.fact, *self.leave_out) for column in rule.conditions
        }


class MappedFact:
    """One fact that a row becomes: its cells by path, the columns they come from by path, and problems by path."""

    def __init__(self, row: SheetRow, rule: FactRule) -> None:
        self.place = row.place
        self.type = rule.type
        self.pledge = ""
        self.ref: str | None = None
        self.cells: dict[str, str] = {"type": rule.type}
        self.labels: dict[str, str] = {"pledge": "pledge", "type": "type"}
        self.problems: list[tuple[str, str]] = []

    @property
    def slug(self) -> str:
        """The id of the pledge; empty if the row gives none that can be one."""
        return "" if any(path == "pledge" for path, _ in self.problems) or not is_slug(self.pledge) else self.pledge


@dataclass(slots=True)
class MappedRow:
    """What a row mapped. `left_out`: nothing, as the map wants it.

    `problems` are those of the row, by column. `unclear` is what it may become when they are mended.
    """

    place: str
    facts: list[MappedFact] = field(default_factory=list)
    uncertain: list[MappedFact] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    left_out: bool = False


def read_map(path: Path) -> SheetMap:
    """The map in a TOML file.

    Raises: BadMap if it is not TOML, or no map.
    """
    try:
        return SheetMap.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise BadMap([f"this is not TOML: {wrong}"]) from None
    except ValidationError as wrong:
        raise BadMap([_sentence(e["loc"], e["type"], e["msg"]) for e in wrong.errors()]) from None


def _sentence(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
    sentence = {"extra_forbidden": "a map has no such key", "missing": "this key is needed"}.get(kind, message)
    sentence = sentence.removeprefix("Value error, ")
    return f"{where}: {sentence}" if where else sentence


_MAX_NAMED_COLUMNS = 100
"""Columns of a table that a sentence names, at most."""


def mapped_rows(table: SheetTable, mapping: SheetMap) -> Iterator[MappedRow]:
    """The facts that the rows of a table become, row by row, in the order of the map's facts.

    Raises: BadMap if the table lacks a column that the map reads.
    """
    columns = frozenset(table.columns)
    if missing := sorted(mapping.columns - columns):
        there = ", ".join(table.columns[:_MAX_NAMED_COLUMNS])
        if (more := len(columns) - _MAX_NAMED_COLUMNS) > 0:
            there += f" and {more} more"
        raise BadMap([f'{table.place}: there is no column "{name}"; there are: {there}' for name in missing])
    opened: set[tuple[int, str]] = set()
    for row in table.rows:
        mapped = _mapped_row(row, mapping, opened)
        mapped.problems += [(column, why) for column, why in row.broken.items() if column not in columns]
        yield mapped


def _mapped_row(row: SheetRow, mapping: SheetMap, opened: set[tuple[int, str]]) -> MappedRow:
    """The facts of one row; `opened` has the number and pledge of each rule with `once` that had its first row."""
    mapped = MappedRow(row.place)
    broken: list[str] = []
    for number, rule in enumerate(mapping.fact):
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
        left_out = [rule.unreadable(row) for rule in mapping.leave_out]
        mapped.left_out = [] in left_out
        if not mapped.left_out:
            mapped.uncertain = [_mapped_fact(row, rule, mapping) for rule in mapping.fact]
            broken = [column for unreadable in left_out for column in unreadable or ()]
            if not broken:
                mapped.problems.append(("", _NO_FACT))
    mapped.problems += [(column, row.broken[column]) for column in dict.fromkeys(broken)]
    return mapped


_NO_FACT = "this row becomes no fact; mend the row or the map, or name such rows in [[leave_out]] of the map"


def _holds(cell: str, texts: list[str]) -> bool:
    cell = cell.strip().casefold()
    return any((text == "*" and cell != "") or text.strip().casefold() == cell for text in texts)


def _mapped_fact(row: SheetRow, rule: FactRule, mapping: SheetMap) -> MappedFact:
    fact = MappedFact(row, rule)
    reader = _TemplateReader(row, mapping)
    fact.pledge = reader.fill(rule.pledge, "pledge", fact)
    fact.ref = reader.fill(rule.ref, "ref", fact) or None if rule.ref else None
    for name, template in (mapping.fields | rule.fields).items():
        path = path_of(name, rule.type)
        text = reader.fill(template, path, fact)
        if text and CELL_SHAPES.get(path) in ("day", "partial"):
            text = reader.day(text, path, fact)
        if text:
            fact.cells[path] = text
    return fact


class _TemplateReader:
    """Fills the templates of a map from the cells of one row."""

    def __init__(self, row: SheetRow, mapping: SheetMap) -> None:
        self.row = row
        self.mapping = mapping

    def fill(self, template: str, path: str, fact: MappedFact) -> str:
        """The template with the row's cells in it; empty if it names columns and all of them are empty."""
        columns = [match[0] for match in _PLACEHOLDER.findall(template) if match[0]]
        if columns:
            fact.labels[path] = f"{path} ({', '.join(dict.fromkeys(columns))})"
        else:
            fact.labels[path] = f"{path} (of the map)"
        for column in columns:
            if column in self.row.broken:
                fact.problems.append((path, self.row.broken[column]))
        if columns and not any(self.row.cells.get(column) for column in columns):
            return ""

        def cell(match: re.Match[str]) -> str:
            if match[0] in ("{{", "}}"):
                return match[0][0]
            text = " ".join(self.row.cells.get(match[1], "").split())
            if match[1] in self.row.numbers and CELL_SHAPES.get(path) in ("quantity", "count"):
                text = unmistakable(text)
            try:
                plain_already = match[2] == "number" and match[1] in self.row.numbers
                return self._filtered(text, match[2], match[3]) if match[2] and text and not plain_already else text
            except ValueError as wrong:
                fact.problems.append((path, str(wrong)))
                return text

        filled = _PLACEHOLDER.sub(cell, template).strip()
        return _TWICE_PERCENT.sub(" ", filled) if CELL_SHAPES.get(path) in ("quantity", "count") else filled

    def _filtered(self, text: str, name: str, argument: str | None) -> str:
        match name:
            case "slug":
                return slug_of(text)
            case "number":
                return self._number(text)
            case "country":
                try:
                    return str(pycountry.countries.lookup(text).alpha_2)
                except LookupError:
                    raise ValueError(f'"{text}" is no country that ISO 3166 names; use a lookup table') from None
            case "lookup":
                known = {key.casefold(): value for key, value in self.mapping.lookup[argument or ""].items()}
                if text.casefold() not in known:
                    raise ValueError(f'"{text}" is not in the table [lookup.{argument}]')
                return known[text.casefold()]
            case _:
                return text.lower() if name == "lower" else text.upper()

    def _number(self, text: str) -> str:
        """The text with the one number in it written plainly: its decimals are behind the map's mark."""
        mark, thousands = self.mapping.decimal, "," if self.mapping.decimal == "." else "."
        found = _NUMBER.findall(text)
        grouped = rf"\d{{1,3}}(?:([{re.escape(thousands)}'\s])\d{{3}}(?:\1\d{{3}})*)"
        if len(found) != 1 or not re.fullmatch(rf"(?:{grouped}|\d+)({re.escape(mark)}\d+)?", found[0]):
            raise ValueError(f'"{text}" has no number, or more than one, with "{mark}" before the decimals')
        bare = re.sub(rf"[{re.escape(thousands)}'\s]", "", found[0]).replace(mark, ".")
        return text.replace(found[0], unmistakable(plain(Decimal(bare))))

    def day(self, text: str, path: str, fact: MappedFact) -> str:
        """A date in one of the map's formats as YYYY-MM-DD; what no format fits stays as it is, to be refused."""
        for pattern in self.mapping.dates:
            try:
                found = datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
            has_day = re.search(r"%[dejxcD]", pattern) is not None
            has_month = has_day or re.search(r"%[mbB]", pattern) is not None
            if CELL_SHAPES[path] == "partial":
                return found.isoformat()[: 10 if has_day else 7 if has_month else 4]
            if not has_day:
                found = _edge_of_month_or_year(found, has_month, first=path in _FIRST_DAY_PATHS)
                if path == "stated_on":
                    fact.cells.setdefault("precision", "month" if has_month else "year")
            return found.isoformat()
        return text


def _edge_of_month_or_year(day: date, has_month: bool, *, first: bool) -> date:
    month = day.month if has_month else 1 if first else 12
    return date(day.year, month, 1 if first else calendar.monthrange(day.year, month)[1])
