"""What stands behind a status: every figure with why it counts or not, every member's result, and the reports that
its evidence rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tracker.event import Event
from tracker.facts import (
    AnyFact,
    FigureRestated,
    MemberReported,
    MilestoneMissed,
    MilestoneReached,
    TallyReported,
    figure_in,
)
from tracker.quantity import EXACT, Quantity
from tracker.rules.candidates import Candidate
from tracker.rules.evaluation import Evaluation
from tracker.rules.figures import choose
from tracker.rules.flags import evidence
from tracker.rules.json_values import conversion_json, figure_json, quantity_json
from tracker.rules.members import group_result
from tracker.rules.milestones import milestones
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.terms import terms_of


def figures(events: Sequence[Event], as_of: date) -> list[dict[str, Any]] | None:
    """Every reported figure on a day, in the order of recording; None when the pledge does not exist then.

    Each has `event`, `type`, `stated_on`, the figure as it stands (restated, corrected), `rank`, `chosen`,
    `outcome` with `why` in words, `conflicts` (event ids) and, where it was converted, how.
    """
    history = PledgeHistory(events)
    view = history.view(as_of)
    if view is None:
        return None
    choice = choose(view, terms_of(view))
    candidates = {candidate.item.id: candidate for candidate in choice.candidates}
    items = {item.id: item for item in view.items}
    resolved = {s.event.id: s for s in history.resolve(as_of)[0]}
    found = []
    for event in events:
        current = resolved.get(event.id)
        fact = event.fact if current is None else current.fact
        stated = figure_in(fact)
        if stated is None or fact.in_force_on > as_of:
            continue
        posted = figure_in(event.fact)
        item, candidate = items.get(event.id), candidates.get(event.id)
        figure = item.figure if item is not None and item.figure is not None else stated
        if candidate is not None:
            outcome, why = choice.explain(candidate)
        elif current is None:
            outcome, why = "voided", "we recorded it in error"
        elif item is None:
            outcome, why = "retracted", "the speaker or the source took it back"
        elif isinstance(fact, FigureRestated):
            outcome, why = "restatement", f"stands in the place of the figure of {fact.event}"
        else:
            outcome, why = "member", "one member's result; never the group's"
        found.append(
            {
                "event": event.id,
                "type": event.type,
                "stated_on": fact.stated_on.isoformat(),
                **figure_json(figure),
                "as_recorded": None if posted is None or figure == posted else figure_json(posted),
                "rank": "normal" if item is None else item.rank,
                "final": None if candidate is None else candidate.final,
                "chosen": outcome in ("chosen", "part_of_sum"),
                "outcome": outcome,
                "why": why,
                "conflicts": sorted(choice.conflicts.get(event.id, ())),
                **_conversion(candidate),
            }
        )
    return found


def _conversion(candidate: Candidate | None) -> dict[str, Any]:
    if candidate is None or candidate.conversion is None:
        return {"conversion": None, "converted": None}
    return {"conversion": conversion_json(candidate.conversion), "converted": _in_cents(candidate.compared)}


def _in_cents(converted: Quantity | None) -> dict[str, str] | None:
    """A converted amount as it is shown, in cents; the rules compare it exactly."""
    if converted is None:
        return None
    update = {name: _cents(value) for name in ("value", "upper") if (value := getattr(converted, name)) is not None}
    return quantity_json(converted.model_copy(update=update))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN, context=EXACT)


def members(events: Sequence[Event], as_of: date) -> list[dict[str, Any]] | None:
    """Every member's result on a day, in the order of the group; None when the pledge does not exist then.

    `event` is the report that gave the verdict: the member's own, or the tally that names it; null where the group
    itself sets the member aside or nobody said.
    """
    view = PledgeHistory(events).view(as_of)
    if view is None:
        return None
    result = group_result(view, terms_of(view))
    if result is None:
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
        for row in result.rows
    ]


@dataclass(frozen=True, slots=True)
class Attestation:
    """The reports that the evidence of a status rests on: their event ids, by version.

    `share_origin` is True if all of them quote the same origin. A sum of increments is `single_source` also where each
    increment has another origin.
    """

    events: tuple[str, ...]
    share_origin: bool


_RESULTS: tuple[tuple[type[AnyFact], ...], ...] = (
    (TallyReported,),
    (MemberReported,),
    (MilestoneReached, MilestoneMissed),
)
"""Types of facts that give a result without a figure; the first of which there is one gives the result."""


def attestation(events: Sequence[Event], as_of: date) -> Attestation:
    """The reports behind evidence `single_source` or `corroborated`; no events for any other evidence.

    They are fewer than the causes of the evidence: the pledge itself and the figures that are passed over quote origins
    that do not count.
    """
    history = PledgeHistory(events)
    view = history.view(as_of)
    if view is None:
        return Attestation((), False)
    terms = terms_of(view)
    choice = choose(view, terms)
    evaluation = Evaluation(as_of, view, terms, choice, group_result(view, terms), milestones(view, as_of))
    found, causes = evidence(evaluation)
    if found not in ("single_source", "corroborated"):
        return Attestation((), False)
    if choice.actual is not None:
        ids = {part.item.id for part in choice.actual.parts}
        if found == "corroborated":
            ids.update(choice.corroborating[:2])
    else:
        by_type = ({item.id for item in view.of(*types) if item.id in causes} for types in _RESULTS)
        ids = next((given for given in by_type if given), set())
    sources = [item.fact.source for item in view.items if item.id in ids]
    origins = {None if source is None else source.quoted_origin for source in sources}
    return Attestation(tuple(sorted(ids, key=history.versions.__getitem__)), len(origins) == 1)
