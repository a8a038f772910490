"""Choosing the figure: which of all reported quantities is the actual, and why the others are not (DOMAIN §5)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from tracker.facts import Fact
from tracker.quantity import Interval, Quantity, running_totals, spanning, total
from tracker.rules.candidates import PLEDGE_FIGURES, Candidate, CandidateReader, Disposition, figure_of
from tracker.rules.disputes import Contradictions
from tracker.rules.pledge_history import FactInForce, View
from tracker.rules.terms import Terms
from tracker.values import STAGES, Nature, Period, Stage

_FIRMNESS: dict[Nature, int] = {"actual": 0, "provisional": 1, "estimate": 2, "projection": 3}


@dataclass(frozen=True, slots=True)
class Actual:
    """The amount that one series comes to: as said, in the unit it is compared in, and the figures behind it."""

    quantity: Quantity
    compared: Quantity | None
    parts: tuple[Candidate, ...]
    stage: Stage
    final: bool

    @property
    def lead(self) -> Candidate:
        """The first figure in the order of DOMAIN §5."""
        return self.parts[0]

    @property
    def day(self) -> date:
        """The latest day that the actual covers."""
        return max(part.day for part in self.parts)

    @property
    def period(self) -> Period | None:
        """The time that the actual covers, as far as it is given."""
        given = [part.figure.period for part in self.parts if part.figure.period is not None]
        if len(given) < 2:
            return given[0] if given else None
        starts, ends = [p.start for p in given], [p.end for p in given]
        start = None if None in starts else min(s for s in starts if s)
        end = None if None in ends else max(e for e in ends if e)
        return Period(start=start, end=end) if start or end else None

    @property
    def nature(self) -> Nature:
        """The least firm nature among its figures."""
        return max((part.figure.nature for part in self.parts), key=_FIRMNESS.__getitem__)

    @property
    def is_level(self) -> bool:
        """A rate at a time, which only a final figure proves."""
        return self.lead.figure.basis == "level"


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen actual, if any, with every candidate and the contradictions between them."""

    actual: Actual | None
    candidates: tuple[Candidate, ...]
    projection: FactInForce[Fact] | None
    causes: frozenset[str]
    pools: dict[Stage, list[Candidate]] = field(default_factory=dict)
    """The figures that take part in the question, by stage."""

    disputed: frozenset[str] = frozenset()
    unit_errors: frozenset[str] = frozenset()
    falls: frozenset[str] = frozenset()
    overlaps: frozenset[str] = frozenset()
    conflicts: Mapping[str, set[str]] = field(default_factory=dict)
    """Event id to the ids of the events that contradict it."""

    corroborating: tuple[str, ...] = ()
    """A figure of each origin that says the same of the same period as the lead, the lead's first."""

    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    """What became of a figure on the way to the actual, by event id; `explain` knows the rest."""

    def explain(self, candidate: Candidate) -> Disposition:
        """What became of a figure, and why."""
        return candidate.aside or self.dispositions.get(candidate.item.id) or _passed_over(candidate, self.actual)


_CHOSEN = ("chosen", "first in the order of rank, period end, tier, exactness, date and version")
_SUMMED = ("part_of_sum", "one of the increments of the sum")


def choose(view: View, terms: Terms, reader: CandidateReader | None = None) -> Choice:
    """The actual of the pledge as a whole on the view's days, by DOMAIN §5.

    A `reader` that was passed before gives the candidates it has made already.
    """
    items = [item for item in view.of(*PLEDGE_FIGURES) if item.figure is not None]
    measure, unit, measure_causes = _measure(items, terms)
    projection = max(
        (item for item in items if figure_of(item).nature == "projection" and _is_asked(item, measure)),
        key=lambda item: item.last_said,
        default=None,
    )
    candidates = (reader or CandidateReader()).read(items, measure, unit, terms)
    by_stage: dict[Stage, list[Candidate]] = {}
    for candidate in candidates:
        if candidate.aside is None:
            by_stage.setdefault(candidate.figure.stage, []).append(candidate)
    contradictions = Contradictions()
    for pool in by_stage.values():
        contradictions.look_at(pool)
    dispositions: dict[str, Disposition] = {}
    own, pools = _question(by_stage, terms, dispositions)
    actual, causes = _actual(own, pools, _Sums(contradictions, dispositions, unit))
    if actual is not None:
        dispositions |= dict.fromkeys(
            (part.item.id for part in actual.parts), _SUMMED if len(actual.parts) > 1 else _CHOSEN
        )
    return Choice(
        actual=actual,
        candidates=candidates,
        projection=projection,
        causes=frozenset(causes | measure_causes),
        pools=pools,
        disputed=frozenset(contradictions.disputed),
        unit_errors=frozenset(contradictions.unit_errors),
        falls=frozenset(contradictions.falls),
        overlaps=frozenset(contradictions.overlaps),
        conflicts=contradictions.conflicts,
        dispositions=dispositions,
        corroborating=() if actual is None else _corroborating(actual.lead, by_stage[actual.lead.figure.stage]),
    )


