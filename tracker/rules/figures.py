"""Choosing the figure: which of all reported quantities is the actual, and why the others are not (DOMAIN §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from tracker.promise_facts import Fact
from tracker.quantity import Quantity, total
from tracker.rules.candidates import BY_ORDER, Asked, Candidate, CandidateReader, Disposition, figure_of
from tracker.rules.disputes import Contradictions
from tracker.rules.sums import EUR, Actual, Notes, Pair, duplicates, taken
from tracker.rules.terms import Promise
from tracker.rules.views import FactInForce
from tracker.values import STAGES, Stage

Rung = tuple[Stage, list[Candidate]]
"""A stage and the figures that answer for it."""

Reports = tuple[FactInForce[Fact], ...]
"""Reports of different origins that say the same."""

_ITEM = attrgetter("item")


class FirstKept(NamedTuple):
    """The day on which figures first kept a target, None if they did not, and what was asked."""

    asked: tuple[object, ...]
    day: date | None


class Before(NamedTuple):
    """When the figures of an earlier choice first kept the target, and the one figure that is not among them."""

    kept: Mapping[object, FirstKept]
    added: Candidate


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen actual, if any, with every candidate and the contradictions between them."""

    actual: Actual | None
    candidates: tuple[Candidate, ...]
    projection: FactInForce[Fact] | None
    announced: tuple[Candidate, ...]
    """What is promised only, where doing is asked: figures at stage `pledged`."""

    causes: frozenset[str]
    disputed: frozenset[str] = frozenset()
    unit_errors: frozenset[str] = frozenset()
    falls: frozenset[str] = frozenset()
    conflicts: Mapping[str, set[str]] = field(default_factory=dict)
    """Event id to the ids of the events that contradict it."""

    corroborating: tuple[Reports, ...] = ()
    """For each part of the actual a report of each origin that says the same of it, its own first."""

    attesting: frozenset[str] = frozenset()
    """The ids of the events of all these reports."""

    duplicates: tuple[Pair, ...] = ()
    """Parts of the sum that may be one payment."""

    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    """What became of a figure on the way to the actual, by event id; `explain` knows the rest."""

    kept: dict[object, FirstKept] = field(default_factory=dict)
    """When the figures first kept the target, as far as that was asked (`verdict.kept_on`)."""

    before: Before | None = None
    """What it was carried on from."""

    @property
    def contradicted(self) -> frozenset[str]:
        """The ids of the events between which the reports are disputed."""
        return self.disputed | self.falls

    def explain(self, candidate: Candidate) -> Disposition:
        """What became of a figure, and why."""
        return candidate.aside or self.dispositions.get(candidate.item.id) or _passed_over(candidate, self.actual)


CHOSEN = ("chosen", "first in the order of rank, comparability, period end, nature, tier, exactness, date and version")
SUMMED = ("part_of_sum", "one of the parts of the sum")


def choose_among(
    items: Sequence[FactInForce[Fact]], promise: Promise, since: date | None, reader: CandidateReader
) -> Choice:
    """The actual by some of the reported figures (DOMAIN §5); `since` is the start of the window.

    A `reader` that was passed before gives the candidates it has made already.
    """
    measure, measure_causes = _measure(items, promise, since)
    target, question = promise.absolute, _asked(measure, promise, since)
    candidates = reader.read(items, question)
    pool = [candidate for candidate in candidates if candidate.aside is None]
    notes: Notes = {}
    rungs = _rungs(pool, promise.required_stage, notes)
    contradictions = Contradictions(target.unit if target is not None and ":" not in target.unit else EUR)
    for _, figures in rungs:
        contradictions.look_at(figures)
    actual, rung, causes = _actual(rungs, question.unit, notes)
    if actual is not None:
        notes |= dict.fromkeys((part.item.id for part in actual.parts), SUMMED if len(actual.parts) > 1 else CHOSEN)
    origins = () if actual is None else tuple(_corroborating(actual.parts, rung, contradictions.unit))
    return Choice(
        actual=actual,
        candidates=candidates,
        projection=_projection(items, promise, measure),
        announced=tuple(_announced(candidates, promise, since)),
        causes=frozenset(causes | measure_causes),
        disputed=frozenset(contradictions.disputed),
        unit_errors=frozenset(contradictions.unit_errors),
        falls=frozenset(contradictions.falls),
        conflicts=contradictions.conflicts,
        duplicates=() if actual is None or len(actual.parts) < 2 else tuple(duplicates(actual.parts)),
        dispositions=notes,
        corroborating=origins,
        attesting=frozenset(id_ for reports in origins for item in reports for id_ in item.causes),
    )


