"""What the rules answered when their version was published: a digest of every answer to random streams.

    python -m tests.rules.recorded_answers

writes `recorded_answers.txt` anew. That is right where the version of the rules or of the rates has changed, or the
generator of the streams; a status that was shown to somebody under one version is never another under the same one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.rules.oracle.fuzz import accepted, read
from tests.rules.oracle.streams import boundaries, generate
from tracker.event import Event
from tracker.rules.causes import Point, cause_of
from tracker.rules.explanations import attestation, figures, members
from tracker.rules.status import Status, StatusFold
from tracker.rules.status_history import history, step_json

FILE = Path(__file__).with_name("recorded_answers.txt")
STREAMS = 240
DAYS = 24
"""Of the boundaries of a stream so many, spread over all, are asked for the status; a few for what stands behind it."""

DIGITS = 5
"""Of each digest."""


def stream(seed: int) -> tuple[list[Event], list[date]]:
    """The events of a stream, and the days on which it is asked."""
    raw = accepted(generate(seed))
    days: list[date] = boundaries(raw)
    return [read(event) for event in raw], days[seed % 3 :: max(1, len(days) // DAYS)]


def answers(events: Sequence[Event], days: Sequence[date]) -> dict[str, Callable[[], Any]]:
    """How to find each answer, by what is asked: "2024-03-01", "figures 2024-03-01", "known 3" (three events), …"""
    fold, last = StatusFold(events), days[-1]
    found: dict[str, Callable[[], Any]] = {str(day): lambda day=day: row(fold.status(day)) for day in days}
    for day in days[:: max(1, len(days) // 3)]:
        found[f"figures {day}"] = lambda day=day: figures(events, day)
        found[f"members {day}"] = lambda day=day: members(events, day)
        found[f"attestation {day}"] = lambda day=day: attestation(events, day)
        found[f"changed on {day}"] = lambda day=day: fold.changed_on(day)
    for known in range(1, len(events)):
        found[f"known {known}"] = lambda known=known: row(StatusFold(events[:known]).status(last))
    for axis in ("as_of", "known"):
        found[f"history {axis}"] = lambda axis=axis: [step_json(step) for step in history(events, axis, last)]
    for earlier, later in pairwise(days[:: max(1, len(days) // 4)]):
        points = Point(earlier, len(events)), Point(later, len(events))
        found[f"cause {later}"] = lambda points=points: cause_of(events, *points)
    for known in range(2, len(events), 3):
        points = Point(last, known), Point(last, len(events))
        found[f"cause known {known}"] = lambda points=points: cause_of(events, *points)
    found["deadlines"] = lambda: sorted(fold.deadlines())
    return found


def row(status: Status | None) -> Any:
    """The status as it is stored: the document, and the columns of lists."""
    if status is None:
        return None
    columns = {
        field.name: getattr(status, field.name) for field in fields(status) if field.name not in ("document", "outline")
    }
    return columns | {"document": {k: v for k, v in status.document.items() if k != "rules_version"}}


def digest(answer: Any) -> str:
    """The first digits of an answer's SHA-256."""
    return sha256(json.dumps(plain(answer), sort_keys=True).encode()).hexdigest()[:DIGITS]


def plain(value: Any) -> Any:
    """A value as JSON can say it, the same in every process."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(one) for one in value), key=json.dumps)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value


def recorded() -> list[list[str]]:
    """The digests that were written down: for each seed those of its answers, in their order."""
    return [line.split() for line in FILE.read_text().splitlines()]


def main() -> None:
    """Write down what the rules answer now."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    found = [[digest(answer()) for answer in answers(*stream(seed)).values()] for seed in range(STREAMS)]
    FILE.write_text("".join(f"{' '.join(line)}\n" for line in found))
    print(f"{sum(map(len, found)):,} answers to {len(found)} streams: {FILE.name}")


if __name__ == "__main__":
    main()
