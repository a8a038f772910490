"""Taking out of the read models what was withheld, by whoever projects."""

from __future__ import annotations

from projections.runner import ProjectionRunner
from projections.timeline import Timeline
from tracker.log.recorder import LogRecorder

TAKE_OUT_SECONDS = 30.0
"""Seconds that the process that projects may take; it looks four times a second."""


def take_out(timeline: Timeline, log: LogRecorder, runner: ProjectionRunner, *, seconds: float) -> None:
    """Wait until nothing that is answered from the read models has what is withheld by now.

    `runner` takes it out if no other process projects.

    Raises: Busy if another process projects and has not done it within `seconds`.
    """
    upto = max((number for number, _ in log.withheld_since(0)), default=0)
    runner.run_until(lambda: timeline.withheld_upto() >= upto, seconds=seconds, what="taken it out")
