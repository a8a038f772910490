"""How many writes a key may make in a minute."""

from __future__ import annotations

import time

from api.http.problems import RateLimited

WINDOW_SECONDS = 60.0
MAX_COUNTED_KEYS = 10_000
"""Keys counted at a time; the forgotten ones are those that have not written for the longest."""


class WriteLimit:
    """Counts each key's writes within its own minute. 0 is no limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._since: dict[str, tuple[float, int]] = {}

    def count(self, name: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Count one write and add the RateLimit headers to those given, which a refusal has, too.

        Errors: ``RateLimited``, with the seconds to wait.
        """
        if not self.limit:
            return
        now = time.monotonic()
        since, used = self._since.pop(name, (now, 0))
        if now - since >= WINDOW_SECONDS:
            since, used = now, 0
        wait = max(1, int(since + WINDOW_SECONDS - now + 0.999))
        self._since[name] = (since, min(used + 1, self.limit))
        if len(self._since) > MAX_COUNTED_KEYS:
            del self._since[next(iter(self._since))]
        headers += [
            (b"ratelimit-policy", b'"writes";q=%d;w=60' % self.limit),
            (b"ratelimit", b'"writes";r=%d;t=%d' % (max(0, self.limit - used - 1), wait)),
        ]
        if used >= self.limit:
            raise RateLimited(
                f"{self.limit} writes a minute are allowed; wait {wait} s, or send a batch", retry_after=wait
            )