def reached_on(choice: Choice, is_reached: Callable[[Quantity], bool]) -> tuple[date, frozenset[str]] | None:
    """The earliest day by which the reported amount satisfies `is_reached`, and the ids of the events that prove it.

    A running total counts from its own day; increments count together up to each day.
    """
    if choice.actual is None:
        return None
    found: list[tuple[date, frozenset[str]]] = []
    if len(choice.actual.parts) > 1:
        parts = sorted((part for part in choice.actual.parts if part.compared), key=lambda part: part.day)
        sums = running_totals(part.compared for part in parts if part.compared is not None)
        for count, (part, together) in enumerate(zip(parts, sums, strict=True), start=1):
            if is_reached(together):
                found.append((part.day, frozenset(i for p in parts[:count] for i in p.item.causes)))
                break
    for pool in choice.pools.values():
        totals = sorted((r for r in pool if r.figure.basis == "cumulative"), key=lambda r: (r.day, r.order))
        for _, same_day in groupby(totals, key=lambda r: r.day):
            best = next(same_day)
            if best.compared is not None and is_reached(best.compared):
                found.append((best.day, frozenset(best.item.causes)))
                break
    return min(found, key=lambda pair: pair[0], default=None)


def _measure(items: Sequence[FactInForce[Fact]], terms: Terms) -> tuple[str | None, str | None, set[str]]:
    """The target's measure and unit; without a target those of the latest figure whose unit fits the kind."""
    if terms.target is not None:
        return terms.target.measure, terms.target.unit, set()
    fitting = [item for item in items if terms.fits(figure_of(item).quantity) and _is_asked(item, None)]
    latest = max(
        [item for item in fitting if figure_of(item).nature != "projection"] or fitting,
        key=lambda item: item.last_said,
        default=None,
    )
    if latest is None:
        return None, None, set()
    quantity = figure_of(latest).quantity
    return quantity.measure, quantity.unit, set(latest.causes)


def _is_asked(item: FactInForce[Fact], measure: str | None) -> bool:
    """Whether the figure, reported or projected, is one of the whole, of the measure (of any for None)."""
    figure = figure_of(item)
    fits = measure is None or figure.quantity.measure == measure
    return fits and item.rank != "deprecated" and figure.attribution == "all"


def _question(
    by_stage: dict[Stage, list[Candidate]], terms: Terms, dispositions: dict[str, Disposition]
) -> tuple[Stage | None, dict[Stage, list[Candidate]]]:
    """The stage that is asked for, and the candidates of that stage and of each firmer one."""
    firm: list[Stage] = sorted((s for s in by_stage if s != "unspecified"), key=STAGES.__getitem__)
    loose = by_stage.get("unspecified", [])
    if terms.required_stage is not None:
        required = terms.required_stage
        for candidate in loose:
            dispositions[candidate.item.id] = "stage", f"its stage is not given, and {required} is required"
        own: Stage | None = required
        pools = {stage: by_stage[stage] for stage in firm if STAGES[stage] >= STAGES[required]}
        for stage in firm:
            if stage not in pools:
                for candidate in by_stage[stage]:
                    dispositions[candidate.item.id] = "stage", f"{stage} is less than the required {required}"
        return own, pools
    own = firm[0] if firm else "unspecified" if loose else None
    pools = {stage: by_stage[stage] for stage in firm}
    if own is not None and loose:
        pools[own] = [*pools.get(own, []), *loose] if own != "unspecified" else loose
    return own, pools


@dataclass(frozen=True, slots=True)
class _Sums:
    """What adding up increments needs: the unit they are compared in, and where what is left out is noted."""

    contradictions: Contradictions
    dispositions: dict[str, Disposition]
    unit: str | None


def _actual(own: Stage | None, pools: dict[Stage, list[Candidate]], sums: _Sums) -> tuple[Actual | None, set[str]]:
    """The own stage's actual, or a firmer stage's where that lies above it, read as "at least that"."""
    if own is None:
        return None, set()
    level = STAGES.get(own, -1)
    same_level = [stage for stage in pools if stage == own or STAGES.get(stage, -1) == level]
    pool = [candidate for stage in same_level for candidate in pools[stage]]
    best = _resolve(pool, own, sums)
    causes = _causes(best)
    for stage, candidates in pools.items():
        if stage in same_level:
            causes |= _first_of(candidates)
            continue
        firmer = _resolve(candidates, stage, sums)
        causes |= _causes(firmer)
        if firmer is not None and (best is None or _lies_above(firmer, best)):
            best = replace(firmer, quantity=_at_least(firmer.quantity), compared=_maybe(firmer.compared))
    return best, causes


def _causes(actual: Actual | None) -> set[str]:
    return set() if actual is None else {id_ for part in actual.parts for id_ in part.item.causes}


