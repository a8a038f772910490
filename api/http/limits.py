"""Limits of so many a minute: of writes for each key, of refused keys for each address."""

from __future__ import annotations

import time

from api.http.problems import RateLimited

WINDOW_SECONDS = 60.0
"""Seconds of a window, from the first that is counted in it."""

MAX_COUNTED = 10_000
"""Keys or addresses counted at a time; beyond them, the one that was not seen for the longest is forgotten."""


class _Windows:
    """Counts up to a limit, for each name within a window of its own."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since: dict[str, tuple[float, int]] = {}

    def count(self, name: str) -> tuple[int, int]:
        """Count one more; how many there were before it in the window, and the seconds until the window ends."""
        now = time.monotonic()
        since, used = self._since.pop(name, (now, 0))
        if now - since >= WINDOW_SECONDS:
            since, used = now, 0
        self._since[name] = (since, min(used + 1, self._limit))
        if len(self._since) > MAX_COUNTED:
            del self._since[next(iter(self._since))]
        return used, max(1, int(since + WINDOW_SECONDS - now + 0.999))


class WriteLimit:
    """Counts each key's writes within its own window. A limit of 0 is none."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._windows = _Windows(limit)

    def count(self, scope: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Count one write of a caller's scope and add the RateLimit headers to `headers`; a refusal has them too.

        Raises: RateLimited with the seconds to wait, if the key has no write left.
        """
        if not self.limit:
            return
        used, wait = self._windows.count(scope)
        headers += [
            (b"ratelimit-policy", b'"writes";q=%d;w=60' % self.limit),
            (b"ratelimit", b'"writes";r=%d;t=%d' % (max(0, self.limit - used - 1), wait)),
        ]
        if used >= self.limit:
            raise RateLimited(
                f"{self.limit} writes a minute are allowed; wait {wait} s, or send a batch", retry_after=wait
            )


class FailedKeyLimit:
    """Counts the keys that were refused to each address within its own window. A limit of 0 is none.

    Good keys are never refused for it: many people may share an address, and one of them may be hostile.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._windows = _Windows(limit)

    def count(self, address: str) -> None:
        """Count one refused key.

        Raises: RateLimited with the seconds to wait, in the place of the refusal, if there were too many before it.
        """
        if not self.limit:
            return
        used, wait = self._windows.count(address)
        if used >= self.limit:
            raise RateLimited(
                f"{self.limit} keys were refused to this address within a minute; wait {wait} s and mend the key",
                retry_after=wait,
            )
