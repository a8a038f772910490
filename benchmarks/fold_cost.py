"""What the rules take to fold an event, beside those of another tree: the same facts, CPU time, turn by turn.

    python -m benchmarks.fold_cost ../older-tree [--turns 7]

The facts are ones that every version of the rules takes: the synthetic pledges of `benchmarks.generate`, followed
event by event as the projector does, and long records of one pledge, folded as a whole and followed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

HERE = Path(__file__).resolve().parent.parent
PLEDGES, LONG, FOLLOWED = 150, 2_000, 100
TIMES = 3
"""How often each turn measures; the quickest counts."""

Records = dict[str, list[list[str]]]
"""The lines of the events of each pledge, by the name of what is done with them."""


def records() -> Records:
    """The lines of all records."""
    from benchmarks.generate import log_lines
    from tests.support.long_records import SHAPES, long_record

    pledges: dict[str, list[str]] = {}
    for row in log_lines(PLEDGES):
        pledges.setdefault(row.pledge, []).append(row.state.decode())
    found: Records = {"follow: synthetic pledges of 8 to 12 events": list(pledges.values())}
    for shape in SHAPES:
        found[f"fold: {shape}, {LONG:,} events"] = [[event.line.decode() for event in long_record(shape, LONG)]]
        found[f"follow: {shape}, {FOLLOWED} events"] = [[e.line.decode() for e in long_record(shape, FOLLOWED)]]
    return found


def measure(found: Records) -> dict[str, float]:
    """Microseconds of CPU time an event, by the rules that are imported."""
    from datetime import date

    from tracker.event import Event
    from tracker.rules.status import StatusFold

    def fold(events: list[Any]) -> None:
        status = StatusFold(events).status(date(2060, 1, 1))
        assert status is not None
        assert status.body

    def follow(events: list[Any]) -> None:
        record = StatusFold(())
        for event in events:
            record = record.followed_by(event)
            for segment in record.segments(record.acts_from(event)):
                assert segment.status.body

    how: dict[str, Callable[[list[Any]], None]] = {"fold": fold, "follow": follow}
    took = {}
    for name, pledges in found.items():
        read = [[Event.read(line.encode(), n) for n, line in enumerate(lines, 1)] for lines in pledges]
        took[name] = min(_seconds(how[name.partition(":")[0]], read) for _ in range(TIMES))
        took[name] *= 1e6 / sum(map(len, read))
    return took


def _seconds(work: Callable[[list[Any]], None], pledges: Iterable[list[Any]]) -> float:
    began = process_time()
    for events in pledges:
        work(events)
    return process_time() - began


def main() -> None:
    """Measure both trees in turn, and print the median of each and the median of the quotients."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("other", type=Path, help="a tree of another version, as `git worktree add` makes it")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--measure", action="store_true", help="measure the records of a file, by what is imported")
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(json.loads(args.other.read_text()))))
        return
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "records.json"
        lines.write_text(json.dumps(records()))
        turns = [(_of(args.other, lines), _of(HERE, lines)) for _ in range(args.turns)]
    print("| what | other | this | quotient |\n|--|--:|--:|--:|")
    for name in turns[0][0]:
        pairs = [(other[name], this[name]) for other, this in turns]
        cells = [f"{median(side):.0f} µs" for side in zip(*pairs, strict=True)]
        print(f"| {name} | {' | '.join(cells)} | {median(this / other for other, this in pairs):.2f} |", flush=True)


def _of(tree: Path, lines: Path) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), str(lines), "--measure"]
    told = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(tree.resolve())}, capture_output=True, check=True
    )
    found: dict[str, float] = json.loads(told.stdout)
    return found


if __name__ == "__main__":
    main()
