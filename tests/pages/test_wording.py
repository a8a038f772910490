"""The words of the field: every value has its own."""

from typing import Any, get_args

import pytest

from api import wording
from api.pages.frame import environment
from tracker.acting import ACTING
from tracker.facts import FACT_TYPES
from tracker.rules.flags import FLAGS, Evidence
from tracker.rules.milestones import MilestoneState
from tracker.rules.outcome import Headline, ScheduleState
from tracker.values import MemberVerdict, Trajectory


def test_every_word_of_the_field_has_its_words() -> None:
    assert set(wording.TYPE) == set(FACT_TYPES)
    assert set(wording.ACTED_ON) == {cls.__name__ for cls in ACTING}
    assert set(wording.FLAG) == {*FLAGS, "stale_projection"}


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (wording.STATUS, Headline),
        (wording.STATUS_MEANS, Headline),
        (wording.EVIDENCE, Evidence),
        (wording.SCHEDULE, ScheduleState),
        (wording.TRAJECTORY, Trajectory),
        (wording.VERDICT, MemberVerdict),
        (wording.MILESTONE, MilestoneState),
    ],
)
def test_every_value_of_a_status_document_has_its_words(table: dict[str, str], values: Any) -> None:
    assert set(table) == set(get_args(values))


def test_every_status_and_verdict_has_its_icon() -> None:
    loader = environment().loader
    assert loader is not None
    icons, _, _ = loader.get_source(environment(), "_icons.html")
    for name in (*get_args(Headline), *get_args(MemberVerdict)):
        assert f'id="i-{name}"' in icons, name


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2024-01-01", "2024-12-31", "2024"),
        ("2024-07-01", "2024-12-31", "second half of 2024"),
        ("2024-04-01", "2024-06-30", "Q2 2024"),
        ("2024-02-01", "2024-02-29", "Feb\u00a02024"),
        ("2023-02-01", "2023-02-27", "1\u00a0Feb\u00a02023 – 27\u00a0Feb\u00a02023"),
        ("2024-05-01", "2024-07-31", "1\u00a0May\u00a02024 – 31\u00a0Jul\u00a02024"),
    ],
)
def test_a_whole_period_is_called_by_its_name(start: str, end: str, said: str) -> None:
    assert wording.span({"start": start, "end": end}) == said
    assert wording.for_span({"start": start, "end": end}) == f"for {said}"


def test_what_has_one_end_is_for_no_period_that_begins_twice() -> None:
    assert wording.for_span({"end": "2024-01-31"}) == "until 31\u00a0Jan\u00a02024"
    assert wording.for_span(None) == ""


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ({"stated_on": "2024-07-31", "precision": "month"}, "July\u00a02024"),
        ({"stated_on": "2025-06-30", "precision": "half"}, "first half of 2025"),
        ({"stated_on": "2014-12-31", "precision": "year"}, "2014"),
        ({"stated_on": "2025-03-31", "precision": "quarter"}, "Q1 2025"),
        ({"stated_on": "2024-10-16"}, "16\u00a0Oct\u00a02024"),
    ],
)
def test_a_day_is_shown_no_more_precisely_than_it_is_known(fact: dict[str, str], said: str) -> None:
    assert wording.stated(fact) == said
