"""`tracker parked`: the events that could not be folded, and how to have them tried again."""

from __future__ import annotations

import sys

import click
from rich.text import Text

from api.cli.group import fail
from api.cli.stores import opened_stores
from api.cli.terminal import columns, say, show, write_pieces
from projections.parked import RETRY_SECONDS, try_again
from projections.runner import Busy
from projections.table_writer import ParkedEvent
from projections.timeline import Timeline
from tracker.event import raw_event
from tracker.pledge_events import raw_fact


@click.command()
@click.option("--retry", is_flag=True, help="Try all of them again now.")
@click.option("--raw", is_flag=True, help="Print the stored lines, one a line, as they are in the log.")
def parked(retry: bool, raw: bool) -> None:
    """List the events that could not be folded; exit 1 while there are any.

    Such an event was recorded by a newer version, or is broken. Its pledge is answered as it was before the event, with
    the flag stale_projection; no other pledge is touched. With --retry the process that projects tries them again at
    once; where none runs, the command does it itself. Retry after an upgrade, which tries them again by itself only
    where the rules have another version.

    \b
    Examples:
      tracker parked
      tracker parked --raw
      tracker parked --retry
    """
    with opened_stores(must_exist=True) as stores:
        timeline = Timeline(stores.engine, stores.log)
        left = timeline.parked()
        if retry and left:
            runner = stores.runner()
            try:
                freed, left = try_again(stores.engine, timeline, runner, seconds=RETRY_SECONDS)
            except Busy as busy:
                fail(str(busy))
            finally:
                runner.stop()
            for event in freed:
                say(f"Event {event.position} of {event.pledge} is folded now.")
        _show(left, raw=raw)
    if left:
        fail(f"{_counted(left)} parked.")
    say("No event is parked.")


def _show(events: list[ParkedEvent], *, raw: bool) -> None:
    if raw:
        write_pieces((event.line + b"\n" for event in events), sys.stdout.buffer)
        return
    if not events:
        return
    table = columns("position", "pledge", "type", "why")
    for event in events:
        type_ = raw_fact(raw_event(event.line, event.position)).get("type", "—")
        table.add_row(*map(Text, (str(event.position), event.pledge, str(type_), event.error)))
    show(table)


def _counted(events: list[ParkedEvent]) -> str:
    return "1 event is" if len(events) == 1 else f"{len(events)} events are"
