"""The property that rules all: whatever is recorded, in whatever order, with whatever crashes, every point of the
timeline is what the rules make of the log (ARCHITECTURE, Projections)."""

import pytest

from tests.support.timeline_machine import TimelineMachine, run


@pytest.mark.slow
@pytest.mark.parametrize(("store_", "examples"), [("sqlite", 15), ("postgres", 5)])
def test_every_point_is_what_the_rules_make_of_the_log(
    store_: str, examples: int, request: pytest.FixtureRequest
) -> None:
    run(TimelineMachine, store_, examples, request)
