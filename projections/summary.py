"""Sums over pledges: exact, with their bounds, and never a part beside its whole (DOMAIN §6).

Pledges can be added to a summary and taken from it again, so that it is kept by the difference that an event makes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from projections.amount_sums import AmountSum
from projections.summary_amounts import SummaryAmount, SummaryAmounts, read_amounts
from tracker.quantity import plain
from tracker.rules.rates import Conversion, convert
from tracker.rules.replayed import STALE_FLAG


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


class Summary:
    """The counts and sums of API.md over some pledges, and the same for each group if they are grouped `by` something.

    A part is left out of the sums of a selection (or group) that has its whole, or the whole of that, in it. The pledge
    that another one is part of is looked up in `wholes`, whether or not it is selected.
    """

    def __init__(self, by: str | None = None, currency: str | None = None) -> None:
        self.wholes = Wholes()
        self._by, self._currency = by, currency
        self._groups: dict[str | None, _Group] = {}

    @property
    def size(self) -> int:
        """How many counts and names it has."""
        return 2 * len(self.wholes) + sum(group.size for group in self._groups.values())

    def add(self, pledges: Iterable[Pledged]) -> None:
        """Add pledges; of these only such as are part of another one are in memory until the end."""
        parts = []
        for pledge in pledges:
            for key, part in self._under(pledge):
                group = self._groups.get(key)
                if group is None:
                    group = self._groups[key] = _Group(self._currency)
                group.count(part, self.wholes, 1)
                if part.pledge in self.wholes:
                    parts.append((group, part))
                else:
                    group.add_up(part, 1)
        for group, part in parts:
            if not self.wholes.is_in_one_of(group.selected, part.pledge):
                group.add_up(part, 1)

    def remove(self, pledges: Sequence[Pledged]) -> None:
        """Take away pledges that were added, as they were then: `wholes` MUST NOT have changed meanwhile."""
        placed = [(key, part) for pledge in pledges for key, part in self._under(pledge)]
        for key, part in placed:
            group = self._groups[key]
            if not self.wholes.is_in_one_of(group.selected, part.pledge):
                group.add_up(part, -1)
        for key, part in placed:
            if not self._groups[key].count(part, self.wholes, -1):
                del self._groups[key]

    def document(self) -> dict[str, Any]:
        """As JSON. It MUST NOT be changed: what is in it is given again until it is another."""
        together = self._groups.get(None) or _Group(self._currency)
        if self._by is None:
            return together.document()
        groups = {key: group for key, group in self._groups.items() if key is not None}
        listed = [{"key": key, **groups[key].document()} for key in sorted(groups)]
        return {**together.document(), "groups": listed}

    def keys_of(self, pledge: Pledged | None) -> Collection[str | None]:
        """The groups that a pledge is in."""
        return () if pledge is None else {key for key, _ in self._under(pledge)}

    def _under(self, pledge: Pledged) -> Iterator[tuple[str | None, Pledged]]:
        yield None, pledge
        if self._by is not None:
            yield from pledge.under(self._by)


def summarize(
    pledges: Iterable[Pledged], whole: Mapping[str, str], by: str | None = None, currency: str | None = None
) -> dict[str, Any]:
    """The summary of some pledges; `whole` has the name of that other one for every pledge that is part of another."""
    summary = Summary(by, currency)
    summary.wholes.change(whole)
    summary.add(pledges)
    return summary.document()


class Wholes:
    """Which pledge another one is part of."""

    def __init__(self) -> None:
        self._whole: dict[str, str] = {}
        self._parts: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._whole)

    def __contains__(self, pledge: object) -> bool:
        return pledge in self._whole

    def get(self, part: str) -> str | None:
        """The pledge that another one is part of."""
        return self._whole.get(part)

    def has_parts(self, pledge: str) -> bool:
        """Whether a pledge is the whole of others."""
        return pledge in self._parts

    def change(self, whole: Mapping[str, str | None]) -> None:
        """Let these pledges be part of others from now on, or of none."""
        for part, new in whole.items():
            if (old := self._whole.pop(part, None)) is not None:
                self._parts[old].discard(part)
                if not self._parts[old]:
                    del self._parts[old]
            if new is not None:
                self._whole[part] = new
                self._parts.setdefault(new, set()).add(part)

    def below(self, pledges: Iterable[str]) -> set[str]:
        """All that is part of these pledges, or of what is part of them."""
        found: set[str] = set()
        left = [*pledges]
        while left:
            more = self._parts.get(left.pop(), set()) - found
            found |= more
            left += more
        return found

    def is_in_one_of(self, selected: Collection[str], pledge: str) -> bool:
        """Whether a pledge is part of one that is selected, or of the whole of that."""
        if pledge not in self._whole:
            return False
        chain = {pledge: None}
        last = pledge
        while (above := self._whole.get(last)) is not None and above not in chain:
            chain[above] = None
            last = above
        # A pledge that is part of itself, by way of others, is no part: else none of them would be added.
        return above != pledge and any(name in selected for name in chain if name != pledge)


@dataclass(slots=True)
class _Total:
    """Targets and actuals of the pledges in one unit."""

    pledges: int = 0
    reported: int = 0
    compared: int = 0
    unconverted: int = 0
    converted: int = 0
    target: AmountSum = field(default_factory=AmountSum)
    actual: AmountSum = field(default_factory=AmountSum)
    compared_target: AmountSum = field(default_factory=AmountSum)
    compared_actual: AmountSum = field(default_factory=AmountSum)

    def add(self, amounts: SummaryAmounts, unit: str, times: int) -> None:
        """Count a pledge, and add its amounts unless they are percentages or a level; `times` of -1 takes it away.

        Its actual counts as far as it is, or could be converted, in the unit.
        """
        target, actual = amounts.target, None
        for amount in (amounts.actual, amounts.converted):
            if amount is not None and amount.unit == unit:
                actual = amount
                break
        self.pledges += times
        if actual is not None:
            self.reported += times
            if target is not None:
                self.compared += times
        elif amounts.actual is not None:
            self.unconverted += times
        if unit.startswith("percent:") or amounts.is_level:
            return
        if amounts.actual is not None and amounts.actual.unit != unit:
            self.converted += times
        if target is not None:
            self.target.add(target, times)
        if actual is not None:
            self.actual.add(actual, times)
        if target is not None and actual is not None:
            self.compared_target.add(target, times)
            self.compared_actual.add(actual, times)

    def document(self, unit: str) -> dict[str, Any]:
        """As JSON."""
        cents = self.converted > 0
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

    target: AmountSum = field(default_factory=AmountSum)
    actual: AmountSum = field(default_factory=AmountSum)
    rates: Counter[Conversion] = field(default_factory=Counter)
    unconverted: Counter[str] = field(default_factory=Counter)

    def add(self, pledge: str, amounts: SummaryAmounts, currency: str, times: int) -> None:
        """Add the money of a pledge, or take it away."""
        for amount, added in ((amounts.target, self.target), (amounts.actual, self.actual)):
            if amount is None or ":" in amount.unit or amounts.is_level:
                continue
            converted, how = convert(amount.quantity, currency, amounts.rates_of)
            own = amounts.converted if added is self.actual else None
            if own is not None and own.unit == currency and (converted is None or SummaryAmount.of(converted) != own):
                # A sum of increments: the status converts each at the rates of its own day, and lists those.
                added.add(own, times)
            elif converted is None:
                _count(self.unconverted, pledge, times)
            else:
                added.add(SummaryAmount.of(converted), times)
                if how is not None and how.rate is not None and how.date is not None:
                    _count(self.rates, how, times)

    def document(self, currency: str) -> dict[str, Any]:
        """As JSON."""
        return {
            "unit": currency,
            "target": self.target.document(currency, cents=True),
            "actual": self.actual.document(currency, cents=True),
            "rates": [_rate(how) for how in sorted(self.rates, key=_of_rate)],
            "unconverted": sorted(self.unconverted),
        }


class _Group:
    """Counts and sums of the pledges of one selection so far."""

    def __init__(self, currency: str | None) -> None:
        self.selected: set[str] = set()
        """The pledges of the selection that others are part of."""
        self._currency = currency
        self._pledges = 0
        self._by_status, self._by_kind, self._flags = Counter[str](), Counter[str](), Counter[str]()
        self._totals: dict[str, _Total] = {}
        self._converted = _Converted()
        self._document: dict[str, Any] | None = None

    @property
    def size(self) -> int:
        """How many counts and names it has, about."""
        counts = len(self._by_status) + len(self._by_kind) + len(self._flags) + 20 * len(self._totals)
        return counts + len(self.selected) + len(self._converted.rates) + len(self._converted.unconverted)

    def count(self, pledge: Pledged, wholes: Wholes, times: int) -> int:
        """Count a pledge, or with `times` of -1 count it no more; the number of all pledges then."""
        self._document = None
        self._pledges += times
        _count(self._by_status, pledge.status, times)
        _count(self._by_kind, pledge.kind, times)
        for flag in pledge.flags:
            _count(self._flags, flag, times)
        if times < 0:
            self.selected.discard(pledge.pledge)
        elif wholes.has_parts(pledge.pledge):
            self.selected.add(pledge.pledge)
        return self._pledges

    def add_up(self, pledge: Pledged, times: int) -> None:
        """Add the amounts of a pledge, or take them away."""
        self._document = None
        if (unit := pledge.unit) is not None:
            total = self._totals.setdefault(unit, _Total())
            total.add(pledge.amounts, unit, times)
            if not total.pledges:
                del self._totals[unit]
        if self._currency is not None:
            self._converted.add(pledge.pledge, pledge.amounts, self._currency, times)

    def document(self) -> dict[str, Any]:
        """The counts and sums of all that was added."""
        if self._document is None:
            self._document = {
                "by_status": dict(sorted(self._by_status.items())),
                "by_kind": dict(sorted(self._by_kind.items())),
                "flags": dict(sorted(self._flags.items())),
                "totals": [self._totals[unit].document(unit) for unit in sorted(self._totals)],
                **({} if self._currency is None else {"converted": self._converted.document(self._currency)}),
            }
        return self._document


def _rate(how: Conversion) -> dict[str, Any]:
    """A rate as JSON; it has one, and a day."""
    assert how.rate is not None
    assert how.date is not None
    return {
        "from": how.from_unit,
        "to": how.to_unit,
        "rate": plain(how.rate),
        **({} if how.to_rate is None else {"to_rate": plain(how.to_rate)}),
        "date": how.date.isoformat(),
        "provider": how.provider,
    }


def _of_rate(how: Conversion) -> tuple[str, str, date]:
    return how.from_unit, how.to_unit, how.date or date.min


def _count(counter: Counter[Any], key: Any, times: int) -> None:
    """Count a key, and forget one that is counted no more."""
    if left := counter[key] + times:
        counter[key] = left
    else:
        del counter[key]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.strip(",").split(",")) if text else ()
