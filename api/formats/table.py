"""The table of formats for statuses and events: one row a format, with its writer.

HTTP and `tracker export` offer what stands here, so a new format is one file with a writer and one row below.
A feed and a badge are no tables of statuses; their formats stand beside their writers in `atom.py` and `badge.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from api.formats import cloudevents, csv_table, iati, json_items, ndjson, parquet, xlsx
from api.formats.provenance import EventWriter, Provenance, StatusWriter
from api.http.media import CSV_FORMAT, JSON_FORMAT, MediaFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """A format of statuses, of events, or of both.

    `extension` ends the name of a file in the format, without the dot. A writer is None where the format does not
    hold such rows. `paged` formats are offered for one page of statuses too, the others for all of them at once.
    `binary` ones are not for a terminal.
    """

    media: MediaFormat
    extension: str
    statuses: StatusWriter | None = None
    events: EventWriter | None = None
    paged: bool = False
    binary: bool = False

    @property
    def name(self) -> str:
        """The name by which `?format=` and `tracker export --format` ask for it."""
        return self.media.name


EXPORT_FORMATS = (
    ExportFormat(
        media=JSON_FORMAT,
        extension="json",
        statuses=json_items.write_items,
        events=json_items.write_items,
        paged=True,
    ),
    ExportFormat(
        media=MediaFormat("ndjson", "application/x-ndjson"),
        extension="ndjson",
        statuses=ndjson.write_lines,
        events=ndjson.write_lines,
        paged=True,
    ),
    ExportFormat(
        media=CSV_FORMAT,
        extension="csv",
        statuses=csv_table.write_statuses,
        events=csv_table.write_events,
        paged=True,
    ),
    ExportFormat(
        media=MediaFormat("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        extension="xlsx",
        statuses=xlsx.write_statuses,
        events=xlsx.write_events,
        paged=True,
        binary=True,
    ),
    ExportFormat(
        media=MediaFormat("cloudevents", "application/cloudevents-batch+json; charset=utf-8"),
        extension="json",
        events=cloudevents.write_events,
    ),
    ExportFormat(
        media=MediaFormat("parquet", "application/vnd.apache.parquet", library="pyarrow"),
        extension="parquet",
        statuses=parquet.write_statuses,
        binary=True,
    ),
    ExportFormat(
        media=MediaFormat("iati", "application/xml; charset=utf-8"),
        extension="xml",
        statuses=iati.write_statuses,
    ),
)
"""Every format in which statuses or events can be taken away, the default first."""

_BY_NAME = {export_format.name: export_format for export_format in EXPORT_FORMATS}

STATUS_FORMATS = tuple(export_format.media for export_format in EXPORT_FORMATS if export_format.statuses)
"""The formats of an export of statuses."""

STATUS_PAGE_FORMATS = tuple(
    export_format.media for export_format in EXPORT_FORMATS if export_format.statuses and export_format.paged
)
"""The formats of one page of statuses."""

EVENT_FORMATS = tuple(export_format.media for export_format in EXPORT_FORMATS if export_format.events)
"""The formats of events."""


def export_format(name: str) -> ExportFormat:
    """The format of the name.

    Raises: KeyError if no format has it.
    """
    return _BY_NAME[name]


def write_statuses(name: str, documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """Status documents in the format of the name, piece by piece.

    Raises: ValueError if the format does not hold statuses, KeyError if no format has the name.
    """
    writer = _BY_NAME[name].statuses
    if writer is None:
        raise ValueError(f"{name} does not hold statuses")
    return writer(documents, provenance)


def write_events(name: str, lines: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """Events, as they are served, in the format of the name, piece by piece.

    Raises: ValueError if the format does not hold events, KeyError if no format has the name.
    """
    writer = _BY_NAME[name].events
    if writer is None:
        raise ValueError(f"{name} does not hold events")
    return writer(lines, provenance)
