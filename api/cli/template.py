"""`tracker template FILE.xlsx`: a workbook to fill, a sheet for each type of fact, which imports as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import click
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from pydantic import BaseModel

from api.cli.group import CommandFailed
from api.cli.template_examples import EXAMPLES
from api.cli.terminal import say
from api.formats.fact_columns import CELL_SHAPES, columns_of
from api.resources.field_meanings import FIELD_MEANS
from tracker.facts import FACT_TYPES

FILLED_ROWS = 1_000
"""Rows below the header that have drop-downs."""

_READ_ME = (
    "A workbook to fill: a sheet for each type of fact.",
    "Each row is one fact. Bold columns are needed; a note on each column says what belongs there.",
    "The rows that are there are examples about an invented pledge: delete them, and write below the header.",
    "Amounts are words with their unit: at least 40bn EUR, about 2 percent:gdp, over 6k count:trees.",
    "Dates are days, 2024-07-10; lists are separated by semicolons.",
    "A row that others speak of has a name in the column ref; event and of take such a name.",
    "Import it with: tracker import FILE.xlsx --dry-run, then without --dry-run.",
)
_SHAPES = {
    "day": "A day, YYYY-MM-DD.",
    "partial": "A date as precise as the source is: 2024, 2024-H1, 2024-Q3, 2024-06 or 2024-06-30.",
    "quantity": "An amount with its unit, in words: at least 40bn EUR.",
    "count": "A whole number, or an amount in words: about 20 count:members.",
    "list": "Several are separated by semicolons: BE; NL; LU.",
    "json": "A list or an object as JSON.",
    "event": "The ref of an earlier row, or the id of an event.",
    "whole": "A whole number.",
}
_ITEM_NOTES = {
    "pledge": "The pledge's slug: small letters, digits and hyphens.",
    "ref": "A name for the row, by which later rows may refer to it.",
}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def template(file: Path, force: bool) -> None:
    """Write an XLSX workbook to fill, with a sheet for each type of fact.

    Columns have notes and drop-downs, and each sheet an example. `tracker import` reads it as it is: all sheets
    together, what was said first before what was said later.

    \b
    Examples:
      tracker template facts.xlsx
      tracker import facts.xlsx --dry-run
    """
    if file.suffix.lower() != ".xlsx":
        raise click.UsageError("the name of a workbook ends in .xlsx")
    if file.exists() and not force:
        raise CommandFailed(f"{file} is there already; --force writes over it.")
    template_workbook().save(file)
    say(f"{file} has a sheet for each of {len(FACT_TYPES)} types of facts. tracker import reads it as it is.")


def template_workbook() -> Workbook:
    """The workbook: a page to read, then a sheet for each type of fact."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "Read me"
    for line in _READ_ME:
        page.append([line])
    page.column_dimensions["A"].width = 100
    for type_ in FACT_TYPES:
        _fill(book.create_sheet(type_), type_)
    return book


def _fill(page: Any, type_: str) -> None:
    columns = {"pledge": "pledge", "ref": "ref", **columns_of(type_)}
    needed = {"pledge", *_needed(FACT_TYPES[type_])}
    choices = dict(_choices(FACT_TYPES[type_]))
    page.append(list(columns))
    for example in EXAMPLES[type_]:
        page.append([example.get(column) for column in columns])
    page.freeze_panes = "B2"
    for index, (name, path) in enumerate(columns.items(), start=1):
        letter = get_column_letter(index)
        cell = page.cell(1, index)
        cell.font = Font(bold=path in needed)
        cell.comment = Comment(_note(name, path, path in needed), "tracker", height=120, width=300)
        page.column_dimensions[letter].width = max(12, len(name) + 2)
        if options := choices.get(path):
            drop_down = DataValidation(type="list", formula1=f'"{",".join(options)}"', allow_blank=True)
            drop_down.errorTitle, drop_down.error = name, f"One of: {', '.join(options)}"[:255]
            page.add_data_validation(drop_down)
            drop_down.add(f"{letter}2:{letter}{FILLED_ROWS + 1}")


def _note(name: str, path: str, is_needed: bool) -> str:
    last = path.rpartition(".")[2]
    means = _ITEM_NOTES.get(path) or FIELD_MEANS.get(last, "")
    parts = [means, _SHAPES.get(CELL_SHAPES.get(path, ""), ""), "Needed." if is_needed else ""]
    return " ".join(part for part in parts if part) or f"{name} of the fact."


def _members(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any, bool]]:
    """The places in a fact by path, with the bare type of each, and whether the fact needs it."""
    hints = get_type_hints(model, include_extras=True)
    for name, about in model.model_fields.items():
        bare = _bare(hints[name])
        if isinstance(bare, type) and issubclass(bare, BaseModel) and f"{prefix}{name}" not in CELL_SHAPES:
            for path, inner, is_needed in _members(bare, f"{prefix}{name}."):
                yield path, inner, is_needed and about.is_required()
        else:
            yield f"{prefix}{name}", bare, about.is_required()


def _bare(hint: Any) -> Any:
    """A type without what is said beside it, and without None."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        arms = [arm for arm in get_args(hint) if arm is not NoneType]
        return _bare(arms[0]) if len(arms) == 1 else hint
    return hint


def _needed(model: type[BaseModel]) -> Iterator[str]:
    return (path for path, _, is_needed in _members(model) if is_needed)


def _choices(model: type[BaseModel]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for path, bare, _ in _members(model):
        if bare is bool:
            yield path, ("true", "false")
        elif get_origin(bare) is Literal and path != "type":
            yield path, tuple(map(str, get_args(bare)))
