"""A fact as one row of a table: a column for each place in it, named by its path (docs/import.md).

figure.quantity      over 50bn EUR        words; or its parts in figure.quantity.op, .value, .upper, .unit, .text
source.publisher     Example Gazette
group.members        BE; NL; LU           lists are separated by semicolons
group.not_applicable [{"member": "IS", …  what is deeper is JSON
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from api.formats.cell_kinds import CellKind, Columns
from tracker import quantity_words
from tracker.fact_decoding import Undecodable, decode
from tracker.facts import FACT_TYPES
from tracker.pledge_events import raw_fact
from tracker.quantity import Quantity
from tracker.quantity_words_tables import UnclearWords
from tracker.values import Day, EventId, EventReference, PartialDate, QuantityOrWords

CellShape = Literal["text", "day", "partial", "flag", "whole", "quantity", "count", "list", "json", "event"]
"""How the text of a cell is read; `partial` is a date without its day or month, `count` a whole number or a quantity,
`event` an event's id or the `ref` of an earlier row."""

ENVELOPE_COLUMNS = ("id", "pledge", "version", "position", "recorded_at", "recorded_by", "proposal")
"""The columns of an exported event beside those of its fact."""

LICENSE_COLUMN = "license"
"""The last column of an export whose data have a licence; an import does not look at it."""

ITEM_COLUMNS = ("pledge", "expected_version", "ref")
"""The columns of a row to import beside those of its fact."""

QUANTITY_PARTS = ("op", "value", "upper", "unit", "text")
"""The parts of a quantity, each in a column of its own."""

SHORT_NAMES = {
    "speaker": "speaker.name",
    "speaker_code": "speaker.code",
    "pledgor": "pledgor.name",
    "pledgor_code": "pledgor.code",
    "beneficiary": "beneficiary.name",
    "beneficiary_code": "beneficiary.code",
    "publisher": "source.publisher",
    "source_title": "source.title",
    "url": "source.url",
    "published_on": "source.published_on",
    "retrieved_on": "source.retrieved_on",
    "locator": "source.locator",
    "reference": "source.reference",
    "origin": "source.origin",
    "tier": "source.tier",
    "quantity": "figure.quantity",
    "equivalent": "figure.equivalent",
    "stage": "figure.stage",
    "basis": "figure.basis",
    "nature": "figure.nature",
    "period_start": "figure.period.start",
    "period_end": "figure.period.end",
    "attribution": "figure.attribution",
    "final": "figure.final",
    "window_start": "window.start",
    "window_end": "window.end",
    "window_latest": "window.latest",
    "window_text": "window.text",
    "baseline": "baseline.quantity",
    "baseline_on": "baseline.on",
    "every": "recurrence.every",
    "recurrence_start": "recurrence.start",
    "recurrence_end": "recurrence.end",
    "rule": "group.rule",
    "members": "group.members",
    "opted_out": "group.opted_out",
}
"""Short names of common columns. A field of the fact's own goes first: a TallyReported has a `nature` itself."""


def _shapes_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, CellShape]]:
    """The places in a model with the shapes of their cells, by path."""
    for name, hint in get_type_hints(model, include_extras=True).items():
        if name in model.model_fields:
            yield from _shapes_of_hint(hint, f"{prefix}{name}")


def _shapes_of_hint(hint: Any, path: str) -> Iterator[tuple[str, CellShape]]:
    if get_origin(hint) in (Union, UnionType):
        arms = [arm for arm in get_args(hint) if arm is not NoneType]
        if len(arms) > 1:
            if QuantityOrWords not in arms:
                raise TypeError(f"{path} has a shape that no cell can have: {hint}")
            yield path, "count"
        else:
            yield from _shapes_of_hint(arms[0], path)
        return
    named: dict[Any, CellShape] = {Day: "day", PartialDate: "partial", QuantityOrWords: "quantity"}
    named |= dict.fromkeys((EventId, EventReference), "event")
    if hint in named:
        yield path, named[hint]
        return
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        yield from _shapes_of(bare, f"{path}.")
    elif get_origin(bare) is tuple:
        item = get_args(bare)[0]
        yield path, "json" if isinstance(item, type) and issubclass(item, BaseModel) else "list"
    elif get_origin(bare) is dict:
        yield path, "json"
    else:
        yield path, "flag" if bare is bool else "whole" if bare is int else "text"


def _shapes_of_facts() -> dict[str, CellShape]:
    shapes: dict[str, CellShape] = {}
    for fact_type in FACT_TYPES.values():
        for path, shape in _shapes_of(fact_type):
            if shapes.setdefault(path, shape) != shape:
                raise TypeError(f"{path} has two shapes: {shapes[path]} and {shape}")
    return shapes


CELL_SHAPES = _shapes_of_facts()
"""Every place in a fact, by its path, in the order of the fact types, with the shape of its cell."""

_QUANTITY_PATHS = tuple(path for path, shape in CELL_SHAPES.items() if shape in ("quantity", "count"))

EVENT_PATHS = tuple(path for path, shape in CELL_SHAPES.items() if shape == "event")
"""The places in a fact that name an event."""

FACT_COLUMNS = tuple(
    column
    for path in CELL_SHAPES
    for column in (path, *(f"{path}.{part}" for part in QUANTITY_PARTS if path in _QUANTITY_PATHS))
)
"""The columns of an exported fact: words stand beside their parts."""

EVENT_COLUMNS = (*ENVELOPE_COLUMNS, *FACT_COLUMNS)

