"""The log of a process as lines of JSON."""

from __future__ import annotations

import json
import logging
from typing import Any

from api.http.request_ids import CURRENT
from tracker.visible_text import escaped

LOGGER_NAME = "tracker.api"

LOGGERS = ("tracker", "projections", "uvicorn", "asyncio", "eventsourcing", "psycopg", "sqlalchemy", "py.warnings")
"""The loggers above all of this package, and of the libraries that have something to tell an operator."""


class JsonLines(logging.Formatter):
    """One JSON object a line, with what is not seen escaped. Headers, bodies and query strings are never logged."""

    _FIELDS = ("key", "method", "route", "path", "status", "milliseconds", "reason", "pid", "replaced_by")

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", "") or CURRENT.get():
            line["request_id"] = request_id
        line |= {name: getattr(record, name) for name in self._FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return escaped(json.dumps(line, ensure_ascii=False))


def log_as_json() -> None:
    """Send the log of this process to standard error, one JSON object a line. A second call changes nothing.

    What wrote plain lines there, as uvicorn's own settings do, writes JSON from here on.
    """
    logging.captureWarnings(capture=True)
    for name in LOGGERS:
        log = logging.getLogger(name)
        writing = [handler for handler in log.handlers if type(handler) is logging.StreamHandler]
        if not writing:
            writing.append(logging.StreamHandler())
            log.addHandler(writing[0])
        for handler in writing:
            handler.setFormatter(JsonLines())
