"""PostgreSQL's own names of its errors (SQLSTATE), by which they are known where psycopg may not be loaded."""

from __future__ import annotations

UNDEFINED_TABLE = "42P01"
"""The statement names a table that is not there."""

UNDEFINED_COLUMN = "42703"
"""The statement names a column that is not there."""

INSUFFICIENT_PRIVILEGE = "42501"
"""The role may not do this."""

DISK_FULL = "53100"
"""The disk has no room."""

READ_ONLY_TRANSACTION = "25006"
"""The server takes no writes: it is a replica, or was one when the session began."""

IDLE_IN_TRANSACTION_TIMEOUT = "25P03"
"""The server ended a transaction whose process did nothing."""


def has_sqlstate(error: object, *states: str) -> bool:
    """Whether PostgreSQL answered with one of these states."""
    return getattr(error, "sqlstate", None) in states


def is_from_postgres(error: object) -> bool:
    """Whether an error is psycopg's: each has a state, which is None where the server gave none."""
    return hasattr(error, "sqlstate")
