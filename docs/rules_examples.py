"""Write the examples of the page of rules from the tests of the hard cases: ``python docs/rules_examples.py``.

For every status and every flag it takes the first hard case in which it is found, with the status document of the day
on which the test looks at it. A test fails where the file and the tests differ. The tables and the versions beside them
are those of rules.md.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from docs import hard_cases  # noqa: E402
from tests.support.given import Given  # noqa: E402

FILE = ROOT / "api" / "pages" / "rules_examples.json"
RULES = ROOT / "docs" / "rules.md"

THRESHOLDS = (
    ("tracker.rules.days:DUE_SOON",),
    ("tracker.rules.days:STALE_AFTER", "tracker.rules.days:STALE_AFTER_LONG"),
    ("tracker.rules.days:LONG_WINDOW_MONTHS",),
    ("tracker.rules.days:GRACE",),
    ("tracker.quantity:TOLERANCE",),
    ("tracker.quantity:SLACK_LIMIT",),
    ("tracker.rules.sums:DUPLICATE_WITHIN",),
    ("tracker.rules.trajectory:TRAJECTORY_BAND",),
    ("tracker.rules.rates:MAX_RATE_AGE_DAYS",),
    ("tracker.rules.periods:PERIODS_AHEAD",),
)
"""The constants of the rules that decide by a number, those that share a text together."""

_LEFT_OUT = {"because", "rules_version", "position", "version", "known_at"}
"""Members of a status document that say nothing on a page of examples."""


def examples() -> dict[str, Any]:
    """What the page of rules shows: tables of statuses and flags with their examples, and versions of the rules."""
    text = RULES.read_text("utf-8")
    seen = list(_seen())
    return {
        "statuses": [
            {"names": names, "when": when, "examples": {name: _example(seen, "status", name) for name in names}}
            for names, when in _table(text, "| status | when |")
        ],
        "flags": [
            {"name": name, "when": when, "example": _example(seen, "flags", name)}
            for (name,), when in _table(text, "| flag | when |")
        ],
        "thresholds": [
            {"value": ", ".join(map(_in_words, names)), "about": _docstring(names[0])} for names in THRESHOLDS
        ],
        "versions": [
            {"version": version, "day": day, "changes": _changes(rest)}
            for version, day, rest in re.findall(
                r"^- \*\*(\d+)\*\* \((\d{4}-\d\d-\d\d)\)\.?(.*?)(?=^- \*\*\d|\Z)", text, re.M | re.S
            )
        ],
    }


def written() -> str:
    """The file's text."""
    return json.dumps(examples(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _in_words(name: str) -> str:
    """The value of a threshold with its unit."""
    module, _, constant = name.partition(":")
    value = getattr(importlib.import_module(module), constant)
    if isinstance(value, timedelta):
        return f"{value.days} days"
    if isinstance(value, Decimal):
        return f"{(value * 100).normalize():f} %"
    unit = "days" if constant.endswith("DAYS") else "months" if constant.endswith("MONTHS") else "periods"
    return f"{value} {unit}"


def _docstring(name: str) -> str:
    """The text below a constant in its module."""
    module, _, constant = name.partition(":")
    body = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")).body
    for node, after in pairwise(body):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and constant in ast.unparse(node).split("=")[0]:
            assert isinstance(after, ast.Expr)
            assert isinstance(after.value, ast.Constant)
            return " ".join(str(after.value.value).split())
    raise KeyError(name)


def _table(text: str, head: str) -> Iterator[tuple[list[str], str]]:
    """The rows of a table of two columns: the names in the first, and the second."""
    for line in text.split(head)[1].split("\n\n")[0].splitlines()[2:]:
        _, first, second, _ = line.split("|")
        yield re.findall(r"`(\w+)`", first), second.strip()


def _changes(text: str) -> list[str]:
    """The changes of a version, one to a line; what stands before them is none."""
    return [" ".join(line.split()) for line in re.findall(r"^  - (.+)$", text, re.M)]


def _seen() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each status document that the test of a hard case looks at, with the case; in the order of the cases."""
    found: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    for number, row in _cases().items():
        module = importlib.import_module(f"tests.rules.hard_cases.{row['module']}")
        documents = _looked_at(getattr(module, row["test"]))
        case = {name: row[name] for name in ("rule", "given", "then")} | {"number": number}
        found += [(number, case, one) for one in documents]
    yield from ((case, one) for _, case, one in sorted(found, key=lambda entry: entry[0]))


def _looked_at(test: Any) -> list[dict[str, Any]]:
    """The status documents that a test looks at, in order."""
    documents: list[dict[str, Any]] = []
    original = Given.document

    def document(record: Given, as_of: str, known_at: str | None = None) -> dict[str, Any] | None:
        made = original(record, as_of, known_at)
        if made is not None:
            documents.append({**made, "as_of": as_of})
        return made

    with patch.object(Given, "document", document):
        _run(test)
    return documents


def _run(test: Any) -> None:
    """Run a test; one with parameters with each of them in turn."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    if not marks:
        test()
        return
    (mark,) = marks
    names, rows = mark.args[0], mark.args[1]
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    for row in rows:
        values = getattr(row, "values", row)
        values = values() if callable(values) else values
        test(**dict(zip(names, values if len(names) > 1 or isinstance(values, tuple) else [values], strict=True)))


def _cases() -> dict[int, dict[str, str]]:
    return hard_cases.cases()


def _example(seen: list[tuple[dict[str, Any], dict[str, Any]]], member: str, name: str) -> dict[str, Any] | None:
    """The first document in which a status or flag is found, with its hard case; of flags one with few others."""
    fits = [(case, one) for case, one in seen if name == one[member] or (member == "flags" and name in one["flags"])]
    if not fits:
        return None
    fewest = min(len(one["flags"]) for _, one in fits)
    case, one = next(pair for pair in fits if member == "status" or len(pair[1]["flags"]) == fewest)
    return {"case": case, "status": {key: value for key, value in one.items() if key not in _LEFT_OUT}}


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
