"""`tracker log`: which log this is, the log as files that need no trust, and their proof."""

from __future__ import annotations

import click

from api.cli.group import CommandGroup, LazyCommand

COMMANDS = {
    "check": LazyCommand("api.cli.log_check:check", "Check the proof of one event, offline."),
    "export": LazyCommand("api.cli.log_export:export", "Write the public log as static files for any web server."),
    "fork": LazyCommand(
        "api.cli.log_fork:fork",
        "Give the log a new id, after an older copy was put back or a replica took over that lagged.",
    ),
    "import": LazyCommand(
        "api.cli.log_import:import_", "Put a published log into an empty store, with its id and every byte as it was."
    ),
    "prove": LazyCommand("api.cli.log_prove:prove", "Write the proof of one event to a file."),
    "rotate-key": LazyCommand(
        "api.cli.log_rotate_key:rotate_key",
        "Make a new key that signs checkpoints beside the old one, or end the change.",
    ),
    "verify": LazyCommand("api.cli.log_verify:verify", "Verify a published log from its files, with no database."),
}


@click.group("log", cls=CommandGroup, lazy_commands=COMMANDS)
def log_() -> None:
    """Say which log this is, publish it, and prove what is in it.

    \b
    Examples:
      tracker log verify https://pledges.example.org/ledger
      tracker log fork --reason "restored from the backup of 2026-11-20"
    """
