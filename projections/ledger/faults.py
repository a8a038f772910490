"""Why nothing is signed.

LedgerFault             a key is missing or may be read by others
└── Inconsistent        the log is not the one that was published
"""

from __future__ import annotations


class LedgerFault(Exception):
    """No checkpoint is signed until the reason is gone; it is looked at again at every turn."""


class Inconsistent(LedgerFault):
    """The log does not begin with the events of a checkpoint that was published.

    `position` is that of the first event that is not as it was, None if it cannot be told. Nothing is signed under this
    origin by this process any more. Put the right copy of the log back and start again, or fork the log.
    """

    def __init__(self, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.position = position
