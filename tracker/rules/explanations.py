"""What stands behind a status: every figure with why it counts or not, every member's result, and the reports that
its evidence rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tracker.event import Event
from tracker.facts import FigureRestated, figure_in
from tracker.rules.candidates import PLEDGE_FIGURES, Candidate
from tracker.rules.epochs import ResolvedFact
from tracker.rules.evaluation import Evaluation
from tracker.rules.flags import attesting, evidence
from tracker.rules.json_values import conversion_json, figure_json, in_cents
from tracker.rules.members import named_rows
from tracker.rules.status import StatusFold
from tracker.rules.verdict import Question, is_last_word
from tracker.rules.views import FactInForce


def figures(events: Sequence[Event], as_of: date) -> list[dict[str, Any]] | None:
    """Every reported figure on a day, in the order of recording; None when the pledge does not exist then.

    Each has `event`, `type`, `stated_on`, the figure as it stands (restated, corrected), `rank`, `chosen`,
    `outcome` with `why` in words, `conflicts` (event ids) and, where it was converted, how.
    """
    fold = StatusFold(events)
    evaluation = fold.evaluation(as_of)
    if evaluation is None:
        return None
    candidates = {candidate.item.id: (candidate, question) for candidate, question in _candidates(evaluation)}
    items = {item.id: item for item in evaluation.view.items}
    resolved = {s.event.id: s for s in fold.history.resolve(as_of)[0]}
    found = []
    for event in events:
        current = resolved.get(event.id)
        fact = event.fact if current is None else current.fact
        stated = figure_in(fact)
        if stated is None or fact.in_force_on > as_of:
            continue
        posted, item = figure_in(event.fact), items.get(event.id)
        candidate, question = candidates.get(event.id, (None, None))
        figure = item.figure if item is not None and item.figure is not None else stated
        if candidate is not None and question is not None:
            outcome, why = question.choice.explain(candidate)
        else:
            outcome, why = _without_part(current, item, evaluation)
        found.append(
            {
                "event": event.id,
                "type": event.type,
                "stated_on": fact.stated_on.isoformat(),
                **figure_json(figure),
                "as_recorded": None if posted is None or figure == posted else figure_json(posted),
                "rank": "normal" if item is None else item.rank,
                "final": None if candidate is None or question is None else is_last_word(candidate, question, as_of),
                "chosen": outcome in ("chosen", "part_of_sum"),
                "outcome": outcome,
                "why": why,
                "conflicts": [] if question is None else sorted(question.choice.conflicts.get(event.id, ())),
                **_conversion(candidate),
            }
        )
    return found


def _candidates(evaluation: Evaluation) -> Iterator[tuple[Candidate, Question]]:
    """Each figure with the question that it is an answer to."""
    for question in (evaluation.question, *(period.question for period in evaluation.periods)):
        for candidate in question.choice.candidates:
            yield candidate, question


def _without_part(
    current: ResolvedFact | None, item: FactInForce[Any] | None, evaluation: Evaluation
) -> tuple[str, str]:
    """Why a figure answers no question at all."""
    if current is None:
        return "voided", "we recorded it in error"
    if item is None:
        return "retracted", "the speaker or the source took it back"
    if isinstance(current.fact, FigureRestated):
        return "restatement", f"stands in the place of the figure of {current.fact.event}"
    if isinstance(current.fact, PLEDGE_FIGURES) and evaluation.promise.recurrence is not None:
        return "no_period", "its period lies in none of the pledge's periods"
    return "member", "one member's result; never the group's"


def _conversion(candidate: Candidate | None) -> dict[str, Any]:
    if candidate is None or candidate.conversion is None:
        return {"conversion": None, "converted": None}
    return {"conversion": conversion_json(candidate.conversion), "converted": in_cents(candidate.compared)}


def members(events: Sequence[Event], as_of: date) -> list[dict[str, Any]] | None:
    """Every member's result on a day, in the order of the group; None when the pledge does not exist then.

    `event` is the report that gave the verdict: the member's own, or the tally that names it; null where the group
    itself sets the member aside or nobody said.
    """
    evaluation = StatusFold(events).evaluation(as_of)
    if evaluation is None:
        return None
    if evaluation.group_result is None:
        return []
    return [
        {
            "member": row.member,
            "verdict": row.verdict,
            "reason": row.reason,
            "figure": None if row.item is None or row.item.figure is None else figure_json(row.item.figure),
            "stated_on": None if row.item is None else row.item.fact.stated_on.isoformat(),
            "event": None if row.item is None else row.item.id,
        }
        for row in named_rows(evaluation.group_result)
    ]


@dataclass(frozen=True, slots=True)
class Attestation:
    """The reports that the evidence of a status rests on: their event ids, by version.

    `share_origin` is True if all of them quote the same origin. A sum of increments is `single_source` also where each
    increment has another origin.
    """

    events: tuple[str, ...]
    share_origin: bool


def attestation(events: Sequence[Event], as_of: date) -> Attestation:
    """The reports behind evidence `single_source` or `corroborated`; no events for any other evidence.

    They are fewer than the causes of the evidence: the pledge itself and the figures that are passed over quote origins
    that do not count. Of each report that decides, one of each of two origins is named at most.
    """
    fold = StatusFold(events)
    evaluation = fold.evaluation(as_of)
    if evaluation is None:
        return Attestation((), False)
    found, _ = evidence(evaluation)
    if found not in ("single_source", "corroborated"):
        return Attestation((), False)
    named = 2 if found == "corroborated" else 1
    items = {item.id: item for origins in attesting(evaluation)[0] for item in origins[:named]}
    shared = len({item.origin for item in items.values()}) == 1
    return Attestation(tuple(sorted(items, key=fold.history.versions.__getitem__)), shared)
