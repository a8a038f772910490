"""Statuses as Parquet, a row group at a time. It needs the extra `parquet`.

The columns are those of the CSV, typed: days as dates, counts as integers, tags and flags as lists. A decimal is a
double, and beside it, in the column `….exact`, the text that is exact: `actual.value` and `actual.value.exact`. A tally
that is a bound ("at least 4") is null as an integer, and in words beside it. `document` has the whole status as JSON.
The clocks and the licence of the data stand in the file's own metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from importlib import import_module
from itertools import islice
from typing import Any

from pydantic_core import from_json

from api.formats.cell_kinds import EXACT, CellKind, value_of
from api.formats.provenance import Provenance
from api.formats.sink import Sink
from api.formats.status_columns import LIST_COLUMNS, STATUS_KINDS, status_cells, words_of

ROW_GROUP_ROWS = 1_000
"""Statuses in a row group, and in memory at a time."""

_WITH_EXACT = ("number", "tally")
_LISTS = frozenset(LIST_COLUMNS)


def write_statuses(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """The bytes of a Parquet file; the footer becomes its metadata."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    metadata = {name: "" if value is None else str(value) for name, value in provenance.footer.items()}
    fields = [field for name, kind in STATUS_KINDS.items() for field in _fields(arrow, name, kind)]
    schema = arrow.schema([*fields, ("document", arrow.string())], metadata=metadata)
    sink = Sink()
    remaining = iter(documents)
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        while rows := [_row(document) for document in islice(remaining, ROW_GROUP_ROWS)]:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _fields(arrow: Any, column: str, kind: CellKind) -> list[tuple[str, Any]]:
    """The columns of a kind of cells: beside a double, and beside an integer that may be a bound, the exact text."""
    types = {
        "number": arrow.float64(),
        "whole": arrow.int64(),
        "tally": arrow.int64(),
        "flag": arrow.bool_(),
        "day": arrow.date32(),
        "instant": arrow.timestamp("us", tz="UTC"),
        "list": arrow.list_(arrow.string()),
    }
    beside = [(f"{column}{EXACT}", arrow.string())] if kind in _WITH_EXACT else []
    return [(column, types.get(kind, arrow.string())), *beside]


def _row(document: bytes) -> dict[str, Any]:
    status = from_json(document)
    row: dict[str, Any] = {"document": document.decode()}
    for name, text in status_cells(status).items():
        kind = STATUS_KINDS[name]
        if kind in _WITH_EXACT:
            row[f"{name}{EXACT}"] = text
        row[name] = _value(text, kind)
    return row | {name: words_of(status, name) for name in _LISTS & status.keys()}


def _value(text: str, kind: CellKind) -> Any:
    """What the column holds; None for a text that is none of its kind."""
    if kind in ("text", "partial", "list"):
        return text
    value = value_of(text, kind)
    if isinstance(value, str):
        return None
    return float(value) if isinstance(value, Decimal) else value
