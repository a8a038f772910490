"""What a verifier says when it does not believe a log."""

from __future__ import annotations

from tracker.merkle import MerkleError


class LogDoubted(MerkleError):
    """The published log is not what it says. Believe nothing of it before its operator has explained this.

    `position` is the first that is seen to be wrong, None where the fault is not at one position; `last` is the end of
    the stretch in which it lies.
    """

    code = "log_doubted"
    title = "The log is not to be believed"

    def __init__(self, reason: str, position: int | None = None, last: int | None = None) -> None:
        stretch = position is not None and last is not None and last > position
        place = f"positions {position} to {last}" if stretch else f"position {position}"
        super().__init__(reason if position is None else f"{place}: {reason}")
        self.reason, self.position, self.last = reason, position, last
