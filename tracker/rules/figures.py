"""Choosing the figure: which of all reported quantities is the actual, and why the others are not (DOMAIN §5)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from tracker.quantity import Interval, Quantity, running_totals, spanning, total
from tracker.rules.candidates import PLEDGE_FIGURES, Candidate, CandidateReader, Disposition, figure_of
from tracker.rules.disputes import Contradictions
from tracker.rules.pledge_history import FactInForce, View
from tracker.rules.terms import Terms
from tracker.values import STAGES, Nature, Period, Stage

_FIRMNESS: dict[Nature, int] = {"actual": 0, "provisional": 1, "estimate": 2, "projection": 3}


@dataclass(frozen=True, slots=True)
class Actual:
    """What one series says: a quantity as said, the same in the compared unit, and the figures behind it."""

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
        """The latest day that the answer covers."""
        return max(part.day for part in self.parts)

    @property
    def period(self) -> Period | None:
        """The time that the answer covers, as far as it is given."""
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
    """The chosen answer, if any, with every reading and what is wrong between them."""

    answer: Actual | None
    readings: tuple[Candidate, ...]
    projection: FactInForce | None
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

    verdicts: Mapping[str, Disposition] = field(default_factory=dict)
    """What became of a figure on the way to the answer, by event id; ``explain`` knows the rest."""

    def explain(self, reading: Candidate) -> Disposition:
        """What became of a figure, and why."""
        return reading.aside or self.verdicts.get(reading.item.id) or _passed_over(reading, self.answer)


_CHOSEN = ("chosen", "first in the order of rank, period end, tier, exactness, date and version")
_SUMMED = ("part_of_sum", "one of the increments of the sum")


def choose(view: View, terms: Terms, reader: CandidateReader | None = None) -> Choice:
    """The actual of the pledge as a whole on the view's days, by DOMAIN §5. A reader knows what it has read before."""
    items = [item for item in view.of(*PLEDGE_FIGURES) if item.figure is not None]
    measure, unit, measure_causes = _measure(items, terms)
    projection = max(
        (item for item in items if figure_of(item).nature == "projection" and _is_asked(item, measure)),
        key=lambda item: (item.said_on, item.version),
        default=None,
    )
    readings = (reader or CandidateReader()).read(items, measure, unit, terms)
    by_stage: dict[Stage, list[Candidate]] = {}
    for reading in readings:
        if reading.aside is None:
            by_stage.setdefault(reading.figure.stage, []).append(reading)
    problems = Contradictions()
    for pool in by_stage.values():
        problems.look_at(pool)
    verdicts: dict[str, Disposition] = {}
    own, pools = _question(by_stage, terms, verdicts)
    answer, causes = _answer(own, pools, _Sums(problems, verdicts, unit))
    if answer is not None:
        verdicts |= dict.fromkeys(
            (part.item.id for part in answer.parts), _SUMMED if len(answer.parts) > 1 else _CHOSEN
        )
    return Choice(
        answer=answer,
        readings=readings,
        projection=projection,
        causes=frozenset(causes | measure_causes),
        pools=pools,
        disputed=frozenset(problems.disputed),
        unit_errors=frozenset(problems.unit_errors),
        falls=frozenset(problems.falls),
        overlaps=frozenset(problems.overlaps),
        conflicts=problems.conflicts,
        verdicts=verdicts,
        corroborating=() if answer is None else _corroborating(answer.lead, by_stage[answer.lead.figure.stage]),
    )


def reached_on(choice: Choice, is_reached: Callable[[Quantity], bool]) -> tuple[date, frozenset[str]] | None:
    """The earliest day by which the figures of the question reach something, and by which events; later ones add to it.

    A running total does so by its day; of increments those up to a day together.
    """
    if choice.answer is None:
        return None
    found: list[tuple[date, frozenset[str]]] = []
    if len(choice.answer.parts) > 1:
        parts = sorted((part for part in choice.answer.parts if part.compared), key=lambda part: part.day)
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


def _measure(items: Sequence[FactInForce], terms: Terms) -> tuple[str | None, str | None, set[str]]:
    """The target's measure and unit; without a target those of the latest figure whose unit fits the kind."""
    if terms.target is not None:
        return terms.target.measure, terms.target.unit, set()
    fitting = [item for item in items if terms.fits(figure_of(item).quantity) and _is_asked(item, None)]
    latest = max(
        [item for item in fitting if figure_of(item).nature != "projection"] or fitting,
        key=lambda item: (item.said_on, item.version),
        default=None,
    )
    if latest is None:
        return None, None, set()
    quantity = figure_of(latest).quantity
    return quantity.measure, quantity.unit, set(latest.causes)


def _is_asked(item: FactInForce, measure: str | None) -> bool:
    """Whether the figure, reported or projected, is one of the whole, of the measure (of any for None)."""
    figure = figure_of(item)
    fits = measure is None or figure.quantity.measure == measure
    return fits and item.rank != "deprecated" and figure.attribution == "all"


def _question(
    by_stage: dict[Stage, list[Candidate]], terms: Terms, verdicts: dict[str, Disposition]
) -> tuple[Stage | None, dict[Stage, list[Candidate]]]:
    """The stage that is asked for, and the readings of that stage and of each firmer one."""
    firm: list[Stage] = sorted((s for s in by_stage if s != "unspecified"), key=STAGES.__getitem__)
    loose = by_stage.get("unspecified", [])
    if terms.required_stage is not None:
        required = terms.required_stage
        for reading in loose:
            verdicts[reading.item.id] = "stage", f"its stage is not given, and {required} is required"
        own: Stage | None = required
        pools = {stage: by_stage[stage] for stage in firm if STAGES[stage] >= STAGES[required]}
        for stage in firm:
            if stage not in pools:
                for reading in by_stage[stage]:
                    verdicts[reading.item.id] = "stage", f"{stage} is less than the required {required}"
        return own, pools
    own = firm[0] if firm else "unspecified" if loose else None
    pools = {stage: by_stage[stage] for stage in firm}
    if own is not None and loose:
        pools[own] = [*pools.get(own, []), *loose] if own != "unspecified" else loose
    return own, pools


