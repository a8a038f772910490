"""Python's collector of cycles, kept from holding requests up.

A full pass looks at every value of the process while all threads stand still: half a second for what a server keeps in
memory. So what survives a pass is set aside (`gc.freeze`), and the next one looks at what is newer. Values that are set
aside are freed by their reference counts as ever; cycles among them wait for the whole pass that is made once an hour.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

WHOLE_SECONDS = 3600.0
"""Seconds after which a pass looks at everything again."""


NEW_OBJECTS = 10_000
"""New objects after which the collector looks at them: a millisecond in which all threads stand still. What lies in
cycles until then, statements of the read models most of all, took 8 MB where it was five times as many."""


class Passes:
    """Called at the beginning and the end of every pass of the collector (`gc.callbacks`)."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._whole_at = monotonic()

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """Set aside what a full pass has left; once an hour take it all back for the next one."""
        if phase != "stop" or info["generation"] != 2:
            return
        now = self._monotonic()
        if now - self._whole_at < WHOLE_SECONDS:
            gc.freeze()
        else:
            self._whole_at = now
            gc.unfreeze()


def collect_seldom() -> None:
    """From here on passes are seldom, and look at what is newer than the last one. A second call changes nothing."""
    if any(isinstance(called, Passes) for called in gc.callbacks):
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    gc.callbacks.append(Passes())


@contextmanager
def resting() -> Iterator[None]:
    """The collector rests, and what there is in the end is set aside.

    A large batch makes a million values that all stay until its end: looking through them again and again would hold
    every other request up for a second at a time. What a batch leaves is freed without it.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.freeze()
            gc.enable()
