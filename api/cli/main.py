"""The command ``tracker`` (docs and README: Commands). Answers go to stdout, everything else to stderr.

Exit codes: 0 done, 1 found wrong, 2 wrong usage.
"""

from __future__ import annotations

from importlib.metadata import version

import click

from api.cli.common import Tidy
from api.cli.keys import keys
from api.cli.read import export, history, replay, status
from api.cli.record import import_, seed
from api.cli.run import init, project, rebuild, serve


@click.group(cls=Tidy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("commitments-tracker"), prog_name="tracker")
def main() -> None:
    """Public pledges as immutable events, and their status on any date, on two clocks.

    Settings are environment variables TRACKER_* or a file .env. Exit codes: 0 done, 1 found wrong, 2 wrong usage.

    \b
    Examples:
      tracker seed
      tracker serve --port 8000
      tracker status nato-ukraine-2024 --as-of 2024-12-31
    """


for _command in (serve, project, seed, import_, export, status, history, replay, rebuild, keys, init):
    main.add_command(_command)
