"""Values as JSON, as every document of the rules gives them: decimals are plain strings, days are ISO dates."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tracker.comparison import Ratio
from tracker.quantity import EXACT, Quantity, plain
from tracker.rules.rates import Conversion
from tracker.rules.sums import Actual
from tracker.values import Figure, Party, Period, Window


def party_json(value: Party) -> dict[str, str]:
    """A party as JSON."""
    return {"name": value.name} if value.code is None else {"name": value.name, "code": value.code}


PLACES = Decimal(1).scaleb(-18)
"""The last place of a quantity in an answer."""


def quantity_json(value: Quantity | Ratio | None) -> dict[str, str] | None:
    """A quantity or ratio as JSON, decimals as plain strings of at most 18 places."""
    if value is None:
        return None
    found: dict[str, str] = {"op": value.op, "value": _shown(value.value)}
    if value.upper is not None:
        found["upper"] = _shown(value.upper)
    if isinstance(value, Quantity):
        found["unit"] = value.unit
    if value.open is not None:
        found["open"] = value.open
    if isinstance(value, Quantity) and value.text is not None:
        found["text"] = value.text
    return found


def _shown(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    return plain(value.quantize(PLACES, context=EXACT) if isinstance(exponent, int) and exponent < -18 else value)


def in_cents(amount: Quantity | None) -> dict[str, str] | None:
    """An amount that was converted as it is shown, in cents, half-even; the rules compare it exactly."""
    if amount is None:
        return None
    update = {name: _cents(value) for name in ("value", "upper") if (value := getattr(amount, name)) is not None}
    return quantity_json(amount.model_copy(update=update))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN, context=EXACT)


def actual_json(actual: Actual | None) -> dict[str, str] | None:
    """The actual as JSON; a sum over several currencies is rounded to cents."""
    if actual is None:
        return None
    return in_cents(actual.quantity) if len(actual.units) > 1 else quantity_json(actual.quantity)


def dates_json(value: Period | Window) -> dict[str, str]:
    """A period or window as JSON, without what is not given."""
    found = {
        name: day.isoformat() for name in ("start", "end", "latest") if (day := getattr(value, name, None)) is not None
    }
    return found | {"text": value.text} if isinstance(value, Window) and value.text is not None else found


def conversion_json(how: Conversion) -> dict[str, Any]:
    """How an amount was converted, as JSON; `rate` and `date` are null where no rate is published."""
    found: dict[str, Any] = {
        "from": how.from_unit,
        "to": how.to_unit,
        "rate": None if how.rate is None else plain(how.rate),
        "date": None if how.date is None else how.date.isoformat(),
        "provider": how.provider,
    }
    if how.to_rate is not None:
        found["to_rate"] = plain(how.to_rate)
    return found


def figure_json(figure: Figure) -> dict[str, Any]:
    """A reported figure as JSON, with what was left out as null."""
    return {
        "quantity": quantity_json(figure.quantity),
        "stage": figure.stage,
        "basis": figure.basis,
        "nature": figure.nature,
        "period": None if figure.period is None else dates_json(figure.period),
        "attribution": figure.attribution,
    }
