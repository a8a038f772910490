"""Units (DOMAIN §3): a currency, what is counted, or what a percentage is of.

    EUR                  an ISO 4217 code
    count:155mm-rounds   155 mm rounds, counted
    percent:gdp          a percentage of GDP

A measure is what amounts of several units have in common: all currencies measure `money`, every other unit only itself.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from tracker.currencies import CODES

SLUG = "[a-z0-9][a-z0-9-]{0,127}"
"""The pattern of a slug, without anchors: the id of a pledge, a tag, what is counted."""

CURRENCIES = CODES
"""ISO 4217, in force and withdrawn since 1990, without "no currency" and "for testing"."""

RECORDED = "recorded"
"""The key of a validation's context under which a fact counts as recorded: tables of codes are not asked then."""

UNIT = rf"^({'|'.join(sorted(CURRENCIES))}|count:{SLUG}|percent:{SLUG})$"
"""The pattern of a unit, with anchors."""

_is_unit = re.compile(UNIT).fullmatch
_is_labelled = re.compile(rf"(?:count|percent):{SLUG}").fullmatch


def is_labelled(unit: str) -> bool:
    """Whether the unit is `count:<slug>` or `percent:<slug>`: it names what it measures, and is no currency."""
    return _is_labelled(unit) is not None


def measure_of(unit: str) -> str:
    """What the unit measures: `money` for every currency, else the unit itself."""
    return unit if ":" in unit else "money"


def is_recorded(info: ValidationInfo) -> bool:
    """Whether what is validated stands on record already, so that no table of today may refuse it."""
    return bool(info.context and info.context.get(RECORDED))


def _unit(value: str, info: ValidationInfo) -> str:
    if not _is_unit(value) and not is_recorded(info):
        raise PydanticCustomError(
            "unit",
            "{unit} is no unit: it is an ISO 4217 code (EUR), count:<slug> (count:155mm-rounds) or percent:<slug>"
            " (percent:gdp)",
            {"unit": repr(value)},
        )
    return value


Unit = Annotated[
    str, AfterValidator(_unit), WithJsonSchema({"type": "string", "pattern": UNIT, "examples": ["EUR", "percent:gdp"]})
]
"""A unit, checked when a fact is posted."""
