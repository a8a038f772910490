"""What a fact may act on, and what it acts on (DOMAIN §4).

    FigureRestated, FigureRanked, ShareReported   facts with a figure
    StatementRetracted                            sourced facts other than PledgeMade
    SourceCaptured                                facts with a source
    EventCorrected                                all facts but corrections and voids
    EventVoided                                   all facts but voids

The rule knows the two facts alone. Whether the target is on the pledge and still stands is for `tracker.pledge`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tracker.facts import (
    AnyFact,
    EventCorrected,
    EventVoided,
    FigureRanked,
    FigureRestated,
    ShareReported,
    SourceCaptured,
    StatementRetracted,
    figure_in,
)
from tracker.promise_facts import PledgeMade

ACTING = (EventCorrected, EventVoided, FigureRanked, FigureRestated, StatementRetracted, SourceCaptured)
"""Facts that act on other facts: each names one event in `event`."""

REPAIRS = (EventCorrected, EventVoided, FigureRanked, SourceCaptured)
"""Facts that repair our own record: they have no date of their own on the as-of axis."""


@dataclass(frozen=True, slots=True)
class _Targets:
    """The facts that facts of one type act on: in the words of a refusal, and as a test."""

    words: str
    include: Callable[[AnyFact], bool]


def has_figure(fact: AnyFact) -> bool:
    """Whether the fact carries a figure."""
    return figure_in(fact) is not None


def _is_retractable(fact: AnyFact) -> bool:
    return fact.source is not None and not isinstance(fact, PledgeMade)


_WITH_FIGURE = _Targets("facts with a figure", has_figure)

_TARGETS: dict[str, _Targets] = {
    "FigureRestated": _WITH_FIGURE,
    "FigureRanked": _WITH_FIGURE,
    "ShareReported": _WITH_FIGURE,
    "StatementRetracted": _Targets("sourced facts other than PledgeMade", _is_retractable),
    "SourceCaptured": _Targets("facts with a source", lambda fact: fact.source is not None),
    "EventCorrected": _Targets(
        "all facts but corrections and voids", lambda fact: not isinstance(fact, EventCorrected | EventVoided)
    ),
    "EventVoided": _Targets("all facts but voids", lambda fact: not isinstance(fact, EventVoided)),
}


def may_act_on_type(acting: str, target: AnyFact) -> bool:
    """Whether a fact of type `acting` may act on the target; False for a type that acts on no other fact."""
    targets = _TARGETS.get(acting)
    return targets is not None and targets.include(target)


def targets_in_words(acting: str) -> str | None:
    """What facts of type `acting` act on, as a refusal names it; None for a type that acts on no other fact."""
    targets = _TARGETS.get(acting)
    return None if targets is None else targets.words


def reference_of(fact: AnyFact) -> tuple[str, str] | None:
    """The JSON Pointer of the field that names the event the fact acts on, and that event's id; None without one."""
    if isinstance(fact, ACTING):
        return "/event", fact.event
    if isinstance(fact, ShareReported) and fact.of is not None:
        return "/of", fact.of
    return None
