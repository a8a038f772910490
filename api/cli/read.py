"""``tracker status``, ``history``, ``export`` and ``replay``: what the API answers, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast, get_args

import click
from pydantic_core import from_json, to_json
from rich.table import Table
from rich.text import Text

from api.cli.common import Stores, Wrong, clocked, columns, now, opened_stores, progress, say, show, wrong
from api.formats import writers
from projections.timeline import Clocks, Timeline
from tracker.comparison import Ratio
from tracker.errors import PledgeNotFound
from tracker.event import Event, served, stamp
from tracker.log.recorder import LogRow
from tracker.quantity import Quantity
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status_history import Axis, step_json
from tracker.rules.status_history import history as steps_of
from tracker.values import is_slug

_PAGE = 1_000


@click.command()
@click.argument("pledge", required=False)
@click.option("--json", "as_json", is_flag=True, help="The document as the API answers it.")
@clocked
def status(pledge: str | None, as_json: bool, **clocks: str | None) -> None:
    """Show the status of one pledge, or of all of them, at a point on both clocks.

    \b
    Examples:
      tracker status
      tracker status nato-ukraine-2024 --as-of 2024-12-31
      tracker status nato-ukraine-2024 --known-at 2026-11-21T16:00:00Z --json
    """
    from projections.verify import replay_one

    with opened_stores() as stores:
        at = clocks_of(stores, clocks)
        if pledge is None:
            timeline = caught_up(stores, at.position)
            documents = timeline.export(at)
            if as_json:
                _write(writers.statuses(documents, "json", _footer(at)), sys.stdout.buffer)
            else:
                show(_table([from_json(document) for document in documents]))
                _say_clocks(at)
            return
        document = replay_one(stores.journal, _slug(pledge), at)
        if document is None:
            raise _not_found(pledge, at)
        if as_json:
            _write([document + b"\n"], sys.stdout.buffer)
        else:
            _print_status(from_json(document))


@click.command()
@click.argument("pledge")
@click.option("--axis", type=click.Choice(get_args(Axis)), default="as_of", show_default=True,
              help="Along what had been said, or along what we knew.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The items as the API answers them.")
@clocked
def history(pledge: str, axis: Axis, as_json: bool, **clocks: str | None) -> None:
    """Show how a pledge's status came to be, event by event.

    \b
    Examples:
      tracker history nato-ukraine-2024
      tracker history nato-ukraine-2024 --axis known
    """
    with opened_stores() as stores:
        at = clocks_of(stores, clocks)
        rows = stores.journal.pledge_rows(_slug(pledge), at.position)
        events = [Event.read(row.state, row.position) for row in rows]
        if PledgeHistory(events).view(at.as_of) is None:
            raise _not_found(pledge, at)
        steps = steps_of(events, axis, at.as_of)
        at = replace(at, position=events[-1].position)
        if as_json:
            items = [step_json(step) for step in steps]
            click.echo(to_json({"items": items, "axis": axis, **_footer(at)}))
            return
        table = columns("day", "event", "position", "status", "changed")
        for step in steps:
            event = "a deadline passed" if step.event is None else step.event.type
            place = "" if step.event is None else str(step.event.position)
            before, after = step.status_before or "—", step.status_after or "—"
            moved = after if before == after else f"{before} → {after}"
            table.add_row(*map(Text, (step.as_of.isoformat(), event, place, moved, ", ".join(step.changed))))
        show(table)
        _say_clocks(at)


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(writers.Format)),
    default="json",
    show_default=True,
    help="What to write.",
)
@click.option("--events", is_flag=True, help="The events themselves, oldest first, instead of the statuses.")
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write there. [default: stdout]")  # fmt: skip
@clocked
def export(form: writers.Format, events: bool, output: Path | None, **clocks: str | None) -> None:
    """Write all statuses at a point on both clocks, or the events behind them.

    Events as NDJSON or CSV can be imported again. CSV is safe to open in a spreadsheet.

    \b
    Examples:
      tracker export --format csv --as-of 2024-12-31 > statuses.csv
      tracker export --events --format ndjson --output events.ndjson
    """
    if events and clocks["as_of"] is not None:
        raise click.UsageError("events are exported as they were recorded: --as-of is for statuses")
    with opened_stores() as stores:
        at, license_ = clocks_of(stores, clocks), stores.settings.data_license
        if events:
            lines = (served(row.state, row.position) for row in _log(stores, at.position))
            footer = {"known_at": _footer(at)["known_at"], "position": at.position}
            pieces = writers.events(lines, form, footer | _license(stores), license_)
            total = at.position
        else:
            timeline = caught_up(stores, at.position)
            pieces = writers.statuses(timeline.export(at), form, _footer(at) | _license(stores), license_)
            total = None
        with _target(output) as file, progress("Exporting", total) as advance:
            for piece in pieces:
                file.write(piece)
                advance(1)


@click.command()
@click.option("--compare", "comparing", is_flag=True, help="Compare with the projection; exit 1 on any difference.")
@clocked
def replay(comparing: bool, **clocks: str | None) -> None:
    """Fold the log itself, pledge by pledge, and print each status as a line of JSON, or compare it.

    \b
    Examples:
      tracker replay --as-of 2024-12-31
      tracker replay --compare --known-at 2026-11-21T16:00:00Z
    """
    from projections.verify import compare
    from projections.verify import replay as replayed

    with opened_stores() as stores:
        at = clocks_of(stores, clocks)
        if not comparing:
            for one in replayed(stores.journal, at):
                if one.document is not None:
                    _write([one.document + b"\n"], sys.stdout.buffer)
            return
        timeline = caught_up(stores, at.position)
        pledges = differences = 0
        with progress("Comparing", None) as advance:
            for difference in compare(stores.journal, timeline, at):
                pledges += 1
                advance(1)
                if difference is not None:
                    differences += 1
                    click.echo(str(difference))
        _say_clocks(at)
        if differences:
            wrong(f"{differences} of {pledges} pledges differ between the log and the projection.")
        say(f"{pledges} pledges compared, no difference.")


def clocks_of(stores: Stores, given: dict[str, Any]) -> Clocks:
    """The clocks that the options name; wrong ones are wrong usage."""
    from api.http.clocks import point
    from api.http.problems import InvalidParameter

    try:
        asked = point({name: text for name, text in given.items() if text is not None}, stores.journal)
    except InvalidParameter as refused:
        name = refused.members.get("parameter", "")
        sentence = refused.detail.replace(f"'{name}'", f"--{str(name).replace('_', '-')}")
        raise click.UsageError(sentence) from None
    position = stores.journal.head() if asked.position is None else asked.position
    return Clocks(asked.as_of, position, asked.known_at)


def caught_up(stores: Stores, position: int) -> Timeline:
    """The read model, once it has reached a position; here if nobody else projects."""
    from projections.runner import PROJECTION_VERSION, Busy, Runner

    timeline = Timeline(stores.engine, stores.journal)
    runner = Runner(stores.settings.database_url, stores.journal, now, engine=stores.engine)
    try:
        if (built_by := timeline.progress().version) not in ("", PROJECTION_VERSION):
            say(f"The read models are of version {built_by}; building those of {PROJECTION_VERSION}.")
            runner.rebuild()
        if timeline.position() < position:
            runner.catch_up()
    except Busy as busy:
        raise Wrong(f"{busy}; try again later") from None
    finally:
        runner.stop()
    return timeline


def _slug(pledge: str) -> str:
    if not is_slug(pledge):
        raise click.UsageError(f"{pledge[:128]!r} is no pledge: a slug is small letters, digits and hyphens")
    return pledge


def _not_found(pledge: str, at: Clocks) -> PledgeNotFound:
    return PledgeNotFound(f"there is no pledge {pledge!r} as of {at.as_of} at position {at.position}")


def _footer(at: Clocks) -> dict[str, Any]:
    from api.http.clocks import clocks_json

    return clocks_json(at.as_of, at.known_at, at.position)


def _license(stores: Stores) -> dict[str, str]:
    return {"license": stores.settings.data_license} if stores.settings.data_license else {}


def _say_clocks(at: Clocks) -> None:
    known_at = "now" if at.known_at is None else stamp(at.known_at)
    say(f"as of {at.as_of}, known at {known_at}, position {at.position}")


def _log(stores: Stores, upto: int) -> Iterator[LogRow]:
    after = 0
    while rows := stores.journal.read(after, _PAGE, upto=upto):
        yield from rows
        after = rows[-1].position


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """Where to write; a file gets its name when it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as failed:
        wrong(f"{output} cannot be written: {failed.strerror}")
    finally:
        part.unlink(missing_ok=True)


