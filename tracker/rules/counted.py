"""From when to when each figure counted: the days on which it was chosen, or part of a sum."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tracker.rules.evaluation import Evaluation
from tracker.rules.status import StatusFold

_COUNTS = ("chosen", "part_of_sum")


class CountedSpan(NamedTuple):
    """From the first day on which a figure counted to the day on which it no longer did; None if it still does."""

    since: date
    until: date | None


def counted_spans(fold: StatusFold) -> dict[str, CountedSpan]:
    """The days on which each figure counted, as all known events tell it, by event id; no entry if it never did."""
    found: dict[str, CountedSpan] = {}
    for segment in fold.segments():
        evaluation = fold.evaluation(segment.valid_from)
        for id_ in _counting(evaluation) if evaluation is not None else ():
            since = found[id_].since if id_ in found else segment.valid_from
            found[id_] = CountedSpan(since, segment.valid_to)
    return found


def _counting(evaluation: Evaluation) -> set[str]:
    questions = (evaluation.question, *(period.question for period in evaluation.periods))
    return {
        candidate.item.id
        for question in questions
        for candidate in question.choice.candidates
        if question.choice.explain(candidate)[0] in _COUNTS
    }