def listed(items: Sequence[FactInForce[Fact]], promise: Promise, reader: CandidateReader) -> Choice:
    """What is shown beside the periods of a recurring pledge: the latest projection, and what is only promised."""
    measure, causes = _measure(items, promise, None)
    candidates = reader.read(items, _asked(measure, promise, None))
    announced = tuple(_announced(candidates, promise, None))
    return Choice(None, (), _projection(items, promise, measure), announced, frozenset(causes))


def asked(promise: Promise, since: date | None) -> Asked:
    """What is asked of every figure of a promise with a target."""
    assert promise.absolute is not None
    return _asked(promise.absolute.measure, promise, since)


def _asked(measure: str | None, promise: Promise, since: date | None) -> Asked:
    return Asked(measure, None if promise.absolute is None else promise.absolute.unit, since, promise.base)


def actual_of(candidates: Iterable[Candidate], promise: Promise) -> Actual | None:
    """What some of the candidates of a choice come to by themselves."""
    notes: Notes = {}
    rungs = _rungs([candidate for candidate in candidates if candidate.aside is None], promise.required_stage, notes)
    return _actual(rungs, None if promise.absolute is None else promise.absolute.unit, notes)[0]


def _measure(items: Sequence[FactInForce[Fact]], promise: Promise, since: date | None) -> tuple[str | None, set[str]]:
    """The target's measure; without a target that of the latest figure whose unit fits the kind."""
    if promise.absolute is not None:
        return promise.absolute.measure, set()
    fitting = [item for item in items if promise.fits(figure_of(item).quantity) and _is_asked(item, since)]
    latest = max(fitting, key=lambda item: (item.first_said_on, item.first_version), default=None)
    return (None, set()) if latest is None else (figure_of(latest).quantity.measure, set(latest.causes))


def _is_asked(item: FactInForce[Fact], since: date | None) -> bool:
    """Whether the figure is one of the whole that counts."""
    figure = figure_of(item)
    if figure.nature == "projection" or item.rank == "deprecated" or figure.attribution != "all":
        return False
    end = None if figure.period is None else figure.period.end
    return since is None or end is None or end >= since


def _projection(items: Sequence[FactInForce[Fact]], promise: Promise, measure: str | None) -> FactInForce[Fact] | None:
    """The latest projection of the whole that measures what is asked."""
    relative = promise.target.unit if promise.target is not None and promise.is_relative else measure
    found = [
        item
        for item in items
        if (figure := figure_of(item)).nature == "projection"
        and figure.attribution == "all"
        and item.rank != "deprecated"
        and (measure is None or figure.quantity.measure in (measure, relative))
    ]
    return max(found, key=lambda item: (item.first_said_on, item.first_version), default=None)


def _announced(candidates: Iterable[Candidate], promise: Promise, since: date | None) -> list[Candidate]:
    """Figures at stage `pledged` where it is not what is asked: promising is not doing."""
    if promise.required_stage == "pledged":
        return []
    said = [c for c in candidates if c.figure.stage == "pledged" and _is_asked(c.item, since)]
    known = [c for c in said if c.aside is None or c.aside[0] != "no_baseline"]
    return sorted(known, key=lambda c: (c.item.first_said_on, c.item.first_version))


def _rungs(pool: Iterable[Candidate], required: Stage | None, notes: Notes) -> list[Rung]:
    """The stage that is asked for and each firmer one, with their figures (DOMAIN §5)."""
    by_stage: dict[Stage, list[Candidate]] = {}
    for candidate in pool:
        by_stage.setdefault(candidate.figure.stage, []).append(candidate)
    loose = by_stage.pop("unspecified", [])
    if required is None:
        for candidate in by_stage.pop("pledged", []):
            notes[candidate.item.id] = "announced", "it says what is promised, not what is done"
        firm = sorted(by_stage, key=_firmness)
        if not firm:
            return [("unspecified", loose)]
        own = [*by_stage[firm[0]], *loose]
        return [(firm[0], own), *((stage, by_stage[stage]) for stage in firm[1:])]
    for candidate in loose:
        notes[candidate.item.id] = "stage", f"its stage is not given, and {required} is required"
    own, firmer = [], []
    for stage in sorted(by_stage, key=_firmness):
        if STAGES[stage] == STAGES[required]:
            own += by_stage[stage]
        elif STAGES[stage] > STAGES[required]:
            firmer.append((stage, by_stage[stage]))
        else:
            for candidate in by_stage[stage]:
                notes[candidate.item.id] = "stage", f"{stage} is less than the required {required}"
    return [(required, own), *firmer]


def _firmness(stage: Stage) -> tuple[int, str]:
    return STAGES[stage], stage


