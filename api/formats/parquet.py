"""Statuses as Parquet, a row group at a time. It needs the extra `parquet`.

The columns are those of the CSV, typed: days as dates, counts as integers, flags and tags as lists. Decimals stay
text, exact, as they are everywhere. `document` has the whole status as JSON. The clocks and the licence of the data
stand in the file's own metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from importlib import import_module
from itertools import islice
from typing import Any

from pydantic_core import from_json

from api.formats.provenance import Provenance
from api.formats.status_columns import STATUS_COLUMNS, status_cells

ROW_GROUP_ROWS = 1_000
"""Statuses in a row group, and in memory at a time."""

_DAY_COLUMNS = {"period.start", "period.end", "window.start", "window.end", "window.latest", "last_stated_on", "as_of"}
_LIST_COLUMNS = {"tags", "flags"}
_COUNT_COLUMNS = {"version", "position"}


def write_statuses(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """The bytes of a Parquet file; the footer becomes its metadata."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    metadata = {name: "" if value is None else str(value) for name, value in provenance.footer.items()}
    schema = arrow.schema([(name, _type(arrow, name)) for name in (*STATUS_COLUMNS, "document")], metadata=metadata)
    sink = _Sink()
    remaining = iter(documents)
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        while rows := [_row(document) for document in islice(remaining, ROW_GROUP_ROWS)]:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _type(arrow: Any, column: str) -> Any:
    if column in _DAY_COLUMNS:
        return arrow.date32()
    if column in _LIST_COLUMNS:
        return arrow.list_(arrow.string())
    if column in _COUNT_COLUMNS:
        return arrow.int64()
    return arrow.timestamp("us", tz="UTC") if column == "known_at" else arrow.string()


def _row(document: bytes) -> dict[str, Any]:
    status = from_json(document)
    row: dict[str, Any] = {**status_cells(status), "document": document.decode()}
    row |= {name: date.fromisoformat(row[name]) for name in _DAY_COLUMNS & row.keys()}
    row |= {name: status[name] for name in (*_LIST_COLUMNS, *_COUNT_COLUMNS)}
    if status["known_at"] is not None:
        row["known_at"] = datetime.fromisoformat(status["known_at"])
    return row


class _Sink:
    """A file, as pyarrow wants it, that is only ever written to; what was written can be taken away."""

    closed = False

    def __init__(self) -> None:
        self._written = bytearray()
        self._at = 0

    def write(self, piece: Any) -> int:
        """Append the bytes; the number of them."""
        piece = bytes(piece)
        self._written += piece
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How many bytes were written so far."""
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is closed: the last bytes are still to be taken."""

    def taken(self) -> bytes:
        """The bytes that were written since the last call."""
        written, self._written = bytes(self._written), bytearray()
        return written
