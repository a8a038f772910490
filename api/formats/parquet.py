"""Statuses as Parquet, a row group at a time. Needs the extra ``parquet``.

The columns are those of the CSV, typed: days as dates, counts as integers, flags and tags as lists. Decimals stay
text, exact, as they are everywhere. ``document`` has the whole status as JSON. The clocks and the licence of the data
stand in the file's own metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from importlib import import_module
from itertools import islice
from typing import Any

from pydantic_core import from_json

from api.formats.writers import STATUS_COLUMNS, status_cells

ROWS = 1_000
"""Statuses a row group, and in memory."""

_DAYS = {"period.start", "period.end", "window.start", "window.end", "window.latest", "last_stated_on", "as_of"}
_LISTS = {"tags", "flags"}
_COUNTS = {"version", "position"}


def statuses(documents: Iterable[bytes], footer: Mapping[str, Any]) -> Iterator[bytes]:
    """The bytes of a Parquet file; ``footer`` becomes its metadata."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    metadata = {name: "" if value is None else str(value) for name, value in footer.items()}
    schema = arrow.schema([(name, _type(arrow, name)) for name in (*STATUS_COLUMNS, "document")], metadata=metadata)
    sink = _Sink()
    rest = iter(documents)
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        while rows := [_row(document) for document in islice(rest, ROWS)]:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _type(arrow: Any, column: str) -> Any:
    if column in _DAYS:
        return arrow.date32()
    if column in _LISTS:
        return arrow.list_(arrow.string())
    if column in _COUNTS:
        return arrow.int64()
    return arrow.timestamp("us", tz="UTC") if column == "known_at" else arrow.string()


def _row(document: bytes) -> dict[str, Any]:
    status = from_json(document)
    row: dict[str, Any] = {**status_cells(status), "document": document.decode()}
    row |= {name: date.fromisoformat(row[name]) for name in _DAYS & row.keys()}
    row |= {name: status[name] for name in (*_LISTS, *_COUNTS)}
    if status["known_at"] is not None:
        row["known_at"] = datetime.fromisoformat(status["known_at"])
    return row


class _Sink:
    """A file that is only ever written to; what was written is taken away."""

    closed = False

    def __init__(self) -> None:
        self._written = bytearray()
        self._at = 0

    def write(self, piece: Any) -> int:
        """Write."""
        piece = bytes(piece)
        self._written += piece
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The bytes are still to be taken."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        written, self._written = bytes(self._written), bytearray()
        return written
