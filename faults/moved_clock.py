"""The command `tracker` with a clock that a file moves: the seconds that stand in it are added to the time of day."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

VARIABLE = "FAULTS_CLOCK"
"""The environment variable that names the file."""

PROGRAM = "from faults.moved_clock import main; main()"
"""What a process runs."""


def moved() -> datetime:
    """This instant, moved by what the file says now."""
    return datetime.now(UTC) + timedelta(seconds=float(Path(os.environ[VARIABLE]).read_text()))


def main() -> None:
    """Put the clock in before anybody takes hold of the true one, and run the command."""
    from api.http import system_clock

    system_clock.now = moved
    from api.cli.main import main as tracker

    tracker()
