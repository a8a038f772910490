"""The table of docs/reliability.md: the rows of a run beside those of earlier runs, each with its date and commit."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from faults.catalogue import FAULTS
from faults.trial import Row

HEADER = (
    "| Fault | Store | Tried | Acknowledged | Lost | Doubled | Unnoticed | Noticed after, s | Recovery, s"
    " | Run, UTC | Commit | Load |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---|---|---:|\n"
)

BROKEN = "What did not hold:"
"""The line above what did not hold."""

_ROW = re.compile(r"\| (?P<fault>[^|]+) \| (?P<store>SQLite|PostgreSQL) \| .*\|\n?")
_NOTE = re.compile(r"- (?P<fault>.+), (?P<store>SQLite|PostgreSQL): .+\n?")

Key = tuple[str, str]
"""The name of a fault and of a store."""


@dataclass
class Table:
    """The lines of the document by the row that they belong to."""

    rows: dict[Key, str] = field(default_factory=dict)
    remarks: dict[Key, list[str]] = field(default_factory=dict)
    broken: dict[Key, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Self:
        """The table that stands in a text."""
        table = cls()
        notes = table.remarks
        for line in text.splitlines(keepends=True):
            if line.startswith(BROKEN):
                notes = table.broken
            elif row := _ROW.fullmatch(line):
                table.rows[row["fault"], row["store"]] = line
            elif note := _NOTE.fullmatch(line):
                notes.setdefault((note["fault"], note["store"]), []).append(line)
        return table

    def take_in(self, rows: Sequence[Row]) -> None:
        """Put rows in the place of those of the same fault and store."""
        for row in rows:
            key = (row.fault, row.store)
            self.rows[key] = _line(row)
            self.remarks[key] = [f"- {row.fault}, {row.store}: {remark}.\n" for remark in row.remarks]
            self.broken[key] = [f"- {row.fault}, {row.store}: {sentence}\n" for sentence in row.broken]

    def text(self) -> str:
        """The table in the order of the faults, and a sentence for all that did not hold or that is worth a remark."""
        order = [(fault.name, store) for fault in FAULTS for store in ("SQLite", "PostgreSQL")]
        machine = f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()})"
        text = (
            f"On {machine}, Python {platform.python_version()}. Each row says when and of which commit it was run, and"
        )
        text += " the load average of the machine then.\n\n"
        text += HEADER + "".join(self.rows.get(key, "") for key in order)
        remarks = [line for key in order for line in self.remarks.get(key, [])]
        broken = [line for key in order for line in self.broken.get(key, [])]
        if remarks:
            text += "\n" + "".join(remarks)
        return text + (f"\n{BROKEN}\n\n" + "".join(broken) if broken else "\nAll that must hold held.\n")


def this_run() -> str:
    """The cells that say when a row was run, of which commit (+ if files differ from it), and the machine's load."""
    git = ["git", "-C", str(Path(__file__).parent)]
    commit = subprocess.run([*git, "rev-parse", "--short=7", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "*.py"], capture_output=True, check=False)
    name = commit.stdout.strip() + ("+" if changed.returncode == 1 else "")
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} | {name or '–'} | {os.getloadavg()[2]:.0f}"


def _line(row: Row) -> str:
    unnoticed = "–" if row.unnoticed is None else str(row.unnoticed)
    cells = (row.fault, row.store, row.tried, f"{row.acknowledged:,}", row.lost, row.doubled, unnoticed)
    return f"| {' | '.join(map(str, cells))} | {_seconds(row.noticed)} | {_seconds(row.recovery)} | {row.run} |\n"


def _seconds(tries: Sequence[float]) -> str:
    """The median of some tries and the longest one."""
    return f"{statistics.median(tries):.1f} (≤ {max(tries):.1f})" if tries else "–"