def _actual(rungs: Sequence[Rung], unit: str | None, notes: Notes) -> tuple[Actual | None, list[Candidate], set[str]]:
    """The own stage's actual, or a firmer stage's where that lies above it, read as "at least that"."""
    best: Actual | None = None
    rung: list[Candidate] = []
    causes: set[str] = set()
    for place, (stage, figures) in enumerate(rungs):
        found = taken(figures, stage, unit, notes)
        if found is None:
            continue
        causes |= {id_ for part in (*found.parts, *found.left_out, *found.keeping_out) for id_ in part.item.causes}
        if place == 0:
            firm = [c for c in figures if c.figure.stage != "unspecified"]
            causes |= set(min(firm, key=BY_ORDER).item.causes) if firm else set()
        bound = found if place == 0 else found.as_bound()
        if bound is not None and (best is None or _lies_above(bound, best, unit)):
            best, rung = bound, figures
    return best, rung, causes


def _lies_above(firmer: Actual, own: Actual, unit: str | None) -> bool:
    """Whether the low end of a firmer stage lies above; what can be compared with the target goes first (POINTS)."""
    if unit is not None and (firmer.compared is None) != (own.compared is None):
        return own.compared is None
    high, low = firmer.quantity, own.quantity
    if high.unit != low.unit:
        in_common = (firmer.compared, own.compared) if unit is not None else (_in_euros(firmer), _in_euros(own))
        if in_common[0] is None or in_common[1] is None:
            return False
        high, low = in_common[0], in_common[1]
    a, b = high.interval, low.interval
    if a.low is None or b.low is None:
        return b.low is None and a.low is not None
    return a.low > b.low or (a.low == b.low and a.low_open and not b.low_open)


def _in_euros(actual: Actual) -> Quantity | None:
    """What its parts come to in euros, each at its own day; None where one has no rate."""
    amounts = [part.in_unit(EUR)[0] for part in actual.parts]
    known = [amount for amount in amounts if amount is not None]
    return total(known) if len(known) == len(amounts) else None


def _corroborating(parts: Iterable[Candidate], rung: Sequence[Candidate], unit: str) -> Iterable[Reports]:
    """For each part one figure of each origin that says the same of the same period, or of the same transaction."""
    is_alone = len({candidate.occasion for candidate in rung}) == len(rung)
    if is_alone and all(candidate.reference is None for candidate in rung):
        return zip(map(_ITEM, parts))
    return _agreeing(parts, rung, unit)


def _agreeing(parts: Iterable[Candidate], rung: Sequence[Candidate], unit: str) -> Iterator[Reports]:
    alike: dict[object, list[Candidate]] = {}
    for candidate in rung:
        alike.setdefault(candidate.occasion, []).append(candidate)
        if (transaction := _transaction(candidate)) is not None:
            alike.setdefault(transaction, []).append(candidate)
    for part in parts:
        transaction = _transaction(part)
        if transaction is None and len(alike.get(part.occasion, ())) < 2:
            yield (part.item,)
            continue
        found = {part.origin: part}
        for subject in (part.occasion, transaction):
            for candidate in alike.get(subject, ()):
                if candidate.origin not in found and _agree(part, candidate, unit):
                    found[candidate.origin] = candidate
        yield tuple(map(_ITEM, found.values()))


def _transaction(candidate: Candidate) -> tuple[str, str] | None:
    """The transaction that an increment reports, if its source says which."""
    if candidate.reference is None or candidate.figure.basis != "increment":
        return None
    return "transaction", candidate.reference


def _agree(one: Candidate, other: Candidate, unit: str) -> bool:
    """Whether two figures meet after slack; those of one currency are not converted."""
    if one.quantity.unit == other.quantity.unit:
        return one.slack.meets(other.slack)
    own, theirs = one.slack_in(unit), other.slack_in(unit)
    return own is not None and theirs is not None and own.meets(theirs)


_CRITERIA = (
    "its rank",
    "being comparable with the target",
    "a later period",
    "its nature",
    "the tier of its source",
    "exactness",
    "a later date",
    "a later version",
)


def _passed_over(candidate: Candidate, actual: Actual | None) -> Disposition:
    if actual is None:
        return "stage", "no figure answers the question"
    lead = actual.lead
    if candidate.figure.stage != lead.figure.stage and "unspecified" not in (candidate.figure.stage, lead.figure.stage):
        return "stage", f"{lead.figure.stage} says more than {candidate.figure.stage}"
    pairs = zip(_CRITERIA, candidate.order, lead.order, strict=True)
    criterion = next((name for name, own, other in pairs if own != other), _CRITERIA[-1])
    return "outranked", f"{lead.item.id} goes before it by {criterion}"
