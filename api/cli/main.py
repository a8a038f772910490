"""The command `tracker` (README: Commands). Answers go to stdout, everything else to stderr.

Exit codes: 0 done, 1 found wrong, 2 wrong usage.
"""

from __future__ import annotations

import click

from api.cli.group import CommandGroup, LazyCommand

COMMANDS = {
    "backup": LazyCommand(
        "api.cli.backup:backup",
        "Copy a live SQLite log into a new file; on PostgreSQL exit with 2 and say which command does it.",
    ),
    "capture": LazyCommand(
        "api.cli.capture:capture",
        "Keep a copy of an event's source under its hash, and record a SourceCaptured.",
    ),
    "diff": LazyCommand(
        "api.cli.diff:diff",
        "List the pledges whose status differs between two days, or between two instants of our knowledge.",
    ),
    "doctor": LazyCommand(
        "api.cli.doctor:doctor",
        "Look at settings, store, roles, clock, disk, projector, files and versions; exit 1 if something is wrong.",
    ),
    "export": LazyCommand(
        "api.cli.export:export", "Write all statuses at a point on both clocks, or the events behind them."
    ),
    "history": LazyCommand("api.cli.status:history", "Show how a pledge's status came to be, event by event."),
    "import": LazyCommand("api.cli.import_files:import_", "Record the facts of an NDJSON, CSV, XLSX or IATI file."),
    "init": LazyCommand("api.cli.tables:init", "Create or upgrade the tables; run it again as often as you like."),
    "keys": LazyCommand("api.cli.keys:keys", "Make, list, rotate and revoke keys."),
    "log": LazyCommand("api.cli.log:log_", "Say which log this is, publish it, and prove what is in it."),
    "parked": LazyCommand(
        "api.cli.parked:parked", "List the events that could not be folded; exit 1 while there are any."
    ),
    "project": LazyCommand(
        "api.cli.project:project",
        "Keep the read models up to date until stopped, beside `tracker serve --no-projector`.",
    ),
    "publish": LazyCommand(
        "api.cli.publish:publish", "Publish the events to NATS JetStream as CloudEvents, in order, until stopped."
    ),
    "rebuild": LazyCommand(
        "api.cli.tables:rebuild", "Build the read models anew beside those that answer, then switch."
    ),
    "record": LazyCommand(
        "api.cli.record:record", "Record one fact, a JSON object, on a pledge; a PledgeMade opens it."
    ),
    "replay": LazyCommand(
        "api.cli.replay:replay",
        "Fold the log itself, pledge by pledge, and print each status as a line of JSON, or compare it.",
    ),
    "restore": LazyCommand(
        "api.cli.backup:restore",
        "Put a copy where there is no log yet; on PostgreSQL exit with 2 and say which commands do it.",
    ),
    "rules-diff": LazyCommand(
        "api.cli.rules_diff:rules_diff",
        "List the pledges that another version of the rules answers otherwise; exit 1 if there are any.",
    ),
    "seed": LazyCommand("api.cli.import_files:seed", "Load the seed events; running it twice changes nothing."),
    "serve": LazyCommand(
        "api.cli.serve:serve", "Serve the API and the dashboard, and keep the read models up to date."
    ),
    "status": LazyCommand(
        "api.cli.status:status", "Show the status of one pledge, or of all of them, at a point on both clocks."
    ),
    "template": LazyCommand(
        "api.cli.template:template", "Write an XLSX workbook to fill, with a sheet for each type of fact."
    ),
    "webhooks": LazyCommand(
        "api.cli.webhooks:webhooks",
        "Tell others of events and changes of status, by HTTP, signed as Standard Webhooks.",
    ),
    "withhold": LazyCommand(
        "api.cli.withhold:withhold",
        "Withhold texts of an event from every answer, page, export and stream, for ever.",
    ),
}
"""Every command with its place and its line in the list; the line is the first sentence of the command's own help."""


@click.group(
    cls=CommandGroup,
    lazy_commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="commitments-tracker", prog_name="tracker", message="%(prog)s, version %(version)s")
def main() -> None:
    """Public pledges as immutable events, and their status on any date, on two clocks.

    Settings are environment variables TRACKER_* or a file .env. Exit codes: 0 done, 1 found wrong, 2 wrong usage.

    \b
    Examples:
      tracker seed
      tracker serve --port 8000
      tracker status nato-ukraine-2024 --as-of 2024-12-31
    """
