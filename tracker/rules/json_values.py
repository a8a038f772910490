"""Values as JSON, as every document of the rules gives them: decimals are plain strings, days are ISO dates."""

from __future__ import annotations

from typing import Any

from tracker.comparison import Ratio
from tracker.quantity import Quantity, plain
from tracker.rules.rates import Conversion
from tracker.values import Figure, Party, Period, Window


def party_json(value: Party) -> dict[str, str]:
    """A party as JSON."""
    return {"name": value.name} if value.code is None else {"name": value.name, "code": value.code}


def quantity_json(value: Quantity | Ratio | None) -> dict[str, str] | None:
    """A quantity or ratio as JSON, decimals as plain strings."""
    if value is None:
        return None
    found: dict[str, str] = {"op": value.op, "value": plain(value.value)}
    if value.upper is not None:
        found["upper"] = plain(value.upper)
    if isinstance(value, Quantity):
        found["unit"] = value.unit
        if value.text is not None:
            found["text"] = value.text
    return found


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
