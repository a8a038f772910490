"""Groups of commands: a command is imported when it is called, and fails with one sentence.

The list of commands needs their names and short helps only, so `tracker --help` loads neither the server nor a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click

from tracker.visible_text import escaped


class LazyCommand(NamedTuple):
    """A command that is not imported yet: `target` is its place as `module:name`."""

    target: str
    short_help: str


class CommandFailed(click.ClickException):
    """The command found something wrong, or cannot do its work: exit code 1, and the message on stderr."""

    exit_code = 1


def fail(message: str) -> NoReturn:
    """End the command with exit code 1.

    Raises: CommandFailed always.
    """
    raise CommandFailed(message)


class CommandGroup(click.Group):
    """A group whose commands are imported on demand, and whose errors are sentences without a trace."""

    def __init__(self, *args: Any, lazy_commands: Mapping[str, LazyCommand] | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._lazy_commands = lazy_commands or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *self._lazy_commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of the name, imported now if it was not yet; None if there is none."""
        lazy = self._lazy_commands.get(cmd_name)
        if lazy is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = lazy.target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        if not self._lazy_commands:
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._lazy_commands[name].short_help) for name in sorted(self._lazy_commands)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises: CommandFailed in the place of an error of the tracker or of a store.
        """
        try:
            return super().invoke(ctx)
        except click.ClickException as refused:
            # It may name an argument, or what a file or a fact holds. The attribute is final: this is still its making.
            object.__setattr__(refused, "message", escaped(refused.message))
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from api.cli.failures import failure_sentence  # it imports the stores, which `--help` does without

            if (sentence := failure_sentence(error)) is None:
                raise
            raise CommandFailed(escaped(sentence)) from None