@dataclass(frozen=True, slots=True)
class _Sums:
    """Where the increments are added up: the unit they are compared in, and where it is noted what is left out."""

    problems: Contradictions
    verdicts: dict[str, Disposition]
    unit: str | None


def _answer(own: Stage | None, pools: dict[Stage, list[Candidate]], sums: _Sums) -> tuple[Actual | None, set[str]]:
    """The own stage's answer, or a firmer stage's where that lies above it, read as "at least that"."""
    if own is None:
        return None, set()
    level = STAGES.get(own, -1)
    same_level = [stage for stage in pools if stage == own or STAGES.get(stage, -1) == level]
    pool = [reading for stage in same_level for reading in pools[stage]]
    best = _resolve(pool, own, sums)
    causes = _causes(best)
    for stage, readings in pools.items():
        if stage in same_level:
            causes |= _first_of(readings)
            continue
        firmer = _resolve(readings, stage, sums)
        causes |= _causes(firmer)
        if firmer is not None and (best is None or _lies_above(firmer, best)):
            best = replace(firmer, quantity=_at_least(firmer.quantity), compared=_maybe(firmer.compared))
    return best, causes


def _causes(answer: Actual | None) -> set[str]:
    return set() if answer is None else {id_ for part in answer.parts for id_ in part.item.causes}


def _first_of(readings: Iterable[Candidate]) -> set[str]:
    firm = [reading for reading in readings if reading.figure.stage != "unspecified"]
    return set(min(firm, key=lambda r: r.order).item.causes) if firm else set()


def _resolve(pool: Sequence[Candidate], stage: Stage, sums: _Sums) -> Actual | None:
    """What the readings of one stage add up to; where bases meet (a stage and the unspecified), the better one."""
    if not pool:
        return None
    lead = min(pool, key=lambda reading: reading.order)
    if lead.figure.basis != "increment":
        own: Stage = lead.figure.stage if lead.figure.stage != "unspecified" else stage
        return Actual(lead.figure.quantity, lead.compared, (lead,), own, lead.final)
    return _sum([reading for reading in pool if reading.figure.basis == "increment"], stage, sums)


def _sum(pool: Sequence[Candidate], stage: Stage, sums: _Sums) -> Actual:
    """Increments over non-overlapping periods: the same period twice corroborates, a partial overlap is left out."""
    kept: list[Candidate] = []
    spans: list[tuple[date, date, int]] = []
    for reading in sorted(pool, key=lambda reading: reading.order):
        first, last = reading.span
        place = bisect_right(spans, (last, date.max, 0))
        clash = kept[spans[place - 1][2]] if place and spans[place - 1][1] >= first else None
        if clash is not None and clash.span == reading.span:
            sums.verdicts[reading.item.id] = "corroborates", f"covers the same period as {clash.item.id}"
            continue
        if clash is not None:
            sums.verdicts[reading.item.id] = "overlap", f"its period overlaps that of {clash.item.id}"
            sums.problems.overlaps |= {*reading.item.causes, *clash.item.causes}
            continue
        spans.insert(place, (first, last, len(kept)))
        kept.append(reading)
    units = {reading.figure.quantity.unit for reading in kept}
    compared = [reading.compared for reading in kept]
    together = None if None in compared else total([c for c in compared if c is not None])
    if together is not None and (len(units) > 1 or sums.unit in units):
        quantity = together
    elif len(units) == 1:
        quantity = total([reading.figure.quantity for reading in kept])
    else:
        quantity, kept, is_bound = _sum_of_rated(kept, sums.verdicts)
        together = quantity if is_bound and quantity.unit == sums.unit else None
    return Actual(quantity, together, tuple(kept), stage, any(reading.final for reading in kept))


def _sum_of_rated(
    kept: Sequence[Candidate], verdicts: dict[str, Disposition]
) -> tuple[Quantity, list[Candidate], bool]:
    """The increments that have a rate: their sum is a lower bound, unless what has none is returned money."""
    rated = [r for r in kept if r.compared is not None] or list(kept[:1])
    quantity = total([r.compared or r.figure.quantity for r in rated])
    is_bound = True
    for reading in kept:
        if not any(reading is other for other in rated):
            verdicts[reading.item.id] = "unconverted", "no rate is published for its currency and day"
            is_bound = is_bound and reading.figure.quantity.value >= 0
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
        for reading in series:
            if reading.compared is None or reading.occasion != lead.occasion:
                continue
            if reading.compared.widened.meets(lead.compared.widened):
                found.setdefault(reading.origin, reading.item.id)
    return tuple(found.values())


_CRITERIA = ("its rank", "a later period", "the tier of its source", "exactness", "a later date", "a later version")


def _passed_over(reading: Candidate, answer: Actual | None) -> Disposition:
    if answer is None:
        return "stage", "no figure answers the question"
    lead = answer.lead
    if reading.figure.stage != lead.figure.stage and "unspecified" not in (reading.figure.stage, lead.figure.stage):
        return "stage", f"{lead.figure.stage} says more than {reading.figure.stage}"
    pairs = zip(_CRITERIA, reading.order, lead.order, strict=True)
    criterion = next((name for name, own, other in pairs if own != other), _CRITERIA[-1])
    return "outranked", f"{lead.item.id} goes before it by {criterion}"
