"""`tracker status` and `tracker history`: what the API answers, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import click
from pydantic_core import from_json, to_json
from rich.table import Table
from rich.text import Text

from api.cli.clock_options import clocked, clocks_footer, clocks_of, must_be_slug, not_found, say_clocks
from api.cli.filter_options import any_given, filtered, filters_of
from api.cli.stores import opened_stores, timeline_at
from api.cli.terminal import answer, columns, say, show, write_pieces
from api.formats.provenance import Provenance
from api.formats.status_columns import figure_words, status_cells
from api.formats.table import write_statuses
from api.wording import in_words
from projections.verify import replay_one
from tracker.event import Event
from tracker.pledge_events import PledgeEvents, UnreadEvent, unread_json
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status_history import Axis, HistoryStep, step_json
from tracker.rules.status_history import history as steps_of


@click.command()
@click.argument("slug", metavar="[PLEDGE]", required=False)
@click.option("--json", "as_json", is_flag=True, help="The document as the API answers it.")
@filtered
@clocked
def status(
    slug: str | None, as_json: bool, as_of: str | None, known_at: str | None, at_position: str | None, **narrowing: Any
) -> None:
    """Show the status of one pledge, or of all of them, at a point on both clocks.

    The filters are those of the API's lists, and narrow the list of all.

    \b
    Examples:
      tracker status
      tracker status --status overdue --party UA
      tracker status nato-ukraine-2024 --as-of 2024-12-31
      tracker status nato-ukraine-2024 --known-at 2026-11-21T16:00:00Z --json
    """
    if slug is not None and any_given(narrowing):
        raise click.UsageError("filters narrow the list of all pledges: leave the one out, or them")
    filters, clocks = filters_of(narrowing), {"as_of": as_of, "known_at": known_at, "at_position": at_position}
    with opened_stores(must_exist=True) as stores:
        at = clocks_of(stores, clocks)
        if slug is None:
            documents = timeline_at(stores, at.position).export(at, filters)
            if as_json:
                write_pieces(write_statuses("json", documents, Provenance(clocks_footer(at))), sys.stdout.buffer)
            else:
                show(_status_table([from_json(document) for document in documents]))
                say_clocks(at)
            return
        replayed = replay_one(stores.log, must_be_slug(slug), at)
        _say_unread(replayed.unread)
        if replayed.document is None:
            raise not_found(slug, at)
        if as_json:
            write_pieces([replayed.document + b"\n"], sys.stdout.buffer)
        else:
            _print_status(from_json(replayed.document))


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
    with opened_stores(must_exist=True) as stores:
        at = clocks_of(stores, clocks)
        rows = stores.log.pledge_rows(must_be_slug(pledge), at.position)

        def told(events: Sequence[Event]) -> list[HistoryStep] | None:
            is_there = PledgeHistory(events).view(at.as_of) is not None
            return steps_of(events, axis, at.as_of) if is_there else None

        steps, known = PledgeEvents.read(rows).fold(told)
        _say_unread(known.unread)
        if steps is None:
            raise not_found(pledge, at)
        footer = clocks_footer(replace(at, position=known.position))
        if as_json:
            items = [step_json(step) for step in steps]
            answer(to_json({"items": items, "axis": axis, **unread_json(known.unread), **footer}).decode())
            return
        table = columns("day", "event", "position", "status", "changed")
        for step in steps:
            event = "a deadline passed" if step.event is None else step.event.type
            place = "" if step.event is None else str(step.event.position)
            before, after = step.status_before or "—", step.status_after or "—"
            change = after if before == after else f"{before} → {after}"
            table.add_row(*map(Text, (step.as_of.isoformat(), event, place, change, ", ".join(step.changed))))
        show(table)
        say_clocks(replace(at, position=known.position))


def _say_unread(unread: Sequence[UnreadEvent]) -> None:
    """Tell of the events that were not taken in, with their raw lines."""
    for event in unread:
        say(f"Event {event.position} of {event.pledge} is not taken in: {event.reason}")
        say(event.line.decode("utf-8", "replace"))


def _status_table(documents: list[dict[str, Any]]) -> Table:
    table = columns("pledge", "status", "actual", "target", "ratio", "flags")
    for document in documents:
        cells = (
            document["pledge"], document["status"], _words(document["actual"]), _words(document["target"]),
            _words(document["ratio"]), ", ".join(document["flags"]),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table


def _words(figure: dict[str, Any] | None) -> str:
    return "—" if figure is None else figure_words(figure)


def _terms(document: dict[str, Any]) -> dict[str, str]:
    """What not every pledge has, in words: baseline, periods, instalments, conditions, joint parties, a verdict."""
    cells = status_cells(document)
    shown = {
        "as it was said": cells.get("relative_target"),
        "baseline": cells.get("baseline.quantity"),
        "progress": cells.get("progress") if "baseline" in document else None,
        "promised only": cells.get("announced_amounts"),
        "together with": cells.get("joint"),
        "part of": cells.get("part_of"),
        "converted": _conversion(document),
        "assessed": _assessment(document),
        "instalments": cells.get("instalments"),
        "conditions": cells.get("conditions"),
    }
    if "recurrence" in document:
        tally, recurrence = document["periods_tally"], document["recurrence"]
        counts = ", ".join(f"{tally[name]} {in_words(name)}" for name in tally)
        shown["each"] = f"{recurrence['every']} from {recurrence['start']}: {counts}"
        shown["periods"] = "; ".join(
            f"{one['start']} to {one['end']}: {one['status']}, {_words(one['actual'])}" for one in document["periods"]
        )
    return {name: text for name, text in shown.items() if text}


def _conversion(document: dict[str, Any]) -> str | None:
    how = document.get("conversion")
    if how is None:
        return None
    if how["provider"] == "source":
        by = "as the source says"
    else:
        by = "no rate" if how["rate"] is None else f"at {how['rate']}, {how['provider']}, {how['date']}"
    return f"{how['from']} to {how['to']}, {by}"


def _assessment(document: dict[str, Any]) -> str | None:
    verdict = document.get("assessment")
    return verdict and f"{verdict['rating']} ({verdict['rubric']} {verdict['rubric_version']})"


def _print_status(document: dict[str, Any]) -> None:
    """One pledge, its figures and dates, and the events that made it so."""
    parties = [document[name]["name"] for name in ("pledgor", "beneficiary") if document[name]]
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
        **_terms(document),
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
