"""Servers to measure, started as a user would start them, and the table that the rows become."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

PYTHON = sys.executable
ADMIN = os.environ.setdefault("BENCH_ADMIN_KEY", secrets.token_urlsafe(32))
"""The admin key of the servers here, which processes of the load inherit."""

START_SECONDS = 600.0
LOOK_SECONDS = 0.05
ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
"""Whether a process has ended, which stays to be waited for."""


TRACKER = str(Path(PYTHON).with_name("tracker"))
"""The command of this environment."""


@dataclass(frozen=True)
class Took:
    """What a process took: seconds by the clock and of processors, and its memory at most, or a child's."""

    seconds: float
    cpu_seconds: float
    megabytes: int


@dataclass(frozen=True)
class Row:
    """One ratio: ours against a peer or a budget, medians of rounds taken in turn."""

    row: str
    name: str
    ours: float
    peer: float
    against: str
    ratio: float
    goal: float | None
    better: Literal["higher", "lower"]
    unit: str = "requests/s"
    of: str = ""
    """How much of it was measured; the name of the row is the same at every scale."""

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal


def compared(
    row: str,
    name: str,
    ours: Sequence[float],
    peer: Sequence[float],
    against: str,
    goal: float | None,
    *,
    better: Literal["higher", "lower"] = "higher",
    unit: str = "requests/s",
    of: str = "",
) -> Row:
    """The row of two series of rounds: the ratio is that of the medians, ours over the peer's."""
    own, other = statistics.median(ours), statistics.median(peer)
    return Row(row, name, own, other, against, own / other, goal, better, unit, of)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], port: int, ready: str, env: dict[str, str] | None = None) -> Iterator[int]:
    """A server process, from its first good answer on `ready` until it is told to stop; its process id."""
    process = subprocess.Popen(command, env=os.environ | (env or {}), stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}{ready}") or process.poll() is not None)
        if process.poll() is not None:
            raise RuntimeError(f"{command} ended with {process.returncode}")
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def run_tracker(env: dict[str, str], *command: str, until: Callable[[], bool] | None = None) -> Took:
    """Run a command to its end, or kill it as soon as `until` holds.

    Its memory is looked at while it runs: what the system tells of it afterwards has that of who started it, too.

    Raises: SystemExit if it fails.
    """
    started, killed, peak = time.perf_counter(), False, 0
    with subprocess.Popen([TRACKER, *command], env=os.environ | env, stdout=subprocess.DEVNULL) as process:
        while not killed and os.waitid(os.P_PID, process.pid, ENDED) is None:
            peak = max(peak, _peak_megabytes(process.pid))
            killed = until is not None and until()
            if killed:
                process.kill()
            time.sleep(LOOK_SECONDS)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and not killed:
        raise SystemExit(f"tracker {' '.join(command)} ended with {process.returncode}")
    return Took(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak)


def _peak_megabytes(pid: int) -> int:
    """The most memory that a process has had; 0 once it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


def tracker_server(database_url: str, port: int, *arguments: str) -> contextlib.AbstractContextManager[int]:
    """`tracker serve` on a store, without a rate limit."""
    env = {"TRACKER_DATABASE_URL": database_url, "TRACKER_ADMIN_KEY": ADMIN, "TRACKER_RATE_LIMIT": "0"}
    env["TRACKER_FAILED_KEY_LIMIT"] = "0"
    command = [TRACKER, "serve", "--port", str(port), *arguments]
    return running(command, port, "/health/ready", env)


def bare_server(port: int, body: Path) -> contextlib.AbstractContextManager[int]:
    """The bare handler on the server that `tracker serve` runs on, with the same options."""
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log", "--no-server-header"]
    return running(
        [PYTHON, "-m", "uvicorn", "benchmarks.bare:app", *options], port, "/constant", {"BENCH_BODY": str(body)}
    )


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def wait_until(holds: Callable[[], bool]) -> None:
    """Ask again and again until it holds; gives up after `START_SECONDS`."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not get ready")
        time.sleep(LOOK_SECONDS)


def report(rows: list[Row], *, scale: str, path: Path) -> None:
    """Print one table and write the JSON beside it."""
    tell_heading()
    tell(rows)
    write(rows, scale=scale, path=path)
    print(f"\nwritten to {path}")


def tell_heading() -> None:
    """Print the first line of the table."""
    print(f"\n{'row':4} {'work':44} {'ours':>12} {'peer':>12} {'ratio':>8} {'goal':>8}  against", flush=True)


def tell(rows: list[Row]) -> None:
    """Print a line of the table for each row."""
    for row in rows:
        goal = "" if row.goal is None else f"{'≥' if row.better == 'higher' else '≤'} {row.goal:g}"
        mark = {True: "", False: "  MISSED", None: ""}[row.holds]
        print(
            f"{row.row:4} {row.name:44} {row.ours:12,.3f} {row.peer:12,.3f} {row.ratio:8.2f} {goal:>8}"
            f"  {row.against} ({', '.join(filter(None, (row.unit, row.of)))}){mark}",
            flush=True,
        )


def write(rows: list[Row], *, scale: str, path: Path) -> None:
    """Write the rows as JSON, with the machine and the versions of what was measured."""
    packages = (
        *("litestar", "uvicorn", "eventsourcing", "pydantic", "sqlalchemy", "psycopg"),
        *("datasette", "django", "django-simple-history"),
    )
    document = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "scale": scale,
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
