"""Choosing the figure (DOMAIN §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

from .dates import Window, is_whole_year
from .figures import (
    RUNGS,
    Figure,
    Rates,
    common,
    convert,
    fits_kind,
    is_before,
    is_current,
    measure_of,
    order,
)
from .quantities import Quantity, floor_of, total
from .terms import Terms

DUPLICATE_DAYS = 60


@dataclass
class Choice:
    """The figure that answers: what it sums, how it is shown and what it comes to in the target's unit."""

    parts: list[Figure]
    shown: Quantity
    compared: Quantity | None
    how: dict[str, Any] | None
    stage: str
    added: bool = False
    overlap: bool = False
    duplicate: bool = False
    pool: list[Figure] = field(default_factory=list)

    @property
    def lead(self) -> Figure:
        """POINTS, Final: the part with the latest end."""
        return max(self.parts, key=lambda f: (f.dated, f.said, f.version))

    @property
    def basis(self) -> str:
        """The basis of its series."""
        return self.parts[0].basis


def standing(figures: list[Figure], window: Window | None) -> list[Figure]:
    """§5: leave out deprecated figures, projections, and figures whose period ends before the window starts."""
    return [
        f
        for f in figures
        if f.attribution == "all" and f.rank != "deprecated" and f.nature != "projection" and not is_before(f, window)
    ]


def measure(figures: list[Figure], terms: Terms) -> str | None:
    """§5: the target's measure; without a target that of the latest figure whose unit fits the kind."""
    if terms.target is not None:
        return measure_of(terms.target.unit)
    fitting = [f for f in figures if fits_kind(f.quantity.unit, terms.fixed["kind"])]
    if not fitting:
        return None
    return measure_of(max(fitting, key=lambda f: (f.day, f.version)).quantity.unit)


def series(figures: list[Figure], terms: Terms) -> list[tuple[str, list[Figure]]]:
    """§5: the own stage's figures first, then each higher stage's; `unspecified` joins where none is required."""
    required = terms.get("required_stage")
    firm = [f for f in figures if f.stage != "unspecified"]
    if required is not None:
        lowest = RUNGS[required]
        stages = sorted({f.stage for f in firm if RUNGS[f.stage] > lowest}, key=lambda s: (RUNGS[s], s))
        own = [f for f in firm if RUNGS[f.stage] == lowest]
        return [(required, own), *((s, [f for f in firm if f.stage == s]) for s in stages)]
    stages = sorted({f.stage for f in firm if f.stage != "pledged"}, key=lambda s: (RUNGS[s], s))
    loose = [f for f in figures if f.stage == "unspecified"]
    if not stages:
        return [("unspecified", loose)]
    own = [f for f in figures if f.stage in (stages[0], "unspecified")]
    return [(stages[0], own), *((s, [f for f in firm if f.stage == s]) for s in stages[1:])]


def asked(figures: list[Figure], terms: Terms, window: Window | None) -> list[tuple[str, list[Figure]]]:
    """The series that may answer the question, the own stage's first."""
    left = standing(figures, window)
    of = measure(left, terms)
    return series([f for f in left if measure_of(f.quantity.unit) == of], terms)


def announced(figures: list[Figure], terms: Terms, window: Window | None) -> list[Figure]:
    """§5: promising is not doing; figures at stage `pledged` are listed where it is not required."""
    if terms.get("required_stage") == "pledged":
        return []
    return [f for f in standing(figures, window) if f.stage == "pledged"]


def choose(figures: list[Figure], terms: Terms, window: Window | None, rates: Rates) -> Choice | None:
    """§5: a higher stage replaces the own-stage figure only where it lies above it."""
    rungs = asked(figures, terms, window)
    best: Choice | None = None
    for place, (stage, members) in enumerate(rungs):
        if not members:
            continue
        taken = take(stage, members, terms, rates)
        taken.pool = members
        taken.stage = stage if taken.parts[0].stage == "unspecified" else taken.parts[0].stage
        if place > 0:
            taken.shown = floor_of(taken.shown)
            taken.compared = None if taken.compared is None else floor_of(taken.compared)
        if best is None or lies_above(taken, best, terms, rates):
            best = taken
    return best


