"""The difference between a release of a sheet and the ones before, as `tracker import` shows it."""

from __future__ import annotations

from rich.text import Text

from api.cli.terminal import columns, say, show
from api.imports.releases import ReleaseDifference

_COLUMNS = ("row", "key", "pledge", "change", "what")


def show_difference(difference: ReleaseDifference, *, restate: bool, whole: bool) -> None:
    """Print the rows that differ as a table, and say what becomes of them; new rows are in it if it is `whole`."""
    shown = difference.first if whole else difference.first_not_new
    total = difference.counts.total() - (0 if whole else difference.count("new"))
    if shown:
        table = columns(*_COLUMNS)
        for change in shown:
            cells = (change.place, change.key, change.pledge, change.kind, change.what)
            table.add_row(*(Text(cell or "—") for cell in cells))
        show(table)
    if total > len(shown):
        say(f"… and {total - len(shown)} more rows")
    changed = difference.count("restated", "corrected", "reported again")
    counts = {
        "new": difference.count("new"),
        "changed": changed,
        "to be changed by hand": difference.count("by hand"),
        "vanished": difference.count("vanished"),
        "as before": difference.unchanged,
    }
    say(f"The release against the ones before: {', '.join(f'{count} {name}' for name, count in counts.items())}.")
    if changed and not restate:
        say("Changed rows are not recorded: --restate records them.")
