"""Work counted in steps instead of seconds, so that a slow machine counts the same."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from tests.support.paths import ROOT

TRACKER = f"{ROOT / 'tracker'}/"


def steps(run: Callable[[], object]) -> int:
    """How many lines of `tracker/` a call executes, every turn of a loop counted anew."""
    count = 0

    def line(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    def call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(TRACKER) else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        run()
    finally:
        sys.settrace(before)
    return count