_KINDS: Mapping[str, CellKind] = {
    "day": "day", "partial": "partial", "flag": "flag", "whole": "whole", "count": "tally", "list": "list",
    "version": "whole", "position": "whole", "recorded_at": "instant", "value": "number", "upper": "number",
}  # fmt: skip
"""The kinds of cells by their shapes, and those of columns that have no shape by the end of their names."""

EVENT_KINDS: Columns = {
    column: _KINDS.get(CELL_SHAPES.get(column, column.rpartition(".")[2]), "text") for column in EVENT_COLUMNS
}
"""The columns of an event with the kinds of their cells."""

KNOWN_COLUMNS = frozenset({*EVENT_COLUMNS, LICENSE_COLUMN, *ITEM_COLUMNS, *SHORT_NAMES})
"""Every name that a column of an imported table may have."""


def path_of(column: str, type_: str) -> str:
    """The path that a column's name stands for in a fact of the type."""
    fact = FACT_TYPES.get(type_)
    if column in SHORT_NAMES and not (fact is not None and column in fact.model_fields and column in CELL_SHAPES):
        return SHORT_NAMES[column]
    return column


def columns_of(type_: str) -> dict[str, str]:
    """The columns of facts of one type by the names that an import knows, short where there are, with their paths."""
    paths = [path for path, _ in _shapes_of(FACT_TYPES[type_]) if path != "type"]
    short = {path: name for name, path in SHORT_NAMES.items() if path_of(name, type_) == path}
    return {short.get(path, path): path for path in paths}


def flatten(fact: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The cells of a fact, given as JSON, by path; a place that the fact does not have is left out."""
    cells: dict[str, str] = {}
    for name, value in fact.items():
        path = f"{prefix}{name}"
        shape = CELL_SHAPES.get(path)
        if isinstance(value, Mapping) and shape in ("quantity", "count"):
            cells[path] = quantity_words_of(value)
            cells |= {f"{path}.{part}": str(value[part]) for part in QUANTITY_PARTS if part in value}
        elif shape == "json":
            cells[path] = to_json(value).decode()
        elif isinstance(value, Mapping):
            cells |= flatten(value, f"{path}.")
        elif shape == "list":
            whole = isinstance(value, list) and all(isinstance(item, str) for item in value) and value
            cells[path] = "; ".join(value) if whole else to_json(value).decode()
        elif isinstance(value, bool):
            cells[path] = "true" if value else "false"
        else:
            cells[path] = str(value)
    return cells


def event_cells(event: Mapping[str, Any]) -> dict[str, str]:
    """The cells of an event as it is served: its fact flat beside its envelope."""
    return {name: str(event[name]) for name in ENVELOPE_COLUMNS if name in event} | flatten(raw_fact(event))


def quantity_words_of(stored: Mapping[str, Any]) -> str:
    """A stored quantity in words; its JSON where this version does not understand it."""
    try:
        return str(decode(Quantity, stored))
    except Undecodable:
        return to_json(stored).decode()


def unflatten(cells: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The fact that the cells hold, by path, and the problems of single cells as path and sentence.

    An empty cell is left out. An event is given by its id, or by the `ref` of an earlier row.
    """
    fact: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for path, text in cells.items():
        if not text:
            continue
        try:
            value = _value(path, text, cells)
        except ValueError as wrong:
            problems.append((path, str(wrong)))
            continue
        *parents, name = path.split(".")
        place = fact
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                problems.append((path, f"{parent} is given already, as a whole"))
                break
        else:
            if not isinstance(place.get(name), dict):
                place[name] = value
    return fact, problems


def _value(path: str, text: str, cells: Mapping[str, str]) -> Any:
    match CELL_SHAPES.get(path):
        case "quantity" | "count" as shape:
            parts = {part: cells[f"{path}.{part}"] for part in QUANTITY_PARTS if cells.get(f"{path}.{part}")}
            if parts.keys() - {"text"}:
                _must_agree(text, parts)
                return parts
            return int(text) if shape == "count" and re.fullmatch(r"\d{1,9}", text) else text
        case "flag":
            if text.casefold() not in ("true", "false", "yes", "no"):
                raise ValueError(f'"{text}" is neither true nor false')
            return text.casefold() in ("true", "yes")
        case "whole":
            if not re.fullmatch(r"\d{1,15}", text):
                raise ValueError(f'"{text}" is no whole number')
            return int(text)
        case "list":
            return _json(text) if text.startswith("[") else [part.strip() for part in text.split(";") if part.strip()]
        case "json":
            return _json(text)
        case "event":
            return text if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) else {"ref": text}
        case _:
            return text


def _must_agree(words: str, parts: Mapping[str, str]) -> None:
    """Words beside parts are for reading; who changed only one of the two did not mean both."""
    try:
        read = quantity_words.read(words)
        whole = Quantity.model_validate(dict(parts))
    except (UnclearWords, ValueError):
        return  # the parts are checked with the fact
    if read != whole:
        raise ValueError(f'the words say "{read}", the parts beside them "{whole}"; empty one of the two')


def _json(text: str) -> Any:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as wrong:
        raise ValueError(f"this is not JSON: {wrong}") from None


def label_of(pointer: str, labels: Mapping[str, str]) -> str:
    """The column of a table where the place of a JSON Pointer was read, else the name it would have."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    paths = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    for path in paths:
        if path in labels:
            return labels[path]
    below = next((label for path, label in labels.items() if paths and path.startswith(f"{paths[0]}.")), None)
    return next((path for path in paths if path in CELL_SHAPES), below or ".".join(parts))
