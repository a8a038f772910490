"""Reported figures on the way to the choice: where each stands in the order of DOMAIN §5, and whether it takes part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tracker.facts import Claim, Fact, PledgeExceeded, PledgeMet, PledgeMissed, ProgressReported
from tracker.quantity import Quantity
from tracker.rules.pledge_history import FactInForce
from tracker.rules.rates import Conversion, convert
from tracker.rules.terms import Terms
from tracker.values import TIERS, Figure, Rank, Tier

PLEDGE_FIGURES = (ProgressReported, PledgeMet, PledgeExceeded, PledgeMissed)
"""Facts whose figure is about the pledge as a whole or a part of it; a member's result is its own series."""

RANKS: dict[Rank, int] = {"preferred": 0, "normal": 1, "deprecated": 2}
"""The place of each rank in the order of DOMAIN §5."""

Disposition = tuple[str, str]
"""What becomes of a figure: the `outcome` of the figures report, and the reason in a sentence."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reported figure on the way to the choice."""

    item: FactInForce[Fact]
    figure: Figure
    day: date
    """See `day_of`."""

    compared: Quantity | None
    """The quantity in the unit that the series is compared in; None when no rate is published."""

    conversion: Conversion | None
    final: bool
    order: tuple[object, ...]
    """The order of DOMAIN §5, best first: rank, period end, tier, exactness, day it was said, version."""

    span: tuple[date, date]
    """First and last day that an increment covers."""

    occasion: tuple[object, ...]
    """What two figures of a series must share to speak of the same thing: the period, else the day."""

    low: Decimal | None
    high: Decimal | None
    """The ends of its possible values in the unit of the series, with rounding slack; None where there is none."""

    aside: Disposition | None
    """Why it takes no part in the question; None when it does."""

    @property
    def origin(self) -> str:
        """What its source quotes in the end."""
        return self.item.origin


def figure_of(item: FactInForce[Fact]) -> Figure:
    """The figure of a fact that is known to carry one."""
    assert item.figure is not None
    return item.figure


def day_of(item: FactInForce[Fact]) -> date:
    """The end of the figure's period, else the day it was first said: its place in time, and the day of its rates."""
    period = figure_of(item).period
    return period.end if period is not None and period.end is not None else item.first_said_on


class CandidateReader:
    """Makes candidates of figures, and keeps each as long as the measure, the unit and the terms stay the same."""

    def __init__(self) -> None:
        self._question: tuple[str | None, str | None, Terms] | None = None
        self._read: dict[str, Candidate] = {}

    def read(
        self, items: Iterable[FactInForce[Fact]], measure: str | None, unit: str | None, terms: Terms
    ) -> tuple[Candidate, ...]:
        """A candidate for each fact, judged as a figure of the measure and converted at the rate of its day."""
        question = (measure, unit, terms)
        if self._question != question:
            self._question, self._read = question, {}
        found = []
        for item in items:
            candidate = self._read.get(item.id)
            if candidate is None or candidate.item is not item:
                candidate = self._read[item.id] = _read(item, *question)
            found.append(candidate)
        return tuple(found)


def _read(item: FactInForce[Fact], measure: str | None, unit: str | None, terms: Terms) -> Candidate:
    figure, day = figure_of(item), day_of(item)
    compared, conversion = (None, None) if unit is None else convert(figure.quantity, unit, day)
    says_final = figure.final if figure.final is not None else isinstance(item.fact, Claim)
    period = figure.period
    ended = period is not None and terms.ended_by(period.end, item)
    final = (says_final or ended) and not terms.raised_after(item)
    tier: Tier = "other" if item.fact.source is None else item.fact.source.tier
    said_on = item.first_said_on
    return Candidate(
        item=item,
        figure=figure,
        day=day,
        compared=compared,
        conversion=conversion,
        final=final,
        order=(
            RANKS[item.rank],
            -day.toordinal(),
            TIERS[tier],
            figure.quantity.exactness,
            -item.said_on.toordinal(),
            -item.version,
        ),
        span=(said_on, said_on) if period is None else (period.start or date.min, period.end or date.max),
        occasion=("said", said_on) if period is None else ("period", period.start, period.end),
        low=None if compared is None else compared.widened.low,
        high=None if compared is None else compared.widened.high,
        aside=_aside(item, figure, measure, terms),
    )


def _aside(item: FactInForce[Fact], figure: Figure, measure: str | None, terms: Terms) -> Disposition | None:
    end = figure.period.end if figure.period is not None else None
    start = terms.window.start if terms.window is not None else None
    if figure.nature == "projection":
        return "projection", "a projection never proves delivery"
    if item.rank == "deprecated":
        return "deprecated", "a reviewer ranked it deprecated"
    if figure.quantity.measure != measure:
        return "other_measure", f"measures {figure.quantity.unit}, not what is asked"
    if figure.attribution != "all":
        return "other_attribution", f"is about {figure.attribution}, not about all"
    if start is not None and end is not None and end < start:
        return "before_window", f"its period ends before the window starts on {start}"
    return None
