"""`tracker status` and `tracker history`: what the API answers, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import click
from pydantic_core import from_json, to_json
from rich.text import Text

from api.cli.clock_options import clocked, clocks_footer, clocks_of, must_be_slug, not_found, say_clocks
from api.cli.filter_options import any_given, filtered, filters_of
from api.cli.status_text import status_change, status_report, status_table, step_words
from api.cli.stores import opened_stores, timeline_at
from api.cli.terminal import answer, columns, say, show, write_pieces
from api.formats.provenance import Provenance
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
                show(status_table([from_json(document) for document in documents]))
                say_clocks(at)
            return
        replayed = replay_one(stores.log, must_be_slug(slug), at)
        _say_unread(replayed.unread)
        if replayed.document is None:
            raise not_found(slug, at)
        if as_json:
            write_pieces([replayed.document + b"\n"], sys.stdout.buffer)
        else:
            events = PledgeEvents.read(stores.log.pledge_rows(slug, at.position)).events
            show(*status_report(from_json(replayed.document), events))


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
            event = "a deadline passed" if step.event is None else step_words(step.event)
            place = "" if step.event is None else str(step.event.position)
            changed = "" if step.status_before is None else ", ".join(map(in_words, step.changed))
            table.add_row(
                Text(step.as_of.isoformat()),
                Text(event),
                place,
                status_change(step.status_before, step.status_after),
                Text(changed),
            )
        show(table)
        say_clocks(replace(at, position=known.position))


def _say_unread(unread: Sequence[UnreadEvent]) -> None:
    """Tell of the events that were not taken in, with their raw lines."""
    for event in unread:
        say(f"Event {event.position} of {event.pledge} is not taken in: {event.reason}")
        say(event.line.decode("utf-8", "replace"))
