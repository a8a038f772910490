"""Which server the application runs on: `tracker serve`, plain uvicorn and granian, on rows 1, 2 and 5s.

    python -m benchmarks.servers [--rounds 3] [--seconds 3]

All three serve the same application with one process; the two plain ones know no bounds of a request, and fold in a
thread. Each has a store of its own with the same synthetic pledges; rounds are taken in turn.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.generate import load
from benchmarks.harness import ADMIN, PYTHON, free_port, run_tracker, running, tracker_server, wait_until
from benchmarks.load import rate, request
from benchmarks.polling import LIST, lag, read
from benchmarks.write_load import measure, tracker_write

FACTORY = "api.cli.serve:application"
CLIENTS = 32
PLEDGES = 200
SERVERS = ("tracker-serve", "uvicorn", "granian")


@contextmanager
def serving(name: str, folder: Path) -> Iterator[int]:
    """The port of a server on a store of its own."""
    url, port = f"sqlite:///{folder}/{name}.db", free_port()
    load(url, PLEDGES)
    env = {"TRACKER_DATABASE_URL": url, "TRACKER_ADMIN_KEY": ADMIN, "TRACKER_RATE_LIMIT": "0"}
    run_tracker(env, "init")
    options = ["--port", str(port), "--log-level", "warning", "--factory"]
    if name == "tracker-serve":
        server = tracker_server(url, port)
    elif name == "uvicorn":
        server = running([PYTHON, "-m", "uvicorn", FACTORY, "--no-access-log", *options], port, "/health/ready", env)
    else:
        given = ["--interface", "asgi", "--no-ws", "--loop", "uvloop", *options]
        server = running([PYTHON, "-m", "granian", *given, FACTORY], port, "/health/ready", env)
    with server:
        wait_until(lambda: lag(port) == 0)
        yield port


def main() -> None:
    """Print a row of Markdown for each server, medians of the rounds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {name: {} for name in SERVERS}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ports = {name: stack.enter_context(serving(name, Path(folder))) for name in SERVERS}
        for number in range(given.rounds):
            for name, port in ports.items():
                unchanged = request(LIST, port, {"If-None-Match": read(port, LIST)[0]})
                taken = {
                    "304/s": rate(port, unchanged, status=304, seconds=given.seconds),
                    "200/s": rate(port, request(LIST, port), status=200, seconds=given.seconds),
                }
                writes = measure(
                    port, tracker_write, seed=f"{name}-{number}", seconds=given.seconds, clients=CLIENTS
                )  # fmt: skip
                taken |= {"writes/s": writes.rate, "p99, ms": writes.p99}
                for kind, value in taken.items():
                    found[name].setdefault(kind, []).append(value)
    print("| | " + " | ".join(found[SERVERS[0]]) + " |\n|--|" + "--:|" * len(found[SERVERS[0]]))
    for name, kinds in found.items():
        print(f"| {name} | " + " | ".join(f"{statistics.median(values):,.0f}" for values in kinds.values()) + " |")


if __name__ == "__main__":
    main()
