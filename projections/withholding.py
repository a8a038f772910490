"""Taking out of the read models what was withheld, by whoever projects."""

from __future__ import annotations

import time
from threading import Event

from projections.runner import Busy, ProjectionRunner
from projections.timeline import Timeline
from tracker.log.recorder import LogRecorder

TAKE_OUT_SECONDS = 30.0
"""Seconds that the process that projects may take; it looks four times a second."""

LOOK_SECONDS = 0.05
"""Seconds between two looks at whether it has."""


def take_out(timeline: Timeline, log: LogRecorder, runner: ProjectionRunner, *, seconds: float) -> None:
    """Wait until nothing that is answered from the read models has what is withheld by now.

    `runner` takes it out if no other process projects.

    Raises: Busy if another process projects and has not done it within `seconds`.
    """
    upto = max((number for number, _ in log.withheld_since(0)), default=0)
    until = time.monotonic() + seconds
    waiting = Event()
    while timeline.withheld_upto() < upto:
        runner.run_once()
        if runner.is_active:
            continue
        if time.monotonic() > until:
            raise Busy(f"the process that projects has not taken it out in {seconds:g} s; is it of this version?")
        waiting.wait(LOOK_SECONDS)
