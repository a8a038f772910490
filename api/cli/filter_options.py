"""The filters of lists as options, `--status`, `--party` and the others: those of the API, read as it reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import click

from api.http.parameters import parse
from api.http.problems import InvalidParameter
from api.resources.contracts import FILTERS
from api.resources.list_filters import filters
from projections.queries import Filters

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])

Given = Mapping[str, str | Sequence[str] | None]
"""The options of a command by their names, as click has them."""

_BY_NAME = {parameter.name: parameter for parameter in FILTERS}


def filtered(command: CommandFunction) -> CommandFunction:
    """Add the filters of lists to a command."""
    for parameter in reversed(FILTERS):
        several = parameter.repeats != "once"
        about = parameter.about.partition(" Several:")[0]
        option = click.option(
            f"--{parameter.name.replace('_', '-')}",
            multiple=several,
            metavar="VALUE",
            help=f"{about} May be given again." if several else about,
        )
        command = option(command)
    return command


def filters_of(options: Given) -> Filters:
    """The filters that the options name.

    Raises: click.UsageError if a value cannot be one.
    """
    try:
        return filters(parse(urlencode(_given(options)).encode(), _BY_NAME))
    except InvalidParameter as refused:
        name = str(refused.members.get("parameter", ""))
        sentence = refused.detail.replace(f"'{name}'", f"--{name.replace('_', '-')}")
        raise click.UsageError(sentence) from None


def any_given(options: Given) -> bool:
    """Whether a filter is given at all."""
    return bool(_given(options))


def _given(options: Given) -> list[tuple[str, str]]:
    values = {name: options.get(name) for name in _BY_NAME}
    return [
        (name, value)
        for name, given in values.items()
        for value in ([given] if isinstance(given, str) else given or ())
    ]
