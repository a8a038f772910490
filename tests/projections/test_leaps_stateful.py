"""Whatever is recorded, by whichever projectors, gaps say what they are, and in the end nobody can tell of them."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from projections.queries import Clocks
from tests.support.folded_reads import assert_reads_equal_log
from tests.support.leaping import leaping, wrong_at
from tests.support.timeline_machine import DAYS, TimelineMachine, run


class LeapingMachine(TimelineMachine):
    """The same with every event waiting: gaps say what they are, and in the end nobody can tell that there were any."""

    slice_seconds = -1.0

    def __init__(self) -> None:
        self._leaping = ExitStack()
        self._leaping.enter_context(leaping(type(self).slice_seconds))
        super().__init__()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self._leaping.close()

    @rule()
    def compare(self) -> None:
        for position in range(1, self.world.timeline.position() + 1):
            assert wrong_at(self.world, position, date(2024, 12, 1)) == []

    @rule(data=st.data(), days=st.tuples(DAYS, DAYS), recorded=st.booleans())
    def read(self, data: st.DataObject, days: tuple[str, str], recorded: bool) -> None:
        position = self.world.timeline.position()
        if position and recorded:
            position = data.draw(st.integers(1, position))
        for day in days:
            assert wrong_at(self.world, position, date.fromisoformat(day)) == []
        if not self.world.timeline.waiting(self.world.log.head()):
            first, last = sorted(date.fromisoformat(day) for day in days)
            reached = self.world.timeline.position()
            assert_reads_equal_log(self.world, Clocks(first, reached), Clocks(last, reached))


@pytest.mark.slow
@pytest.mark.parametrize(("store_", "examples"), [("sqlite", 15), ("postgres", 5)])
def test_whatever_is_recorded_in_the_end_nobody_can_tell_what_was_leapt_over(
    store_: str, examples: int, request: pytest.FixtureRequest
) -> None:
    run(LeapingMachine, store_, examples, request)


class SteppingOverMachine(LeapingMachine):
    """The same with gaps that are filled in one slice."""

    slice_seconds = 60.0


@pytest.mark.slow
def test_whatever_is_recorded_a_gap_that_is_filled_at_once_is_right(request: pytest.FixtureRequest) -> None:
    run(SteppingOverMachine, "sqlite", 10, request)
