"""Statuses and events as CSV: RFC 4180, UTF-8, decimals exactly, and safe to open in a spreadsheet.

A cell that would be a formula has a `'` in front, which an import takes off again. Where the data have a licence it
stands in the last column of every row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO

from pydantic_core import from_json

from api.formats.fact_columns import EVENT_COLUMNS, LICENSE_COLUMN, event_cells
from api.formats.provenance import Provenance
from api.formats.status_columns import STATUS_COLUMNS, status_cells
from tracker.visible_text import UNSEEN

_FORMULA = re.compile(rf"'*[\s{UNSEEN}]*[=+\-@\t\r\n＝＋－＠]")
"""What a spreadsheet may take for a formula: it skips spaces and what is not seen, and reads full-width signs."""


def write_statuses(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """A header, and a row for each status document."""
    rows = (status_cells(from_json(document)) for document in documents)
    kept = provenance.fields
    columns = [column for column in STATUS_COLUMNS if not kept or column.partition(".")[0] in kept]
    return write_table(columns, rows, provenance.license_)


def write_events(lines: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """A header, and a row for each event: its envelope, then its fact."""
    rows = (event_cells(from_json(line)) for line in lines)
    return write_table(EVENT_COLUMNS, rows, provenance.license_)


def write_table(
    columns: Sequence[str], rows: Iterable[Mapping[str, str]], license_: str | None = None
) -> Iterator[bytes]:
    """A header and rows of cells by column; a cell that is not there is empty."""
    if license_ is not None:
        columns, rows = (*columns, LICENSE_COLUMN), ({**cells, LICENSE_COLUMN: license_} for cells in rows)
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")

    def line(cells: Sequence[str]) -> bytes:
        writer.writerow(cells)
        written = buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        return written

    yield line(columns)
    for cells in rows:
        yield line([guarded(cells.get(column, "")) for column in columns])


def guarded(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula; `unguarded` undoes it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
