"""Sums over pledges: exact, with their bounds, and never a part beside its whole (DOMAIN §6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from projections.fold import SummaryAmount, SummaryAmounts, read_amounts
from tracker.quantity import EXACT, Interval, plain, spanning
from tracker.rules.rates import convert
from tracker.rules.replayed import STALE_FLAG

_CENT = Decimal("0.01")
_NOTHING = Interval(Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class Pledged:
    """The columns of one pledge that a summary adds up and groups by."""

    pledge: str
    status: str
    flags: tuple[str, ...]
    kind: str
    unit: str | None
    keys: Mapping[str, tuple[str, ...]]
    amounts: SummaryAmounts

    @classmethod
    def of(cls, row: Any, *, stale: bool) -> Pledged:
        """The pledge of a row of `queries.amounts`; `stale` if one of its events is parked."""
        flags, amounts = _listed(row.flags), read_amounts(row.amounts)
        return cls(
            pledge=row.pledge,
            status=row.status,
            flags=(*flags, STALE_FLAG) if stale else flags,
            kind=row.kind,
            unit=row.unit,
            keys={
                "pledgor": ("+".join(name for name, _ in amounts.sharing) or row.pledgor,),
                "beneficiary": () if row.beneficiary is None else (row.beneficiary,),
                "tag": _listed(row.tags),
                "kind": (row.kind,),
                "rating": () if row.rating is None else (row.rating,),
            },
            amounts=amounts,
        )

    def under(self, by: str) -> Iterator[tuple[str, Pledged]]:
        """The pledge under each of its keys; what several promised with known shares is apportioned among them."""
        shares = [(name, share) for name, share in self.amounts.sharing if share is not None]
        if by == "pledgor" and shares and len(shares) == len(self.amounts.sharing):
            for name, share in shares:
                yield name, replace(self, amounts=self.amounts.share(share))
            return
        for key in self.keys[by]:
            yield key, self


def summarize(
    pledges: Iterable[Pledged], whole: Mapping[str, str], by: str | None = None, currency: str | None = None
) -> dict[str, Any]:
    """The summary of API.md. `whole` has, for every pledge that is part of another, the name of that other one.

    A part is left out of the sums of a selection (or group) that has its whole, or the whole of that, in it. Of the
    pledges only such parts are kept in memory until the end.
    """
    wholes = frozenset(whole.values())
    together, groups = _Group(whole, wholes, currency), dict[str, _Group]()
    for pledge in pledges:
        together.add(pledge)
        if by is not None:
            for key, part in pledge.under(by):
                if key not in groups:
                    groups[key] = _Group(whole, wholes, currency)
                groups[key].add(part)
    summary = together.document()
    if by is not None:
        summary["groups"] = [{"key": key, **groups[key].document()} for key in sorted(groups)]
    return summary


@dataclass(slots=True)
class _Sum:
    """Amounts of one unit, added up as intervals. A single one stays as it was stated."""

    count: int = 0
    only: SummaryAmount | None = None
    interval: Interval = _NOTHING

    def add(self, amount: SummaryAmount) -> None:
        """Add one more."""
        self.only = None if self.count else amount
        self.count += 1
        self.interval = self.interval.plus(amount.interval)

    def document(self, unit: str, *, cents: bool = False) -> dict[str, str] | None:
        """The sum as JSON, rounded half-even to cents if `cents`; None for no amounts, and without any bound."""
        if self.count == 0:
            return None
        added = self.only
        if added is None:
            try:
                added = SummaryAmount.of(spanning(self.interval, unit))
            except ValueError:
                return None
        shown = {
            name: plain(value.quantize(_CENT, context=EXACT) if cents else value)
            for name, value in (("value", added.value), ("upper", added.upper))
            if value is not None
        }
        ends = {} if added.open is None else {"open": added.open}
        return {"op": added.op, **shown, "unit": added.unit, **ends}


@dataclass(slots=True)
class _Total:
    """Targets and actuals of the pledges in one unit."""

    pledges: int = 0
    reported: int = 0
    compared: int = 0
    unconverted: int = 0
    target: _Sum = field(default_factory=_Sum)
    actual: _Sum = field(default_factory=_Sum)
    compared_target: _Sum = field(default_factory=_Sum)
    compared_actual: _Sum = field(default_factory=_Sum)
    is_converted: bool = False

    def add(self, amounts: SummaryAmounts, unit: str) -> None:
        """Count a pledge, and add its amounts unless they are percentages or a level.

        Its actual counts as far as it is, or could be converted, in the unit.
        """
        target, actual = amounts.target, None
        for amount in (amounts.actual, amounts.converted):
            if amount is not None and amount.unit == unit:
                actual = amount
                break
        self.pledges += 1
        self.reported += actual is not None
        self.compared += target is not None and actual is not None
        if amounts.actual is not None and actual is None:
            self.unconverted += 1
        if unit.startswith("percent:") or amounts.is_level:
            return
        if amounts.actual is not None and amounts.actual.unit != unit:
            self.is_converted = True
        if target is not None:
            self.target.add(target)
        if actual is not None:
            self.actual.add(actual)
        if target is not None and actual is not None:
            self.compared_target.add(target)
            self.compared_actual.add(actual)

    def document(self, unit: str) -> dict[str, Any]:
        """As JSON."""
        cents = self.is_converted
        return {
            "unit": unit,
            "pledges": self.pledges,
            "reported": self.reported,
            "target": self.target.document(unit),
            "actual": self.actual.document(unit, cents=cents),
            "compared": {
                "pledges": self.compared,
                "target": self.compared_target.document(unit),
                "actual": self.compared_actual.document(unit, cents=cents),
            },
            "unconverted": self.unconverted,
        }


@dataclass(slots=True)
class _Converted:
    """Sums of money in one currency, at the rates of the day of each figure, and the pledges that have no rate."""

    target: _Sum = field(default_factory=_Sum)
    actual: _Sum = field(default_factory=_Sum)
    rates: dict[tuple[str, str, date], dict[str, Any]] = field(default_factory=dict)
    unconverted: set[str] = field(default_factory=set)

    def add(self, pledge: str, amounts: SummaryAmounts, currency: str) -> None:
        """Add the money of a pledge."""
        for amount, added in ((amounts.target, self.target), (amounts.actual, self.actual)):
            if amount is None or ":" in amount.unit or amounts.is_level:
                continue
            converted, how = convert(amount.quantity, currency, amounts.rates_of)
            own = amounts.converted if added is self.actual else None
            if own is not None and own.unit == currency and (converted is None or SummaryAmount.of(converted) != own):
                # A sum of increments: the status converts each at the rates of its own day, and lists those.
                added.add(own)
                continue
            if converted is None:
                self.unconverted.add(pledge)
                continue
            added.add(SummaryAmount.of(converted))
            if how is not None and how.rate is not None and how.date is not None:
                self.rates[how.from_unit, how.to_unit, how.date] = {
                    "from": how.from_unit,
                    "to": how.to_unit,
                    "rate": plain(how.rate),
                    **({} if how.to_rate is None else {"to_rate": plain(how.to_rate)}),
                    "date": how.date.isoformat(),
                    "provider": how.provider,
                }

    def document(self, currency: str) -> dict[str, Any]:
        """As JSON."""
        return {
            "unit": currency,
            "target": self.target.document(currency, cents=True),
            "actual": self.actual.document(currency, cents=True),
            "rates": [self.rates[key] for key in sorted(self.rates)],
            "unconverted": sorted(self.unconverted),
        }


@dataclass(slots=True)
class _Group:
    """Counts and sums of the pledges of one selection so far."""

    whole: Mapping[str, str]
    wholes: frozenset[str]
    currency: str | None
    selected: set[str] = field(default_factory=set)
    """The pledges of the selection that others are part of."""

    parts: list[Pledged] = field(default_factory=list)
    by_status: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    totals: dict[str, _Total] = field(default_factory=dict)
    converted: _Converted = field(default_factory=_Converted)

    def add(self, pledge: Pledged) -> None:
        """Count a pledge, and add it up unless it may be part of another one here."""
        self.by_status[pledge.status] += 1
        self.by_kind[pledge.kind] += 1
        self.flags.update(pledge.flags)
        if pledge.pledge in self.wholes:
            self.selected.add(pledge.pledge)
        if pledge.pledge in self.whole:
            self.parts.append(pledge)
        else:
            self._sum(pledge)

    def document(self) -> dict[str, Any]:
        """The counts and sums of all that was added."""
        for part in self.parts:
            if not self._is_in_its_whole(part.pledge):
                self._sum(part)
        self.parts.clear()
        return {
            "by_status": dict(sorted(self.by_status.items())),
            "by_kind": dict(sorted(self.by_kind.items())),
            "flags": dict(sorted(self.flags.items())),
            "totals": [self.totals[unit].document(unit) for unit in sorted(self.totals)],
            **({} if self.currency is None else {"converted": self.converted.document(self.currency)}),
        }

    def _sum(self, pledge: Pledged) -> None:
        if pledge.unit is not None:
            self.totals.setdefault(pledge.unit, _Total()).add(pledge.amounts, pledge.unit)
        if self.currency is not None:
            self.converted.add(pledge.pledge, pledge.amounts, self.currency)

    def _is_in_its_whole(self, pledge: str) -> bool:
        chain = [pledge]
        while (above := self.whole.get(chain[-1])) is not None and above not in chain:
            chain.append(above)
        # A pledge that is part of itself, by way of others, is no part: else none of them would be added.
        return above != pledge and not self.selected.isdisjoint(chain[1:])


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.strip(",").split(",")) if text else ()
