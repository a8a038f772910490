"""`tracker webhooks`: who is told of events and changes of status, what is on its way, and the process that sends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast, get_args

import click
from rich.text import Text

from api.cli.filter_options import filters_of
from api.cli.group import CommandGroup, fail
from api.cli.keys import Duration
from api.cli.stores import Stores, opened_stores
from api.cli.terminal import columns, say, show
from api.http.json_logging import log_as_json
from api.http.system_clock import now
from api.outgoing.stopping import stopped_by_signals
from api.outgoing.webhook_sender import WebhookSender, must_be_address
from api.outgoing.webhooks import (
    State,
    WebhookRefused,
    What,
    add_webhook,
    deliveries,
    disable_webhook,
    must_be_there,
    remove_webhook,
    rotate_secret,
    send_again,
)
from api.outgoing.webhooks import webhooks as all_webhooks
from api.resources.names import FLAG_NAMES, KINDS, STATUSES, TYPE_NAMES
from tracker.event import stamp
from tracker.points_in_time import read_instant

DEFAULT_OVERLAP = timedelta(days=1)
"""The time for which a secret still signs after it was replaced."""

MAX_LISTED = 1_000
"""Messages that are listed at a time, at most."""


@click.group(cls=CommandGroup)
def webhooks() -> None:
    """Tell others of events and changes of status, by HTTP, signed as Standard Webhooks.

    \b
    Examples:
      tracker webhooks add https://example.org/hook --what statuses --tag ukraine
      tracker webhooks send
    """


@contextmanager
def _opened() -> Iterator[Stores]:
    """The stores; a refusal ends the command with its sentence."""
    with opened_stores(must_exist=True) as stores:
        try:
            yield stores
        except WebhookRefused as refused:
            fail(f"{refused}.")


@webhooks.command()
@click.argument("url")
@click.option("--what", type=click.Choice(get_args(What)), default="both", show_default=True, help="What is told.")
@click.option("--type", "types", multiple=True, type=click.Choice(TYPE_NAMES), metavar="TYPE", help="Types of facts.")
@click.option(
    "--pledge", multiple=True, metavar="SLUG", help="Pledges. Like each of the following, it may be repeated."
)
@click.option("--status", multiple=True, type=click.Choice(list(STATUSES)), metavar="STATUS", help="Statuses.")
@click.option("--flag", multiple=True, type=click.Choice(list(FLAG_NAMES)), metavar="FLAG", help="Flags.")
@click.option("--kind", multiple=True, type=click.Choice(list(KINDS)), metavar="KIND", help="Kinds of pledges.")
@click.option("--party", multiple=True, metavar="PARTY", help="Pledgors or beneficiaries, by code or name.")
@click.option("--tag", multiple=True, metavar="TAG", help="Tags.")
@click.option("--from", "after", type=click.IntRange(min=0), metavar="POSITION", help="Tell what is behind it, too.")
def add(url: str, what: What, types: tuple[str, ...], after: int | None, **given: tuple[str, ...]) -> None:
    """Add a webhook and print its secret, once, alone on the last line.

    It is told of what is recorded from now on: events as they are served, and changes of status, those that come with
    the days too. Filters are those of lists: a pledge that passes today with the event, or did before it. Only
    addresses of the public internet are sent to, and those of TRACKER_WEBHOOK_NETWORKS.

    \b
    Examples:
      tracker webhooks add https://example.org/hook
      tracker webhooks add https://example.org/hook --what statuses --status overdue --status missed
    """
    try:
        must_be_address(url)
    except ValueError as wrong:
        raise click.UsageError(f"URL: {wrong}.") from None
    filters = filters_of(cast("dict[str, Any]", given))
    with _opened() as stores:
        log = stores.log.look()
        head = log.head.position
        if after is not None and after > head:
            raise click.UsageError(f"--from is beyond the log, which has reached {head}.")
        position = head if after is None else after
        id_, secret = add_webhook(stores.engine, url, what, types, filters, now(), log.log, position)
    say(f"{id_} is told of what comes behind position {position}. Its secret is shown this once:")
    click.echo(secret)


@webhooks.command("list")
def list_() -> None:
    """List the webhooks, what each is told of, and how far it is.

    \b
    Example:
      tracker webhooks list
    """
    with _opened() as stores:
        found = all_webhooks(stores.engine, now())
        table = columns("id", "address", "told of", "filter", "position", "state")
        for one in found:
            narrowed = {name: values for name in ("pledge", "status", "flag", "kind", "party", "tag")
                        if (values := getattr(one.filters, name))}  # fmt: skip
            narrowed |= {"type": one.types} if one.types else {}
            told = "; ".join(f"{name} {', '.join(values)}" for name, values in narrowed.items()) or "—"
            state = "is sent to" if one.disabled is None else f"disabled: {one.disabled}"
            table.add_row(*map(Text, (one.id, one.url, one.what, told, str(one.position), state)))
    if found:
        show(table)
    say(f"{len(found)} webhooks.")


@webhooks.command()
@click.argument("webhook")
def remove(webhook: str) -> None:
    """Remove a webhook, with what is on its way to it.

    \b
    Example:
      tracker webhooks remove wh_0123456789ab
    """
    with _opened() as stores:
        remove_webhook(stores.engine, webhook)
    say(f"{webhook} is removed.")


@webhooks.command()
@click.argument("webhook")
def disable(webhook: str) -> None:
    """Send nothing more to a webhook until it is enabled; what is on its way waits.

    \b
    Example:
      tracker webhooks disable wh_0123456789ab
    """
    with _opened() as stores:
        disable_webhook(stores.engine, webhook, "by the operator")
    say(f"Nothing more is sent to {webhook}.")


@webhooks.command()
@click.argument("webhook")
def enable(webhook: str) -> None:
    """Send to a webhook again, beginning with what was recorded meanwhile.

    \b
    Example:
      tracker webhooks enable wh_0123456789ab
    """
    with _opened() as stores:
        disable_webhook(stores.engine, webhook, None)
    say(f"{webhook} is sent to.")


@webhooks.command()
@click.argument("webhook")
@click.option("--overlap", type=Duration(), default=DEFAULT_OVERLAP, metavar="12h|7d", help="[default: 1d]")
def rotate(webhook: str, overlap: timedelta) -> None:
    """Give a webhook a new secret and print it, once; messages are signed with both for the overlap.

    \b
    Example:
      tracker webhooks rotate wh_0123456789ab --overlap 7d
    """
    with _opened() as stores:
        secret = rotate_secret(stores.engine, webhook, now(), overlap)
    say(f"The secret before it signs, too, for {overlap}. The new one is shown this once:")
    click.echo(secret)


@webhooks.command("log")
@click.argument("webhook", required=False)
@click.option("--state", type=click.Choice(get_args(State)), help="Messages in this state alone.")
@click.option("--limit", type=click.IntRange(1, MAX_LISTED), default=50, show_default=True, help="Messages.")
def log_(webhook: str | None, state: State | None, limit: int) -> None:
    """List the last messages, the newest first: what they tell, their attempts, and how the last one went.

    \b
    Example:
      tracker webhooks log --state failed
    """
    with _opened() as stores:
        if webhook is not None:
            must_be_there(stores.engine, webhook)
        found = deliveries(stores.engine, webhook, state, limit)
    table = columns("webhook", "message", "pledge", "tells", "state", "attempts", "last answer", "next attempt")
    for one in found:
        tells = f"event {one.position}"
        if one.status_after is not None:
            tells = f"{one.status_before or 'none'} → {one.status_after} on {one.as_of}"
        next_at = one.next_at if one.state == "pending" else "—"
        cells = (one.webhook, one.id, one.pledge, tells, one.state, str(one.attempts), one.answer or "—", next_at)
        table.add_row(*map(Text, cells))
    if found:
        show(table)
    say(f"{len(found)} messages.")


@webhooks.command()
@click.argument("webhook")
@click.option("--message", metavar="ID", help="This message alone.")
@click.option("--since", metavar="INSTANT", help="All messages that were made since then, RFC 3339.")
def replay(webhook: str, message: str | None, since: str | None) -> None:
    """Send messages again, with the ids that they had: those that failed, one, or all since an instant.

    \b
    Examples:
      tracker webhooks replay wh_0123456789ab
      tracker webhooks replay wh_0123456789ab --since 2026-11-20T00:00:00Z
    """
    if message is not None and since is not None:
        raise click.UsageError("--message and --since: give one of them.")
    instant = None if since is None else stamp(_instant(since))
    with _opened() as stores:
        number = send_again(stores.engine, webhook, now(), message=message, since=instant)
    say(f"{number} messages are sent again.")
    if message is not None and not number:
        fail(f"{webhook} has no message {message!r}.")


@webhooks.command()
@click.option("--once", is_flag=True, help="End when nothing is due.")
def send(once: bool) -> None:
    """Send what is due until stopped; several may run, one sends.

    A message that is not taken (any answer but 2xx) is sent again after 5 seconds, a minute, and then ever more seldom,
    for four days. 410 disables the webhook.

    \b
    Example:
      tracker webhooks send
    """
    log_as_json()
    with _opened() as stores:
        asyncio.run(_send(stores, once=once))


async def _send(stores: Stores, *, once: bool) -> None:
    sender = WebhookSender(stores.engine, stores.log, stores.settings, now, stores.settings.webhook_networks)
    await sender.run(stopped_by_signals(), once=once)
    say(f"{sender.delivered} messages were taken.")


def _instant(text: str) -> datetime:
    try:
        return read_instant(text)
    except ValueError as wrong:
        raise click.UsageError(f"--since {wrong}.") from None
