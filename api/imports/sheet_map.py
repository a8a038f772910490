"""A map from somebody's own spreadsheet to facts, written in TOML (docs/import.md): its keys, and what they may say.

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

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from api.formats.fact_columns import KNOWN_COLUMNS, path_of
from api.imports.bounds import check_file_size
from api.imports.cell_conditions import CellCondition, CellPredicate, CellText, MapPart, Pattern, predicate_of
from api.imports.cell_numbers import COMMA, LOCALES, POINT, NumberStyle
from api.imports.cell_periods import NamedBy
from api.imports.items import UnreadableFile
from api.imports.sheet_layout import MAX_HEADER_ROWS, Encoding, SheetLayout, SheetRow
from tracker.facts import FACT_TYPES
from tracker.quantity import DECIMALS
from tracker.units import SLUG

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}|]+)(?:\|([a-z]+)(?::([^{}|]+))?)?\}")
"""A column in a template, with its filter and the filter's table; or a doubled brace."""

FILTERS = ("slug", "number", "lower", "upper", "country", "lookup", "month", "year")
"""The filters of templates."""

RELEASE_COLUMN = "@release"
"""A column that every table has for its map: the day of the release."""

_READY_MAPS = files("api.imports") / "ready_maps"

MAX_MAP_BYTES = 2**20
"""Bytes of a map, at most."""


class BadMap(Exception):
    """The map cannot be used; `problems` has a sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _RowRule(MapPart):
    when: dict[str, CellCondition] | list[CellText] | CellText = Field(default_factory=list)
    """Columns that must be filled, or columns and what must stand in them (`api.imports.cell_conditions`)."""

    @property
    def conditions(self) -> Mapping[str, CellCondition]:
        """What must stand in each column that the rule looks at."""
        if isinstance(self.when, str):
            return {self.when: "*"}
        if isinstance(self.when, list):
            return dict.fromkeys(self.when, "*")
        return self.when

    def unreadable(self, row: SheetRow) -> list[str] | None:
        """The columns whose broken cells leave open whether the rule applies to the row; None if it does not apply."""
        broken = []
        for column, holds in self._predicates:
            if column in row.broken:
                broken.append(column)
            elif not holds(row.cells.get(column, "")):
                return None
        return broken

    @cached_property
    def _predicates(self) -> tuple[tuple[str, CellPredicate], ...]:
        return tuple((column, predicate_of(condition)) for column, condition in self.conditions.items())


class FactRule(_RowRule):
    """One kind of fact that a row can become."""

    type: str
    pledge: CellText
    once: bool = False
    """Only the first row of each pledge."""
    ref: CellText | None = None
    fields: dict[str, CellText] = Field(default_factory=dict)
    verdict_against: CellText | None = None
    """The target that a MemberReported's figure is compared with: its verdict is `met` or `not_met` by that."""
    direction: Literal["up", "down"] = "up"
    """Whether that target is kept by as much or more, or by as much or less."""


class LeaveOutRule(_RowRule):
    """Rows that are meant to become no fact; without `when` all that no other rule takes."""


class Unpivot(MapPart):
    """Columns of a wide sheet that are read as rows: the column's name in one cell, what stood in it in another."""

    columns: Annotated[list[Pattern], Field(min_length=1)] | Pattern
    name: CellText
    value: CellText

    @property
    def patterns(self) -> list[str]:
        """The patterns of the columns' names."""
        return [self.columns] if isinstance(self.columns, str) else self.columns


class Follow(MapPart):
    """The sheet is released again and again: what it is called, and whether it is our own record."""

    name: Annotated[str, StringConstraints(strict=True, pattern=rf"^{SLUG}$", max_length=64)]
    ours: bool = False
    """A changed cell mends our own record, instead of telling that a source changed its figure."""


