"""Asserted claims held against the figures: what contradicts itself, and what nothing proves (DOMAIN §4, §6)."""

from __future__ import annotations

from typing import Literal

from tracker.comparison import compare, may_exceed
from tracker.facts import Claim, PledgeExceeded, PledgeMissed
from tracker.promise_facts import Fact
from tracker.promises import RELATIVE_UNITS
from tracker.rules.candidates import CandidateReader, amount_in, figure_of
from tracker.rules.evaluation import Evaluation
from tracker.rules.figures import choose_among
from tracker.rules.outcome import KEPT, Outcome
from tracker.rules.periods import with_figure
from tracker.rules.terms import turned
from tracker.rules.verdict import Question, keeps
from tracker.rules.views import FactInForce


def conflicting(evaluation: Evaluation, outcome: Outcome) -> list[FactInForce[Fact]]:
    """Claims and member reports that a figure contradicts, each under the target in force when it was made."""
    found: list[FactInForce[Fact]] = []
    if evaluation.group_result is not None:
        found += evaluation.group_result.contradicting(evaluation.promise)
    for claim in evaluation.answering.claims:
        if claim.figure is not None:
            contradicts = _contradicts_itself(claim, evaluation)
        else:
            contradicts = isinstance(claim.fact, PledgeMissed) and _is_kept_all_the_same(claim, evaluation, outcome)
        if contradicts:
            found.append(claim)
    return found


def _contradicts_itself(claim: FactInForce[Claim], evaluation: Evaluation) -> bool:
    """Whether the claim's own figure says otherwise; a claim about a part is not held against the whole."""
    figure, promise = figure_of(claim), evaluation.terms.judged_on(claim.first_said_on)
    target, base, quantity = promise.absolute, evaluation.answering.promise.base, figure_of(claim).quantity
    if figure.attribution != "all" or target is None:
        return False
    if quantity.unit in RELATIVE_UNITS and base is not None:
        quantity = turned(quantity, base)
    amount, _ = amount_in(quantity, figure.equivalent, target.unit, claim)
    if amount is None:
        return False
    if isinstance(claim.fact, PledgeExceeded):
        return not may_exceed(amount, target, promise.direction)
    result = compare(amount, target, promise.direction)
    return result in KEPT if isinstance(claim.fact, PledgeMissed) else result == "below"


def _is_kept_all_the_same(claim: FactInForce[Claim], evaluation: Evaluation, outcome: Outcome) -> bool:
    """Whether a figure had kept the target of the admission's day, or all members or steps met it."""
    question = evaluation.answering
    if question.actual is None or question.promise.counts_members or question.promise.absolute is None:
        result = evaluation.group_result if question.promise.counts_members else None
        return outcome.core in KEPT or (result is not None and result.kept is not None)
    return _kept_by_the_target_of(claim, evaluation) is not None


def _kept_by_the_target_of(claim: FactInForce[Claim], evaluation: Evaluation) -> Literal["met", "exceeded"] | None:
    """Whether the figure keeps the target that was in force on the day of a claim."""
    question, terms = evaluation.answering, evaluation.terms
    promise, asked_on = terms.judged_on(claim.first_said_on), terms.asked_anew(claim.first_said_on)
    choice = question.choice
    if promise != question.promise:
        items = [candidate.item for candidate in choice.candidates]
        since = None if question.window is None else question.window.start
        choice = choose_among(items, promise, since, CandidateReader())
    return keeps(choice.actual, Question(promise, question.window, choice, (), asked_on))


def unproven(evaluation: Evaluation, outcome: Outcome) -> list[FactInForce[Fact]]:
    """Claims without a figure that neither figure, members nor steps prove, now or by the target of the claim's day."""
    period = with_figure(evaluation.periods)
    word = outcome.core if period is None else period.status
    return [
        claim
        for claim in evaluation.answering.claims
        if claim.figure is None
        and not isinstance(claim.fact, PledgeMissed)
        and not (_says(word, claim) or _says(_kept_by_the_target_of(claim, evaluation), claim))
    ]


def _says(word: str | None, claim: FactInForce[Claim]) -> bool:
    return word == "exceeded" or (word == "met" and not isinstance(claim.fact, PledgeExceeded))
