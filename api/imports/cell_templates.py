"""Templates of a map, `{Amount|number} million {Currency}`, filled from the cells of a row (docs/import.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

import pycountry

from api.formats.csv_table import unguarded
from api.formats.fact_columns import CELL_SHAPES
from api.imports.cell_numbers import plain_number, rounded, without_footnotes, without_marks, without_raised_marks
from api.imports.cell_periods import NamedBy, SaidPeriod, read_dated, read_period
from api.imports.sheet_layout import SheetRow
from api.imports.sheet_map import PLACEHOLDER, SheetMap
from tracker.quantity import plain, unmistakable
from tracker.values import slug_of

_TWICE_PERCENT = re.compile(r"\s*%\s*(?=%|per ?cent\b)", re.IGNORECASE)
"""The sign of a cell, `2%`, before the map's own `percent:gdp`."""
_CELL_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)(%?)")
"""A number of a workbook, as it is read."""
_FIRST_DAY_PATHS = ("figure.period.start", "window.start", "recurrence.start")
"""The places where an imprecise date means its first day; elsewhere it means its last, since a replay must never know
early."""


class Template:
    """A template, taken to pieces once: literals, and columns with their filter and its table."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        shape = CELL_SHAPES.get(path)
        self.is_amount, self.is_date = shape in ("quantity", "count"), shape in ("day", "partial")
        self.pieces: list[str | tuple[str, str, str]] = []
        end = 0
        for match in PLACEHOLDER.finditer(text):
            self.pieces.append(text[end : match.start()])
            end = match.end()
            is_brace = match[0] in ("{{", "}}")
            self.pieces.append(match[0][0] if is_brace else (match[1], match[2] or "", match[3] or ""))
        self.pieces.append(text[end:])
        self.columns = tuple(piece[0] for piece in self.pieces if isinstance(piece, tuple))
        self.constant = None if self.columns else "".join(map(str, self.pieces)).strip()

    def label(self, headings: Mapping[str, str]) -> str:
        """What the place is called: its path, and the columns that it is read from, as the file has them."""
        columns = dict.fromkeys(headings.get(column, column) for column in self.columns)
        return f"{self.path} ({', '.join(columns)})" if columns else f"{self.path} (of the map)"


class Filled(Protocol):
    """What a row is read into: problems by path, and remarks by column."""

    cells: dict[str, str]
    problems: list[tuple[str, str]]
    remarks: list[tuple[str, str]]


class CellReader:
    """Fills templates from the cells of rows, as a map has numbers, dates and tables."""

    def __init__(self, mapping: SheetMap) -> None:
        self._mapping = mapping
        self._style = mapping.number_style
        self._lookup = {
            name: {key.casefold(): value for key, value in table.items()} for name, table in mapping.lookup.items()
        }

    def fill(self, template: Template, row: SheetRow, fact: Filled) -> str:
        """The template with the row's cells in it; empty if it names columns and all of them are empty."""
        if template.constant is not None:
            return template.constant
        if row.broken:
            for column in template.columns:
                if column in row.broken:
                    fact.problems.append((template.path, row.broken[column]))
        cells = row.cells
        if not any(cells.get(column) for column in template.columns):
            return ""
        filled = "".join(
            [
                piece if isinstance(piece, str) else self._cell(piece, cells.get(piece[0], ""), template, row, fact)
                for piece in template.pieces
            ]
        ).strip()
        return _TWICE_PERCENT.sub(" ", filled) if template.is_amount and "%" in filled else filled

    def _cell(self, piece: tuple[str, str, str], text: str, template: Template, row: SheetRow, fact: Filled) -> str:
        column, name, argument = piece
        text = unguarded(" ".join(text.split()))
        if template.is_amount or name == "number":
            text = self._amount(column, text, template.is_amount, row, fact)
        try:
            plain_already = name == "number" and column in row.numbers
            return self._filtered(text, name, argument) if name and text and not plain_already else text
        except ValueError as wrong:
            fact.problems.append((template.path, str(wrong)))
            return text

    def _amount(self, column: str, text: str, is_amount: bool, row: SheetRow, fact: Filled) -> str:
        """The text of a cell that holds an amount: a number of a workbook rounded, a text without footnote marks."""
        if column in row.numbers:
            if (number := _CELL_NUMBER.fullmatch(text)) and self._mapping.decimals is not None:
                text = f"{plain(rounded(Decimal(number[1]), self._mapping.decimals))}{number[2]}"
            return unmistakable(text) if is_amount else text
        if text.isdecimal():
            return text
        places = self._mapping.decimals
        if places is not None and self._style.decimal == "." and (number := _CELL_NUMBER.fullmatch(text)):
            return f"{plain(rounded(Decimal(number[1]), places))}{number[2]}"
        bare, marks = without_footnotes(text)
        if marks:
            heading = row.headings.get(column, column)
            fact.remarks.append(
                (heading, f'"{text}" is read as "{bare}", its footnote mark {" ".join(marks)} left out')
            )
        return bare

    def _filtered(self, text: str, name: str, argument: str) -> str:
        match name:
            case "slug":
                return slug_of(without_raised_marks(text))
            case "number":
                return plain_number(text, self._style, self._mapping.decimals)
            case "country":
                return _country(text)
            case "lookup":
                known = self._lookup[argument].get(text.casefold())
                if known is None:
                    raise ValueError(f'"{text}" is not in the table [lookup.{argument}]')
                return known
            case "month" | "year":
                if (said := self._period(text)) is None:
                    raise ValueError(f'"{text}" has no {name}; name its format in dates')
                return said.last.isoformat()[: 7 if name == "month" else 4]
            case _:
                return text.lower() if name == "lower" else text.upper()

    def _period(self, text: str) -> SaidPeriod | None:
        """The day or period that a text names, by the map's formats first."""
        of_map = self._mapping
        return _read_period(text, of_map.dates, of_map.fiscal_year_start, of_map.fiscal_year_named_by)

    def day(self, text: str, path: str, fact: Filled) -> str:
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
def _read_period(text: str, formats: tuple[str, ...], fiscal_start: int | None, named_by: NamedBy) -> SaidPeriod | None:
    return read_dated(text, (*formats, "%Y-%m-%d")) or read_period(text, fiscal_start, named_by)


@lru_cache(maxsize=10_000)
def _country(text: str) -> str:
    try:
        found: Any = pycountry.countries.lookup(without_marks(text))
    except LookupError:
        raise ValueError(f'"{text}" is no country that ISO 3166 names; use a lookup table') from None
    return str(found.alpha_2)
