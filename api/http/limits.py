"""Limits of so many a minute: of writes for each key, of refused keys for each address."""

from __future__ import annotations

from pathlib import Path

from api.http.problems import RateLimited
from api.http.shared_windows import SharedWindows
from api.http.windows import Counted, Windows

SHARED_FILE = "{}.limit"
"""The file of a limit in the directory in which processes count together."""


def counted(name: str, limit: int, shared: Path | None) -> Counted:
    """The counts of a limit: of the processes that count in the directory `shared`, or of this one alone."""
    return Windows(limit) if shared is None else SharedWindows(shared / SHARED_FILE.format(name), limit)


class WriteLimit:
    """Counts each key's writes within its own window. A limit of 0 is none."""

    def __init__(self, limit: int, shared: Path | None = None) -> None:
        self.limit = limit
        self._windows = counted("writes", limit, shared)

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

    def __init__(self, limit: int, shared: Path | None = None) -> None:
        self.limit = limit
        self._windows = counted("failed-keys", limit, shared)

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
