"""`tracker withhold`: what the law wants gone from every answer, and the list of all that was."""

from __future__ import annotations

import click
from rich.text import Text

from api.cli.group import fail
from api.cli.stores import Stores, event_row, opened_stores
from api.cli.terminal import columns, say, show
from api.http.system_clock import now
from projections.runner import Busy
from projections.timeline import Timeline
from projections.withholding import TAKE_OUT_SECONDS, take_out
from tracker.event import stamp
from tracker.log.rows import LogRow
from tracker.withholding import WITHHELD, NotWithholdable, must_be_withholdable, places_of, texts_of


@click.command()
@click.argument("event", required=False)
@click.option("--fields", help="What to withhold of its fact, with commas: quote,speaker,source/title.")
@click.option("--reason", help="Why: the ruling, or who asked. It is kept, and shown by --list alone.")
@click.option("--by", default="cli", show_default=True, help="Who withholds it.")
@click.option("--list", "listing", is_flag=True, help="List all that is withheld.")
def withhold(event: str | None, fields: str | None, reason: str | None, by: str, listing: bool) -> None:
    """Withhold texts of an event from every answer, page, export and stream, for ever.

    In their place stands [withheld]. The stored line and its leaf stay, so that proofs hold; fields by which the rules
    decide, such as the figure and the day, cannot be withheld. There is no way back: what was public again would have
    been withheld for nothing. Record the fact once more instead.

    \b
    Examples:
      tracker withhold 01939f2c-… --fields quote,speaker --reason "Ruling 7 O 123/26"
      tracker withhold 01939f2c-… --fields source/title,changes/quote --reason "Art. 17 GDPR" --by alice
      tracker withhold --list
    """
    with opened_stores() as stores:
        if listing:
            _list(stores)
            return
        names = [name for name in (fields or "").replace(" ", "").split(",") if name]
        if event is None or not names or not (reason or "").strip():
            raise click.UsageError("give an event's id, --fields and --reason; or --list")
        row = event_row(stores, event)
        try:
            must_be_withholdable(row.state, names)
        except NotWithholdable as refused:
            raise click.UsageError(f"{refused}.") from None
        texts = [text for text in texts_of(row.state, names) if text != WITHHELD]
        stores.log.withhold(event, names, reason=str(reason).strip(), at=now(), by=by)
        _take_out(stores)
        say(f"Withheld of event {row.position} of {row.pledge}: {', '.join(names)}.")
        _tell_places(stores, row, texts)


def _take_out(stores: Stores) -> None:
    """Have the read models made without the words."""
    runner = stores.runner()
    try:
        take_out(Timeline(stores.engine, stores.log), stores.log, runner, seconds=TAKE_OUT_SECONDS)
    except Busy as busy:
        fail(f"it is recorded and gone from the log's answers, but {busy}")
    finally:
        runner.stop()


def _tell_places(stores: Stores, row: LogRow, texts: list[str]) -> None:
    """Say where else in the pledge the same words stand: they are other events' or other fields' to withhold."""
    for other in stores.log.pledge_rows(row.pledge) if texts else []:
        if places := places_of(other.state, texts):
            say(f"The same words still stand in event {other.event_id}: {', '.join(places)}.")


def _list(stores: Stores) -> None:
    found = stores.log.withholdings()
    if not found:
        say("Nothing is withheld.")
        return
    table = columns("event", "field", "reason", "at", "by")
    for one in found:
        table.add_row(*map(Text, (one.event_id, one.field, one.reason, stamp(one.recorded_at), one.recorded_by)))
    show(table)
