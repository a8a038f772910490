"""Reported figures on the way to the choice: where each stands in the order of DOMAIN §5, and whether it takes part."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from tracker.facts import Claim, PledgeExceeded, PledgeMet, PledgeMissed, ProgressReported
from tracker.promise_facts import Fact
from tracker.promises import RELATIVE_UNITS
from tracker.quantity import Interval, Quantity
from tracker.rules.rates import SOURCE, Conversion, convert, factor
from tracker.rules.terms import turned, turned_interval
from tracker.rules.views import FactInForce
from tracker.values import TIERS, Figure, Nature, Rank, Tier

PLEDGE_FIGURES = (ProgressReported, PledgeMet, PledgeExceeded, PledgeMissed)
"""Facts whose figure is about the pledge as a whole or a part of it; a member's result is its own series."""

RANKS: dict[Rank, int] = {"preferred": 0, "normal": 1, "deprecated": 2}
NATURES: dict[Nature, int] = {"actual": 0, "provisional": 1, "estimate": 2, "projection": 3}
"""The place of each rank and nature in the order of DOMAIN §5."""

Disposition = tuple[str, str]
"""What becomes of a figure: the `outcome` of the figures report, and the reason in a sentence."""


class Asked(NamedTuple):
    """What is asked of every figure: of what measure, to be compared in what unit, from when on, turned by what."""

    measure: str | None
    unit: str | None
    """The target's unit; None without a target, when nothing has to be compared."""

    since: date | None
    """The start of the window."""

    base: Quantity | None
    """The number of the baseline, by which figures said as a share of it are turned."""


class Candidate(NamedTuple):
    """One reported figure on the way to the choice."""

    item: FactInForce[Fact]
    figure: Figure
    quantity: Quantity
    """The amount in its source's unit; a share of the baseline is turned into an amount."""

    slack: Interval
    """Its possible values with rounding slack, in the unit of `quantity`."""

    day: date
    """See `day_of`."""

    compared: Quantity | None
    """The quantity in the target's unit; None without a target, and when no rate is published."""

    conversion: Conversion | None
    order: tuple[int, ...]
    """The order of DOMAIN §5, best first: rank, comparable, period end, nature, tier, exactness, day said, version."""

    span: tuple[date, date]
    """First and last day that it covers; a total without a start reaches back without end."""

    occasion: tuple[object, ...]
    """What two figures of a series must share to speak of the same thing: the period, else the day."""

    aside: Disposition | None
    """Why it takes no part in the question; None when it does."""

    origin: str
    """What its source quotes in the end."""

    reference: str | None
    """The publisher's own id of the one transaction that it reports."""

    @property
    def publisher(self) -> str:
        """Who published it; empty without a source."""
        return "" if self.item.fact.source is None else self.item.fact.source.publisher

    @property
    def says_final(self) -> bool | None:
        """What the figure says of itself; a claim is final unless it says otherwise."""
        if self.figure.final is None and isinstance(self.item.fact, Claim):
            return True
        return self.figure.final

    @property
    def end(self) -> date | None:
        """The last day of its period, if that is given."""
        return None if self.figure.period is None else self.figure.period.end

    @property
    def place(self) -> tuple[date, date, int]:
        """Its place in time among the parts of a sum: the day it ends, the day it was said, and its version."""
        return self.day, self.item.said_on, self.item.first_version

    def slack_in(self, unit: str) -> Interval | None:
        """Its possible values with slack in another currency, at the rates of its own day; None without a rate.

        Slack is taken in the source's digits, before any conversion (DOMAIN §3).
        """
        if self.quantity.unit == unit:
            return self.slack
        equivalent = self.figure.equivalent
        if equivalent is not None and equivalent.unit == unit:
            return equivalent.widened
        if ":" in unit or ":" in self.quantity.unit:
            return None
        rate = factor(self.quantity.unit, unit, rate_day(self.item))
        return None if rate is None else self.slack.times(*rate)

    def in_unit(self, unit: str) -> tuple[Quantity | None, Conversion | None]:
        """The amount in another unit and how it became so, by the source's own equivalent or the rates of its day."""
        return amount_in(self.quantity, self.figure.equivalent, unit, self.item)


BY_ORDER = attrgetter("order")
"""The key by which candidates are sorted, best first."""


