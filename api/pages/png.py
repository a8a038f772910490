"""Pictures as PNG. What they cost is bounded, whoever asks: one is drawn at a time, few wait, the last ones are kept.

resvg holds the interpreter's lock while it draws, so a picture is drawn in a process of its own: in ours nobody else
would be answered meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from threading import BoundedSemaphore, Lock

from tracker.errors import TrackerError

KEPT_PICTURES = 64
"""Pictures that are kept in memory, at most: some 60 kB each."""

WAITING_PICTURES = 4
"""Requests that draw a picture or wait for their turn, at most: each holds a thread that could answer another read."""

_MOST_SECONDS = 20
_RETRY_SECONDS = 2
_COMMAND = (sys.executable, "-P", "-m", "api.pages.png_process")
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")
ROOM = BoundedSemaphore(WAITING_PICTURES)
"""The places of those who draw or wait."""

_turn = Lock()


class TooManyPictures(TrackerError):
    """Too many pictures are being drawn by this process. Wait as long as `Retry-After` says, or take the SVG."""

    code = "unavailable"
    title = "Too many pictures at once"


@lru_cache(maxsize=KEPT_PICTURES)
def png(svg: bytes) -> bytes:
    """The picture as PNG.

    Raises: TooManyPictures if `WAITING_PICTURES` others are drawn or wait.
    """
    if not ROOM.acquire(blocking=False):
        raise TooManyPictures(
            "other pictures are being drawn; ask again in a moment, or for the SVG", retry_after=_RETRY_SECONDS
        )
    try:
        with _turn:
            return _drawn(svg)
    finally:
        ROOM.release()


def passed_on() -> dict[str, str]:
    """The environment of the process that draws: what it needs to start, and none of our settings, some secret."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _drawn(svg: bytes) -> bytes:
    done = subprocess.run(  # noqa: S603 - the command is our own
        _COMMAND, input=svg, capture_output=True, check=True, timeout=_MOST_SECONDS, env=passed_on()
    )
    return done.stdout
