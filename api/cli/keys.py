"""`tracker keys`: the keys of people and programs, and the role of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args

import click
from rich.text import Text
from sqlalchemy import Engine

from api.cli.group import CommandGroup, fail
from api.cli.stores import opened_stores
from api.cli.terminal import columns, say, show
from api.http.access_keys import (
    DEFAULT_OVERLAP,
    AccessKey,
    KeyRefused,
    Role,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from api.http.system_clock import now

MAX_DAYS = 36_500
"""Days that a key, or the time in which two work, may last at most."""

_UNITS = {"d": "days", "h": "hours"}


class Duration(click.ParamType[timedelta]):
    """Days or hours, as `90d` or `12h`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration that the text says."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,6})([dh])", value)
        if found is None or (length := timedelta(**{_UNITS[found[2]]: int(found[1])})) > timedelta(days=MAX_DAYS):
            self.fail(
                f"{value!r} is no duration of at most {MAX_DAYS} days; write days as 90d, hours as 12h", param, ctx
            )
        return length


class End(click.ParamType[datetime]):
    """The instant when something ends: behind a day, `2027-01-31`, or so long from now, `90d`."""

    name = "end"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant that the text says, in UTC."""
        if isinstance(value, datetime):
            return value
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            try:
                return datetime.combine(date.fromisoformat(value), time(0), UTC) + timedelta(days=1)
            except (ValueError, OverflowError):
                self.fail(f"there is no day {value}", param, ctx)
        return now() + Duration().convert(value, param, ctx)


@click.group(cls=CommandGroup)
def keys() -> None:
    """Make, list, rotate and revoke keys.

    \b
    Example:
      tracker keys create --name desk --role monitor
    """


@contextmanager
def _key_table(*, must_exist: bool = True) -> Iterator[Engine]:
    """The database of the keys; a refusal ends the command with its sentence."""
    with opened_stores(must_exist=must_exist) as stores:
        try:
            yield stores.engine
        except KeyRefused as refused:
            fail(str(refused))


@keys.command()
@click.option("--name", required=True, help="Whose it is; it stands in recorded_by.")
@click.option("--role", required=True, type=click.Choice(get_args(Role)), help="What it may do.")
@click.option(
    "--expires", type=End(), metavar="DATE|90d", help="Its last day, or for how long it works. [default: for ever]"
)
def create(name: str, role: str, expires: datetime | None) -> None:
    """Make a key and print it, once: it cannot be read again. Within a second every process accepts it.

    \b
    Examples:
      tracker keys create --name desk --role monitor
      tracker keys create --name partner --role reader --expires 90d
    """
    with _key_table(must_exist=False) as engine:
        key = create_key(engine, name, role, expires_at=expires)
    until = "" if expires is None else f" It works until {_instant(expires)}."
    say(f"The key of {name}, {role}.{until} It is shown this once:")
    click.echo(key)


@keys.command()
@click.argument("name")
@click.option("--overlap", type=Duration(), default=DEFAULT_OVERLAP, metavar="7d",
              help="For how long the old key still works. [default: 7d]")  # fmt: skip
def rotate(name: str, overlap: timedelta) -> None:
    """Make a new key in the place of one, and print it, once; both work for a while, then the new one alone.

    The new key has the name and the role of the old one, and lasts as long if that expires.

    \b
    Examples:
      tracker keys rotate desk
      tracker keys rotate desk --overlap 0d
    """
    with _key_table() as engine:
        key = rotate_key(engine, name, overlap=overlap)
        old = [one for one in list_keys(engine) if one.name == name and one.replaced_at is not None][-1]
    say(f"The new key of {name}. The old one works until {old.expires_at}. It is shown this once:")
    click.echo(key)


@keys.command("list")
def list_() -> None:
    """List all keys, those revoked too; never the keys themselves.

    \b
    Example:
      tracker keys list
    """
    with _key_table() as engine:
        found = list_keys(engine)
    if not found:
        say("There is no key. Make one with `tracker keys create`.")
        return
    table = columns("name", "role", "created", "expires", "last used", "revoked")
    for key in found:
        table.add_row(*map(Text, _cells(key)))
    show(table)


def _cells(key: AccessKey) -> tuple[str, ...]:
    ends = key.expires_at or "—"
    if key.revoked_at is None and not key.is_in_force(now()):
        ends += " (expired)"
    elif key.replaced_at is not None:
        ends += " (replaced)"
    return key.name, key.role, key.created_at, ends, key.last_used_on or "—", key.revoked_at or "—"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Take a key out of force; within a second no process accepts it any more.

    Keys of the same name that it replaced go with it.

    \b
    Example:
      tracker keys revoke desk
    """
    with _key_table() as engine:
        revoke_key(engine, name)
    say(f"The key of {name} is revoked.")
