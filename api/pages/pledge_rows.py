"""A pledge as a row of a list: its status document, its bar, and how far it is in a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api import amounts
from api.pages.bars import Bar, bar_of
from tracker.quantity import OP_WORDS
from tracker.rules.judged import judged_target


@dataclass(frozen=True, slots=True)
class PledgeRow:
    """A pledge as a row: its status document, its bar, and how far it is, abbreviated and exact."""

    status: Mapping[str, Any]
    bar: Bar | None
    progress: str
    exact: str
    share: str | None
    """The actual in percent of the target; None without one, and where the line and the bar count members."""

    @property
    def says_more(self) -> bool:
        """Whether the line counts members or steps, and does not set the actual beside the target."""
        counts_members = (self.status.get("members") or {}).get("met") is not None
        return counts_members or (self.status["actual"] is None and bool(self.status.get("milestones")))


def pledge_row(status: Mapping[str, Any], digits: amounts.Digits | None = None) -> PledgeRow:
    """A pledge as a row; `digits` are those of all amounts shown with it, by default of its own two."""
    progress, exact = progress_of(status, digits or amounts.distinct_digits(judged_target(status), status["actual"]))
    share = amounts.ratio(status["ratio"], status["actual"])
    if (status.get("members") or {}).get("met") is not None or status.get("periods_tally"):
        share = None
    elif "baseline" in status:
        share = f"{amounts.ratio(status['progress'])} of the way" if status["progress"] else None
    return PledgeRow(status, bar_of(status), progress, exact, share)


def progress_of(status: Mapping[str, Any], digits: amounts.Digits) -> tuple[str, str]:
    """How far a pledge is, in a line: abbreviated and exact. "Over" never turns into "equals"."""
    target, actual = amounts.amount(judged_target(status), digits), amounts.amount(status["actual"], digits)
    members = status.get("members")
    if status.get("periods_tally"):
        line = amounts.counted(status) or ""
        return line, line
    if members is not None and members["met"] is not None:
        line = amounts.counted(status) or ""
        line += " members" if isinstance(members["met"], int) else ""
        return line, line
    if actual is not None and target is not None:
        return _beside(status, actual.short, target.short), _beside(status, actual.exact, target.exact)
    if actual is not None:
        return actual.short, actual.exact
    if target is not None:
        nothing = "nothing reported"
        return _beside(status, nothing, target.short), _beside(status, nothing, target.exact)
    if steps := status.get("milestones"):
        line = f"{amounts.counted(status)}{' milestones reached' if len(steps) > 1 else ''}"
        return line, line
    return "no number to check", "no number to check"


def _beside(status: Mapping[str, Any], actual: str, target: str) -> str:
    """What is reported beside the target: a part of it, or a number that has a limit or a way to go.

    45 cases are no part of at most 40, and 67 Mt on the way from 100 to 45 are no part of 45.
    """
    is_down = status["direction"] == "down"
    bare = target.removeprefix(OP_WORDS["le"]) if is_down else target
    each = "" if status.get("members") is None else "each member "
    if "baseline" in status:
        return f"{actual}, target {each}{target if bare == target else f'at most {bare}'}"
    return f"{actual}, limit {each}{bare}" if is_down else f"{actual} of {each}{target}"
