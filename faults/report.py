"""The table of docs/reliability.md, made from the rows of a run."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

from faults.trial import Row

HEADER = (
    "| Fault | Store | Tried | Acknowledged | Lost | Doubled | Unnoticed | Noticed after, s | Recovery, s |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|\n"
)


def table(rows: Sequence[Row], took: float) -> str:
    """The table with its date and machine, and a sentence for all that did not hold or that is worth a remark."""
    lines = [_line(row) for row in rows]
    machine = f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()})"
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    text = f"Run on {now}, in {took / 60:.0f} minutes, on {machine}, Python {platform.python_version()}."
    text += f" The machine had other work: its load average at the end was {os.getloadavg()[2]:.0f}.\n\n"
    text += HEADER + "".join(lines)
    notes = [f"- {row.fault}, {row.store}: {remark}.\n" for row in rows for remark in row.remarks]
    broken = [f"- {row.fault}, {row.store}: {sentence}\n" for row in rows for sentence in row.broken]
    if notes:
        text += "\n" + "".join(notes)
    text += "\nWhat did not hold:\n\n" + "".join(broken) if broken else "\nAll that must hold held.\n"
    return text


def _line(row: Row) -> str:
    unnoticed = "–" if row.unnoticed is None else str(row.unnoticed)
    cells = (row.fault, row.store, row.tried, f"{row.acknowledged:,}", row.lost, row.doubled, unnoticed)
    return f"| {' | '.join(map(str, cells))} | {_seconds(row.noticed)} | {_seconds(row.recovery)} |\n"


def _seconds(tries: Sequence[float]) -> str:
    """The median of some tries and the longest one."""
    return f"{statistics.median(tries):.1f} (≤ {max(tries):.1f})" if tries else "–"
