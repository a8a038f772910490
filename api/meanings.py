"""What the headline of a status means, in a sentence that is true of every pledge of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATUS = {
    "exceeded": "Exceeded",
    "met": "Met",
    "partly_met": "Partly met",
    "in_progress": "In progress",
    "announced": "Announced",
    "conditional": "Conditional",
    "overdue": "Overdue",
    "missed": "Missed",
    "indeterminate": "Indeterminate",
    "not_measurable": "Not measurable",
    "withdrawn": "Withdrawn",
    "superseded": "Superseded",
}
"""Headlines in the order in which a page lists them."""

STATUS_MEANS = {
    "exceeded": "what is reported goes beyond the promise",
    "met": "what is reported keeps the promise",
    "partly_met": "the last word falls short of the promise, but is not certainly nothing",
    "in_progress": "something that counts is reported, and nothing final yet",
    "announced": "nothing that counts is reported yet, which is not the same as nothing done",
    "conditional": "it hangs on a condition that is open or failed",
    "overdue": "the latest reading of the deadline has passed, and nothing final is known",
    "missed": "the promise was broken, or nothing of it was done",
    "indeterminate": "the final figure is too vague, or cannot be compared, to say whether it keeps the promise",
    "not_measurable": "there is no number, step or test to check it by",
    "withdrawn": "the promise was taken back",
    "superseded": "another pledge took its place",
}

_FIGURE_MEANS = {
    "exceeded": "every possible value of what is reported lies beyond the target",
    "partly_met": "the last word is below the target, but not certainly nothing",
    "missed": "the last word is that nothing was done",
}
_CEILING_MEANS = {
    "exceeded": "every possible value of what is reported stays below the limit",
    "met": "what is reported stays within the limit",
    "missed": "what is reported goes beyond the limit, or somebody admitted it",
}
_BASELINE_MEANS = {
    "partly_met": "the last word falls short of the target, but may be a step from the baseline towards it",
    "missed": "the last word is no step from the baseline towards the target, or it was admitted that nothing was done",
}
_GROUP_MEANS = {
    "exceeded": "more of those who are bound by it met it than it takes",
    "met": "as many of those who are bound by it met it as it takes",
    "partly_met": "some of those who are bound by it met it, but not as many as it takes, and no more is expected",
    "missed": "nobody who is bound by it met it, and no more is expected",
    "in_progress": "some results are reported, and it is not settled",
    "overdue": "the time is up, and too few results are reported to tell",
}
_MILESTONES_MEAN = {
    "met": "every milestone that was promised is reached",
    "partly_met": "some milestones are reached, at least in part, but not all, and no more is expected",
    "missed": "no milestone is reached, and no more is expected",
    "in_progress": "something is reported of a milestone, and others are still to come",
    "announced": "no milestone is reported to be reached, which is not the same as nothing done",
    "overdue": "the last day for it has passed, and nobody reported that it was reached",
}
_PERIODS_MEAN = {
    "met": "every period is over, and the target was kept in each",
    "partly_met": "every period is over, and the target was kept in some, but not in all",
    "missed": "every period is over, and the target was kept in none",
    "in_progress": "something is reported, and there are periods still to come",
    "announced": "nothing that counts is reported yet, and there are periods still to come",
    "overdue": "every period is over, none was kept, and of some nothing final is known",
}
_CONDITION_FAILED = "a condition that it hangs on failed, so it never fell due"
_CONDITION_OPEN = "a condition that it hangs on is still open, so nothing is due yet"
_AFTER_CLOSE = ", by the terms that were in force when the time was up"


def means(status: Mapping[str, Any]) -> str:
    """What the headline of a status document means for a pledge of its kind."""
    headline = status["status"]
    if headline == "conditional":
        failed = any(one["state"] == "failed" for one in status["conditions"])
        return _CONDITION_FAILED if failed else _CONDITION_OPEN
    special = _figures_mean(status)
    match status["answers_by"]:
        case "members":
            special = _GROUP_MEANS
        case "steps":
            special = _MILESTONES_MEAN
        case "periods":
            special = _PERIODS_MEAN
    said = special.get(headline, STATUS_MEANS[headline])
    settled = headline in ("exceeded", "met", "partly_met", "missed", "indeterminate")
    return said + _AFTER_CLOSE if settled and "revised_after_close" in status["flags"] else said


def _figures_mean(status: Mapping[str, Any]) -> Mapping[str, str]:
    if status["direction"] == "down" and "baseline" not in status:
        return _CEILING_MEANS
    return {**_FIGURE_MEANS, **_BASELINE_MEANS} if "baseline" in status else _FIGURE_MEANS
