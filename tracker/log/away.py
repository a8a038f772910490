"""Why a store does not answer, as one sentence for the operator. It never holds a password."""

from __future__ import annotations

import re

from tracker.errors import Unavailable

READ_SECONDS = 5.0
"""Seconds that a read waits for its store, at most, where no setting says otherwise."""

_REFUSED = re.compile(
    r"FATAL:\s+(.*(?:password authentication|authentication failed|no pg_hba\.conf entry|not permitted to log in"
    r"|role \".*\" does not exist|database \".*\" does not exist|permission denied for database).*)"
    r"|(fe_sendauth: no password supplied)"
)
"""What PostgreSQL and libpq say of a connection that no waiting makes better: the settings are wrong."""


class SilentStore(Exception):
    """The store said nothing for too long, and what it says now would answer another question.

    Whoever asked has waited long enough, and MUST NOT ask again at once.
    """


def reason(error: object) -> str:
    """Why a store is away: that it refuses the password, the role or the database, or what it said itself."""
    text = " ".join(str(error).split())  # libpq says it on several lines
    if text == "interrupted":  # all that SQLite says of a statement that has had its time
        text = "the question takes too long"
    refused = _REFUSED.search(text)
    if refused is None:
        return f"the store does not answer: {text}"
    said = next(filter(None, refused.groups())).strip()
    return f"the database refuses the connection, so TRACKER_DATABASE_URL is to be corrected: {said}"


def unavailable(error: object) -> Unavailable:
    """An error about a store that is away, as the tracker's own."""
    return Unavailable(reason(error))
