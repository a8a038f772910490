"""The leaves of the log, read so that a hole among its positions cannot pass for the leaf behind it."""

from __future__ import annotations

from projections.ledger.faults import Inconsistent
from tracker.log.recorder import LogRecorder


def read_leaves(log: LogRecorder, after: int, limit: int, head: int) -> list[bytes]:
    """The leaves of up to `limit` events after a position; `head` is the log's last position, read before.

    Raises: Inconsistent if a position up to `head` is not there.
    """
    expected = max(0, min(limit, head - after))
    leaves = log.leaves(after, expected) if expected else []
    if len(leaves) < expected:
        there = {position for position, _, _ in log.changed_since(after, expected)}
        missing = next(position for position in range(after + 1, after + expected + 1) if position not in there)
        raise Inconsistent(f"the event at position {missing} is missing from the log", missing)
    return leaves
