"""Codes of parties in tables that look like ISO 3166 codes and are none: a slip there makes a second party."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pycountry

from tracker.values import COUNTRIES

_CODE_PATHS = ("member", "group.members", "group.opted_out", "members_met", "members_not_met")
_OF_OTHER_LISTS = {"UK": "GB", "EL": "GR", "FX": "FR", "SU": "RU", "YU": "RS", "TP": "TL", "ZR": "CD"}
"""Codes of other lists, and of older ones, that people use for the ISO code."""
_OF_SPORTS = {
    "BUL": "BG", "CRO": "HR", "DEN": "DK", "GER": "DE", "GRE": "GR", "KSA": "SA", "LAT": "LV", "NED": "NL",
    "POR": "PT", "RSA": "ZA", "SLO": "SI", "SUI": "CH", "UAE": "AE", "TPE": "TW",
}  # fmt: skip
"""Codes of three letters of the Olympic Committee that differ from the alpha-3 code, where no organisation is known by
them."""


def problems_of_codes(fact: Mapping[str, Any], cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The cells, by path, with a code that looks like one of ISO 3166, and a sentence for each."""
    for path in cells:
        if path in _CODE_PATHS or path.endswith(".code"):
            for code in _codes_at(fact, path):
                if (wanted := _meant_by(code)) is not None:
                    yield path, f'"{code}" is no ISO 3166 alpha-2 code; {wanted}'


def _codes_at(fact: Mapping[str, Any], path: str) -> list[str]:
    value: Any = fact
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return [code for code in (value if isinstance(value, list) else [value]) if isinstance(code, str)]


def _meant_by(code: str) -> str | None:
    """What to write in the place of a code; None if it is a good one."""
    if code in COUNTRIES or not re.fullmatch(r"[A-Za-z]{2,3}", code):
        return None
    upper = code.upper()
    if len(code) == 3:
        country: Any = pycountry.countries.get(alpha_3=upper) if code.isupper() else None
        if country is not None:
            return f"it is the alpha-3 code: write {country.alpha_2}"
        return f"write {_OF_SPORTS[code]}" if code in _OF_SPORTS else None
    if upper in _OF_OTHER_LISTS:
        return f"write {_OF_OTHER_LISTS[upper]}"
    if upper in COUNTRIES:
        return f"write {upper}"
    return "a party that is no state has a slug of its own" if code.isupper() else None
