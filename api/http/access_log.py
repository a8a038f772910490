"""One line for each answer, where TRACKER_ACCESS_LOG says so: who asked what, and how long it took to begin to answer.

The route is a template and the query is left out, so that no line holds what was asked for, and none a secret.
"""

from __future__ import annotations

import logging

ACCESS_LOGGER = "tracker.access"
"""The logger of the lines."""


class AccessLog:
    """Writes the lines; of a log that is off nothing."""

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self._log = logging.getLogger(ACCESS_LOGGER)
        if on:
            self._log.setLevel(logging.INFO)

    def line(
        self, *, request_id: str, key: str | None, method: str, route: str, status: int, seconds: float | None
    ) -> None:
        """Write the line of one answer. `key` is the name of the key; None without one."""
        milliseconds = None if seconds is None else round(1000 * seconds, 3)
        told = {"request_id": request_id, "key": key, "method": method, "route": route, "status": status}
        self._log.info("answered", extra=told | {"milliseconds": milliseconds})
