"""Sums over pledges: exact, with their bounds, and never a part beside its whole (DOMAIN §6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from projections.fold import Amounts, read_amounts
from projections.queries import STALE
from tracker.quantity import EXACT, Quantity, plain, total
from tracker.rates import convert

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Pledged:
    """What a summary needs to know of one pledge."""

    pledge: str
    status: str
    flags: tuple[str, ...]
    kind: str
    unit: str | None
    part_of: str | None
    keys: Mapping[str, tuple[str, ...]]
    amounts: Amounts

    @classmethod
    def of(cls, row: Any, *, stale: bool) -> Pledged:
        """From a row of ``queries.amounts``."""
        flags = _listed(row.flags)
        return cls(
            pledge=row.pledge,
            status=row.status,
            flags=(*flags, STALE) if stale else flags,
            kind=row.kind,
            unit=row.unit,
            part_of=row.part_of,
            keys={
                "pledgor": (row.pledgor,),
                "beneficiary": () if row.beneficiary is None else (row.beneficiary,),
                "tag": _listed(row.tags),
            },
            amounts=read_amounts(row.amounts),
        )


def summarize(
    pledges: Sequence[Pledged], whole: Mapping[str, str], by: str | None = None, currency: str | None = None
) -> dict[str, Any]:
    """The summary of API.md. ``whole`` names, for every pledge that is part of another, that other one.

    A part is left out of the sums of a selection (or group) that has its whole, or the whole of that, in it.
    """
    summary = _summary(pledges, whole, currency)
    if by is not None:
        groups: dict[str, list[Pledged]] = {}
        for pledge in pledges:
            for key in pledge.keys[by]:
                groups.setdefault(key, []).append(pledge)
        summary["groups"] = [{"key": key, **_summary(groups[key], whole, currency)} for key in sorted(groups)]
    return summary


def _summary(pledges: Sequence[Pledged], whole: Mapping[str, str], currency: str | None) -> dict[str, Any]:
    selected = {p.pledge for p in pledges}
    added = [p for p in pledges if not _is_part(p.pledge, whole, selected)]
    by_unit: dict[str, list[Pledged]] = {}
    for pledge in added:
        if pledge.unit is not None:
            by_unit.setdefault(pledge.unit, []).append(pledge)
    summary = {
        "by_status": _counted(p.status for p in pledges),
        "by_kind": _counted(p.kind for p in pledges),
        "flags": _counted(flag for p in pledges for flag in p.flags),
        "totals": [_total(unit, by_unit[unit]) for unit in sorted(by_unit)],
    }
    if currency is not None:
        summary["converted"] = _converted(added, currency)
    return summary


def _is_part(pledge: str, whole: Mapping[str, str], selected: set[str]) -> bool:
    seen = {pledge}
    while (above := whole.get(pledge)) is not None and above not in seen:
        if above in selected:
            return True
        seen.add(above)
        pledge = above
    return False


def _total(unit: str, pledges: Sequence[Pledged]) -> dict[str, Any]:
    targets = [p.amounts.target for p in pledges if p.amounts.target is not None]
    actuals = [actual for p in pledges if (actual := _in_unit(p.amounts, unit)) is not None]
    return {
        "unit": unit,
        "pledges": len(pledges),
        "reported": len(actuals),
        "target": _sum(targets),
        "actual": _sum(
            actuals, cents=any(p.amounts.actual is not None and p.amounts.actual.unit != unit for p in pledges)
        ),
    }


def _in_unit(amounts: Amounts, unit: str) -> Quantity | None:
    """The actual in a unit; None where there is none, or no rate for it."""
    for quantity in (amounts.actual, amounts.converted):
        if quantity is not None and quantity.unit == unit:
            return quantity
    return None


def _converted(pledges: Sequence[Pledged], currency: str) -> dict[str, Any]:
    """Sums of money in one currency, at the rates of the day of each figure; what has no rate is named."""
    targets: list[Quantity] = []
    actuals: list[Quantity] = []
    rates: dict[tuple[str, str, date], dict[str, Any]] = {}
    unconverted: set[str] = set()
    for pledge in pledges:
        amounts = pledge.amounts
        for quantity, sums in ((amounts.target, targets), (amounts.actual, actuals)):
            if quantity is None or quantity.measure != "money":
                continue
            converted, how = convert(quantity, currency, amounts.rates_of)
            if converted is None:
                unconverted.add(pledge.pledge)
                continue
            sums.append(converted)
            if how is not None and how.rate is not None and how.date is not None:
                rates[how.from_unit, how.to_unit, how.date] = {
                    "from": how.from_unit,
                    "to": how.to_unit,
                    "rate": plain(how.rate),
                    **({} if how.to_rate is None else {"to_rate": plain(how.to_rate)}),
                    "date": how.date.isoformat(),
                    "provider": how.provider,
                }
    return {
        "unit": currency,
        "target": _sum(targets, cents=True),
        "actual": _sum(actuals, cents=True),
        "rates": [rates[key] for key in sorted(rates)],
        "unconverted": sorted(unconverted),
    }


def _sum(quantities: list[Quantity], *, cents: bool = False) -> dict[str, str] | None:
    """The sum as JSON, rounded half-even to ``cents`` if asked. None for nothing, and for a sum without any bound."""
    if not quantities:
        return None
    try:
        added = total(quantities)
    except ValueError:
        return None
    values = {"value": added.value, "upper": added.upper}
    shown = {
        name: plain(value.quantize(_CENT, context=EXACT) if cents else value)
        for name, value in values.items()
        if value is not None
    }
    return {"op": added.op, **shown, "unit": added.unit}


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.strip(",").split(",")) if text else ()


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
