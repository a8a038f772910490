"""`tracker export`: all statuses or events, in every format of the table in `api/formats/table.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from api.cli.clock_options import clocked, clocks_footer, clocks_of
from api.cli.filter_options import any_given, filtered, filters_of
from api.cli.group import fail
from api.cli.stores import Stores, opened_stores, timeline_at
from api.cli.terminal import progress, write_pieces
from api.formats.provenance import Provenance
from api.formats.table import EVENT_FORMATS, EXPORT_FORMATS, STATUS_FORMATS, export_format, write_events, write_statuses
from api.resources.grounds import beside_statuses
from tracker.event import served
from tracker.log.rows import LogRow

EXPORT_PAGE_ROWS = 1_000
"""Rows of the log that are read in one query."""

_STATUS_NAMES = [media.name for media in STATUS_FORMATS]
_EVENT_NAMES = [media.name for media in EVENT_FORMATS]


@click.command()
@click.option(
    "--format",
    "format_name",
    type=click.Choice([offered.name for offered in EXPORT_FORMATS]),
    default="json",
    show_default=True,
    help=f"What to write: {', '.join(_STATUS_NAMES)} for statuses; {', '.join(_EVENT_NAMES)} for events.",
)
@click.option("--events", is_flag=True, help="The events themselves, oldest first, instead of the statuses.")
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write there. [default: stdout]")  # fmt: skip
@filtered
@clocked
def export(
    format_name: str,
    events: bool,
    output: Path | None,
    as_of: str | None,
    known_at: str | None,
    at_position: str | None,
    **narrowing: Any,
) -> None:
    """Write all statuses at a point on both clocks, or the events behind them.

    The filters are those of the API's lists, and narrow the statuses. Events as NDJSON or CSV can be imported again.
    CSV is safe to open in a spreadsheet. A workbook of statuses has the figures and events behind them on sheets of
    their own.

    \b
    Examples:
      tracker export --format csv --as-of 2024-12-31 > statuses.csv
      tracker export --format parquet --output statuses.parquet
      tracker export --format xlsx --status overdue --party UA --output overdue.xlsx
      tracker export --events --format ndjson --output events.ndjson
    """
    if events and (as_of is not None or any_given(narrowing)):
        raise click.UsageError("events are exported as they were recorded: --as-of and filters are for statuses")
    filters, clocks = filters_of(narrowing), {"as_of": as_of, "known_at": known_at, "at_position": at_position}
    _must_be_writable(format_name, events=events, output=output)
    with opened_stores(must_exist=True) as stores:
        at, settings = clocks_of(stores, clocks), stores.settings
        footer, log = clocks_footer(at), stores.log.standing().log
        if settings.data_license:
            footer["license"] = settings.data_license
        if events:
            del footer["as_of"]
            lines = (served(row.state, row.position) for row in _log_rows(stores, at.position))
            pieces = write_events(format_name, lines, Provenance.of(settings, log, footer))
        else:
            timeline = timeline_at(stores, at.position)
            beside = beside_statuses(stores.log, timeline, at, filters)
            provenance = Provenance.of(settings, log, footer, **beside)
            pieces = write_statuses(format_name, timeline.export(at, filters), provenance)
        with _target(output) as file, progress("Exporting", at.position if events else None) as advance:
            write_pieces(_counted(pieces, advance), file)


def _counted(pieces: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        advance(1)


def _must_be_writable(format_name: str, *, events: bool, output: Path | None) -> None:
    offered = _EVENT_NAMES if events else _STATUS_NAMES
    if format_name not in offered:
        rows = "events" if events else "statuses"
        raise click.UsageError(f"{format_name} is no format of {rows}; there are: {', '.join(offered)}")
    chosen = export_format(format_name)
    if not chosen.media.is_installed:
        fail(chosen.media.install_hint)
    if chosen.binary and output is None and sys.stdout.isatty():
        raise click.UsageError(f"{format_name} is not for a terminal: add --output statuses.{chosen.extension}")


def _log_rows(stores: Stores, upto: int) -> Iterator[LogRow]:
    after = 0
    while rows := stores.log.read(after, EXPORT_PAGE_ROWS, upto=upto):
        yield from rows
        after = rows[-1].position


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """The file to write to; a named one gets its name when it is whole."""
    if output is None:
        yield sys.stdout.buffer
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as failed:
        fail(f"{output} cannot be written: {failed.strerror}")
    finally:
        part.unlink(missing_ok=True)
