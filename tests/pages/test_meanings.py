"""The sentence that a page shows for a status is true, on every day of every hard case."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from api import meanings
from tests.rules.hard_cases import test_deadlines, test_figures, test_members, test_records, test_targets, test_units
from tests.support.given import RECORDS, Given
from tracker.comparison import compare
from tracker.quantity import Quantity
from tracker.rules.evaluation import Evaluation
from tracker.rules.status import StatusFold
from tracker.rules.verdict import is_last_word

Holds = Callable[[dict[str, Any], Evaluation], bool]


def cases() -> Iterator[tuple[str, Callable[..., None]]]:
    """The tests of the hard cases."""
    for module in (test_deadlines, test_figures, test_members, test_records, test_targets, test_units):
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_"):
                yield name, test


def made_by(test: Callable[..., None]) -> list[Given]:
    """The records that a test makes, with each set of its parameters."""
    sets: list[dict[str, Any]] = [{}]
    for mark in getattr(test, "pytestmark", []):
        names = mark.args[0] if isinstance(mark.args[0], tuple) else tuple(mark.args[0].split(","))
        values = [value if isinstance(value, tuple) else (value,) for value in mark.args[1]]
        sets = [{**one, **dict(zip(names, value, strict=True))} for one, value in product(sets, values)]
    before = len(RECORDS)
    for parameters in sets:
        test(**parameters)
    made = RECORDS[before:]
    del RECORDS[before:]
    return made


def result(_: dict[str, Any], evaluation: Evaluation) -> str | None:
    """compare() of the actual with the target that is judged by."""
    actual, target = evaluation.answering.actual, evaluation.promise.absolute
    if actual is None or actual.compared is None or target is None:
        return None
    return compare(actual.compared, target, evaluation.promise.direction)


def is_final(_: dict[str, Any], evaluation: Evaluation) -> bool:
    question = evaluation.answering
    return question.actual is not None and is_last_word(question.actual.last, question, evaluation.as_of)


def is_admitted(_: dict[str, Any], evaluation: Evaluation) -> bool:
    return evaluation.answering.is_admitted


def may_be_something(_: dict[str, Any], evaluation: Evaluation) -> bool:
    actual = evaluation.answering.actual
    return actual is not None and (actual.quantity.interval.high is None or actual.quantity.interval.high > 0)


def progress(document: dict[str, Any]) -> Decimal | None:
    return None if document["progress"] is None else Decimal(document["progress"]["value"])


def counted(document: dict[str, Any], name: str) -> int:
    said = document["members"][name]
    return int(said) if isinstance(said, int) else int(Quantity.model_validate(said).interval.low or 0)


def reached(document: dict[str, Any]) -> list[bool]:
    return [step["state"] in ("reached", "partly_reached") for step in document["milestones"]]


def passed(document: dict[str, Any], evaluation: Evaluation) -> bool:
    return evaluation.window is not None and evaluation.as_of > (evaluation.window.deadline or evaluation.as_of)


def has_report(document: dict[str, Any], evaluation: Evaluation) -> bool:
    reported = document["actual"] is not None or any(p["actual"] for p in document.get("periods", ()))
    members = evaluation.group_result is not None and evaluation.group_result.is_reported
    return reported or members or any(step.reports for step in evaluation.steps.all)


HOLDS: dict[str, Holds] = {
    "every possible value of what is reported lies beyond the target": lambda d, e: result(d, e) == "exceeded",
    "what is reported keeps the promise": lambda d, e: result(d, e) == "met",
    "the last word is below the target, but not certainly nothing": lambda d, e: (
        (is_admitted(d, e) or (is_final(d, e) and result(d, e) == "below")) and may_be_something(d, e)
    ),
    "the last word is that nothing was done": lambda d, e: not may_be_something(d, e),
    "every possible value of what is reported stays below the limit": lambda d, e: result(d, e) == "exceeded",
    "what is reported stays within the limit": lambda d, e: result(d, e) == "met",
    "what is reported goes beyond the limit, or somebody admitted it": lambda d, e: (
        result(d, e) == "below" or is_admitted(d, e)
    ),
    "the last word falls short of the target, but may be a step from the baseline towards it": lambda d, e: (
        result(d, e) == "below" and 0 < (progress(d) or 0) < 1
    ),
    "the last word is no step from the baseline towards the target, or it was admitted that nothing was done": (
        lambda d, e: (progress(d) or 0) <= 0
    ),
    "something that counts is reported, and nothing final yet": lambda d, e: (
        has_report(d, e) and not (is_final(d, e) and result(d, e) is not None)
    ),
    "nothing that counts is reported yet, which is not the same as nothing done": lambda d, e: not has_report(d, e),
    "the latest reading of the deadline has passed, and nothing final is known": lambda d, e: (
        passed(d, e) and not is_final(d, e)
    ),
    "the final figure is too vague, or cannot be compared, to say whether it keeps the promise": lambda d, e: (
        is_final(d, e) and result(d, e) in ("unknown", None)
    ),
    "there is no number, step or test to check it by": lambda d, e: not e.is_measurable,
    "the promise was taken back": lambda d, e: d["lifecycle"] == "withdrawn",
    "a condition that it hangs on is still open, so nothing is due yet": lambda d, e: (
        any(c["state"] == "open" for c in d["conditions"]) and d["schedule"]["current"] == "no_deadline"
    ),
    "as many of those who are bound by it met it as it takes": lambda d, e: (
        counted(d, "met") >= d["members"]["eligible"]
    ),
    "some of those who are bound by it met it, but not as many as it takes, and no more is expected": lambda d, e: (
        0 < counted(d, "met") < d["members"]["eligible"] and d["schedule"]["current"] == "closed"
    ),
    "some results are reported, and it is not settled": lambda d, e: has_report(d, e) and not passed(d, e),
    "the time is up, and too few results are reported to tell": lambda d, e: (
        passed(d, e) and d["members"]["not_reported"] > 0
    ),
    "every milestone that was promised is reached": lambda d, e: all(reached(d)),
    "some milestones are reached, at least in part, but not all, and no more is expected": lambda d, e: (
        any(reached(d)) and not all(reached(d)) and d["schedule"]["current"] == "closed"
    ),
    "something is reported of a milestone, and others are still to come": lambda d, e: (
        has_report(d, e) and not all(reached(d))
    ),
    "no milestone is reported to be reached, which is not the same as nothing done": lambda d, e: not any(reached(d)),
    "every period is over, and the target was kept in some, but not in all": lambda d, e: (
        0 < d["periods_tally"]["kept"] < d["periods_tally"]["closed"] == len(d["periods"])
    ),
    "something is reported, and there are periods still to come": lambda d, e: (
        has_report(d, e) and d["periods_tally"]["closed"] < len(d["periods"])
    ),
    "nothing that counts is reported yet, and there are periods still to come": lambda d, e: (
        not has_report(d, e) and d["periods_tally"]["closed"] < len(d["periods"])
    ),
    "every period is over, none was kept, and of some nothing final is known": lambda d, e: (
        d["periods_tally"]["closed"] == len(d["periods"]) and d["periods_tally"]["kept"] == 0
    ),
}  # fmt: skip
"""Each sentence, and what has to hold of the document and of what it was made from."""


@pytest.mark.parametrize("name", [name for name, _ in cases()])
def test_the_sentence_of_a_status_is_true_in_every_hard_case(name: str) -> None:
    for record in made_by(dict(cases())[name]):
        fold = StatusFold(record.events)
        for day in fold.boundaries():
            status, evaluation = fold.status(day), fold.evaluation(day)
            if status is None or evaluation is None:
                continue
            sentence = meanings.means(status.document)
            after = ", by the terms that were in force when the time was up"
            assert ("revised_after_close" in status.flags) >= sentence.endswith(after)
            assert HOLDS[sentence.removesuffix(after)](status.document, evaluation), (day, sentence, status.document)


def test_every_sentence_of_a_figure_that_may_be_said_is_held_to_something() -> None:
    said = {*meanings._FIGURE_MEANS.values(), *meanings._CEILING_MEANS.values(), *meanings._BASELINE_MEANS.values()}
    assert said <= HOLDS.keys()