class SheetMap(MapPart):
    """How the rows of one sheet become facts."""

    sheet: str | None = None
    header: Annotated[int, Field(ge=1, strict=True)] | Pattern = 1
    """The row with the column names, or the first of them; or a pattern of a cell that this row has."""
    header_rows: Annotated[int, Field(ge=1, le=MAX_HEADER_ROWS)] | None = None
    """Rows that name the columns together; as many as a merged cell of the first one spans if left out."""
    encoding: Encoding | None = None
    fill_down: tuple[str, ...] = ()
    """Columns whose empty cells mean what stands above them."""
    name_columns: dict[Annotated[str, StringConstraints(strict=True, pattern="^[A-Z]{1,3}$")], CellText] = Field(
        default_factory=dict
    )
    """Names of columns that have no heading, by their letters."""
    ends_at_blank_row: bool = False
    """What stands below a blank row is no part of the table."""
    oldest_first: bool = True
    dates: tuple[str, ...] = ()
    """`strptime` formats of dates written as text; one without a day is a month, without a month a year."""
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] | None = None
    fiscal_year_named_by: NamedBy = "end"
    decimal: Literal[".", ","] | None = None
    locale: str | None = None
    decimals: Annotated[int, Field(ge=0, le=DECIMALS)] | None = None
    """Numbers are rounded half-even to so many decimals."""
    unpivot: Unpivot | None = None
    follow: Follow | None = None
    lookup: dict[str, dict[str, CellText]] = Field(default_factory=dict)
    fields: dict[str, CellText] = Field(default_factory=dict)
    fact: Annotated[tuple[FactRule, ...], Field(min_length=1)]
    leave_out: tuple[LeaveOutRule, ...] = ()

    @model_validator(mode="after")
    def _must_name_known_parts(self) -> Self:
        problems = []
        if self.locale is not None and self.locale not in LOCALES:
            problems.append(f"no number format is known of the locale {self.locale!r}; there are {', '.join(LOCALES)}")
        if self.locale is not None and self.decimal is not None:
            problems.append("locale and decimal say the same; give one of them")
        for rule in self.fact:
            if rule.type not in FACT_TYPES:
                problems.append(f"no fact is of type {rule.type!r}")
            if rule.verdict_against is not None and rule.type != "MemberReported":
                problems.append(f"verdict_against is for a MemberReported, not for a {rule.type}")
            fields = self.fields | rule.fields
            if self.follow is not None:
                problems += _problems_of_key(rule, fields)
            problems += [
                f'no fact has a field "{name}"' for name in fields if name not in KNOWN_COLUMNS or name == "pledge"
            ]
            for template in (rule.pledge, rule.ref or "", rule.verdict_against or "", *fields.values()):
                problems += self._problems_of_template(template)
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self

    def _problems_of_template(self, template: str) -> Iterator[str]:
        rest = PLACEHOLDER.sub("", template)
        if "{" in rest or "}" in rest:
            yield f"a brace in {template!r} is not closed, or not doubled"
        for _, name, argument in PLACEHOLDER.findall(template):
            if name and name not in FILTERS:
                yield f"{template!r}: there is no {name!r}; there are {', '.join(FILTERS)}"
            if (name == "lookup") != bool(argument) or (argument and argument not in self.lookup):
                yield f"{template!r}: lookup names one of the tables [lookup.…]"

    @property
    def columns(self) -> set[str]:
        """The columns that the map reads, those among them that it unpivots by their new names."""
        return self._read - {RELEASE_COLUMN}

    @property
    def reads_release(self) -> bool:
        """Whether the facts depend on the day of the release."""
        return RELEASE_COLUMN in self._read

    @property
    def _read(self) -> set[str]:
        templates = [*self.fields.values()]
        for rule in self.fact:
            templates += [rule.pledge, rule.ref or "", rule.verdict_against or "", *rule.fields.values()]
        return {match[0] for t in templates for match in PLACEHOLDER.findall(t) if match[0]} | {
            column for rule in (*self.fact, *self.leave_out) for column in rule.conditions
        }

    @cached_property
    def templates(self) -> Mapping[int, tuple[tuple[str, str], ...]]:
        """The fields of each fact rule, by its `id`: the path of each, and its template."""
        return {
            id(rule): tuple((path_of(name, rule.type), text) for name, text in (self.fields | rule.fields).items())
            for rule in self.fact
        }

    @property
    def number_style(self) -> NumberStyle:
        """How numbers that are text are written."""
        if self.locale is not None:
            return LOCALES[self.locale]
        return COMMA if self.decimal == "," else POINT

    @property
    def layout(self) -> SheetLayout:
        """Where the table lies in its file."""
        return SheetLayout(
            self.header,
            self.header_rows,
            self.encoding,
            self.fill_down,
            names=self.name_columns,
            ends_at_blank=self.ends_at_blank_row,
        )


def _problems_of_key(rule: FactRule, fields: Mapping[str, str]) -> Iterator[str]:
    """What keeps the rows of a sheet that is followed from having a key."""
    if rule.ref is None:
        yield f"a {rule.type} needs a ref: with [follow] it is the key of its row in every release"
    if {"locator", "source.locator"} & fields.keys():
        yield "with [follow] the locator of a source is the key of its row; leave locator out"
    if not {"publisher", "source.publisher"} & fields.keys():
        yield f"a {rule.type} needs a publisher: with [follow] the key of its row stands in its source"


def read_map(path: Path) -> SheetMap:
    """The map in a TOML file of at most `MAX_MAP_BYTES` bytes.

    Raises: BadMap if it is not TOML, or no map.
    """
    try:
        check_file_size(path, MAX_MAP_BYTES)
    except UnreadableFile as large:
        raise BadMap([str(large)]) from None
    return parse_map(path.read_bytes())


def ready_map_names() -> list[str]:
    """The names of the maps that come with the program, for sheets of some publishers."""
    return sorted(file.name.removesuffix(".toml") for file in _READY_MAPS.iterdir() if file.name.endswith(".toml"))


def ready_map(name: str) -> bytes:
    """The text of a map that comes with the program, in UTF-8.

    Raises: KeyError if there is none of this name.
    """
    if name not in ready_map_names():
        raise KeyError(name)
    return (_READY_MAPS / f"{name}.toml").read_bytes()


def parse_map(content: bytes | str) -> SheetMap:
    """The map that a text in TOML describes.

    Raises: BadMap if it is not TOML, or no map.
    """
    try:
        text = content if isinstance(content, str) else content.decode()
        return SheetMap.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadMap([f"this is not TOML: {wrong}"]) from None
    except ValidationError as wrong:
        raise BadMap([_sentence(e["loc"], e["type"], e["msg"]) for e in wrong.errors()]) from None


def _sentence(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
    sentence = {"extra_forbidden": "a map has no such key", "missing": "this key is needed"}.get(kind, message)
    sentence = sentence.removeprefix("Value error, ")
    return f"{where}: {sentence}" if where else sentence
