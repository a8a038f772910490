"""Whether this machine's clock can be right: what is stamped wrong is wrong for ever.

The age of the last event is no evidence: a log may rest for a month. Two other clocks are: the database's, and the
time since this machine was started, which no one sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from tracker.errors import ClockImplausible

MAX_FROM_DATABASE = timedelta(minutes=1)
"""How far a stamp may be from the database's clock: a request may wait some seconds for its turn."""

MAX_MOVED = timedelta(hours=1)
"""How far the wall clock may move against the time since the machine was started."""

TRUST = "set the clock, or, if it is right, restart with TRACKER_TRUST_CLOCK=true"
"""What is to be done."""


class ClockWatch:
    """Compares clocks. `wall` is the clock that stamps, `since_boot` gives seconds of a clock that nobody sets."""

    def __init__(self, wall: Callable[[], datetime], since_boot: Callable[[], float]) -> None:
        self._wall, self._since_boot = wall, since_boot
        self._began, self._began_since_boot = wall(), since_boot()

    def must_have_kept_pace(self) -> None:
        """Check that the wall clock has gone on as the other one did since this watch was made.

        Raises: ClockImplausible if it moved by more than MAX_MOVED.
        """
        self.must_keep_pace([self._wall()])

    def must_keep_pace(self, stamps: Iterable[datetime]) -> None:
        """Check stamps against the clock that nobody sets: the wall clock may have been moved after it was looked at.

        Raises: ClockImplausible if one is further from it than MAX_MOVED.
        """
        expected = self._began + timedelta(seconds=self._since_boot() - self._began_since_boot)
        for stamp in set(stamps):
            if abs(stamp - expected) > MAX_MOVED:
                raise ClockImplausible(
                    f"this machine's clock says {_words(stamp)}, and counted from the start of this process it is"
                    f" {_words(expected)}: {TRUST}"
                )

    def must_be_near(self, stamps: Iterable[datetime], database: datetime) -> None:
        """Check stamps against the database's clock.

        Raises: ClockImplausible if one is further from it than MAX_FROM_DATABASE.
        """
        for stamp in set(stamps):
            if abs(stamp - database) > MAX_FROM_DATABASE:
                raise ClockImplausible(
                    f"this machine's clock said {_words(stamp)}, the database's says {_words(database)}: {TRUST}"
                )


def _words(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
