"""The options of the two clocks, `--as-of`, `--known-at` and `--at-position`, and what they mean for a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from api.cli.stores import Stores
from api.cli.terminal import say
from api.http.clocks import clocks_json, point
from api.http.problems import InvalidParameter
from projections.queries import Clocks
from tracker.errors import PledgeNotFound
from tracker.event import stamp
from tracker.values import is_slug

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])


def clocked(command: CommandFunction) -> CommandFunction:
    """Add the options of the two clocks to a command."""
    for option in (
        click.option("--at-position", metavar="N", help="What we had recorded up to this place in the log."),
        click.option("--known-at", metavar="INSTANT", help="What we had recorded by then: 2026-11-21T16:00:00Z."),
        click.option("--as-of", metavar="DAY", help="What had been said by then: 2024-12-31. [default: today]"),
    ):
        command = option(command)
    return command


def clocks_of(stores: Stores, options: Mapping[str, str | None]) -> Clocks:
    """The clocks that the options name.

    Raises: click.UsageError if an option cannot be, or is beyond the log.
    """
    query = {name: text for name, text in options.items() if text is not None}
    try:
        asked = point(query, stores.log)
    except InvalidParameter as refused:
        name = refused.members.get("parameter", "")
        sentence = refused.detail.replace(f"'{name}'", f"--{str(name).replace('_', '-')}")
        raise click.UsageError(sentence) from None
    position = stores.log.head() if asked.position is None else asked.position
    return Clocks(asked.as_of, position, asked.known_at)


def clocks_footer(clocks: Clocks) -> dict[str, Any]:
    """The clocks and the position as they stand beside the items of an answer."""
    return clocks_json(clocks.as_of, clocks.known_at, clocks.position)


def say_clocks(clocks: Clocks) -> None:
    """Write the clocks of an answer to stderr."""
    known_at = "now" if clocks.known_at is None else stamp(clocks.known_at)
    say(f"as of {clocks.as_of}, known at {known_at}, position {clocks.position}")


def must_be_slug(pledge: str) -> str:
    """The id of a pledge as it was given.

    Raises: click.UsageError if it can be none.
    """
    if not is_slug(pledge):
        raise click.UsageError(f"{pledge[:128]!r} is no pledge: a slug is small letters, digits and hyphens")
    return pledge


def not_found(pledge: str, clocks: Clocks) -> PledgeNotFound:
    """The error of a pledge that is not there at the clocks."""
    return PledgeNotFound(f"there is no pledge {pledge!r} as of {clocks.as_of} at position {clocks.position}")
