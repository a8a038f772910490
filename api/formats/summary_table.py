"""A summary as a table: a row for each count and each sum, of the whole (`group` is empty) and of each group.

group,about,key,pledges,reported,target,…,actual,…,compared.pledges,…
,status,met,3
,total,EUR,12,9,at least 40 EUR,…
BE,flag,late,1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.formats.status_columns import figure_words

_PARTS = ("op", "value", "upper", "unit")
_AMOUNTS = ("target", "actual", "compared.target", "compared.actual")
_COUNTS = ("pledges", "reported", "unconverted", "compared.pledges")
_COUNTED = {"by_status": "status", "by_kind": "kind", "flags": "flag"}
"""The members of a summary that count pledges, and what their rows are about."""

COLUMNS = (
    *("group", "about", "key", *_COUNTS),
    *(column for name in _AMOUNTS for column in (name, *(f"{name}.{part}" for part in _PARTS))),
)
"""The columns of a summary."""


def rows(summary: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The rows of a summary, the whole first, then its groups in order."""
    for group in (summary, *summary.get("groups", ())):
        name = str(group.get("key", ""))
        for member, about in _COUNTED.items():
            for key, pledges in group[member].items():
                yield {"group": name, "about": about, "key": key, "pledges": str(pledges)}
        for total in group["totals"]:
            yield {"group": name, "about": "total", "key": total["unit"], **_cells(total)}
        if (converted := group.get("converted")) is not None:
            shown = {**converted, "unconverted": len(converted["unconverted"])}
            yield {"group": name, "about": "converted", "key": converted["unit"], **_cells(shown)}


def _cells(total: Mapping[str, Any]) -> dict[str, str]:
    cells = {name: str(found) for name in _COUNTS if (found := _found(total, name)) is not None}
    for name in _AMOUNTS:
        if (amount := _found(total, name)) is not None:
            cells[name] = figure_words(amount)
            cells |= {f"{name}.{part}": str(amount[part]) for part in _PARTS if part in amount}
    return cells


def _found(total: Mapping[str, Any], path: str) -> Any:
    found: Any = total
    for name in path.split("."):
        found = None if found is None else found.get(name)
    return found
