"""How an amount is written: the spellings by which a reader looks for it, beside the words of its source.

eq 40000000000 EUR    40bn  €40bn  EUR 40bn  40bn EUR  40 billion  40,000,000,000  40000000000
ge 2 percent:gdp      2 %  2%  2 percent  gdp
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tracker.quantity import EXACT, Quantity, plain

_SYMBOLS = {"EUR": "€", "USD": "US$", "GBP": "£", "JPY": "¥"}
_SCALES = ((12, ("tn", " trillion")), (9, ("bn", " billion")), (6, ("m", "mn", " million")), (3, ("k", " thousand")))
"""Powers of ten with their words, the largest first."""

_LONGEST_SCALED = 6
"""Characters of a number before its scale: 0.0000004tn is no spelling that anybody looks for."""


def spellings(quantity: Quantity) -> Iterator[str]:
    """The spellings of the numbers of a quantity with its unit, and the words of its source."""
    if quantity.text is not None:
        yield quantity.text
    name, _, what = quantity.unit.partition(":")
    if what:
        yield what.replace("-", " ")
    for value in (quantity.value, quantity.upper):
        if value is None:
            continue
        for number in _numbers(value):
            if name == "percent":
                yield from (f"{number} %", f"{number}%", f"{number} percent")
            elif name == "count":
                yield number
            else:
                symbol = _SYMBOLS.get(name)
                yield from (f"{number} {name}", f"{name} {number}", *([f"{symbol}{number}"] if symbol else []))


def _numbers(value: Decimal) -> Iterator[str]:
    yield plain(value)
    if abs(value) >= 1000:
        yield f"{value:,f}".rstrip("0").rstrip(".") if value != value.to_integral_value() else f"{int(value):,}"
    for power, words in _SCALES:
        if abs(value) >= 10**power:
            number = plain(value.scaleb(-power, EXACT))
            if len(number) <= _LONGEST_SCALED:
                yield from (f"{number}{word}" for word in words)
            return
