"""Waits that end on a condition: no test says how fast something happens, the benchmarks do.

A slow machine makes a wait longer and never wrong. What is said of a moment ("it has not gone on yet") may be looked at
after a short pause: a slow machine then sees less, and still nothing wrong.
"""

import subprocess
import time
from collections.abc import Callable

HANG_SECONDS = 240.0
"""Seconds after which a wait has failed. What takes longest beside eight busy loops takes a quarter of it."""


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Return once the condition holds; fail if it never does, or if the process has ended."""
    deadline = time.monotonic() + HANG_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)
