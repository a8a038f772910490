"""Another caller of a server, in a process of its own: `python -m tests.support.asking ADDRESS PID`.

It asks `/health/live` again and again until its input ends, and prints for each request the seconds that it took and
the processor time that the server used meanwhile.
"""

import http.client
import os
import select
import sys
import time
from pathlib import Path

PAUSE_SECONDS = 0.005
"""Seconds between two requests."""

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """The processor time that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def main() -> None:
    """Ask until the input ends; the first request, which makes the connection, is not told."""
    place, pid = sys.argv[1].removeprefix("http://"), int(sys.argv[2])
    caller = http.client.HTTPConnection(place, timeout=60)
    first = True
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        began, before = time.perf_counter(), processor_seconds(pid)
        caller.request("GET", "/health/live")
        answer = caller.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        if not first:
            print(time.perf_counter() - began, processor_seconds(pid) - before, flush=True)
        first = False


if __name__ == "__main__":
    main()
