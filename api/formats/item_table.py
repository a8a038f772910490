"""The items of any answer as CSV, by the JSON schema that describes them: the columns are there without any row too.

actual, actual.op, actual.value, actual.upper, actual.unit   a quantity: in words, and its parts
period.start, period.end                                     an object: a column for each member
flags                                                        a list of words: "late; stale"
event, event.type, event.stated_on                           an event: its id, its type and its day
conversion                                                   what has no columns of its own is JSON
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from pydantic_core import to_json

from api.formats.cell_kinds import CellKind, Columns
from api.formats.csv_table import write_table
from api.formats.status_columns import figure_words
from api.http.contract import Schema

_PARTS = {"Amount": ("op", "value", "upper", "unit"), "Ratio": ("op", "value", "upper")}
"""The parts of what is told in words, by the name of its schema."""

_NUMBERS = ("value", "upper")

_DEEPEST = 3
"""Levels of objects that get columns of their own; what is deeper is JSON."""


ItemKind = CellKind | Literal["words", "event", "ids"]
"""How a place of an item is written: `words` of a quantity, the id of an `event`, the `ids` of several."""


_KINDS: Mapping[ItemKind, CellKind] = {kind: kind for kind in get_args(CellKind)}


class ItemTable:
    """The columns of items of one sort, and their cells."""

    def __init__(self, schema: Schema, schemas: Mapping[str, Schema]) -> None:
        """`schema` is that of one item, `schemas` are those that it refers to."""
        self._kinds = dict(_columns("", schema, schemas, 0))

    @property
    def columns(self) -> Columns:
        """The columns with the kinds of their cells."""
        return {name: _KINDS.get(kind, "text") for name, kind in self._kinds.items()}

    def cells(self, item: Mapping[str, Any]) -> dict[str, str]:
        """The cells of an item by column; an empty one is left out."""
        found = {name: _cell(_found(item, name), kind) for name, kind in self._kinds.items()}
        return {name: cell for name, cell in found.items() if cell}


def write_items(
    items: Iterable[Mapping[str, Any]], schema: Schema, schemas: Mapping[str, Schema], license_: str | None
) -> Iterator[bytes]:
    """A header and a row for each item; the schemas as `ItemTable` has them."""
    table = ItemTable(schema, schemas)
    return write_table(list(table.columns), map(table.cells, items), license_)


def _columns(path: str, schema: Schema, schemas: Mapping[str, Schema], depth: int) -> Iterator[tuple[str, ItemKind]]:
    """The columns of a place with how each is written."""
    name, schema = _resolved(schema, schemas)
    if name in _PARTS:
        yield path, "words"
        yield from ((f"{path}.{part}", "number" if part in _NUMBERS else "text") for part in _PARTS[name])
    elif name == "Event":
        yield path, "event"
        yield f"{path}.type", "text"
        yield f"{path}.stated_on", "day"
    elif "properties" in schema and depth < _DEEPEST:
        for member, of in schema["properties"].items():
            yield from _columns(f"{path}.{member}" if path else member, of, schemas, depth + 1)
    elif schema.get("type") == "array":
        yield path, "ids" if _resolved(schema["items"], schemas)[0] == "Event" else "list"
    else:
        yield path, _kind(path, schema)


def _kind(path: str, schema: Schema) -> CellKind:
    """The kind of a place that has no columns below it."""
    match schema.get("type"), schema.get("format"):
        case "integer", _:
            return "whole"
        case "boolean", _:
            return "flag"
        case "string", "date":
            return "day"
        case "string", "date-time":
            return "instant"
    return "number" if path.rpartition(".")[2] in ("rate", "to_rate") else "text"


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> tuple[str, Schema]:
    """The name of a schema, empty for one that has none, and the schema itself, without the choice of null."""
    arms = [arm for arm in schema.get("anyOf", ()) if arm.get("type") != "null"]
    if len(arms) == 1:
        schema = arms[0]
    if "$ref" not in schema:
        return "", schema
    name = str(schema["$ref"]).rpartition("/")[2]
    return name, schemas.get(name, {})


def _found(item: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(item, Mapping) and name not in item and isinstance(item.get("fact"), Mapping):
            item = item["fact"]
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def _cell(value: Any, kind: ItemKind) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Mapping():
            if kind == "words":
                return figure_words(value)
            return str(value.get("id", "")) if kind == "event" else to_json(value).decode()
        case list() | tuple():
            if kind == "ids":
                return "; ".join(str(event.get("id", "")) for event in value)
            return "; ".join(value) if all(isinstance(one, str) for one in value) else to_json(value).decode()
    return str(value)
