"""`Tracker-Min-Position`: a read that is answered with an event that its caller knows of, or not at all.

A caller that got a position from one process, a receipt's above all, names it in its reads of another one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from litestar.concurrency import sync_to_thread
from litestar.types import Scope

from api.http.contract import Parameter
from api.http.headers import header
from api.http.known_heads import KnownHeads
from api.http.log_ids import beyond_the_log
from api.http.parameters import integer
from api.http.problems import PositionNotReached
from tracker.log.recorder import LogRecorder
from tracker.log.rows import MAX_POSITION

HEADER = "Tracker-Min-Position"
"""The header of a read that names the position."""

MIN_POSITION = Parameter(
    HEADER,
    "Answer with the event at this position: wait for it a moment, else 503; beyond the log it is `other_log`.",
    {"type": "integer", "minimum": 0, "maximum": MAX_POSITION},
)

WAIT_SECONDS = 1.0
"""Seconds that a read waits for the position that it names."""

_NAME = HEADER.lower().encode()


class MinPosition:
    """Holds reads back until this process knows the position that they name.

    `wait` waits until this process knows a position that is projected, and tells whether it does. `follows_replica` is
    True where the store itself may be a replica, which has not every event of its log yet.
    """

    def __init__(
        self,
        heads: KnownHeads,
        log: LogRecorder,
        wait: Callable[[int, float], Awaitable[bool]],
        *,
        follows_replica: bool,
    ) -> None:
        self._heads, self._log, self._wait, self._follows_replica = heads, log, wait, follows_replica

    async def reached(self, scope: Scope) -> None:
        """Wait until the position of a read is projected, if it names one.

        Raises: InvalidParameter if it is none; OtherLog if the log has not got so far; PositionNotReached if it has,
        and the projection has not, within WAIT_SECONDS.
        """
        given = header(scope, _NAME)
        if given is None:
            return
        position = integer({HEADER: given.decode("latin-1").strip()}, HEADER, 0, MAX_POSITION, 0)
        if await self._wait(position, WAIT_SECONDS):
            return
        head = await sync_to_thread(self._log.head)
        if position <= head:
            raise PositionNotReached(f"the read models have not got to position {position} yet")
        if self._follows_replica:
            raise PositionNotReached(f"this process reads a store that has not got to position {position} yet")
        raise beyond_the_log(HEADER, head, self._heads.log_id)
