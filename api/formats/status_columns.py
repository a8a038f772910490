"""A status document as one row of a table: a column for each of its figures, dates and counts, named by its path.

A bound is in words beside its parts: `target` is "at least 40 EUR", `target.op` is "ge", `target.value` "40".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from api.formats.cell_kinds import CellKind, Columns
from tracker.comparison import Ratio
from tracker.fact_decoding import decode
from tracker.quantity import Quantity

_QUANTITY_PARTS = ("op", "value", "upper", "unit")
STATUS_COLUMNS = (
    *("pledge", "title", "pledgor.name", "pledgor.code", "beneficiary.name", "beneficiary.code", "kind", "tags"),
    *("part_of", "joint", "status", "answers_by", "flags"),
    *(
        column
        for name in ("target", "relative_target", "actual")
        for column in (name, *(f"{name}.{part}" for part in _QUANTITY_PARTS))
    ),
    *("ratio", "ratio.op", "ratio.value", "ratio.upper", "progress", "progress.op", "progress.value", "progress.upper"),
    *("conversion.from", "conversion.to", "conversion.rate", "conversion.date", "conversion.provider"),
    *("baseline.quantity", *(f"baseline.quantity.{part}" for part in _QUANTITY_PARTS), "baseline.on"),
    *("announced_amounts", "stage", "period.start", "period.end"),
    *("projection.quantity", *(f"projection.quantity.{part}" for part in _QUANTITY_PARTS)),
    *("projection.stage", "projection.period.start", "projection.period.end", "projection.stated_on"),
    *("window.start", "window.end", "window.latest", "window.text"),
    *("recurrence.every", "recurrence.start", "recurrence.end", "periods_tally.total", "periods_tally.closed"),
    *("periods_tally.kept", "periods_tally.not_kept", "periods_tally.unreported", "periods_tally.undecided"),
    *("instalments", "conditions", "deadline", "schedule.current", "schedule.original"),
    *("trajectory", "evidence", "lifecycle", "members.eligible", "members.met", "members.not_met"),
    *("members.not_applicable", "members.opted_out", "members.not_reported", "members.total"),
    *("assessment.rating", "assessment.rubric", "assessment.rubric_version"),
    *("version", "last_stated_on", "rules_version", "as_of", "known_at", "position"),
)
"""The columns of a status; what has parts of its own beyond these is in the JSON only."""

LIST_COLUMNS = ("tags", "flags", "joint", "announced_amounts", "instalments", "conditions")
"""The columns that hold several words."""

_WHOLE = ("version", "position", "periods_tally", "members")
_TALLIES = ("members.met", "members.not_met")
_DAYS = ("start", "end", "latest", "as_of", "date", "deadline", "stated_on", "last_stated_on")


def _kind(column: str) -> CellKind:
    whole, last = column.partition(".")[0], column.rpartition(".")[2]
    if column in LIST_COLUMNS:
        return "list"
    if column in _TALLIES:
        return "tally"
    if whole in _WHOLE:
        return "whole"
    if last in _DAYS:
        return "day"
    if column == "baseline.on":
        return "partial"
    if column == "known_at":
        return "instant"
    return "number" if last in ("value", "upper", "rate") else "text"


STATUS_KINDS: Columns = {column: _kind(column) for column in STATUS_COLUMNS}
"""The same columns with the kinds of their cells."""


def status_cells(status: Mapping[str, Any]) -> dict[str, str]:
    """The cells of a status document by column; a column whose place is empty is left out."""
    cells: dict[str, str] = {}
    for column in STATUS_COLUMNS:
        if column in LIST_COLUMNS:
            if column in status:
                cells[column] = "; ".join(words_of(status, column))
            continue
        value: Any = status
        for name in column.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            cells[column] = _cell(value)
    return cells


def words_of(status: Mapping[str, Any], column: str) -> list[str]:
    """The words of a column of LIST_COLUMNS; none where the status has nothing there."""
    return list(map(_ITEM_WORDS.get(column, str), status.get(column, ())))


_ITEM_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "joint": lambda one: one["party"]["name"] + (f" ({one['share']} %)" if "share" in one else ""),
    "announced_amounts": lambda one: figure_words(one["quantity"]),
    "instalments": lambda one: f"{figure_words(one['quantity'])} by {one['due']}: {one['state']}",
    "conditions": lambda one: f"{one['condition']}: {one['state']}",
}
"""How one item of a list of objects is written in a cell; items are separated by semicolons."""


def figure_words(figure: Mapping[str, Any]) -> str:
    """A quantity or a ratio of a status document in words: "at least 40 EUR", "over 125 %"."""
    return str(decode(Quantity, figure) if "unit" in figure else Ratio.model_validate(figure))


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return figure_words(value)
    return str(value)