def _first_of(candidates: Iterable[Candidate]) -> set[str]:
    firm = [candidate for candidate in candidates if candidate.figure.stage != "unspecified"]
    return set(min(firm, key=lambda r: r.order).item.causes) if firm else set()


def _resolve(pool: Sequence[Candidate], stage: Stage, sums: _Sums) -> Actual | None:
    """What the candidates of one stage add up to; where bases meet (a stage and the unspecified), the better one."""
    if not pool:
        return None
    lead = min(pool, key=lambda candidate: candidate.order)
    if lead.figure.basis != "increment":
        own: Stage = lead.figure.stage if lead.figure.stage != "unspecified" else stage
        return Actual(lead.figure.quantity, lead.compared, (lead,), own, lead.final)
    return _sum([candidate for candidate in pool if candidate.figure.basis == "increment"], stage, sums)


def _sum(pool: Sequence[Candidate], stage: Stage, sums: _Sums) -> Actual:
    """Increments over non-overlapping periods: the same period twice corroborates, a partial overlap is left out."""
    counted: list[Candidate] = []
    spans: list[tuple[date, date, int]] = []
    for candidate in sorted(pool, key=lambda candidate: candidate.order):
        first, last = candidate.span
        place = bisect_right(spans, (last, date.max, 0))
        clash = counted[spans[place - 1][2]] if place and spans[place - 1][1] >= first else None
        if clash is not None and clash.span == candidate.span:
            sums.dispositions[candidate.item.id] = "corroborates", f"covers the same period as {clash.item.id}"
            continue
        if clash is not None:
            sums.dispositions[candidate.item.id] = "overlap", f"its period overlaps that of {clash.item.id}"
            sums.contradictions.overlaps |= {*candidate.item.causes, *clash.item.causes}
            continue
        spans.insert(place, (first, last, len(counted)))
        counted.append(candidate)
    units = {candidate.figure.quantity.unit for candidate in counted}
    compared = [candidate.compared for candidate in counted]
    together = None if None in compared else total([c for c in compared if c is not None])
    if together is not None and (len(units) > 1 or sums.unit in units):
        quantity = together
    elif len(units) == 1:
        quantity = total([candidate.figure.quantity for candidate in counted])
    else:
        quantity, counted, is_bound = _sum_of_rated(counted, sums.dispositions)
        together = quantity if is_bound and quantity.unit == sums.unit else None
    return Actual(quantity, together, tuple(counted), stage, any(candidate.final for candidate in counted))


def _sum_of_rated(
    counted: Sequence[Candidate], dispositions: dict[str, Disposition]
) -> tuple[Quantity, list[Candidate], bool]:
    """The increments that have a rate: their sum is a lower bound, unless what has none is returned money."""
    rated = [r for r in counted if r.compared is not None] or list(counted[:1])
    quantity = total([r.compared or r.figure.quantity for r in rated])
    is_bound = True
    for candidate in counted:
        if not any(candidate is other for other in rated):
            dispositions[candidate.item.id] = "unconverted", "no rate is published for its currency and day"
            is_bound = is_bound and candidate.figure.quantity.value >= 0
    return _at_least(quantity) if is_bound else quantity, rated, is_bound


def _lies_above(firmer: Actual, best: Actual) -> bool:
    high, low = firmer.compared, best.compared
    if high is None or low is None:
        return False
    a, b = high.interval, low.interval
    assert a.low is not None
    assert b.low is not None
    return a.low > b.low or (a.low == b.low and a.low_open and not b.low_open)


def _at_least(quantity: Quantity) -> Quantity:
    if quantity.op in ("ge", "gt"):
        return quantity
    return spanning(Interval(quantity.interval.low, None, quantity.interval.low_open), quantity.unit)


def _maybe(quantity: Quantity | None) -> Quantity | None:
    return None if quantity is None else _at_least(quantity)


def _corroborating(lead: Candidate, series: Sequence[Candidate]) -> tuple[str, ...]:
    """One figure of each origin that agrees with the lead on its period."""
    found = {lead.origin: lead.item.id}
    if lead.compared is not None:
        for candidate in series:
            if candidate.compared is None or candidate.occasion != lead.occasion:
                continue
            if candidate.compared.widened.meets(lead.compared.widened):
                found.setdefault(candidate.origin, candidate.item.id)
    return tuple(found.values())


_CRITERIA = ("its rank", "a later period", "the tier of its source", "exactness", "a later date", "a later version")


def _passed_over(candidate: Candidate, actual: Actual | None) -> Disposition:
    if actual is None:
        return "stage", "no figure answers the question"
    lead = actual.lead
    if candidate.figure.stage != lead.figure.stage and "unspecified" not in (candidate.figure.stage, lead.figure.stage):
        return "stage", f"{lead.figure.stage} says more than {candidate.figure.stage}"
    pairs = zip(_CRITERIA, candidate.order, lead.order, strict=True)
    criterion = next((name for name, own, other in pairs if own != other), _CRITERIA[-1])
    return "outranked", f"{lead.item.id} goes before it by {criterion}"
