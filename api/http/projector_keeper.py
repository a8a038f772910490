"""Keeps the projector's process on the event loop: what it says is taken in at once, and its silence is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from projections.process import BEAT_SECONDS, ProjectorProcess


@contextmanager
def kept(process: ProjectorProcess) -> Iterator[None]:
    """Run the process beside the event loop that runs now, and start it again whenever it ends or is frozen."""
    loop = asyncio.get_running_loop()
    read = -1
    timer: asyncio.TimerHandle | None = None

    def moved() -> None:
        nonlocal read
        if read >= 0:
            loop.remove_reader(read)
        read = process.fileno()
        if read >= 0:
            loop.add_reader(read, process.receive)

    def look() -> None:
        nonlocal timer
        timer = loop.call_later(BEAT_SECONDS, look)
        process.look()

    process.moved = moved
    look()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        process.stop()