def _write(pieces: Iterable[bytes], file: IO[bytes]) -> None:
    for piece in pieces:
        file.write(piece)
    file.flush()


def _table(documents: list[dict[str, Any]]) -> Table:
    table = columns("pledge", "status", "actual", "target", "ratio", "flags")
    for document in documents:
        cells = (
            document["pledge"], document["status"], _words(document["actual"]), _words(document["target"]),
            _words(document["ratio"]), ", ".join(document["flags"]),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table


def _words(value: Any) -> str:
    if value is None:
        return "—"
    model = Quantity if "unit" in value else Ratio
    return str(model.model_validate(value))


def _print_status(document: dict[str, Any]) -> None:
    """One pledge, its figures and dates, and the events that made it so."""
    parties = [cast("dict[str, Any]", document[name])["name"] for name in ("pledgor", "beneficiary") if document[name]]
    window = document["window"] or {}
    schedule = document["schedule"]
    known_at = document["known_at"] or "now"
    lines = {
        "pledge": f"{document['pledge']} ({document['kind']})",
        "by, for": " → ".join(parties),
        "status": document["status"],
        "actual": _words(document["actual"]),
        "target": _words(document["target"]),
        "ratio": _words(document["ratio"]),
        "window": " to ".join(str(window[name]) for name in ("start", "end", "latest") if name in window) or "—",
        "schedule": schedule["current"],
        "trajectory": document["trajectory"],
        "evidence": document["evidence"],
        "flags": ", ".join(document["flags"]) or "—",
        "because": ", ".join(document["because"].get("status", ())),
        "as of": f"{document['as_of']}, known at {known_at}, version {document['version']},"
        f" position {document['position']}",
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines.items():
        table.add_row(name, Text(text))
    show(Text(document["title"], style="bold"), table)
