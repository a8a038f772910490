"""The amounts that a summary adds up, as the timeline stores them beside each status."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from tracker.quantity import EXACT, Interval, Op, OpenEnds, Quantity, plain, possible
from tracker.rules.status import Status


class SummaryAmount(NamedTuple):
    """A quantity without its text, for sums over many pledges."""

    op: Op
    value: Decimal
    upper: Decimal | None
    unit: str
    open: OpenEnds | None = None

    @classmethod
    def of(cls, quantity: Quantity) -> SummaryAmount:
        """The amount of a quantity."""
        return cls(quantity.op, quantity.value, quantity.upper, quantity.unit, quantity.open)

    @property
    def quantity(self) -> Quantity:
        """The amount as a quantity, unchecked: it was checked when it was recorded."""
        return Quantity.model_construct(
            op=self.op, value=self.value, upper=self.upper, unit=self.unit, open=self.open, text=None
        )

    @property
    def interval(self) -> Interval:
        """Its possible values."""
        return possible(self.op, self.value, self.upper, self.open)

    def times(self, factor: Decimal) -> SummaryAmount:
        """So many times the amount."""
        upper = None if self.upper is None else EXACT.multiply(self.upper, factor)
        return self._replace(value=EXACT.multiply(self.value, factor), upper=upper)


class SummaryAmounts(NamedTuple):
    """The amounts that a summary adds up: the target, the actual in the source's unit and in the target's.

    `rates_of` is the day whose rates convert them: that of the actual's latest figure, else the last statement's.
    `sharing` has, for a pledge of several, the code (else the name) of each and its share in percent, if that is known.
    `is_level` says that the actual is a level.
    """

    target: SummaryAmount | None
    actual: SummaryAmount | None
    converted: SummaryAmount | None
    rates_of: date
    is_level: bool = False
    sharing: tuple[tuple[str, Decimal | None], ...] = ()

    def share(self, percent: Decimal) -> SummaryAmounts:
        """So many percent of the amounts."""
        factor = percent.scaleb(-2, EXACT)
        target, actual, converted = (
            None if amount is None else amount.times(factor) for amount in (self.target, self.actual, self.converted)
        )
        return self._replace(target=target, actual=actual, converted=converted)


def stored_amounts(status: Status) -> bytes:
    """The amounts of a status as a value of `timeline_<n>.amounts`."""
    period = status.document["period"] or {}
    return to_json(
        [
            *(None if q is None else _terse(q) for q in (status.target, status.actual, status.converted)),
            period.get("end") or status.last_stated_on.isoformat(),
            *([True] if status.is_level else []),
            *_sharing(status),
        ]
    )


def _sharing(status: Status) -> list[list[str | None]]:
    """Who promises it together, each with its share in percent; the pledgor has what the others leave."""
    joint = status.document.get("joint", [])
    if not joint:
        return []
    shares = [None if "share" not in one else Decimal(one["share"]) for one in joint]
    known = [share for share in shares if share is not None]
    rest = Decimal(100) - sum(known) if len(known) == len(shares) else None
    names = [status.document["pledgor"], *(one["party"] for one in joint)]
    return [
        [party.get("code") or party["name"], None if share is None else plain(share)]
        for party, share in zip(names, [rest, *shares], strict=True)
    ]


def read_amounts(stored: bytes) -> SummaryAmounts:
    """The amounts in a value of `timeline_<n>.amounts`."""
    target, actual, converted, day, *rest = from_json(stored)
    reported = _read(actual)
    sharing = [one for one in rest if one is not True]
    return SummaryAmounts(
        _read(target),
        reported,
        reported if converted == actual else _read(converted),
        date.fromisoformat(day),
        rest[:1] == [True],
        tuple((name, None if share is None else Decimal(share)) for name, share in sharing),
    )


def _terse(quantity: Quantity) -> list[str | None]:
    upper = quantity.upper
    terse = [quantity.op, plain(quantity.value), None if upper is None else plain(upper), quantity.unit]
    return terse if quantity.open is None else [*terse, quantity.open]


def _read(terse: Any) -> SummaryAmount | None:
    if terse is None:
        return None
    op, value, upper, unit, *open_ends = terse
    return SummaryAmount(op, Decimal(value), None if upper is None else Decimal(upper), unit, *open_ends)
