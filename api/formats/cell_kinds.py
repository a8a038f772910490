"""What the cells of a column are, for formats that tell numbers and days from text.

A cell is text as CSV has it; `value_of` reads it by the kind of its column. A cell that does not read stays text: a
stored fact may be older than the rules for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

CellKind = Literal["text", "number", "whole", "tally", "flag", "day", "partial", "instant", "list"]
"""`number` is a decimal, `tally` a whole number or a bound in words, `partial` a date that may lack its day or
month, `instant` RFC 3339 in UTC, `list` words with semicolons between."""

Columns = Mapping[str, CellKind]
"""Columns by name, in order, with the kinds of their cells."""

CellValue = str | bool | int | Decimal | date | datetime

EXACT = ".exact"
"""The ending of the column beside a number that has its digits as text."""

DOUBLE_DIGITS = 15
"""Significant digits that every decimal keeps in a double."""

_FORMS = {
    "number": re.compile(r"-?\d{1,40}(\.\d{1,40})?"),
    "whole": re.compile(r"-?\d{1,18}"),
    "tally": re.compile(r"\d{1,18}"),
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "partial": re.compile(r"\d{4}-\d\d-\d\d"),
    "instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z"),
    "flag": re.compile("true|false"),
}


def value_of(cell: str, kind: CellKind) -> CellValue:
    """What a cell holds: the number, day or instant that its text is, else the text."""
    form = _FORMS.get(kind)
    if form is None or form.fullmatch(cell) is None:
        return cell
    try:
        match kind:
            case "number":
                return Decimal(cell)
            case "whole" | "tally":
                return int(cell)
            case "flag":
                return cell == "true"
            case "day" | "partial":
                return date.fromisoformat(cell)
            case _:
                return datetime.fromisoformat(cell)
    except ValueError:
        return cell


def is_kept_by_a_double(number: Decimal) -> bool:
    """Whether a double has all digits of the number."""
    digits = "".join(map(str, number.as_tuple().digits))
    return len(digits.strip("0")) <= DOUBLE_DIGITS
