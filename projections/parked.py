"""Trying parked events again: after an upgrade of what could not read them, or a repair of the rules."""

from __future__ import annotations

import time
from threading import Event
from typing import NamedTuple

from sqlalchemy import Engine

from projections import table_writer
from projections.queries import TIMELINE
from projections.runner import Busy, ProjectionRunner
from projections.table_writer import ASKED_AGAIN, ParkedEvent
from projections.tables import writing
from projections.timeline import Timeline

RETRY_SECONDS = 30.0
"""Seconds that the process that projects may take to try them again; it looks four times a second."""

LOOK_SECONDS = 0.05
"""Seconds between two looks at whether it has."""


class RetriedEvents(NamedTuple):
    """The parked events that could be folded this time, and those that are still parked."""

    freed: list[ParkedEvent]
    left: list[ParkedEvent]


def try_again(engine: Engine, timeline: Timeline, runner: ProjectionRunner, *, seconds: float) -> RetriedEvents:
    """Have all parked events tried again, by `runner` if no other process projects, else by that one.

    Raises: Busy if another process projects and does not try them again within `seconds`.
    """
    before = timeline.parked()
    with writing(engine).begin() as conn:
        live = next((s.number for s in table_writer.states(conn, TIMELINE) if s.active), None)
        if live is not None:
            table_writer.ask_again(conn, live)
    until = time.monotonic() + seconds
    waiting = Event()
    while any(parked.error == ASKED_AGAIN for parked in timeline.parked()):
        runner.run_once()
        if runner.is_active:
            continue
        if time.monotonic() > until:
            raise Busy(f"the process that projects has not tried them again in {seconds:g} s; is it of this version?")
        waiting.wait(LOOK_SECONDS)
    left = timeline.parked()
    still = {parked.position for parked in left}
    return RetriedEvents([parked for parked in before if parked.position not in still], left)