def in_euros(choice: Choice, rates: Rates) -> Quantity | None:
    """What the parts come to in euros, each at its own day; None where one has no rate."""
    done = [convert(part, "EUR", rates) for part in choice.parts]
    known = [one.quantity for one in done if one is not None]
    return total(known, "EUR") if len(known) == len(done) else None


def lies_above(higher: Choice, own: Choice, terms: Terms, rates: Rates) -> bool:
    """POINTS: by comparing low ends; what can be compared with the target goes before what cannot."""
    if terms.target is not None and (higher.compared is None) != (own.compared is None):
        return own.compared is None
    a, b = higher.shown, own.shown
    if a.unit != b.unit:
        if higher.compared is None or own.compared is None:
            in_euro = [in_euros(choice, rates) for choice in (higher, own)]
            if in_euro[0] is None or in_euro[1] is None:
                return False
            a, b = in_euro
        else:
            a, b = higher.compared, own.compared
    low, other = a.interval, b.interval
    if low.low is None or other.low is None:
        return other.low is None and low.low is not None
    return low.low > other.low or (low.low == other.low and low.low_open and not other.low_open)


def take(stage: str, members: list[Figure], terms: Terms, rates: Rates) -> Choice:
    """§5: level: take the first; cumulative and increments: the parts that count."""
    unit = None if terms.target is None else terms.target.unit
    ordered = sorted(members, key=lambda f: order(f, unit is None or convert(f, unit, rates) is not None))
    ordered = [f for f in ordered if f.basis == ordered[0].basis]
    match ordered[0].basis:
        case "level":
            return summed(stage, ordered[:1], unit, rates)
        case "cumulative":
            parts = totals(ordered)
            choice = summed(stage, parts, unit, rates)
            choice.added = len(parts) > 1
            return choice
    parts, overlap = increments(ordered)
    choice = summed(stage, parts, unit, rates)
    choice.overlap = overlap
    choice.duplicate = any(is_suspected(a, b) and a.rank == b.rank == "normal" for a, b in combinations(parts, 2))
    return choice


def totals(ordered: list[Figure]) -> list[Figure]:
    """§5: a total replaces every earlier one it overlaps; whole years add up; of shorter ones the later counts."""
    apart: list[Figure] = []
    for figure in ordered:
        if not any(figure.overlaps(other) for other in apart):
            apart.append(figure)
    years = [f for f in apart if is_whole_year(f.start, f.span[1])]
    shorter = [f for f in apart if f not in years][:1]
    if not shorter:
        return years
    part_of_whole = any(year.span[1] < shorter[0].span[0] for year in years)
    if part_of_whole:
        return [f for f in apart if f in years or f in shorter]
    return shorter if apart[0] is shorter[0] else years


def is_one_transaction(a: Figure, b: Figure) -> bool:
    """§5: increments with one reference are one if of different publishers or of the same period."""
    return a.shares_reference(b) and (a.publisher != b.publisher or a.same_period(b))


def is_suspected(a: Figure, b: Figure) -> bool:
    """§5: the same quantity, two origins, no common reference, days within 60 days."""
    near = abs((a.dated - b.dated).days) <= DUPLICATE_DAYS
    return a.quantity == b.quantity and a.origin != b.origin and not a.shares_reference(b) and near


def increments(ordered: list[Figure]) -> tuple[list[Figure], bool]:
    """§5: the sum over non-overlapping periods, and whether a partial overlap was left out."""
    parts: list[Figure] = []
    overlap = False
    for figure in ordered:
        if any(is_one_transaction(figure, p) or figure.same_period(p) for p in parts):
            continue
        if any(is_suspected(figure, p) and p.rank == "preferred" != figure.rank for p in parts):
            continue
        if any(figure.overlaps(p) for p in parts):
            overlap = True
            continue
        parts.append(figure)
    return parts, overlap


