"""Statuses and events as JSON, NDJSON and CSV, a piece at a time: what the shell prints and HTTP streams.

CSV is RFC 4180 and safe to open in a spreadsheet: a cell that would be a formula has a ``'`` in front, which an import
takes off again. Decimals are written exactly. A bound is in words beside its parts: ``target`` is "at least 40 EUR",
``target.op`` is "ge", ``target.value`` "40".

Where the data have a licence it stands in every row of CSV and in every CloudEvent. A line of NDJSON is a document as
it is served, and nothing is added to it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Literal

from pydantic_core import from_json, to_json

from api.formats import cloudevents
from api.formats.columns import ENVELOPE, EVENT_COLUMNS, LICENSE, flatten, row
from tracker.comparison import Ratio
from tracker.quantity import Quantity

Format = Literal["json", "ndjson", "csv"]

_PARTS = ("op", "value", "upper", "unit")
_QUANTITIES = ("target", "actual")
STATUS_COLUMNS = (
    *("pledge", "title", "pledgor.name", "pledgor.code", "beneficiary.name", "beneficiary.code", "kind", "tags"),
    *("part_of", "status", "flags"),
    *(column for name in _QUANTITIES for column in (name, *(f"{name}.{part}" for part in _PARTS))),
    *("ratio", "ratio.op", "ratio.value", "ratio.upper", "stage", "period.start", "period.end"),
    *("window.start", "window.end", "window.latest", "window.text", "schedule.current", "schedule.original"),
    *("trajectory", "evidence", "lifecycle", "members.eligible", "members.met", "members.not_met"),
    *("members.not_applicable", "members.opted_out", "members.not_reported", "members.total"),
    *("version", "last_stated_on", "rules_version", "as_of", "known_at", "position"),
)
"""The columns of a status; what has parts of its own beyond these is in the JSON only."""


def status_cells(status: Mapping[str, Any]) -> dict[str, str]:
    """The cells of a status document."""
    cells: dict[str, str] = {}
    for column in STATUS_COLUMNS:
        value: Any = status
        for name in column.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            cells[column] = _text(value)
    return cells


def event_cells(event: Mapping[str, Any]) -> dict[str, str]:
    """The cells of an event, its fact flat beside its envelope."""
    return {name: str(event[name]) for name in ENVELOPE if name in event} | flatten(event["fact"])


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return str((Quantity if "unit" in value else Ratio).model_validate(value))
    if isinstance(value, list):
        return "; ".join(value)
    return str(value)


def csv_lines(
    columns: Sequence[str], rows: Iterable[Mapping[str, str]], license_: str | None = None
) -> Iterator[bytes]:
    """A header and rows as CSV, UTF-8."""
    if license_ is not None:
        columns, rows = (*columns, LICENSE), ({**cells, LICENSE: license_} for cells in rows)
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")

    def written(cells: Sequence[str]) -> bytes:
        writer.writerow(cells)
        line = buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        return line

    yield written(columns)
    for cells in rows:
        yield written(row(cells, columns))


def statuses(
    documents: Iterable[bytes], form: Format, footer: Mapping[str, Any], license_: str | None = None
) -> Iterator[bytes]:
    """Status documents; ``footer`` stands beside the items of a JSON answer."""
    if form == "csv":
        return csv_lines(STATUS_COLUMNS, (status_cells(from_json(document)) for document in documents), license_)
    return _lines(documents) if form == "ndjson" else _listed(documents, footer)


def events(
    lines: Iterable[bytes],
    form: Format | Literal["cloudevents"],
    footer: Mapping[str, Any],
    license_: str | None = None,
) -> Iterator[bytes]:
    """Events as they are served; ``footer`` stands beside the items of a JSON answer."""
    if form == "cloudevents":
        return cloudevents.batch(lines, license_)
    if form == "csv":
        return csv_lines(EVENT_COLUMNS, (event_cells(from_json(line)) for line in lines), license_)
    return _lines(lines) if form == "ndjson" else _listed(lines, footer)


def _lines(documents: Iterable[bytes]) -> Iterator[bytes]:
    return (document + b"\n" for document in documents)


def _listed(documents: Iterable[bytes], footer: Mapping[str, Any]) -> Iterator[bytes]:
    yield b'{"items":['
    for number, document in enumerate(documents):
        yield (b",\n" if number else b"\n") + document
    rest = to_json(footer)
    yield b"]," + rest[1:] + b"\n" if footer else b"]}\n"
