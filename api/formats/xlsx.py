"""Statuses and events as a workbook, with types: numbers, days and instants (`workbook.py`).

An export of statuses has the sheets `statuses`, `figures` and `events`, whatever stands behind the statuses; one of
events has `events`. The columns are those of the CSV. The clocks and the licence are custom properties of the file, and
the licence is the last column of every row, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic_core import from_json

from api.formats.cell_kinds import Columns
from api.formats.fact_columns import EVENT_KINDS, LICENSE_COLUMN, event_cells
from api.formats.provenance import Provenance
from api.formats.status_columns import STATUS_KINDS, status_cells
from api.formats.workbook import Sheet, write_workbook


def write_statuses(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """A workbook with a sheet for statuses, and one each for the figures and events behind them."""
    kept = provenance.fields
    columns = {name: kind for name, kind in STATUS_KINDS.items() if not kept or name.partition(".")[0] in kept}
    rows = (status_cells(from_json(document)) for document in documents)
    sheets = [_sheet("statuses", columns, rows, provenance)]
    if (grounds := provenance.grounds) is not None:
        sheets.append(_sheet("figures", grounds.figure_columns, grounds.figures(), provenance))
        sheets.append(_events(grounds.events(), provenance))
    return write_workbook(sheets, _properties(provenance))


def write_events(lines: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """A workbook with one sheet, a row for each event."""
    return write_workbook([_events(lines, provenance)], _properties(provenance))


def _events(lines: Iterable[bytes], provenance: Provenance) -> Sheet:
    rows = (event_cells(from_json(line)) for line in lines)
    return _sheet("events", EVENT_KINDS, rows, provenance)


def _sheet(name: str, columns: Columns, rows: Iterable[Mapping[str, str]], provenance: Provenance) -> Sheet:
    if (license_ := provenance.license_) is None:
        return Sheet(name, columns, rows)
    return Sheet(name, {**columns, LICENSE_COLUMN: "text"}, ({**cells, LICENSE_COLUMN: license_} for cells in rows))


def _properties(provenance: Provenance) -> Mapping[str, str]:
    told = {"origin": provenance.origin, **provenance.footer, LICENSE_COLUMN: provenance.license_}
    return {
        name: str(value) for name, value in told.items() if value is not None and not isinstance(value, dict | list)
    }
