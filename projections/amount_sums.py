"""Sums of amounts that can be added to and taken from: exact, whatever the order, with the bounds of what is in them.

What an amount adds to both ends of a sum is in proportion to its value, for all amounts that are said in one way and
have one sign. So a sum is kept as the sums of the values of each such sort, and its ends are worked out when it is
shown.
"""

from __future__ import annotations

from decimal import Context, Decimal
from functools import reduce
from typing import Any

from projections.summary_amounts import SummaryAmount
from tracker.quantity import EXACT, Interval, Op, OpenEnds, plain, possible, spanning

_UNROUNDED = Context(prec=1_000)
"""A stored amount has 120 digits at most, from some 10^60 down to some 10^-200: their sums need no rounding here."""

_CENT = Decimal("0.01")
_ZERO = Decimal(0)
_NOTHING = Interval(_ZERO, _ZERO)

_Sort = tuple[Op, OpenEnds | None, int]
"""How amounts are said, which of their ends do not belong to them, and their sign."""


class AmountSum:
    """Amounts of one unit, added up as intervals. A single one stays as it was stated."""

    __slots__ = ("_sorts", "count")

    def __init__(self) -> None:
        self.count = 0
        self._sorts: dict[_Sort, tuple[int, Decimal, Decimal]] = {}

    def add(self, amount: SummaryAmount, times: int = 1) -> None:
        """Add an amount, or with `times` of -1 take away one that was added."""
        value, upper = amount.value, amount.upper or _ZERO
        sort = (amount.op, amount.open, (value > 0) - (value < 0))
        count, values, uppers = self._sorts.get(sort, (0, _ZERO, _ZERO))
        add = _UNROUNDED.add if times > 0 else _UNROUNDED.subtract
        self.count += times
        if count + times:
            self._sorts[sort] = (count + times, add(values, value), add(uppers, upper))
        else:
            del self._sorts[sort]

    def document(self, unit: str, *, cents: bool = False) -> dict[str, str] | None:
        """The sum as JSON, rounded half-even to cents if `cents`; None for no amounts, and without any bound."""
        if self.count == 0:
            return None
        if self.count == 1:
            ((op, open_ends, _), (_, value, upper)) = next(iter(self._sorts.items()))
            return _written(op, value, upper if op == "between" else None, unit, open_ends, cents=cents)
        try:
            sum_of_all = spanning(reduce(Interval.plus, self._intervals(), _NOTHING), unit)
        except ValueError:
            return None
        return _written(
            sum_of_all.op, sum_of_all.value, sum_of_all.upper, sum_of_all.unit, sum_of_all.open, cents=cents
        )

    def _intervals(self) -> list[Interval]:
        """The sum of each sort, in an order that does not depend on which came first."""
        return [
            possible(op, EXACT.plus(values), EXACT.plus(uppers), open_ends)
            for (op, open_ends, _), (_, values, uppers) in sorted(self._sorts.items(), key=lambda item: _order(item[0]))
        ]


def _order(sort: _Sort) -> tuple[str, str, int]:
    return sort[0], sort[1] or "", sort[2]


def _written(
    op: str, value: Decimal, upper: Decimal | None, unit: str, open_ends: str | None, *, cents: bool
) -> dict[str, Any]:
    shown = {
        name: plain(bound.quantize(_CENT, context=EXACT) if cents else EXACT.plus(bound))
        for name, bound in (("value", value), ("upper", upper))
        if bound is not None
    }
    return {"op": op, **shown, "unit": unit, **({} if open_ends is None else {"open": open_ends})}
