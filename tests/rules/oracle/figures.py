"""Reported figures and their conversion (DOMAIN §3, §5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .clocks import Said
from .dates import Window, day_of
from .quantities import ABOVE, BELOW, Interval, Quantity, turned, turned_interval, with_slack

Rates = Callable[[str, date], "tuple[Decimal, date] | None"]
CLAIMS = ("PledgeMet", "PledgeExceeded", "PledgeMissed")
RUNGS = {"pledged": 0, "committed": 1, "allocated": 2, "disbursed": 3, "delivered": 3}
NATURES = {"actual": 0, "provisional": 1, "estimate": 2}
TIERS = {"official": 0, "primary": 1, "media": 2, "other": 3}
RANKS = {"preferred": 0, "normal": 1, "deprecated": 2}
EXACTNESS = {"eq": 0, "ge": 1, "gt": 1, "le": 1, "lt": 1, "between": 1, "approx": 2, "nearly": 2}
_CURRENCY = re.compile(r"[A-Z]{3}")
_CONSTANT = re.compile(r"[A-Z]{3}:constant-.*")


def is_current(unit: str) -> bool:
    """Whether a unit is a currency at current prices."""
    return _CURRENCY.fullmatch(unit) is not None


def measure_of(unit: str) -> str:
    """§5: all currencies are one measure; one at constant prices is a measure of its own."""
    return "money" if is_current(unit) else unit


def fits_kind(unit: str, kind: str) -> bool:
    """§5: money: currencies, count: `count:`, ratio: `percent:`; other kinds take any unit."""
    money = is_current(unit) or _CONSTANT.fullmatch(unit) is not None
    fitting = {"money": money, "count": unit.startswith("count:"), "ratio": unit.startswith("percent:")}
    return fitting.get(kind, True)


@dataclass(frozen=True)
class Figure:
    """One reported figure; `quantity` is in the baseline's unit where it was said relative to it."""

    event: str
    version: int
    kind: str
    day: date
    said: date
    rank: str
    quantity: Quantity
    slacked: Interval
    equivalent: Quantity | None
    stage: str
    basis: str
    nature: str
    attribution: str
    start: date | None
    end: date | None
    has_period: bool
    says_final: bool | None
    publisher: str
    origin: str
    reference: str | None
    tier: str

    @property
    def dated(self) -> date:
        """§5: the period's end, else `stated_on` (its last day)."""
        return self.end or self.day

    @property
    def span(self) -> tuple[date, date]:
        """The time covered; without a start it reaches back without end (an increment without a period: its day)."""
        if self.basis == "increment" and not self.has_period:
            return self.day, self.day
        return self.start or date.min, max(self.dated, self.start or date.min)

    def overlaps(self, other: Figure) -> bool:
        """Whether two periods have a day in common."""
        return self.span[0] <= other.span[1] and other.span[0] <= self.span[1]

    def covers(self, other: Figure) -> bool:
        """Whether the period holds all of the other's."""
        return self.span[0] <= other.span[0] and other.span[1] <= self.span[1]

    def same_period(self, other: Figure) -> bool:
        """§5 and POINTS: figures without a period only when stated on one day."""
        if self.basis == "increment" and other.basis == "increment":
            return self.span == other.span
        if self.has_period != other.has_period:
            return False
        if not self.has_period:
            return self.day == other.day
        return (self.start, self.end) == (other.start, other.end)

    def shares_reference(self, other: Figure) -> bool:
        """Whether both carry the publisher's id of one transaction."""
        return self.reference is not None and self.reference == other.reference


def read_figure(said: Said, baseline: Quantity | None) -> Figure | None:
    """The figure of a fact; one relative to a baseline that is not known is listed and not chosen."""
    raw = said.figure
    if raw is None:
        return None
    quantity = Quantity.read(raw["quantity"])
    slacked = with_slack(quantity)
    if quantity.unit in (BELOW, ABOVE):
        if baseline is None:
            return None
        slacked = turned_interval(slacked, quantity.unit, baseline)
        quantity = turned(quantity, baseline)
    period: dict[str, Any] = raw.get("period") or {}
    source: dict[str, Any] = said.fact.get("source") or {}
    return Figure(
        event=said.id,
        version=said.version,
        kind=said.type,
        day=said.day,
        said=said.said,
        rank=said.rank,
        quantity=quantity,
        slacked=slacked,
        equivalent=None if raw.get("equivalent") is None else Quantity.read(raw["equivalent"]),
        stage=raw.get("stage", "unspecified"),
        basis=raw["basis"],
        nature=raw.get("nature", "actual"),
        attribution=raw.get("attribution", "all"),
        start=day_of(period.get("start")),
        end=day_of(period.get("end")),
        has_period=bool(period),
        says_final=raw.get("final"),
        publisher=source.get("publisher", ""),
        origin=source.get("origin") or source.get("publisher", ""),
        reference=source.get("reference"),
        tier=source.get("tier", "other"),
    )


def rate_day(figure: Figure) -> date:
    """§3: the period's end or the day it was first said, whichever is earlier."""
    return min(figure.end, figure.day) if figure.end is not None else figure.day


def per_euro(currency: str, day: date, rates: Rates) -> tuple[Fraction, date] | None:
    """The rate as published, units per euro."""
    if currency == "EUR":
        return Fraction(1), day
    found = rates(currency, day)
    return None if found is None else (Fraction(found[0]), found[1])


@dataclass(frozen=True)
class Converted:
    """A figure in another unit; `how` is None where nothing was converted."""

    quantity: Quantity
    slacked: Interval
    how: dict[str, Any] | None


def convert(figure: Figure, unit: str, rates: Rates) -> Converted | None:
    """§3, Money across currencies: None where the figure cannot be compared in that unit."""
    source = figure.quantity.unit
    if source == unit:
        return Converted(figure.quantity, figure.slacked, None)
    if not is_current(source) or not is_current(unit):
        return None
    how: dict[str, Any] = {"from": source, "to": unit}
    if figure.equivalent is not None and figure.equivalent.unit == unit:
        return Converted(figure.equivalent, with_slack(figure.equivalent), how | {"provider": "source"})
    of, to = per_euro(source, rate_day(figure), rates), per_euro(unit, rate_day(figure), rates)
    if of is None or to is None:
        return None
    factor = to[0] / of[0]
    published = of if unit == "EUR" else to if source == "EUR" else None
    how |= {"provider": "ECB"}
    if published is not None:
        how |= {"rate": published[0], "date": published[1].isoformat()}
    return Converted(figure.quantity.scaled(factor, unit), figure.slacked.scaled(factor), how)


def common(a: Figure, b: Figure, unit: str, rates: Rates) -> tuple[Interval, Interval] | None:
    """§3 and POINTS: two figures side by side after slack; those of one currency are never converted."""
    if a.quantity.unit == b.quantity.unit:
        return a.slacked, b.slacked
    one, other = convert(a, unit, rates), convert(b, unit, rates)
    return None if one is None or other is None else (one.slacked, other.slacked)


def is_before(figure: Figure, window: Window | None) -> bool:
    """§5: figures whose period ends before the window starts are left out."""
    return window is not None and window.start is not None and figure.end is not None and figure.end < window.start


def order(figure: Figure, comparable: bool) -> tuple[int, ...]:
    """§5, Order."""
    return (
        RANKS[figure.rank],
        0 if comparable else 1,
        -figure.dated.toordinal(),
        NATURES[figure.nature],
        TIERS[figure.tier],
        EXACTNESS[figure.quantity.op],
        -figure.day.toordinal(),
        -figure.version,
    )
