"""Trying parked events again: after an upgrade of what could not read them, or a repair of the rules."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine

from projections import table_writer
from projections.queries import TIMELINE
from projections.runner import ProjectionRunner
from projections.table_writer import ASKED_AGAIN, ParkedEvent
from projections.tables import writing
from projections.timeline import Timeline

RETRY_SECONDS = 30.0
"""Seconds that the process that projects may take to try them again; it looks four times a second."""


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
    runner.run_until(
        lambda: all(parked.error != ASKED_AGAIN for parked in timeline.parked()),
        seconds=seconds,
        what="tried them again",
    )
    left = timeline.parked()
    still = {parked.position for parked in left}
    return RetriedEvents([parked for parked in before if parked.position not in still], left)