def summed(stage: str, parts: list[Figure], unit: str | None, rates: Rates) -> Choice:
    """§5, POINTS Conversion: a part without a rate is left out and the sum reads `ge`."""
    if len(parts) == 1:
        done = None if unit is None else convert(parts[0], unit, rates)
        compared = None if done is None else done.quantity
        return Choice(parts, parts[0].quantity, compared, None if done is None else done.how, stage)
    into = unit
    if into is None:
        into = parts[0].quantity.unit if len({p.quantity.unit for p in parts}) == 1 else "EUR"
    converted = [(p, done) for p in parts if (done := convert(p, into, rates)) is not None]
    if not converted:
        into = parts[0].quantity.unit
        converted = [(p, done) for p in parts if (done := convert(p, into, _none)) is not None]
    counted = [p for p, _ in converted]
    in_target = total([done.quantity for _, done in converted], into)
    units = {p.quantity.unit for p in counted}
    shown = total([p.quantity for p in counted], units.pop()) if len(units) == 1 else in_target
    if len(counted) < len(parts):
        shown, in_target = floor_of(shown), floor_of(in_target)
    hows = [done.how for _, done in converted if done.how is not None]
    comparable = unit is not None and into == unit
    lead_how = next((done.how for p, done in converted if p is latest(counted) and done.how), None)
    how = (lead_how or (hows[0] if hows else None)) if comparable else None
    return Choice(counted, shown, in_target if comparable else None, how, stage)


def latest(parts: list[Figure]) -> Figure:
    """The part with the latest end."""
    return max(parts, key=lambda f: (f.dated, f.said, f.version))


def _none(currency: str, day: date) -> None:
    return None


def comparing_unit(terms: Terms) -> str:
    """POINTS: disputes across currencies are judged in the target's currency, else EUR."""
    return terms.target.unit if terms.target is not None and is_current(terms.target.unit) else "EUR"


def disagreements(rungs: list[tuple[str, list[Figure]]], terms: Terms, rates: Rates) -> set[str]:
    """§5: the flags that pairs of figures of one series set."""
    flags: set[str] = set()
    unit = comparing_unit(terms)
    for _, members in rungs:
        for a, b in combinations(sorted(members, key=lambda f: (f.span[1], f.version)), 2):
            if a.rank != b.rank or a.shares_reference(b) or is_settled(a, b, members):
                continue
            if a.same_period(b):
                flags |= clash(a, b, unit, rates)
            elif a.basis == b.basis == "cumulative" and a.span[1] < b.span[1] and b.covers(a):
                sides = common(a, b, unit, rates)
                if sides is not None and sides[1].lies_below(sides[0]):
                    flags |= {"falling_total", "disputed"}
    return flags


def is_settled(a: Figure, b: Figure, members: list[Figure]) -> bool:
    """A reviewer who preferred a third figure of the same period has settled what the other two dispute."""
    return a.rank == "normal" and any(
        f.rank == "preferred" and f.same_period(a) and f.same_period(b) for f in members if f not in (a, b)
    )


def clash(a: Figure, b: Figure, unit: str, rates: Rates) -> set[str]:
    """§5: two figures of one period that do not meet after slack; the same digits in two currencies."""
    flags: set[str] = set()
    one, other = a.quantity, b.quantity
    two_currencies = is_current(one.unit) and is_current(other.unit) and one.unit != other.unit
    if two_currencies and one.value == other.value != 0:
        flags.add("suspected_unit_error")
    sides = common(a, b, unit, rates)
    if sides is not None and not sides[0].meets(sides[1]):
        flags.add("disputed")
    return flags


def is_corroborated(part: Figure, pool: list[Figure], terms: Terms, rates: Rates) -> bool:
    """§5, §6: two origins whose figures of one series and period meet after slack."""
    origins = {part.origin}
    for other in pool:
        one = part.same_period(other) or (part.basis == other.basis == "increment" and part.shares_reference(other))
        sides = common(part, other, comparing_unit(terms), rates)
        if one and sides is not None and sides[0].meets(sides[1]):
            origins.add(other.origin)
    return len(origins) > 1