def figure_of(item: FactInForce[Fact]) -> Figure:
    """The figure of a fact that is known to carry one."""
    assert item.figure is not None
    return item.figure


def day_of(item: FactInForce[Fact]) -> date:
    """The end of the figure's period, else the day it was first said: its place in time."""
    period = figure_of(item).period
    return period.end if period is not None and period.end is not None else item.first_said_on


def rate_day(item: FactInForce[Fact]) -> date:
    """The day whose rates convert it: a replay never knows a later one than that of the day it was first said."""
    return min(day_of(item), item.first_said_on)


def amount_in(
    quantity: Quantity, equivalent: Quantity | None, unit: str, item: FactInForce[Fact]
) -> tuple[Quantity | None, Conversion | None]:
    """A quantity in another unit: what the source says it comes to, else at the rates of the day (DOMAIN §3)."""
    if equivalent is not None and equivalent.unit == unit != quantity.unit:
        return equivalent, Conversion(quantity.unit, unit, provider=SOURCE)
    return convert(quantity, unit, rate_day(item))


class CandidateReader:
    """Makes candidates of figures, and keeps each as long as the question stays the same."""

    def __init__(self) -> None:
        self._question: Asked | None = None
        self._read: dict[str, Candidate] = {}

    def read(self, items: Iterable[FactInForce[Fact]], question: Asked) -> tuple[Candidate, ...]:
        """A candidate for each fact, judged as an answer to the question."""
        if self._question != question:
            self._question, self._read = question, {}
        found = []
        for item in items:
            candidate = self._read.get(item.id)
            if candidate is None or candidate.item is not item:
                candidate = self._read[item.id] = read_candidate(item, question)
            found.append(candidate)
        return tuple(found)


def read_candidate(item: FactInForce[Fact], question: Asked) -> Candidate:
    """The figure of a fact as an answer to the question."""
    figure = figure_of(item)
    quantity, slack = figure.quantity, figure.quantity.widened
    if quantity.unit in RELATIVE_UNITS and question.base is not None:
        slack = turned_interval(slack, quantity.unit, question.base)
        quantity = turned(quantity, question.base)
    period, day, said_on = figure.period, day_of(item), item.first_said_on
    compared, conversion = None, None
    if question.unit is not None:
        compared, conversion = amount_in(quantity, figure.equivalent, question.unit, item)
    is_comparable = question.unit is None or compared is not None
    tier: Tier = "other" if item.fact.source is None else item.fact.source.tier
    if period is None:
        span = (said_on if figure.basis == "increment" else date.min, said_on)
    else:
        start = period.start or date.min
        span = (start, max(day, start))
    return Candidate(
        item=item,
        figure=figure,
        quantity=quantity,
        slack=slack,
        day=day,
        compared=compared,
        conversion=conversion,
        order=(
            RANKS[item.rank],
            0 if is_comparable else 1,
            -day.toordinal(),
            NATURES[figure.nature],
            TIERS[tier],
            figure.quantity.exactness,
            -said_on.toordinal(),
            -item.first_version,
        ),
        span=span,
        occasion=_occasion(figure, span, said_on),
        aside=_aside(item, figure, quantity, question),
        origin=item.origin,
        reference=None if item.fact.source is None else item.fact.source.reference,
    )


def _occasion(figure: Figure, span: tuple[date, date], said_on: date) -> tuple[object, ...]:
    if figure.basis == "increment":
        return ("period", None if span[0] == date.min else span[0], span[1])
    return ("said", said_on) if figure.period is None else ("period", figure.period.start, figure.period.end)


def _aside(item: FactInForce[Fact], figure: Figure, quantity: Quantity, question: Asked) -> Disposition | None:
    end = figure.period.end if figure.period is not None else None
    if figure.nature == "projection":
        return "projection", "a projection never proves delivery"
    if item.rank == "deprecated":
        return "deprecated", "a reviewer ranked it deprecated"
    if quantity.unit in RELATIVE_UNITS:
        return "no_baseline", "it is said against a baseline that is not known"
    if quantity.measure != question.measure:
        return "other_measure", f"measures {quantity.unit}, not what is asked"
    if figure.attribution != "all":
        return "other_attribution", f"is about {figure.attribution}, not about all"
    if question.since is not None and end is not None and end < question.since:
        return "before_window", f"its period ends before the window starts on {question.since}"
    return None
