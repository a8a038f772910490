"""`tracker keys`: the keys of people and programs, and the role of each."""

from __future__ import annotations

from typing import get_args

import click
from rich.text import Text

from api.cli.group import CommandGroup, fail
from api.cli.stores import opened_stores
from api.cli.terminal import columns, say, show
from api.http.auth import KeyRefused, create_key, list_keys, revoke_key
from api.http.contract import Role


@click.group(cls=CommandGroup)
def keys() -> None:
    """Make, list and revoke keys.

    \b
    Example:
      tracker keys create --name desk --role monitor
    """


@keys.command()
@click.option("--name", required=True, help="Whose it is; it stands in recorded_by.")
@click.option("--role", required=True, type=click.Choice(get_args(Role)), help="What it may do.")
def create(name: str, role: str) -> None:
    """Make a key and print it, once: it cannot be read again.

    \b
    Example:
      tracker keys create --name desk --role monitor
    """
    with opened_stores() as stores:
        try:
            key = create_key(stores.engine, name, role)
        except KeyRefused as refused:
            fail(str(refused))
    say(f"The key of {name}, {role}. It is shown this once:")
    click.echo(key)


@keys.command("list")
def list_() -> None:
    """List all keys, those revoked too; never the keys themselves.

    \b
    Example:
      tracker keys list
    """
    with opened_stores(must_exist=True) as stores:
        found = list_keys(stores.engine)
    if not found:
        say("There is no key. Make one with `tracker keys create`.")
        return
    table = columns("name", "role", "created", "revoked")
    for key in found:
        table.add_row(*map(Text, (key.name, key.role, key.created_at, key.revoked_at or "—")))
    show(table)


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Take a key out of force; within a second no process accepts it any more.

    \b
    Example:
      tracker keys revoke desk
    """
    with opened_stores(must_exist=True) as stores:
        try:
            revoke_key(stores.engine, name)
        except KeyRefused as refused:
            fail(str(refused))
    say(f"The key of {name} is revoked.")
