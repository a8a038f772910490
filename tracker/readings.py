"""Reported figures on the way to the choice: where each stands in the order of DOMAIN §5, and whether it takes part."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from tracker.facts import PledgeExceeded, PledgeMet, PledgeMissed, ProgressReported
from tracker.quantity import Quantity
from tracker.rates import Conversion, convert
from tracker.record import Item
from tracker.terms import Terms
from tracker.values import TIERS, Figure, Rank

FIGURES = (ProgressReported, PledgeMet, PledgeExceeded, PledgeMissed)
"""Facts whose figure is about the pledge as a whole or a part of it; a member's result is its own series."""

CLAIMS = (PledgeMet, PledgeExceeded, PledgeMissed)

RANKS: dict[Rank, int] = {"preferred": 0, "normal": 1, "deprecated": 2}


@dataclass(slots=True)
class Reading:
    """One reported figure on the way to the choice. ``outcome`` says in the end whether it counts, and why (not)."""

    item: Item
    figure: Figure
    day: date
    """See ``day_of``."""

    compared: Quantity | None
    """The quantity in the unit that the series is compared in; None when no rate is published."""

    conversion: Conversion | None
    final: bool
    order: tuple[object, ...]
    """The order of DOMAIN §5, best first: rank, period end, tier, exactness, day it was said, version."""

    outcome: str = ""
    why: str = ""
    conflicts: list[str] = field(default_factory=list)

    @property
    def span(self) -> tuple[date, date]:
        """First and last day that an increment covers."""
        period = self.figure.period
        if period is None:
            return (self.item.first_said_on, self.item.first_said_on)
        return (period.start or date.min, period.end or date.max)

    @property
    def occasion(self) -> tuple[object, ...]:
        """What two figures of a series must share to speak of the same thing: the period, else the day."""
        period = self.figure.period
        return ("said", self.item.first_said_on) if period is None else ("period", period.start, period.end)

    @property
    def origin(self) -> str:
        """What is quoted in the end: the publisher unless the source names an origin."""
        source = self.item.fact.source
        return "" if source is None else source.origin or source.publisher


def figure_of(item: Item) -> Figure:
    """The figure of an item that is known to have one."""
    assert item.figure is not None
    return item.figure


def day_of(item: Item) -> date:
    """The end of the figure's period, else the day it was first said: its place in time, and the day of its rates."""
    period = figure_of(item).period
    return period.end if period is not None and period.end is not None else item.first_said_on


def read(item: Item, unit: str | None, terms: Terms) -> Reading:
    """The item's figure, compared in a unit at the rates of its day."""
    figure = figure_of(item)
    day = day_of(item)
    compared, conversion = (None, None) if unit is None else convert(figure.quantity, unit, day)
    says_final = figure.final if figure.final is not None else isinstance(item.fact, CLAIMS)
    end = figure.period.end if figure.period is not None else None
    final = (says_final or terms.ended_by(end, item)) and not terms.raised_after(item)
    tier = item.fact.source.tier if item.fact.source is not None else "other"
    order = (
        RANKS[item.rank],
        -day.toordinal(),
        TIERS[tier],
        figure.quantity.exactness,
        -item.said_on.toordinal(),
        -item.version,
    )
    return Reading(item, figure, day, compared, conversion, final, order)


def counts(reading: Reading, measure: str | None, terms: Terms) -> bool:
    """Whether the figure takes part in the question; if not, it is told why."""
    figure = reading.figure
    end = figure.period.end if figure.period is not None else None
    start = terms.window.start if terms.window is not None else None
    if figure.nature == "projection":
        reading.outcome, reading.why = "projection", "a projection never proves delivery"
    elif reading.item.rank == "deprecated":
        reading.outcome, reading.why = "deprecated", "a reviewer ranked it deprecated"
    elif figure.quantity.measure != measure:
        reading.outcome, reading.why = "other_measure", f"measures {figure.quantity.unit}, not what is asked"
    elif figure.attribution != "all":
        reading.outcome, reading.why = "other_attribution", f"is about {figure.attribution}, not about all"
    elif start is not None and end is not None and end < start:
        reading.outcome, reading.why = "before_window", f"its period ends before the window starts on {start}"
    else:
        return True
    return False
