"""Why: the events from which each axis, figure and flag follows, and which can be posted alone (DOMAIN §6)."""

from __future__ import annotations

from tracker.promise_facts import PledgeReaffirmed, PledgeSuperseded, PledgeWithdrawn
from tracker.rules.evaluation import Evaluation
from tracker.rules.flags import Caused, Evidence
from tracker.rules.outcome import KEPT, Outcome, all_figures, figure_causes, with_more
from tracker.rules.pledge_history import PledgeHistory


def because_of(
    evaluation: Evaluation,
    outcome: Outcome,
    attested: tuple[Evidence, frozenset[str]],
    raised: list[Caused],
    history: PledgeHistory,
) -> dict[str, tuple[str, ...]]:
    """The ids of the events that caused each axis, figure and flag, by version: from them alone it follows.

    What acts on an event is named with that event, so that the facts of a list can be posted alone.
    """
    if outcome not in evaluation.because:
        causes = _of_axes(evaluation, outcome, attested)
        ordered = {ids: history.in_order(ids) for ids in set(causes.values())}
        evaluation.because[outcome] = {name: ordered[ids] for name, ids in causes.items()}
    return evaluation.because[outcome] | {name: history.in_order(ids) for name, ids in raised}


def _of_axes(
    evaluation: Evaluation, outcome: Outcome, attested: tuple[Evidence, frozenset[str]]
) -> dict[str, frozenset[str]]:
    view, terms = evaluation.view, evaluation.terms
    figures = figure_causes(evaluation)
    turns = view.of(PledgeWithdrawn, PledgeReaffirmed, PledgeSuperseded)
    acting = view.acting_on(PledgeWithdrawn, PledgeReaffirmed, PledgeSuperseded)
    lifecycle = terms.causes | acting | {id_ for item in turns for id_ in item.causes}
    answering = all_figures(evaluation) if outcome.core in KEPT or evaluation.periods else figures
    settled = with_more(answering, outcome.causes)
    causes: dict[str, frozenset[str]] = {
        "status": outcome.causes,
        "lifecycle": lifecycle,
        "schedule": with_more(settled, evaluation.milestone_causes) if evaluation.steps.all else settled,
        "trajectory": settled if evaluation.conditions else figures,
        "evidence": attested[1],
        "target": terms.causes,
        "actual": figures,
        "ratio": figures,
        "progress": figures,
    }
    projection = evaluation.question.choice.projection
    if projection is not None:
        causes["projection"] = with_more(figures, {*projection.causes})
    if evaluation.group_result is not None:
        causes["members"] = evaluation.group_result.causes | terms.causes
    return causes
