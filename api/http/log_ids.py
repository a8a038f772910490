"""The id of the log in requests: `log=` of a read, the header `Tracker-Log` of a write, and places in another log."""

from __future__ import annotations

from litestar.types import Scope

from api.http.contract import Parameter, Schema
from api.http.headers import header
from api.http.parameters import Query, invalid
from tracker.errors import OtherLog
from tracker.log.guard import must_be_this_log

HEADER = "Tracker-Log"
"""The header that says which log answers, and which one a write is for."""

_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[0-9A-Za-z_-]+$"}

LOG = Parameter("log", "The id of the log that is asked; another one is `other_log`.", _ID)
LOG_HEADER = Parameter(HEADER, "The id of the log that is written to; another one is `other_log`.", _ID)


def must_be_asked(query: Query, log: str) -> None:
    """Check that a read is about the log of this id, if it says about which.

    Raises: OtherLog if it is about another one.
    """
    must_be_this_log(log, query.get("log"))


def log_of_write(scope: Scope) -> str | None:
    """The id of the log that a write is for; None if it does not say.

    Raises: InvalidParameter if it is no id.
    """
    given = header(scope, HEADER.lower().encode())
    if given is None:
        return None
    if not given.strip():
        raise invalid(HEADER, "is the id of a log, as `GET /v1/log` answers it")
    return given.decode("latin-1").strip()


def beyond_the_log(name: str, head: int, log: str) -> OtherLog:
    """The refusal of a place that the log has not reached: it is one of another history."""
    return OtherLog(f"'{name}' is beyond log {log}, which has reached {head}: begin anew", log=log, head=head)
