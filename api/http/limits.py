"""The rate limit of writes: so many a minute for each key."""

from __future__ import annotations

import time

from api.http.problems import RateLimited

WINDOW_SECONDS = 60.0
"""Seconds of a key's window, from its first write."""

MAX_COUNTED_KEYS = 10_000
"""Keys counted at a time; beyond them, the key that has not written for the longest is forgotten."""


class WriteLimit:
    """Counts each key's writes within its own window. A limit of 0 is none."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._since: dict[str, tuple[float, int]] = {}

    def count(self, name: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Count one write and add the RateLimit headers to `headers`; a refusal has them too.

        Raises: RateLimited with the seconds to wait, if the key has no write left.
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
