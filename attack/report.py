"""The tables of docs/security.md, made from what came of a run."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from attack.exhaustion import Row
from attack.trial import MEBIBYTE, Findings

_QUIET = (
    "Another caller, who asks `/health/live` again and again, waited {:.0f} ms at most while nothing else was asked.\n"
)


def text(found: Sequence[Findings], rows: Sequence[Row], quiet_seconds: float, took: float) -> str:
    """All tables, with their date and machine, and a sentence for all that did not hold."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()})"
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    ran = f"Run on {now}, in {took / 60:.0f} minutes, on {machine}, Python {platform.python_version()}."
    ran += f" The machine had other work: its load average at the end was {os.getloadavg()[2]:.0f}.\n"
    lines = [
        ran,
        "### Every route, everybody, every kind of input\n",
        _servers(found),
        _kinds(found),
        _callers(found),
    ]
    if rows:
        lines += [
            "### What costs most\n",
            _QUIET.format(quiet_seconds * 1000),
            _costs(rows),
        ]
    broken = [sentence for one in found for sentence in one.broken]
    broken += [
        f"{row.name}: {row.status}, {row.cost.grown / MEBIBYTE:.0f} MiB, {row.cost.stall_seconds * 1000:.0f} ms"
        for row in rows
        if not row.holds
    ]
    if broken:
        lines.append("What did not hold:\n\n" + "".join(f"- {sentence}\n" for sentence in broken[:100]))
    else:
        lines.append("All that must hold held.\n")
    return "\n".join(lines)


def _servers(found: Sequence[Findings]) -> str:
    head = (
        "| Store | Reads | Routes | Requests | Minutes | Memory, MiB | Others waited, ms: median, 99 %, longest |\n"
        "|---|---|---:|---:|---:|---:|---:|\n"
    )
    return head + "".join(
        f"| {one.store} | {'public' if one.public_read else 'with a key'} | {one.routes} | {one.sent:,} "
        f"| {one.seconds / 60:.1f} | {one.grown / MEBIBYTE:.0f} "
        f"| {', '.join(f'{wait * 1000:.0f}' for wait in one.waits)} |\n"
        for one in found
    )


def _kinds(found: Sequence[Findings]) -> str:
    kinds: Counter[str] = sum((one.kinds for one in found), Counter())
    rows = "".join(f"| {kind} | {count:,} |\n" for kind, count in sorted(kinds.items()))
    return "| Kind of input | Requests |\n|---|---:|\n" + rows


def _callers(found: Sequence[Findings]) -> str:
    statuses: Counter[tuple[str, int]] = sum((one.statuses for one in found), Counter())
    names = dict.fromkeys(name for name, _ in statuses)
    rows = "".join(
        f"| {name} | {statuses[name, 2] + statuses[name, 3]:,} | {statuses[name, 4]:,} | {statuses[name, 5]:,} |\n"
        for name in sorted(names)
    )
    return "| Caller | Answered | Refused (4xx) | Failed (5xx) |\n|---|---:|---:|---:|\n" + rows


def _costs(rows: Sequence[Row]) -> str:
    head = (
        "| What is sent | Size, MiB | Answer | Memory, MiB | Seconds | Others waited at most, ms | for it, ms |\n"
        "|---|---:|---|---:|---:|---:|---:|\n"
    )
    return head + "".join(
        f"| {row.name} | {row.sent / MEBIBYTE:.1f} | {row.status} | {row.cost.grown / MEBIBYTE:.0f} "
        f"| {row.cost.seconds:.1f} | {row.cost.wait_seconds * 1000:.0f} "
        f"| {row.cost.stall_seconds * 1000:.0f} |\n"
        for row in rows
    )
