"""A long record takes steps that grow with its length, not with its square; benchmarks/budgets.py has the seconds."""

import pytest

from tests.support.long_records import SHAPES, decide, fold, follow, long_record
from tests.support.steps import steps


@pytest.mark.parametrize("shape", SHAPES)
def test_ten_times_the_events_are_folded_in_ten_times_the_steps(shape: str) -> None:
    few, many = long_record(shape, 200), long_record(shape, 2_000)
    assert steps(lambda: fold(many)) < 11 * steps(lambda: fold(few))


@pytest.mark.parametrize("shape", ["increment", "cumulative", "mixed"])
def test_ten_times_the_facts_are_decided_on_in_ten_times_the_steps(shape: str) -> None:
    few, many = long_record(shape, 200), long_record(shape, 2_000)
    assert steps(lambda: decide(many)) < 11 * steps(lambda: decide(few))


@pytest.mark.parametrize("shape", ["increment", "cumulative", "mixed"])
def test_twice_the_events_are_followed_one_by_one_in_less_than_four_times_the_steps(shape: str) -> None:
    few, many = long_record(shape, 50), long_record(shape, 100)
    assert steps(lambda: follow(many)) < 4 * steps(lambda: follow(few))
