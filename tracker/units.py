"""Units (DOMAIN §3): a currency, what is counted, or what a percentage is of.

    EUR                  an ISO 4217 code, in force or withdrawn since 1990
    USD:constant-2020    the same at the prices of 2020
    count:155mm-rounds   155 mm rounds, counted
    percent:gdp          a percentage of GDP

A measure is what amounts of several units have in common: all currencies at current prices measure `money`, every other
unit only itself. So constant prices are never converted, compared or added to current ones.
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

UNIT = rf"^(({'|'.join(sorted(CURRENCIES))})(:constant-(19|20)[0-9]{{2}})?|count:{SLUG}|percent:{SLUG})$"
"""The pattern of a unit, with anchors."""

_is_unit = re.compile(UNIT).fullmatch


def is_unit(text: str) -> bool:
    """Whether the text is a unit as facts write it."""
    return _is_unit(text) is not None


def measure_of(unit: str) -> str:
    """What the unit measures: `money` for every currency at current prices, else the unit itself."""
    return unit if ":" in unit else "money"


def is_recorded(info: ValidationInfo) -> bool:
    """Whether what is validated stands on record already, so that no table of today may refuse it."""
    return bool(info.context and info.context.get(RECORDED))


def _unit(value: str, info: ValidationInfo) -> str:
    if not _is_unit(value) and not is_recorded(info):
        raise PydanticCustomError(
            "unit",
            "{unit} is no unit: it is an ISO 4217 code (EUR), one at constant prices (USD:constant-2020), count:<slug>"
            " (count:155mm-rounds) or percent:<slug> (percent:gdp)",
            {"unit": repr(value)},
        )
    return value


_EXAMPLES = ["EUR", "USD:constant-2020", "percent:gdp"]

Unit = Annotated[str, AfterValidator(_unit), WithJsonSchema({"type": "string", "pattern": UNIT, "examples": _EXAMPLES})]
"""A unit, checked when a fact is posted."""
